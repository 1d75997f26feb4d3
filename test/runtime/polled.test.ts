/** What the polls have taught us, over a restart: on disk when we stop, and worth something only while it is fresh. */
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Backend } from '../../src/core/model.ts'
import { readPolled, savePolled, type Restored } from '../../src/runtime/polled.ts'
import { SimClock } from '../../src/sim/clock.ts'
import { Bench, GOOD, only, plain } from './monitor-bench.ts'
import { backend, criterion, reach, server } from './samples.ts'
import { matchLines, Sink } from './sink.ts'

const POLICY = only('gate', 'hold', 'ramp', 'staleAfterMs', 'staleOpenMs')
const FARM = plain('abc', POLICY)

/** What a process has been up for when it reads. */
const START_MS = 50

interface Restarted { readonly next: Bench, readonly restored: Restored | undefined }

/** An agent that stops, and the next one `downMs` later: its monotonic clock begins anew. */
async function restart (dir: string, before: Bench, farm: Backend, downMs: number): Promise<Restarted> {
  const log = before.sink.log.event
  const wallMs = before.clock.wall()
  savePolled(before.monitor.snapshots(), { clock: before.clock, log, stateDir: dir })
  const clock = new SimClock({ epochMs: wallMs + downMs - START_MS })
  await clock.advance(START_MS)
  const restored = readPolled([farm], { clock, log, stateDir: dir })
  return { next: new Bench(farm, { restored, clock }), restored }
}

void t.test('a restart that nobody notices', async (t) => {
  const before = new Bench(FARM)
  await before.play({ a: '++xxx++', b: '+++++++', c: '+++++++' })
  const answers = before.askAll('abc')
  t.strictSame(answers, ['down 100% #passes again, waits: went out 1 time in 10m', 'up 100%', 'up 100%'])
  const { next } = await restart(t.testdir(), before, FARM, 500)
  t.strictSame(next.askAll('abc'), answers, 'the same answers, before anybody has looked')
  matchLines(t, next.sink.told(), [
    'info server.state: web/a unknown -> held: passes again', 'info server.state: web/b unknown -> up', 'info server.state: web/c unknown -> up'
  ])
  await next.play({ a: '++', b: '++', c: '++' })
  t.strictSame(next.askAll('abc'), answers, 'it still waits out its time')
  await next.play({ a: '+', b: '+', c: '+' })
  t.strictSame(next.askAll('abc'), ['up 10% #coming back step by step', 'up 100%', 'up 100%'], 'and comes back when it is over')
})

void t.test('what is not fresh begins anew', async (t) => {
  const rows: ReadonlyArray<readonly [downMs: number, wanted: readonly string[], why: string]> = [
    [12_000, ['down 100% #reach: refused by the node', 'up 100%', 'down 100% #reach: timeout by the node'], 'c was looked at 15 s ago'],
    [12_001, ['down 100% #reach: refused by the node', 'up 100%', '# no verdict yet'], 'and a little'],
    [15_001, ['# no verdict yet', '# no verdict yet', '# no verdict yet'], 'all of them were']
  ]
  for (const [downMs, wanted, why] of rows) {
    const before = new Bench(FARM)
    await before.play({ a: '++xxxxxx', b: '++++++++', c: '++ttt...' })
    const { next } = await restart(t.testdir(), before, FARM, downMs)
    t.strictSame(next.askAll('abc'), wanted, why)
  }
})

void t.test('a calendar that was set back: nothing is known to be fresh', async (t) => {
  const before = new Bench(FARM)
  await before.play({ a: '++', b: '++', c: '++' })
  const { restored } = await restart(t.testdir(), before, FARM, -1)
  t.equal(restored, undefined)
})

void t.test('another config: what still means the same is kept', async (t) => {
  const before = new Bench(plain('ab', POLICY))
  await before.play({ a: '++xxx', b: '+++++' })
  const { next } = await restart(t.testdir(), before, plain('cba', POLICY), 1000)
  t.strictSame(next.askAll('abc'), ['down 100% #reach: refused by the node', 'up 100%', '# no verdict yet'])

  const moved = backend([{ ...server('a', [reach()]), node: 'http://elsewhere' }, server('b', [reach()])], POLICY)
  const { next: other } = await restart(t.testdir(), before, moved, 1000)
  t.strictSame(other.askAll('ab'), ['# no verdict yet', 'up 100%'], 'another node is another server')
  const { next: gone } = await restart(t.testdir(), before, plain('ab', POLICY, 'other'), 1000)
  t.equal(gone.ask('other/a'), '# no verdict yet')
  t.strictSame(gone.sink.told(), [], 'and a backend that is new is no trouble')
  gone.reload(plain('ab', POLICY))
  t.equal(gone.ask('a'), '# no verdict yet', 'it is for the start only')
})

void t.test('no option of a criterion is written, and no key of a probe', async (t) => {
  const secret = 'Bearer-opensesame'
  const spoken = (name: string): Backend['servers'][number] =>
    server(name, [reach(), criterion('page', { probe: `http {"authorization":"${secret}"}`, meaning: `http ${secret}`, rise: 1, fall: 1 })])
  const farm = backend([spoken('a'), spoken('b')], POLICY)
  const before = new Bench(farm)
  for (const mark of '++') {
    await before.clock.advance(1000)
    for (const name of 'ab') before.seeNow(name, { reach: '+', [`http {"authorization":"${secret}"}`]: mark })
  }
  await before.clock.advance(1000)
  before.seeNow('a', { [`http {"authorization":"${secret}"}`]: 'x' })
  const dir = t.testdir()
  savePolled(before.monitor.snapshots(), { clock: before.clock, log: before.sink.log.event, stateDir: dir })
  t.notMatch(readFileSync(join(dir, 'polled.json'), 'utf8'), secret)
  const { next } = await restart(dir, before, farm, 100)
  t.notOk(existsSync(join(dir, 'polled.json')), 'it is worth something for one start only')
  t.equal(next.ask('a'), before.ask('a'), 'and it is found again all the same')
  t.match(next.monitor.view('web/a')?.criteria, [{ name: 'reach', status: 'pass' }, { name: 'page', status: /fail|doubt/ }])
})

void t.test('a file that is not ours stops nobody', async (t) => {
  const rows: ReadonlyArray<readonly [text: string, told: readonly RegExp[], why: string]> = [
    ['{"version":1,"da', [/is torn or not ours/], 'torn'],
    ['{"version":9,"data":{}}', [/has version 9/], 'newer'],
    ['{"version":1,"data":7}', [], 'a number'],
    ['{"version":1,"data":null}', [], 'null'],
    ['{"version":1,"data":{"monotonicMs":"x","wallMs":1,"backends":{}}}', [], 'a time that is none'],
    ['{"version":1,"data":{"monotonicMs":1,"wallMs":"x","backends":{}}}', [], 'another'],
    ['{"version":1,"data":{"monotonicMs":1,"wallMs":1,"backends":7}}', [], 'no backends'],
    ['{"version":1,"data":{"monotonicMs":1,"wallMs":1,"backends":null}}', [/is not ours/], 'nothing'],
    ['{"version":1,"data":{"monotonicMs":1,"wallMs":1,"backends":{"web":7}}}', [/is not ours/], 'a backend that is none'],
    ['{"version":1,"data":{"monotonicMs":1,"wallMs":1,"backends":{"web":{"servers":[{}],"state":{"servers":[{}]}}}}}', [/is not ours/], 'servers that are none']
  ]
  for (const [text, told, why] of rows) {
    const sink = new Sink()
    const dir = t.testdir({ 'polled.json': text })
    const clock = { now: () => 1, wall: () => 2 }
    t.doesNotThrow(() => {
      const restored = readPolled([FARM], { clock, log: sink.log.event, stateDir: dir })
      t.equal(restored, undefined, why)
      t.equal(new Bench(FARM, { restored }).ask('a'), '# no verdict yet', why)
    }, why)
    const lines = sink.take()
    matchLines(t, lines, told.map(reason => ({ level: 'warn', event: 'state.set_aside', file: join(dir, 'polled.json'), why: reason })), why)
  }
  const sink = new Sink()
  t.equal(readPolled([FARM], { clock: { now: () => 1, wall: () => 2 }, log: sink.log.event, stateDir: t.testdir() }), undefined, 'no file')
  t.strictSame(sink.told(), [], 'which is how it begins')
})

void t.test('what is well formed, and still not of these servers, is said', async (t) => {
  const web = { servers: [{ name: 'a', node: 'http://a', criteria: [] }], state: { servers: [{ probes: {} }] } }
  const data = { monotonicMs: 1, wallMs: 1, backends: { web } }
  const dir = t.testdir({ 'polled.json': JSON.stringify({ version: 1, data }) })
  const sink = new Sink()
  const restored = readPolled([FARM], { clock: { now: () => 1, wall: () => 2 }, log: sink.log.event, stateDir: dir })
  const next = new Bench(FARM, { restored })
  matchLines(t, [...sink.take(), ...next.sink.take()], [{ level: 'warn', event: 'state.set_aside' }])
  t.equal(next.ask('a'), '# no verdict yet')
})

void t.test('a disk that refuses is said', { skip: !existsSync('/dev/full') }, async (t) => {
  const bench = new Bench(FARM)
  await bench.see('a', GOOD)
  bench.sink.take()
  const dir = t.testdir()
  symlinkSync('/dev/full', join(dir, 'polled.json.new'))
  savePolled(bench.monitor.snapshots(), { clock: bench.clock, log: bench.sink.log.event, stateDir: dir })
  matchLines(t, bench.sink.take(), [{ level: 'error', event: 'state.write_failed', file: join(dir, 'polled.json'), why: 'ENOSPC' }])
})
