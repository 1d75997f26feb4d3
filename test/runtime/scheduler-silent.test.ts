/** Nodes that take their polls and never answer: they may not take the slots of those that do. */
import t from 'tap'
import type { Poll } from '../../src/core/probe.ts'
import { LET_IN_MAX } from '../../src/runtime/places.ts'
import { IN_FLIGHT_MAX, LET_IN_MS, promptMax, silentMax } from '../../src/runtime/scheduler.ts'
import { Bench, poll } from './scheduler-bench.ts'

const [PROMPT_MAX, SILENT_MAX] = [promptMax(IN_FLIGHT_MAX), silentMax(IN_FLIGHT_MAX)]
const PACE = { intervalMs: 1000, timeoutMs: 2000 }
const names = (letter: string, size: number): readonly string[] => Array.from({ length: size }, (_, i) => `${letter}${i}`)
const pollsOf = (keys: readonly string[], options: Partial<Poll> = PACE): readonly Poll[] => keys.map(key => poll(key, options))

/** From now on these take their polls and never answer. */
function hang (bench: Bench, keys: readonly string[]): void {
  for (const key of keys) {
    bench.failing.add(key)
    bench.tookMs.set(key, PACE.timeoutMs)
  }
}

/** When each of these was begun, since the last look. */
function startsOf (bench: Bench, keys: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const starts = new Map(keys.map(key => [key, [] as number[]]))
  for (const [key, ms] of bench.started) starts.get(key)?.push(ms)
  bench.started.length = 0
  return starts
}

const gaps = (starts: readonly number[]): readonly number[] => starts.slice(1).map((ms, i) => ms - starts[i]!)
const most = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => Math.max(a, b), 0)
const least = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => Math.min(a, b), Infinity)

void t.test('however many hang, those that answer keep their slots, and nobody is left out', async t => {
  const rows: ReadonlyArray<readonly [hanging: number, gapMs: number, why: string]> = [
    [300, 3000, 'few: each at its own pace, which is every third slot when a look takes two'],
    [1500, 3000, 'three of five: nearly all of the places'],
    [2500, 5000, 'more than there are places: a few slots later'],
    [4000, 8000, 'and the more, the later']
  ]
  for (const [hanging, gapMs, why] of rows) {
    const bench = new Bench()
    const [fine, silent] = [names('fine', 300), names('silent', hanging)]
    hang(bench, silent)
    bench.scheduler.set([...pollsOf(silent, { ...PACE, hedgeMs: 700 }), ...pollsOf(fine)])
    await bench.clock.advance(5000)
    bench.mostInFlight = 0
    await bench.clock.advance(gapMs * 2)
    t.ok([...startsOf(bench, fine).values()].every(starts => gaps(starts).every(ms => ms === 1000)), `${why}: those that answer are asked each second`)
    t.ok(bench.mostInFlight <= SILENT_MAX / 2 + fine.length, `${why}: each silent one has a place for its second connection`)
    bench.started.length = 0
    await bench.clock.advance(gapMs + 2000)
    const asked = new Set(bench.started.map(([key]) => key))
    t.strictSame(silent.filter(key => !asked.has(key)), [], `${why}: none waits longer`)
    await bench.clock.advance(gapMs * 2)
    const times = [...startsOf(bench, silent).values()].map(({ length }) => length)
    t.ok(most(times) - least(times) <= 2, `${why}: nor is one asked much more often than another (${least(times)} to ${most(times)})`)
  }
})

void t.test('those who begin to hang together', async t => {
  const bench = new Bench()
  const [fine, silent] = [names('fine', 300), names('silent', 3000)]
  bench.scheduler.set([...pollsOf(silent, { ...PACE, hedgeMs: 700 }), ...pollsOf(fine)])
  await bench.clock.advance(3000)
  startsOf(bench, fine)
  hang(bench, silent)
  await bench.clock.advance(5000)
  const starts = startsOf(bench, fine)
  t.ok([...starts].every(([, each]) => each.length === 5 && gaps(each).every(ms => ms === 1000)), 'take no slot of others with them')
  t.ok(3000 + fine.length < PROMPT_MAX, 'for so many that is promised')
})

void t.test('what a silent one takes: one place for a look, two if a second will follow', async t => {
  for (const [options, size, why] of [[PACE, SILENT_MAX, 'one'], [{ ...PACE, hedgeMs: 700 }, SILENT_MAX / 2, 'two']] as const) {
    for (const over of [0, 1]) {
      const bench = new Bench()
      const silent = names('silent', size + over)
      hang(bench, silent)
      for (const key of silent) bench.undecided.add(key) // asked again at once
      bench.scheduler.set(pollsOf(silent, options))
      await bench.clock.advance(4000) // each has been silent
      bench.mostInFlight = 0
      bench.started.length = 0
      await bench.clock.advance(8000)
      t.equal(bench.mostInFlight, size, `${why}: ${over === 0 ? 'at the bound' : 'and one over'}`)
      const gap = most([...startsOf(bench, silent).values()].flatMap(gaps))
      t.ok(over === 0 ? gap <= 2010 : gap > 2000 && gap <= 4010, `${why}: ${over === 0 ? 'nobody waits' : 'everybody has a turn'}`)
    }
  }
})

void t.test('who is silent', async t => {
  const rows: ReadonlyArray<readonly [fails: boolean, tookMs: number, silent: boolean, why: string]> = [
    [true, 2000, true, 'no answer'],
    [true, 1000, true, 'nor one that comes to nothing after half of the time'],
    [true, 999, false, 'who says no is not silent'],
    [true, 0, false, 'nor who says it at once'],
    [false, 1999, false, 'nor who takes long to answer']
  ]
  for (const [fails, tookMs, silent, why] of rows) {
    const bench = new Bench()
    const others = names('silent', SILENT_MAX)
    hang(bench, others)
    bench.scheduler.set(pollsOf(others))
    await bench.clock.advance(3100) // each has been silent
    for (const key of others) bench.tookMs.set(key, 1e6)
    await bench.clock.advance(3000) // and now they are all there, and stay
    if (fails) bench.failing.add('one')
    bench.tookMs.set('one', tookMs)
    bench.scheduler.set(pollsOf([...others, 'one']))
    await bench.clock.advance(20_000)
    const late = bench.starts('one').length === 1
    t.equal(late, silent, why)
  }
})

void t.test('a network that is back meets no crowd', async t => {
  const bench = new Bench()
  const size = 4000
  const silent = names('silent', size)
  hang(bench, silent)
  bench.scheduler.set(pollsOf(silent, { ...PACE, hedgeMs: 700 }))
  await bench.clock.advance(10_000)
  bench.started.length = 0
  bench.failing.clear()
  bench.tookMs.clear()
  await bench.clock.advance(10_000)
  const moments = new Map<number, number>()
  for (const [, ms] of bench.started) moments.set(Math.floor(ms / LET_IN_MS), (moments.get(Math.floor(ms / LET_IN_MS)) ?? 0) + 1)
  const pace = size * LET_IN_MS / PACE.intervalMs
  t.ok(most(moments.values()) <= 2 * (LET_IN_MAX + pace), `at most ${most(moments.values())} within ${LET_IN_MS} ms, of ${size}`)
  const starts = startsOf(bench, silent)
  t.ok([...starts.values()].every(each => each.length >= 6), 'and soon everybody is asked each second again')
})

void t.test('polls of nodes that answer, at their bound and one over', async t => {
  const bench = new Bench()
  const keys = names('slow', PROMPT_MAX + 1)
  for (const key of keys) bench.tookMs.set(key, 3000)
  bench.scheduler.set(pollsOf(keys, { intervalMs: 10_000, timeoutMs: 5000 }))
  await bench.clock.advance(2010)
  t.equal(bench.started.length, PROMPT_MAX, 'so many')
  const [firstEndMs] = [bench.started[0]![1] + 3000]
  await bench.clock.advance(2000)
  t.equal(bench.started.length, PROMPT_MAX + 1, 'the last one begins')
  t.equal(bench.started.at(-1)![1], firstEndMs, 'when the first has ended')
  t.equal(bench.mostInFlight, PROMPT_MAX)
  await bench.clock.advance(30_000)
  t.equal(bench.mostInFlight, PROMPT_MAX, 'and so it stays')
})

void t.test('what is dropped: in flight it gives its place back when it ends, in line it is never begun', async t => {
  const bench = new Bench()
  const keys = names('slow', PROMPT_MAX + 2)
  for (const key of keys) bench.tookMs.set(key, 5000)
  bench.scheduler.set(pollsOf(keys, { intervalMs: 10_000, timeoutMs: 5000 }))
  await bench.clock.advance(2010)
  t.equal(bench.started.length, PROMPT_MAX)
  const before = new Set(bench.started.map(([key]) => key))
  const waiting = keys.filter(key => !before.has(key))
  t.equal(waiting.length, 2, 'two wait in line')
  const [stays, goes] = waiting
  bench.scheduler.set(pollsOf([stays!], { intervalMs: 10_000, timeoutMs: 5000 }))
  bench.started.length = 0
  await bench.clock.advance(9000)
  t.ok(bench.started[0]![1] >= 5000, 'they hold their sockets until then')
  t.strictSame(bench.started.map(([key]) => key), [stays], 'who stays has its turn')
  t.ok(bench.closed.includes(goes!))
})
