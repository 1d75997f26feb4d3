/** How a command finds the agent and comes in, and what it says when it cannot. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askAdmin, findAdmin, type Admin } from '../../src/cli/admin-client.ts'
import { hcf } from '../helpers/cli.ts'

const SECRET = 'ana.c2VjcmV0c2VjcmV0'

/** Something that answers HTTP. */
async function answering (t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

void t.test('where: --admin, then HCF_ADMIN, then the config', async t => {
  const dir = t.testdir({
    'hcf.yaml': 'admin: { listen: "127.0.0.1:1111" }\nbackends: {}\n',
    'plain.yaml': 'backends: {}\n',
    'env.yaml': 'admin: { listen: "${WHERE}" }\nagent: { listen: "${NOT_SET}" }\nbackends: { web: { cap: URI:CHK:abc } }\n',
    'all.yaml': 'admin: { listen: "0.0.0.0:1111", token_file: /root/unreadable }\n',
    'six.yaml': 'admin: { listen: "[::]:1111" }\n'
  })
  const cases: ReadonlyArray<[where: object, env: Record<string, string>, expected: Partial<Admin>, why: string]> = [
    [{ admin: '127.0.0.1:5' }, { HCF_ADMIN: '127.0.0.1:6' }, { url: 'http://127.0.0.1:5', shown: '127.0.0.1:5' }, '--admin first'],
    [{ config: 'hcf.yaml' }, { HCF_ADMIN: 'unix:/run/x.sock' }, { url: 'http://localhost', socketPath: '/run/x.sock', shown: 'unix:/run/x.sock' }, 'then the environment'],
    [{ config: 'hcf.yaml' }, { HCF_ADMIN: '' }, { url: 'http://127.0.0.1:1111' }, 'then the config, of which only this is read'],
    [{ config: 'plain.yaml' }, {}, { url: 'http://127.0.0.1:9778' }, 'which has a default'],
    [{ config: 'env.yaml' }, { WHERE: '[::1]:7' }, { url: 'http://[::1]:7' }, 'mistakes elsewhere in it do not stand in the way'],
    [{ config: 'all.yaml' }, {}, { url: 'http://127.0.0.1:1111' }, 'who listens everywhere is found here'],
    [{ config: 'six.yaml' }, {}, { url: 'http://[::1]:1111' }, 'and with IPv6'],
    [{ admin: 'http://127.0.0.1:5/' }, {}, { url: 'http://127.0.0.1:5', shown: 'http://127.0.0.1:5' }, 'as a browser shows it'],
    [{ admin: 'https://hcf.example/agent/' }, {}, { url: 'https://hcf.example/agent' }, 'behind a proxy']
  ]
  for (const [where, env, expected, why] of cases) {
    const config = (where as { config?: string }).config
    t.match(findAdmin({ ...where, ...(config === undefined ? {} : { config: join(dir, config) }) }, { env }), expected, why)
  }
})

void t.test('where: what cannot be is said with the cure', async t => {
  const dir = t.testdir({
    'zero.yaml': 'admin: { listen: "127.0.0.1:0" }\n', 'bad.yaml': 'admin: { listen: nowhere }\n', 'no.yaml': '\tadmin: {}\n',
    'hashed': 'ana:$scrypt$ln=15,r=8,p=1$abc$def\n', 'two': `${SECRET}\n${SECRET}\n`
  })
  const cases: ReadonlyArray<[args: readonly string[], says: RegExp, why: string]> = [
    [['--admin', 'nowhere'], /the admin address must be like 127\.0\.0\.1:9778, unix:\/path or https:\/\/host, is nowhere/, 'no address'],
    [['--admin', 'https://'], /the admin address must be like/, 'no host'],
    [['--admin', `http://ana:${SECRET}@127.0.0.1`], /must not hold a password/, 'a secret where others see it'],
    [['-c', join(dir, 'zero.yaml')], /zero\.yaml: admin\.listen has port 0, .*--admin/, 'any port'],
    [['-c', join(dir, 'bad.yaml')], /bad\.yaml:1:\d+: admin\.listen must be an address/, 'a mistake in the one key that is read'],
    [['-c', join(dir, 'no.yaml')], /no\.yaml:1:1: is not YAML[^]*name it with --admin, by default 127\.0\.0\.1:9778/, 'no YAML'],
    [['-c', join(dir, 'none.yaml')], /none\.yaml:1:1: the config file does not exist/, 'no file'],
    [['--admin', '127.0.0.1:1', '--token-file', join(dir, 'none')], /--token-file: .*none cannot be read \(ENOENT\)/, 'no token'],
    [['--admin', '127.0.0.1:1', '--token-file', join(dir, 'hashed')], /holds what the agent keeps of a token \(its hash\), not the token/, 'the wrong one of two files'],
    [['--admin', '127.0.0.1:1', '--token-file', join(dir, 'two')], /two must hold one token/, 'two tokens']
  ]
  for (const [args, says, why] of cases) {
    const { code, err } = await hcf(['status', ...args])
    t.match(err, says, why)
    t.equal(code, 2, `${why}: exit code`)
    t.notMatch(err, SECRET, `${why}: no secret`)
  }
})

void t.test('a token is shown to the agent, and to nobody else', async t => {
  const seen: Array<string | undefined> = []
  const admin = await answering(t, ({ headers, url }, response) => {
    seen.push(`${url} ${headers.authorization}`)
    response.writeHead(401, { 'content-type': 'application/problem+json' }).end('{"status":401,"detail":"No such token."}')
  })
  const file = join(t.testdir({ token: `${SECRET}\n` }), 'token')
  const refused = await hcf(['status', '--admin', `http://${admin}/behind`, '--token-file', file], { HCF_TOKEN: 'other.token' })
  t.match(refused, { code: 2, out: '', err: /the agent at http:\/\/127\.0\.0\.1:\d+\/behind refuses: No such token\. .*--token-file FILE or HCF_TOKEN/ })
  t.notMatch(refused.err, SECRET)
  await hcf(['status', '--admin', admin], { HCF_TOKEN: SECRET })
  await hcf(['status', '--admin', admin], { HCF_TOKEN: '' })
  t.same(seen, [`/behind/v1/status Bearer ${SECRET}`, `/v1/status Bearer ${SECRET}`, '/v1/status undefined'], 'the file before the environment')
})

void t.test('answers that are none, by exit code', async t => {
  const problem = (status: number): string => JSON.stringify({ type: 'about:blank', title: 'x', status, detail: `it says ${status}` })
  const cases: ReadonlyArray<[status: number, code: number]> = [
    [400, 2], [403, 2], [404, 2], [409, 1], [413, 2], [422, 2], [429, 2], [500, 69], [503, 69], [507, 1]
  ]
  for (const [status, code] of cases) {
    const admin = await answering(t, (_, response) => { response.writeHead(status, { 'content-type': 'application/problem+json' }).end(problem(status)) })
    t.match(await hcf(['status', '--admin', admin]), { code, err: new RegExp(`it says ${status}`) }, String(status))
  }
  const page = await answering(t, (_, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello') })
  t.match(await hcf(['status', '--admin', page]), { code: 69, err: /answers, but not as the admin port of hcf does \(status 200\)/ }, 'somebody else')
  const torn = await answering(t, (_, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{"servers":') })
  t.match(await hcf(['status', '--admin', torn]), { code: 69, err: /not as the admin port/ }, 'half an answer')
})

void t.test('an agent that is not there, or not quite', async t => {
  t.match(await hcf(['status', '--admin', '127.0.0.1:1']), { code: 69, err: /^no agent at 127\.0\.0\.1:1 \(ECONNREFUSED\)\. Is hcf serve running\?/ })
  t.match(await hcf(['status', '--admin', 'unix:/nowhere/a.sock']), { code: 69, err: /^no agent at unix:\/nowhere\/a\.sock \(ENOENT\)/ })
  const hangsUp = await answering(t, ({ socket }) => { socket.destroy() })
  t.match(await hcf(['status', '--admin', hangsUp]), { code: 69, err: /hung up\n$/ })
  t.match(await hcf(['drain', 'web/a', '--reason', 'x', '--admin', hangsUp]), { code: 69, err: /hung up\. What was asked may have been done all the same: hcf status shows it/ }, 'an order that may be in force')
  const silent = await answering(t, () => undefined)
  await t.rejects(askAdmin(findAdmin({ admin: silent }, { env: {} }), '/v1/status', { timeoutMs: 20 }), /does not answer$/)
})
