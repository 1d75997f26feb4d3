/** The operator's commands against a running agent: what they print, and their exit codes. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { hcf } from '../helpers/cli.ts'
import { until } from '../helpers/until.ts'
import { farm } from './farm.ts'

const WHY = ['--reason', 'kernel update']

void t.test('a mistake is said with its cure, and nothing is sent', async t => {
  const cases: ReadonlyArray<[args: readonly string[], says: RegExp, why: string]> = [
    [['drain', 'web/a'], /^--reason is missing: .* hcf drain web\/a --reason "kernel update" --for 30m$/m, 'no reason, and the line to type'],
    [['drain', 'web/*', '--reason', ' '], /hcf drain 'web\/\*' --reason/, 'a blank reason is none; a star is quoted for the shell'],
    [['drain', '--reason', 'x'], /^which server\? Write backend\/server/, 'no server'],
    [['drain', 'a', ...WHY], /written backend\/server, and all of a backend 'a\/\*', is a$/m, 'no backend'],
    [['drain', 'web/a/b', ...WHY], /is web\/a\/b$/m, 'too many parts'],
    [['drain', 'web/a', ...WHY, '--for', '30'], /--for must be a duration like 30m, 1h30m or 2d, is 30$/m, 'no unit'],
    [['drain', 'web/a', ...WHY, '--for', '366d1s'], /--for must be at most 366d, .* belongs into the config/, 'longer than a year'],
    [['drain', 'web/a', ...WHY, '--until', '2026-12-01T06:00'], /--until needs its zone; .* --until 2026-12-01T06:00(?:Z|[+-]\d\d:\d\d), is 2026-12-01T06:00$/m, 'no zone'],
    [['drain', 'web/a', ...WHY, '--until', '2999-12-01T06:00Z'], /--until must be at most 366d from now, .* belongs into the config/, 'longer than a year'],
    [['drain', 'web/a', ...WHY, '--until', 'tomorrow'], /--until must be a moment like 2026-12-01T06:00Z, is tomorrow/, 'no moment'],
    [['drain', 'web/a', ...WHY, '--until', '2026-12-01T06:00Z', '--for', '1h'], /--for and --until: one of them/, 'two ends'],
    [['drain', 'web/a', ...WHY, '--at-most', '0'], /--at-most must be a number of servers, at least 1, is 0/, 'none'],
    [['drain', 'web/a', ...WHY, '--wait', 'soon'], /--wait must be a duration like 60s, is soon/, 'no duration'],
    [['drain', 'web/a', ...WHY, '--queue', '5'], /--queue must be a duration like 60s, is 5/, 'no duration'],
    [['drain', 'web/a', '50%', ...WHY], /is 50%/, 'a percentage where none belongs'],
    [['weight', 'web/a', ...WHY], /one percentage of 0% to 100%, there is none\. For example: hcf weight web\/a 25%/, 'no percentage'],
    [['weight', 'web/a', '25', ...WHY], /is 25\./, 'no percent sign'],
    [['weight', 'web/a', '101%', ...WHY], /is 101%/, 'too much'],
    [['weight', 'web/a', '25%', '50%', ...WHY], /is 25% 50%/, 'two of them'],
    [['weight', '25%', ...WHY], /which server shall have 25%\?/, 'no server'],
    [['clear', 'a'], /a server is written backend\/server/, 'no backend'],
    [['clear', 'web/a', '--wait', 'soon'], /--wait must be a duration/, 'no duration']
  ]
  for (const [args, says, why] of cases) {
    const { code, err, out } = await hcf(args, { HCF_ADMIN: 'unix:/nowhere' })
    t.equal(code, 2, `${why}: exit code`)
    t.match(err, says, why)
    t.equal(out, '', `${why}: nothing on stdout`)
  }
})

void t.test('drain: what it is now, what HAProxy will hear, how many are left, when it ends', async t => {
  const { hcf, ask } = await farm(t)
  const given = await hcf('drain', 'web/a', ...WHY, '--for', '30m')
  t.equal(given.code, 0)
  t.match(given.out, /^web\/a {2}drain {2}HAProxy will hear: drain up #drain by ana: kernel update$/m, 'the author is who runs it')
  t.match(given.out, /^web: 2 of 3 left in service$/m)
  t.match(given.out, /^drain of web\/a ends in 30m \((?:\w{3} )?\d\d:\d\d\)$/m)
  t.equal(await ask('a'), 'drain up #drain by ana: kernel update', 'the very next answer')

  t.match(await hcf('maint', 'web/a', ...WHY, '--until', '2020-01-01T00:00+01:00'), { code: 2, err: /would be over already/ }, 'the agent’s clock decides')
  t.match((await hcf('maint', 'web/a', 'web/b', ...WHY, '--by', 'bo')).out, /^maint of web\/a, web\/b holds until hcf clear web\/a web\/b$/m, 'several, in one line')
  t.equal(await ask('b'), 'maint up #maint by bo: kernel update')

  t.match((await hcf('drain', 'web/d', ...WHY)), { code: 2, err: /No server web\/d in the config\. Did you mean web\/a/ })
})

void t.test('weight: the percentage may stand anywhere', async t => {
  const { hcf, ask } = await farm(t)
  t.match((await hcf('weight', '25%', 'web/a', ...WHY)).out, /^web\/a {2}up 25% {2}HAProxy will hear: up 25% #weight 25% by ana: kernel update$/m)
  t.equal((await hcf('weight', 'web/b', '50%', 'web/c', ...WHY)).code, 0)
  t.match([await ask('a'), await ask('b'), await ask('c')], [/^up 25% /, /^up 50% /, /^up 50% /])
  t.match((await hcf('weight', 'web/c', '10%', ...WHY, '--ramp', '10m')).out, /^weight 10% \(now 50%\) of web\/c holds until hcf clear web\/c$/m, 'walks there from where it is')
})

void t.test('a refusal is exit 1, in the agent’s words, and for programs in JSON', async t => {
  const { hcf, ask } = await farm(t)
  const refused = await hcf('down', 'web/*', ...WHY)
  t.match(refused, { code: 1, out: '', err: /web would have 0 of 3 servers .*min_up is 1.*--force/ })
  t.equal(await ask('a'), 'up 100%', 'nothing has changed')
  const json = await hcf('down', 'web/*', ...WHY, '--json')
  t.equal(json.code, 1)
  t.match(JSON.parse(json.out), { status: 409, code: 'min_up', left: [] })
  t.match(await hcf('down', 'web/*', ...WHY, '--force'), { code: 0, out: /^web: 0 of 3 left in service$/m })
  t.match(await hcf('up', 'web/a', ...WHY), { code: 0, out: /^web: 1 of 3 in service$/m }, 'a narrower one wins')
  const given = await hcf('clear', 'web/a', '--force', '--json')
  t.match(JSON.parse(given.out), { servers: [{ server: 'web/a', state: 'down' }], notes: [/now has another order, down of/] })
})

void t.test('ready exempts from a wider order; clear ends one', async t => {
  const { hcf, ask } = await farm(t)
  await hcf('drain', 'web/*', ...WHY, '--force')
  t.match(await ask('b'), /^drain /)
  t.match((await hcf('ready', 'web/b', ...WHY)).out, /^web\/b {2}up 100% {2}HAProxy will hear: ready up 100%/m)
  t.match([await ask('a'), await ask('b')], [/^drain /, /^ready up /])
  const cleared = await hcf('clear', 'web/*', 'web/b')
  t.equal(cleared.code, 0)
  t.match(cleared.out, /^web\/a {2}up 100% .*\n[^]*^web: 3 of 3 in service$/m)
  t.match(await ask('a'), /^ready up 100%/, 'our own word is taken back')
  t.match(await hcf('clear', 'web/a'), { code: 0, out: /note: there was no order on web\/a/ }, 'as it was wanted')

  await hcf('drain', 'web/a', ...WHY)
  t.match(await hcf('clear', 'web/a', 'web/x', 'web/b'), { code: 2, err: /No server web\/x .*\nweb\/a is cleared, web\/x, web\/b not$/m }, 'what was done before a mistake is said')
})

void t.test('--at-most: refused while others are out; --queue waits for room', async t => {
  const { hcf, ask, start } = await farm(t)
  await hcf('drain', 'web/a', ...WHY)
  const one = ['drain', 'web/b', ...WHY, '--at-most', '1']
  t.match(await hcf(...one), { code: 1, err: /at most 1 server out by order, and (?:web\/a|a) is out by order now\. --queue/ })
  t.match(await hcf(...one, '--queue', '10ms'), { code: 1, err: /a is out by order now/ }, 'no room within its time')

  const queued = start([...one, '--queue'])
  await until('it says what it waits for', () => queued.err().includes('tries again for at most 10m; ctrl-C gives up\n') || undefined, queued.err)
  t.equal(await ask('b'), 'up 100%', 'nothing has changed')
  await hcf('clear', 'web/a')
  t.match(await queued.ended, { code: 0, out: /^web: 2 of 3 left in service$/m })
  t.equal((await queued.ended).err, 'web may have at most 1 server out by order, and a is out by order now.\ntries again for at most 10m; ctrl-C gives up\n', 'said once, and nothing that was typed already')

  const another = start(['drain', 'web/c', ...WHY, '--at-most', '1', '--queue', '5m'])
  await until('it waits', () => another.err().includes('for at most 5m') || undefined, another.err)
  another.signal('SIGINT')
  t.match(await another.ended, { code: 1, err: /given up: nothing was changed/ })
  t.equal(await ask('c'), 'up 100%')

  const blind = start(['maint', ...WHY, '--at-most', '1', '--queue', 'web/c'])
  await until('a server after --queue is a server', () => blind.err().includes('for at most 10m') || undefined, blind.err)
  blind.signal('SIGTERM')
  t.equal((await blind.ended).code, 1)
})

void t.test('--queue goes on while the agent is started anew', async t => {
  const at = await farm(t)
  t.equal((await hcf(['drain', 'web/a', ...WHY, '--queue'], { HCF_ADMIN: 'unix:/nowhere' })).code, 69, 'but one that never was there is said at once')
  await at.hcf('drain', 'web/a', ...WHY)
  const queued = at.start(['drain', 'web/b', ...WHY, '--at-most', '1', '--queue'])
  await until('it waits', () => queued.err().includes('tries again') || undefined, queued.err)
  await at.close()
  await until('it misses the agent', () => queued.err().includes('no agent at') || undefined, queued.err)
  await at.open()
  t.match(await at.ask('a'), /^drain /, 'the order of before is in force')
  await at.hcf('clear', 'web/a')
  t.match(await queued.ended, { code: 0, out: /^web: 2 of 3 left in service$/m })
})

void t.test('--queue says once what it waits for, however often it tries', async t => {
  let tries = 0
  const agent = createServer((_, response) => {
    tries += 1
    const [status, body] = tries < 3 ? [409, { status: 409, code: 'at_most', detail: 'a is out.' }] : [200, { overrides: [], servers: [], backends: [], notes: [] }]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  agent.listen(0, '127.0.0.1')
  await once(agent, 'listening')
  t.teardown(() => { agent.close() })
  const queued = await hcf(['drain', 'web/b', ...WHY, '--queue'], { HCF_ADMIN: `127.0.0.1:${(agent.address() as AddressInfo).port}` })
  t.match(queued, { code: 0, err: /^a is out\.\ntries again for at most 10m; ctrl-C gives up\n$/ })
  t.equal(tries, 3)
})

void t.test('ready holds while there is something to be exempt from; its end may take the last one out', async t => {
  const { hcf } = await farm(t)
  t.equal((await hcf('maint', 'web/*', ...WHY, '--force')).code, 0)
  t.match((await hcf('ready', 'web/c', ...WHY)).out, /^ready of web\/c holds until what it exempts from is over$/m)
  t.match(await hcf('clear', 'web/c'), { code: 1, err: /web would have 0 of 3 servers .* --force/ })
  t.match(await hcf('clear', 'web/c', '--force'), { code: 0, out: /web: 0 of 3 in service[^]*note: web\/c now has another order/ })
})

void t.test('what somebody else took out is waited for, and whose order has ended is said', async t => {
  const { hcf } = await farm(t)
  t.equal((await hcf('drain', 'web/a', '--reason', 'disk is out')).code, 0)
  t.match(await hcf('drain', 'web/a', ...WHY, '--by', 'bo', '--at-most', '1'), { code: 1, err: /web\/a is out already: drain by ana: disk is out\. --queue waits/ })
  t.match((await hcf('clear', 'web/a', '--by', 'bo')).out, /^note: this ended drain by ana: disk is out$/m)
})
