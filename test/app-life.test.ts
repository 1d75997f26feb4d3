/** The life of an agent in its log and on its admin port, from start to last word, on a clock that we move. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askAgent } from '../src/agent/ask.ts'
import type { App } from '../src/app.ts'
import { SimClock } from '../src/sim/clock.ts'
import { ask, place, show, silentNode, start, type Place } from './helpers/agent.ts'
import { until } from './helpers/until.ts'
import { matchLines, Sink, type Line } from './runtime/sink.ts'

interface Life extends Place {
  readonly clock: SimClock
  readonly sink: Sink
  readonly app: App
}

/** One that looks at `a` once an hour, and has looked once; it began when its clock said 5000. */
async function begin (t: Test): Promise<Life> {
  const home = place(t, `{ profile: tcp, servers: { a: "tcp://${await silentNode(t)}" }, policy: { interval: 1h } }`)
  const clock = new SimClock()
  await clock.advance(5000)
  const sink = new Sink()
  const app = await start(home.config(), clock, sink)
  t.teardown(async () => {
    const stopped = app.stop()
    await clock.advance(5000)
    await stopped
  })
  while (!sink.raw.some(line => line.includes('"to":"up"'))) await clock.advance(100)
  return { ...home, clock, sink, app }
}
const only = (lines: readonly Line[], ...events: readonly string[]): readonly Line[] => lines.filter(({ event }) => events.includes(event))

void t.test('start and reload, in the log', async t => {
  const { dir, sink, app, config } = await begin(t)
  t.strictSame(sink.take().filter(({ event }) => event !== 'server.state').map(({ msg, ...fields }) => fields), [
    { level: 'info', event: 'agent.start', version: '1.2.3', config: join(dir, 'hcf.yaml') },
    { level: 'info', event: 'agent.listen', address: `unix:${dir}/a.sock` },
    { level: 'info', event: 'config.loaded', config: join(dir, 'hcf.yaml'), backends: 1, servers: 1, polls: 1 }
  ])
  await app.reload(config(['b']))
  matchLines(t, sink.take(), [{ event: 'agent.listen', address: `unix:${dir}/b.sock` }, { event: 'config.loaded' }], 'only what is new is opened')
  t.equal(await ask(dir, 'web/a', 'b'), 'up 100%')
  await app.reload(config([], `log: { level: error }\nadmin: { listen: "unix:${dir}/admin.sock" }`))
  t.notOk(existsSync(join(dir, 'b.sock')), 'and what is gone is closed')
  await ask(dir, 'web/nobody')
  t.strictSame(only(sink.take(), 'request.unknown'), [], 'at the level of the new config')
})

void t.test('a reload with another farm is the farm that is answered for, and looked at', async t => {
  const { dir, clock, sink, app } = await begin(t)
  const other = place(t, `{ profile: tcp, servers: { b: "tcp://${await silentNode(t)}" }, policy: { interval: 1h } }`)
  await t.rejects(app.reload(other.config()), { message: /state_dir cannot change while running/ })
  t.equal(await ask(dir), 'up 100%', 'the old one goes on')
  const { config } = place(t, `{ profile: tcp, servers: { b: "tcp://${await silentNode(t)}" }, policy: { interval: 1h } }`)
  await app.reload({ ...config(), stateDir: join(dir, 'state'), agent: other.config().agent })
  t.match(await ask(other.dir, 'web/a'), /^# unknown web\/a/)
  sink.take()
  while (await ask(other.dir, 'web/b') !== 'up 100%') await clock.advance(100)
  matchLines(t, only(sink.take(), 'server.state'), [{ server: 'web/b', to: 'up' }])
})

void t.test('an address that cannot be had changes nothing', async t => {
  const { dir, app, config } = await begin(t)
  const taken = createServer()
  taken.listen(join(dir, 'taken.sock'))
  await once(taken, 'listening')
  await t.rejects(app.reload(config(['b', 'taken'])), { code: 'EADDRINUSE' })
  taken.close()
  t.notOk(existsSync(join(dir, 'b.sock')), 'nor is anything left open')
  t.match(app.agentAddresses, [/a\.sock$/])
  t.equal(await ask(dir), 'up 100%')
})

void t.test('the admin port moves', async t => {
  const { dir, clock, app, config } = await begin(t)
  t.equal(app.adminAddress, `unix:${dir}/admin.sock`)
  await app.reload(config([], `admin: { listen: "unix:${dir}/other.sock" }`))
  t.match(await show(dir, '/health', 'other'), { status: 'ok' })
  await clock.advance(999)
  t.match(await show(dir, '/health'), { status: 'ok' }, 'the old one is still there, for who asked for the reload')
  await clock.advance(1)
  await until('the old one is closed', () => existsSync(join(dir, 'admin.sock')) ? undefined : true, () => 'it is not')
  await app.reload(config([], 'admin: { listen: "127.0.0.1:0" }'))
  t.match(app.adminAddress, /^127\.0\.0\.1:\d+$/)
  const answer = await fetch(`http://${app.adminAddress}/health`)
  t.match(await answer.json(), { status: 'ok' })
})

void t.test('ages', async t => {
  const { dir, clock } = await begin(t)
  await ask(dir)
  const before = await show(dir, '/v1/servers/web/a') as Readonly<Record<string, number>>
  t.match(before, {
    server: 'web/a', state: 'up', weightPercent: 100, reply: 'up 100%', layer: 'criteria', backend: { servers: 1, fit: 1 },
    criteria: [{ name: 'reach', status: 'pass' }, { name: 'tcp', status: 'pass' }], pollers: [{ from: 'unix', agoMs: 0 }]
  })
  t.ok(before['forMs']! < 1000, `up for ${before['forMs']} ms`)
  await clock.advance(7000)
  t.match(await show(dir, '/v1/servers/web/a'), {
    forMs: before['forMs']! + 7000, criteria: [{ forMs: before['forMs']! + 7000 }, {}], pollers: [{ from: 'unix', agoMs: 7000 }]
  })
  const status = await show(dir, '/v1/status') as { readonly uptimeMs: number, readonly servers: readonly unknown[] }
  t.match(status, { version: '1.2.3', uptimeMs: clock.now() - 5000, servers: [{ server: 'web/a', state: 'up' }] })
  t.match(await show(dir, '/v1/servers/web/b'), { status: 404, detail: /Did you mean web\/a/ })
})

void t.test('who asks wrongly is told of once a minute', async t => {
  const { dir, clock, sink } = await begin(t)
  sink.take()
  await ask(dir)
  matchLines(t, sink.take(), [{ event: 'poller.first', from: 'unix', server: 'web/a' }])
  for (const id of ['web/b', 'web/b', 'somewhere/else', 'web/a']) await ask(dir, id)
  matchLines(t, sink.take(), [
    {
      level: 'warn', event: 'request.unknown', asked: 'web/b', from: 'unix', near: ['web/a'],
      msg: 'unix asks for web/b, which is not in the config; near: web/a'
    },
    { event: 'request.unknown', asked: 'somewhere/else', near: [], msg: 'unix asks for somewhere/else, which is not in the config' }
  ])
  await clock.advance(60_000)
  await ask(dir, 'web/b')
  matchLines(t, sink.take(), [{ event: 'request.unknown', asked: 'web/b' }])
})

void t.test('an HAProxy of another farm is told of, but not name by name', async t => {
  const { dir, sink } = await begin(t)
  await ask(dir)
  sink.take()
  for (let i = 0; i < 100; i += 1) await ask(dir, `other/${i}`)
  const told = only(sink.take(), 'request.unknown').length
  t.ok(told > 1 && told < 40, `${told} lines`)
})

void t.test('who may not ask is told of', async t => {
  const { dir, clock, sink, app, config } = await begin(t)
  const { agent, ...rest } = config()
  const listen = [...agent.listen, { address: { kind: 'tcp' as const, host: '127.0.0.1', port: 0 } }]
  await app.reload({ ...rest, agent: { ...agent, listen, allow: ['10.0.0.0/8'] } })
  sink.take()
  const port = Number(/\d+$/.exec(app.agentAddresses[1]!)![0])
  const askByTcp = async (): Promise<string> => askAgent({ kind: 'tcp', host: '127.0.0.1', port }, 'web/a\n')
  for (let i = 0; i < 2; i += 1) await t.rejects(askByTcp())
  matchLines(t, sink.take(), [{ level: 'warn', event: 'request.refused', from: '127.0.0.1', why: 'not in agent.allow' }], 'once')
  await clock.advance(60_000)
  await t.rejects(askByTcp())
  matchLines(t, sink.take(), [{ event: 'request.refused' }])
  t.equal(await ask(dir), 'up 100%')
})

void t.test('the last word: who still asks hears it', async t => {
  const { dir, clock, sink, app } = await begin(t)
  for (let i = 0; i < 2; i += 1) await ask(dir)
  await clock.advance(1000)
  const stopped = app.stop()
  await clock.advance(400)
  t.match(await show(dir, '/health'), { status: 'stopping' })
  t.equal(await ask(dir), 'up 100%')
  await clock.advance(50)
  await stopped
  matchLines(t, only(sink.take(), 'agent.stop'), [{ heard: true, ms: 450, msg: /has heard its last answer/ }])
  t.notOk(existsSync(join(dir, 'a.sock')))
  await app.stop()
  t.strictSame(sink.take(), [], 'twice is once')
})

void t.test('the last word: nobody waits for ever', async t => {
  const { dir, clock, sink, app } = await begin(t)
  for (let i = 0; i < 2; i += 1) await ask(dir)
  await clock.advance(1000)
  const stopped = app.stop()
  await clock.advance(4950)
  t.strictSame(only(sink.take(), 'agent.stop'), [])
  await clock.advance(50)
  await stopped
  matchLines(t, only(sink.take(), 'agent.stop'), [{ heard: false, ms: 5000, msg: /has not asked any more/ }])
})
