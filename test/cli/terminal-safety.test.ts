/** What others wrote reaches a terminal as text, and as nothing else; what is secret does not reach it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askAdmin, presentable } from '../../src/cli/admin-client.ts'
import { printable } from '../../src/core/text.ts'
import { place } from '../helpers/agent.ts'
import { hcf, start } from '../helpers/cli.ts'
import { until } from '../helpers/until.ts'

const EVIL = 'a\u001b[2Jb\u009b1mc\u202ed\u0007e'
const HARMLESS = 'a [2Jb 1mc d e'

async function saying (t: Test, status: number, body: unknown, type = 'application/json'): Promise<string> {
  const path = join(place(t).dir, 'evil.sock')
  const server = createServer(({ headers }, response) => {
    const isStream = headers.accept === 'text/event-stream'
    response.writeHead(status, { 'content-type': isStream ? headers.accept : type })
    if (isStream) response.write(`data: ${JSON.stringify(body)}\n\n`)
    else response.end(JSON.stringify(body))
  }).listen(path)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return path
}

void t.test('printable', async t => {
  const cases: ReadonlyArray<[text: string, expected: string, why: string]> = [
    ['plain, with ünïcödé, 日本語 and 🦊', 'plain, with ünïcödé, 日本語 and 🦊', 'letters of all languages'],
    ['one\ntwo', 'one\ntwo', 'lines'],
    ['one\r\ntwo\tthree', 'one \ntwo three', 'other ways to move the cursor'],
    ['\u0000a\u001bb\u001fc', ' a b c', 'C0'],
    ['a\u007fb', 'a b', 'DEL'],
    ['a\u0080b\u009bc\u009fd', 'a b c d', 'C1'],
    ['a\u202ab\u202ec\u2066d\u2069e\u200ef\u200fg\u061ch', 'a b c d e f g h', 'bidirectional'],
    ['a\u200bb\ufeffc\u00add\u{e0041}e', 'a b c d e', 'other characters that are not seen'],
    ['a\u2028b\u2029c', 'a b c', 'ends of lines that are none'],
    ['a\u001b\u001b\u009bb', 'a b', 'a run is one blank']
  ]
  for (const [text, expected, why] of cases) t.equal(printable(text), expected, why)
})

void t.test('every string of an answer, however deep', async t => {
  const socketPath = await saying(t, 200, { [EVIL]: EVIL, list: [EVIL, { deep: [[EVIL]] }, 1, null, true] })
  t.strictSame(await askAdmin({ shown: 'x', url: 'http://localhost', socketPath }, '/v1/status'), {
    [HARMLESS]: HARMLESS, list: [HARMLESS, { deep: [[HARMLESS]] }, 1, null, true]
  })
  t.strictSame(presentable(JSON.parse('{"__proto__":{"x":1}}')), JSON.parse('{"__proto__":{"x":1}}'), 'a name is a name')
})

void t.test('a refusal, and its list of problems', async t => {
  const refusal = await saying(t, 409, { status: 409, detail: EVIL }, 'application/problem+json')
  t.equal((await hcf(['drain', 'web/a', '--reason', 'x'], { HCF_ADMIN: `unix:${refusal}` })).err, `${HARMLESS}\n`)
  const problems = await saying(t, 422, { status: 422, detail: 'x', problems: [EVIL, EVIL] }, 'application/problem+json')
  t.equal((await hcf(['reload'], { HCF_ADMIN: `unix:${problems}` })).err, `${HARMLESS}\n${HARMLESS}\nthe old config stays in force\n`)
})

void t.test('an event of the stream, as a line and as JSON', async t => {
  for (const json of [[], ['--json']]) {
    const path = await saying(t, 200, { id: 9, at: '2026-03-29T00:00:00Z', event: 'x', level: 'info', msg: `${EVIL}\nf` })
    const following = start(['events', '--follow', ...json], { HCF_ADMIN: `unix:${path}` })
    await until('it comes', () => following.out().endsWith('\n') || undefined, following.out)
    following.signal('SIGINT')
    t.match((await following.ended).out, json.length === 0 ? `  ${HARMLESS} f\n` : `"msg":"${HARMLESS}\\nf"`)
  }
})

void t.test('a secret in the wrong place is not repeated', async t => {
  const secret = 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0'
  t.equal(secret.length, 40)
  const cases: ReadonlyArray<[args: readonly string[], says: RegExp, why: string]> = [
    [['--admin', '127.0.0.1:1', '--token-file', `ana.${secret}`], /^--token-file takes the name of a file that holds the token, not the token$/m, 'a token where its file belongs'],
    [['--admin', '127.0.0.1:1', '--token-file', `ana.${secret}\n`], /^--token-file takes the name/, 'with the end of its line'],
    [['--admin', `ana.${secret}`], /^the admin address must be like 127\.0\.0\.1:9778, unix:\/path or https:\/\/host$/m, 'a token where the address belongs'],
    [['--admin', `ana:${secret}@127.0.0.1:9778`], /must not hold a password: give the token by --token-file or HCF_TOKEN/, 'no URL'],
    [['--admin', `http://ana:${secret}@127.0.0.1`], /must not hold a password/, 'a URL'],
    [['--admin', `http://ana:x/${secret}@127.0.0.1`], /must not hold a password/, 'no URL, for it holds a slash too early'],
    [['--admin', `http://127.0.0.1:1/${secret}@host`], /must not hold a password/, 'a URL of another host than was meant']
  ]
  for (const [args, says, why] of cases) {
    const { code, err } = await hcf(['status', ...args])
    t.equal(code, 2, `${why}: exit code`)
    t.match(err, says, why)
    t.notMatch(err, secret, `${why}: no secret`)
  }
  t.match((await hcf(['status', '--admin', '127.0.0.1:1', '--token-file', `ana.${secret.slice(1)}`])).err, /cannot be read \(ENOENT\)/, 'a shorter one is a file that is not there')
  t.match((await hcf(['status', '--admin', 'unix:/nowhere/a@b.sock'])), { code: 69 }, 'a socket may have such a name')
})
