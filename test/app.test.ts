/** The agent as a whole, in this process: what only shows once its parts are put together. */
import { join } from 'node:path'
import t from 'tap'
import type { Clock } from '../src/runtime/clock.ts'
import { SimClock } from '../src/sim/clock.ts'
import { ask, place, silentNode, start } from './helpers/agent.ts'
import { until } from './helpers/until.ts'
import { matchLines, Sink } from './runtime/sink.ts'

void t.test('reloads that come together take turns', async t => {
  const { config } = place(t)
  const app = await start(config())
  await t.resolves(Promise.all([app.reload(config(['b'])), app.reload(config(['b'])), app.reload(config(['c']))]))
  t.match(app.agentAddresses, [/a\.sock$/, /c\.sock$/], 'the last one holds')
  await app.stop()
})

void t.test('a reload of an agent that stops opens nothing', async t => {
  const { config } = place(t)
  const app = await start(config())
  const stopped = app.stop()
  await app.reload(config(['late']))
  await stopped
  t.notOk(app.agentAddresses.some(address => address.endsWith('late.sock')))
})

void t.test('one that cannot listen leaves nothing behind, and neither does one that has stopped', async t => {
  const { dir, config } = place(t)
  const app = await start(config())
  const clock = new SimClock()
  await t.rejects(start({ ...config(), stateDir: join(dir, 'other') }, clock), { code: 'EADDRINUSE' })
  await t.rejects(start(config(), clock), { name: 'ConfigError', message: /state_dir is in use: another hcf runs with .*state, and each needs its own/ })
  t.equal(clock.waiting, 0, 'no timer, which would keep the process')
  await app.stop()

  const other = await start(config(), clock)
  t.ok(clock.waiting > 0)
  await other.stop()
  t.equal(clock.waiting, 0, 'stopped')
})

void t.test('what time alone changes is told without anybody asking, or any look', async t => {
  const policy = 'policy: { interval: 1s, timeout: 3s, stale_after: 4s, stale_open: 5s, window: off, fall: 100 }'
  const { config } = place(t, `{ profile: http, servers: { a: "http://${await silentNode(t)}" }, ${policy} }`)
  const clock = new SimClock()
  const sink = new Sink()
  const app = await start(config(), clock, sink)
  await clock.advance(6000)
  const told = sink.take().filter(({ event }) => event === 'server.state')
  matchLines(t, told, [{ server: 'web/a', from: 'unknown', to: 'up', layer: 'stale' }])
  await app.stop()
})

void t.test('held up: said, and what failed meanwhile is nobody’s fault', async t => {
  const policy = 'policy: { interval: 1s, timeout: 3s, hedge: off }'
  const { config } = place(t, `{ profile: http, servers: { a: "http://${await silentNode(t)}" }, ${policy} }`)
  const sim = new SimClock()
  let heldUpMs = 0
  const clock: Clock = {
    now: () => sim.now() + heldUpMs,
    wall: () => sim.wall(),
    after: (ms, run) => sim.after(ms, run),
    every: (ms, run) => sim.every(ms, run)
  }
  const sink = new Sink()
  const app = await start(config(), clock, sink)
  await sim.advance(2000)
  t.strictSame(sink.take().filter(({ event }) => event === 'agent.late'), [], 'all is well')
  heldUpMs = 1500
  await sim.advance(3000)
  const told = sink.take()
  matchLines(t, told.filter(({ event }) => event === 'agent.late'), [{ level: 'warn', ms: 1500 }])
  matchLines(t, told.filter(({ event }) => event === 'poll.local'), [{ why: /^hcf itself was held up: no / }], 'the look that was under way')
  await app.stop()
})

void t.test('a restart that nobody notices', async t => {
  const { dir, config } = place(t, `{ profile: tcp, servers: { a: "tcp://${await silentNode(t)}" }, policy: { interval: 100ms } }`)
  const sink = new Sink()
  const app = await start(config(), undefined, sink)
  const isUp = (): boolean => sink.take().some(({ event, to }) => event === 'server.state' && to === 'up')
  await until('it is up', () => isUp() || undefined, () => sink.raw.join(''))
  await app.stop()
  const next = await start(config(), new SimClock({ epochMs: Date.now() })) // on which no time passes: it never looks
  t.equal(await ask(dir), 'up 100%', 'it knows what it knew')
  await next.stop()
})
