/** The commands as a user meets them: what they print, and their exit codes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Gateway } from '../../src/sim/gateway.ts'
import { hcf, start, type Running } from '../helpers/cli.ts'
import { until } from '../helpers/until.ts'

const config = (gateway: Gateway, more = ''): string => `
agent: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
backends:
  read:
    profile: tahoe-read
    servers: { gw1: "${gateway.url}" }
    policy: { interval: 100ms, fast: 50ms, timeout: 1s }
${more}`

async function farm (t: Test, more?: string): Promise<{ readonly gateway: Gateway, readonly file: string }> {
  const gateway = await Gateway.start()
  t.teardown(async () => gateway.stop())
  return { gateway, file: join(t.testdir({ 'hcf.yaml': config(gateway, more) }), 'hcf.yaml') }
}

/** A running agent: its address for HAProxy, and its admin address. */
async function serve (t: Test, file: string): Promise<{ readonly agent: Running, readonly address: string }> {
  const agent = start(['serve', '-c', file])
  t.teardown(async () => {
    agent.signal('SIGTERM')
    await agent.ended
  })
  const address = await until('the agent listens', () => /"event":"agent\.listen","address":"([^"]+)"/.exec(agent.out())?.[1], agent.out)
  return { agent, address }
}

void t.test('what is asked for wrongly is said, with exit code 2', async t => {
  const { file } = await farm(t)
  const cases: ReadonlyArray<[args: readonly string[], says: RegExp, why: string]> = [
    [['frobnicate'], /unknown command 'frobnicate'/, 'no such command'],
    [['serv'], /Did you mean serve\?/, 'a near miss'],
    [['check', '--effectiv'], /unknown option '--effectiv'/, 'no such option'],
    [['probe'], /missing required argument 'backend\/server'/, 'an argument is missing'],
    [['check', '-c', '/nowhere/hcf.yaml'], /^\/nowhere\/hcf\.yaml:1:1: the config file does not exist$/m, 'no such file'],
    [['probe', 'read/gw9', '-c', file], /no server read\/gw9 in .*hcf\.yaml; it has read\/gw1/, 'no such server'],
    [['probe', 'read/gw1', '-c', file, '--wait', 'soon'], /--wait must be a duration like 60s, is soon/, 'no duration'],
    [['ask', 'nowhere', 'read/gw1'], /the address must be like 127\.0\.0\.1:9777/, 'no address'],
    [['explain', 'gw1', '-c', file], /a server is written backend\/server, is gw1/, 'no server'],
    [['explain', 'read/gw1', '--admin', 'x y'], /the admin address must be like/, 'no admin address'],
    [['demo', '--duration', 'long'], /--duration must be a duration like 60s, is long/, 'no duration']
  ]
  for (const [args, says, why] of cases) {
    const { code, err } = await hcf(args)
    t.equal(code, 2, `${why}: exit code`)
    t.match(err, says, why)
    t.notMatch(err, /\n {4}at /, `${why}: no stack`)
  }
})

void t.test('help and version', async t => {
  const help = await hcf(['--help'])
  t.equal(help.code, 0)
  for (const name of ['serve', 'check', 'probe', 'ask', 'explain', 'schema', 'demo']) t.match(help.out, new RegExp(`^ {2}${name} `, 'm'), `${name} is listed`)
  t.match(await hcf(['--version']), { code: 0, out: '1.2.3\n' })
  t.match((await hcf(['probe', '--help'])).out, /--wait <duration>/, 'a command has its own')
})

void t.test('check', async t => {
  const { file, gateway } = await farm(t)
  t.match(await hcf(['check', '-c', file]), { code: 0, out: `${file}: ok: 1 backend, 1 server, 1 poll\n` })
  const { code, out } = await hcf(['check', '-c', file, '--effective'])
  t.equal(code, 0)
  t.match(out, gateway.url)
  t.match(out, /kind: tahoe\.storage\n +at_least: 3\n +on_fail: drain/, 'the profile is filled in')
  t.match(out, /interval: 100ms\n +fast: 50ms/, 'in the words of the file')
})

void t.test('probe: fit 0, unfit 1, with every criterion, value and limit', async t => {
  const { file, gateway } = await farm(t)
  const fit = await hcf(['probe', 'read/gw1', '-c', file])
  t.equal(fit.code, 0)
  t.match(fit.out, /^read\/gw1 {2}Up at 100%: every criterion passes\.$/m)
  t.match(fit.out, /^pass +storage +5 +at least 3 +drain +5 of 5 storage servers connected, needs 3$/m)

  await gateway.wound({ storageConnected: 2 })
  const unfit = await hcf(['probe', 'read/gw1', '-c', file])
  t.equal(unfit.code, 1)
  t.match(unfit.out, /Drained by its criteria: storage: 2 of 5 storage servers connected, needs 3/)
  const json = await hcf(['probe', 'read/gw1', '-c', file, '--json'])
  t.match(JSON.parse(json.out), { server: 'read/gw1', fit: false, decision: { state: 'drain' } })

  await gateway.heal()
  await gateway.wound({ delayMs: 60 })
  const quick = file.replace('.yaml', '.quick.yaml')
  writeFileSync(quick, readFileSync(file, 'utf8').replace('    policy:', '    criteria: { latency: { at_most: 50ms } }\n    policy:'))
  const slow = await hcf(['probe', 'read/gw1', '-c', quick])
  t.match(slow, { code: 0, out: /^read\/gw1 {2}Up at 25%: latency: / }, 'the weight it would come to, at once')

  await gateway.heal()
  await gateway.wound({ mode: 'refused' })
  t.match(await hcf(['probe', 'read/gw1', '-c', file]), { code: 1, out: /Down by its criteria: reach: connection refused/ })
})

void t.test('probe --wait: a gate at start-up', async t => {
  const { file, gateway } = await farm(t)
  await gateway.wound({ storageAnnounced: false })
  const { received } = gateway
  const waiting = hcf(['probe', 'read/gw1', '-c', file, '--wait', '60s'])
  await gateway.arrived(received + 2) // it has looked once, was not content, and looks again
  await gateway.heal()
  t.equal((await waiting).code, 0, 'opens when the gateway is fit')
})

void t.test('ask: the line, and what HAProxy does with it', async t => {
  const { file, gateway } = await farm(t)
  const { address } = await serve(t, file)
  await until('it is up', async () => (await hcf(['ask', address, 'read/gw1'])).out.startsWith('up 100%\n') || undefined, () => '')
  t.match((await hcf(['ask', address, 'read/gw1'])).out, /up: in service/)
  t.match(await hcf(['ask', address, 'read/gw2']), { code: 0, out: /^# unknown read\/gw2\n {2}no word that acts/ })
  await gateway.wound({ storageConnected: 1 })
  await until('it is drained', async () => (await hcf(['ask', address, 'read/gw1', '--json'])).out.includes('kept up by the floor: storage: 1 of 5') || undefined, () => '')

  const nobody = await hcf(['ask', '127.0.0.1:1', 'read/gw1'])
  t.match(nobody, { code: 69, err: /^no answer from the agent at 127\.0\.0\.1:1: ECONNREFUSED$/m }, 'nobody there')
})

void t.test('explain: the story, from the running agent; without one, exit code 69', async t => {
  const { file } = await farm(t, '    admin_state: shared\n')
  const nobody = await hcf(['explain', 'read/gw1', '--admin', '127.0.0.1:1'])
  t.match(nobody, { code: 69, err: /no agent at 127\.0\.0\.1:1 \(ECONNREFUSED\)\. Is hcf serve running\?/ })

  const dir = mkdtempSync(join(tmpdir(), 'hcf-cli-')) // short: it holds a socket
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const socket = join(dir, 'a.sock')
  const withSocket = join(dir, 'hcf.yaml')
  writeFileSync(withSocket, readFileSync(file, 'utf8').replace('admin: { listen: "127.0.0.1:0" }', `admin: { listen: "unix:${socket}" }`))
  const { address } = await serve(t, withSocket)
  await until('it is up', async () => (await hcf(['ask', address, 'read/gw1'])).out.startsWith('up') || undefined, () => '')
  const { code, out } = await hcf(['explain', 'read/gw1', '-c', withSocket])
  t.equal(code, 0)
  t.match(out, /^read\/gw1 {2}up for /m)
  t.match(out, /^pass +storage +0\/3 bad +5 +at least 3 +drain +/m, 'counter, value, limit')
  t.match(out, /^backend +1 of 1 server in service, the floor wants 1$/m)
  t.match(out, /^reply +up 100%$/m)
  t.match(out, /^asked by +nobody: is agent-check set in haproxy\.cfg\?$/m, 'who looks on is no HAProxy')
  t.match(await hcf(['explain', 'read/gw7', '-c', withSocket]), { code: 2, err: /No server read\/gw7 in the config\. Did you mean read\/gw1\?/ })
  t.match(JSON.parse((await hcf(['explain', 'read/gw1', '--admin', `unix:${socket}`, '--json'])).out), { server: 'read/gw1', state: 'up' })
})

void t.test('serve: an address that is taken is said, with the cure', async t => {
  const { file } = await farm(t)
  const { address } = await serve(t, file)
  const taken = `${file}.taken.yaml`
  writeFileSync(taken, readFileSync(file, 'utf8').replace('agent: { listen: "127.0.0.1:0" }', `agent: { listen: "${address}" }`))
  t.match(await hcf(['serve', '-c', taken]), { code: 2, err: `cannot listen on ${address}: something already listens there` })
})
