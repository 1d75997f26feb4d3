/** `hcf status` against a running agent: once, and again and again. */
import t from 'tap'
import { widthOf } from '../../src/cli/io.ts'
import { until } from '../helpers/until.ts'
import { farDay, farm } from './farm.ts'

const WHY = ['--reason', 'kernel update']

void t.test('status: who serves, who does not and why, orders, windows, who asks', async t => {
  const at = await farm(t, { more: [`    maintenance: [{ at: "0 3 ${farDay()} * *", for: 1h, force: true, reason: patching }]`, '  api: { servers: { x: "http://127.0.0.1:1" } }'] })
  await at.hcf('drain', 'web/a', ...WHY, '--for', '30m')
  await at.ask('d') // nobody has such a server
  const { code, out } = await at.hcf('status')
  t.equal(code, 0)
  t.match(out, /^hcf 1\.2\.3 at unix:.*admin\.sock, running for \d+s$/m)
  t.match(out, /^web {2}2 of 3 in service, the floor wants 2; out by order: a$/m)
  t.match(out, /^ {2}server +state +weight +since +why +next$/m)
  t.match(out, /^ {2}web\/a +drain +- +\d+s +drain by ana: kernel update +drain ends in (?:30m|29m 5\ds)$/m)
  t.match(out, /^ {2}web\/b +up +100% +\d+s$/m)
  t.match(out, /^ {2}drain +web\/a +ana +\d+s ago +in (?:30m|29m 5\ds) \(.*\d\d:\d\d\) +kernel update$/m)
  t.match(out, /^ {2}drain +web\/\* +maintenance +in .* \(.*03:00\) +after 1h +patching$/m)
  t.match(out, /^asked by\n {2}unix +3 servers +every \d+ms +last 0s ago$/m)
  t.match(out, /^nobody asks for api\/x: is agent-check set in haproxy\.cfg\?$/m)
  t.match(out, /^asked for, but not in the config: web\/d by unix, 1 time, last 0s ago \(near: web\/[abc].*\)$/m)
  t.notMatch(out, '\x1b', 'no colours into a file')

  const one = await at.hcf('status', '--backend', 'api')
  t.match(one.out, /^api {2}/m)
  t.notMatch(one.out, /web\//, 'only this backend')
  t.match(await at.hcf('status', '--backend', 'apo'), { code: 2, err: /^no backend apo; there is web, api$/m })
  t.match(JSON.parse((await at.hcf('status', '--json')).out), { servers: [{ server: 'web/a', state: 'drain' }, {}, {}, {}], unasked: ['api/x'] })
})

void t.test('status on a terminal: colours, and no line wider than it', async t => {
  const at = await farm(t)
  await at.hcf('drain', 'web/a', '--reason', 'long '.repeat(30))
  const { out } = await at.start(['status'], { columns: 60, rows: 10 }).ended
  t.ok(out.includes('\x1b[33mdrain\x1b[0m'), 'an order is yellow')
  t.ok(out.includes('\x1b[32mup\x1b[0m'), 'who serves is green')
  for (const line of out.split('\n')) t.ok(widthOf(line) < 60, line)
  t.match(out, /drain by ana: long .*…/, 'what is cut shows it')
  t.notMatch(out.split('\n').find(line => line.includes('weight')), '…', 'no head of a column that is empty')
  t.match(out, /^ {2}.*drain.* {2}web\/a {3}ana {2}\d+s ago {2}when cleared {2}long/m, 'no time of day where there is no room')
})

void t.test('status --watch: paints over itself, outlives the agent, ends with ctrl-C', async t => {
  const at = await farm(t)
  const watching = at.start(['status', '--watch'], { columns: 100, rows: 30 })
  await until('it has painted', () => watching.out().includes('3 of 3 in service') || undefined, watching.out)
  await at.hcf('maint', 'web/b', ...WHY)
  await until('it sees the order', () => watching.out().split('A\x1b[0J')[1]?.includes('of 3 in service') && watching.out().includes('2 of 3 in service') || undefined, watching.out)
  await at.close()
  await until('it misses the agent', () => /as it was \d+s ago: no agent at .*\n[^]*2 of 3 in service/.test(watching.out()) || undefined, watching.out)
  const before = watching.out().length
  await at.open()
  await until('it is back', () => watching.out().slice(before).includes('ctrl-C ends') || undefined, watching.out)
  watching.signal('SIGINT')
  t.equal((await watching.ended).code, 0)

  const nobody = at.start(['status', '--watch', '--admin', '127.0.0.1:1'], { columns: 100, rows: 30 })
  t.match(await nobody.ended, { code: 69, err: /no agent/ }, 'one that never was there is said')
})

void t.test('status --watch --json: a line a look', async t => {
  const at = await farm(t)
  const watching = at.start(['status', '--watch', '--json'])
  await until('two', () => watching.out().split('\n').length > 2 || undefined, watching.out)
  watching.signal('SIGTERM')
  const { code, out } = await watching.ended
  t.equal(code, 0)
  for (const line of out.trim().split('\n')) t.match(JSON.parse(line), { servers: [{ server: 'web/a' }, {}, {}] })
})
