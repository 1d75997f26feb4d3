import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Poll } from '../../src/core/probe.ts'
import { onBeat } from '../../src/runtime/beats.ts'
import { FIRST_WITHIN_MS, nextSlot, spread } from '../../src/runtime/scheduler.ts'
import { Bench, poll } from './scheduler-bench.ts'

void t.test('nextSlot', async (t) => {
  const rows: ReadonlyArray<readonly [number, number, number, number, string]> = [
    [0, 100, 0, 100, 'the next one'],
    [0, 100, 99, 100, 'just before it'],
    [0, 100, 99.9, 100, 'very close before it'],
    [0, 100, 100, 100, 'at it: now'],
    [0, 100, 149, 149, 'it has only just passed: now'],
    [0, 100, 150, 200, 'it was missed'],
    [0, 100, 199.5, 200, 'it was missed, and the next is near'],
    [0, 100, 1000, 1100, 'ten were missed: none is made up for'],
    [50, 100, 1000, 1050, 'the place in the interval stays'],
    [1000, 100, 990, 1100, 'a timer that came early makes no second poll']
  ]
  for (const [slot, pace, now, wanted, why] of rows) t.equal(nextSlot(slot, pace, now), wanted, why)
  const times = fc.double({ min: 0, max: 1e7, noNaN: true })
  fc.assert(fc.property(times, fc.integer({ min: 1, max: 100_000 }), times, (slot, pace, now) => {
    const next = nextSlot(slot, pace, now)
    assert(next >= now, 'not in the past')
    assert(next >= slot + pace, 'never sooner than the pace')
    assert(next - pace <= now || next === slot + pace, 'and the first of those')
    assert(next === now || Math.abs((next - slot) / pace - Math.round((next - slot) / pace)) < 1e-6, 'at its place in the interval, or now')
  }))
})

void t.test('spread', async (t) => {
  const rows: ReadonlyArray<readonly [string, number, number]> = [
    ['', 1000, 0x811c9dc5 % 1000], ['a', 2 ** 31, 0xe40c292c % 2 ** 31], ['foobar', 2 ** 31, 0xbf9cf968 % 2 ** 31],
    ['', 1, 0], ['foobar', 0.5, 0], ['', 0, 0]
  ]
  for (const [name, within, wanted] of rows) t.equal(spread(name, within), wanted, `FNV-1a of "${name}" within ${within}`)
  const tenths = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < 1000; i += 1) tenths[Math.floor(spread(`http://10.0.0.${i}:3456 tahoe-welcome {} 2000`, 2000) / 200)]! += 1
  t.ok(Math.min(...tenths) > 60 && Math.max(...tenths) < 140, `evenly enough: ${tenths.join(' ')}`)
})

void t.test('polls start where their names put them, and then at their pace', async (t) => {
  const bench = new Bench()
  bench.scheduler.set([poll('a'), poll('b'), poll('slow', { intervalMs: 60_000 })])
  t.equal(bench.started.length, 0, 'not within set()')
  await bench.clock.advance(10_000)
  for (const key of ['a', 'b']) {
    const first = onBeat(spread(key, 2000))
    t.strictSame(bench.starts(key), [0, 1, 2, 3, 4].map(n => first + n * 2000), key)
  }
  t.strictSame(bench.starts('slow'), [onBeat(spread('slow', FIRST_WITHIN_MS))], 'a slow one is looked at early, but once')
  await bench.clock.advance(60_000)
  t.strictSame(bench.starts('slow'), [onBeat(spread('slow', FIRST_WITHIN_MS)) + 60_000])
})

void t.test('the same polls start at the same times, whatever the order of the config', async (t) => {
  const [one, other] = [new Bench(), new Bench()]
  const polls = ['a', 'b', 'c', 'd'].map(key => poll(key))
  one.scheduler.set(polls)
  other.scheduler.set(polls.toReversed())
  await one.clock.advance(20_000)
  await other.clock.advance(20_000)
  t.strictSame(one.started, other.started)
})

void t.test('never two of one poll at once, and missed slots are skipped', async (t) => {
  const bench = new Bench()
  bench.tookMs.set('a', 4500)
  bench.scheduler.set([poll('a')])
  await bench.clock.advance(15_000)
  const first = onBeat(spread('a', 2000))
  t.equal(bench.mostAtOnce, 1)
  t.strictSame(bench.starts('a'), [first, first + 6000, first + 12_000], 'in slots of its own, none made up for')
  t.strictSame(bench.delivered.map(([, { endMs }]) => endMs), [first + 4500, first + 10_500])
})

void t.test('a look that takes all of its time, or somewhat more, is followed by the next', async (t) => {
  for (const [tookMs, gapMs] of [[1999, 2000], [2000, 2000], [2500, 2500], [2995, 2995], [3000, 4000]] as const) {
    const bench = new Bench()
    bench.tookMs.set('a', tookMs)
    bench.scheduler.set([poll('a')])
    await bench.clock.advance(20_000)
    const starts = bench.starts('a')
    t.strictSame(starts, starts.map((_, n) => onBeat(spread('a', 2000)) + n * gapMs), `it takes ${tookMs} ms`)
    t.ok(starts.length >= 4)
  }
})

void t.test('faster while undecided, and back', async (t) => {
  const bench = new Bench()
  bench.undecided.add('a')
  bench.scheduler.set([poll('a'), poll('b')])
  await bench.clock.advance(4000)
  const first = onBeat(spread('a', 2000))
  const quick = bench.starts('a')
  t.strictSame(quick, quick.map((_, n) => first + n * 500))
  t.ok(quick.length >= 4)
  bench.undecided.clear()
  await bench.clock.advance(6000)
  const last = quick.at(-1)!
  t.strictSame(bench.starts('a').slice(0, 3), [last + 500, last + 2500, last + 4500], 'what was arranged, then the old pace')
  t.equal(bench.starts('b').length, 5, 'and the other one was in no hurry')
})

void t.test('undecided, and slower than the quick pace: on and on without a pause', async (t) => {
  const rows: ReadonlyArray<readonly [tookMs: number, gapMs: number, why: string]> = [
    [400, 500, 'in time: the quick pace'],
    [500, 500, 'just in time'],
    [1200, 1200, 'its quick slot has passed: at once'],
    [4000, 4000, 'several have: only once']
  ]
  for (const [tookMs, gapMs, why] of rows) {
    const bench = new Bench()
    bench.undecided.add('a')
    bench.tookMs.set('a', tookMs)
    bench.scheduler.set([poll('a')])
    await bench.clock.advance(20_000)
    const starts = bench.starts('a')
    t.strictSame(starts, starts.map((_, n) => onBeat(spread('a', 2000)) + n * gapMs), why)
    t.ok(starts.length >= 4, why)
    t.equal(bench.mostAtOnce, 1, why)
  }
})

void t.test('set: an identical poll keeps its connection and its place, with its new readers', async (t) => {
  const bench = new Bench()
  bench.scheduler.set([poll('a'), poll('b')])
  const first = onBeat(spread('a', 2000))
  await bench.clock.advance(first + 1000)
  const readers = [{ backend: 'web', server: 3 }]
  bench.scheduler.set([poll('b'), poll('a', { readers })])
  await bench.clock.advance(4000)
  t.strictSame(bench.created, ['a', 'b'], 'no new connection')
  t.strictSame(bench.closed, [])
  t.strictSame(bench.starts('a'), [first, first + 2000, first + 4000])
  t.strictSame(bench.delivered.filter(([{ key }]) => key === 'a').map(([each]) => each.readers[0]?.server), [0, 3, 3])
})

void t.test('set: another pace holds from the next slot, at once where it is quicker', async (t) => {
  const bench = new Bench()
  bench.scheduler.set([poll('a', { intervalMs: 60_000 }), poll('b', { intervalMs: 4000 })])
  await bench.clock.advance(5000)
  bench.starts('a')
  const before = bench.starts('b')
  bench.scheduler.set([poll('a', { intervalMs: 2000 }), poll('b', { intervalMs: 60_000 })])
  await bench.clock.advance(5000)
  const first = onBeat(5000 + spread('a', 2000))
  t.strictSame(bench.starts('a').slice(0, 2), [first, first + 2000], 'it does not wait out its minute')
  t.strictSame(bench.starts('b'), [before.at(-1)! + 4000], 'a slower one comes when it was to come')
  t.strictSame(bench.created, ['a', 'b'], 'on the same connection')
  await bench.clock.advance(70_000)
  const later = bench.starts('a')
  t.strictSame(later, later.map((_, n) => later[0]! + n * 2000), 'the old appointment is off')
})

void t.test('set: a new reader that knows nothing yet does not wait out a slow pace', async (t) => {
  const bench = new Bench()
  bench.scheduler.set([poll('a', { intervalMs: 3_600_000, fastMs: 360_000 })])
  await bench.clock.advance(10_000)
  bench.starts('a')
  bench.scheduler.set([poll('a', { intervalMs: 3_600_000, fastMs: 360_000 })])
  await bench.clock.advance(10_000)
  t.strictSame(bench.starts('a'), [], 'not for those that know')
  bench.awaited.add('a')
  bench.scheduler.set([poll('a', { intervalMs: 3_600_000, fastMs: 360_000, readers: [{ backend: 'other', server: 0 }] })])
  await bench.clock.advance(10_000)
  t.strictSame(bench.starts('a'), [onBeat(20_000 + spread('a', FIRST_WITHIN_MS))])
})

void t.test('set: not while it is under way', async (t) => {
  const bench = new Bench()
  bench.tookMs.set('a', 50_000)
  bench.scheduler.set([poll('a', { intervalMs: 60_000 })])
  await bench.clock.advance(5000)
  bench.scheduler.set([poll('a')])
  await bench.clock.advance(44_000)
  t.equal(bench.starts('a').length, 1)
  await bench.clock.advance(5000)
  t.equal(bench.starts('a').length, 1, 'and then at the new pace')
  t.equal(bench.mostAtOnce, 1)
})

void t.test('set: what is gone is closed, and what it still says is not heard', async (t) => {
  const bench = new Bench()
  bench.tookMs.set('a', 1000)
  bench.scheduler.set([poll('a'), poll('b')])
  await bench.clock.advance(onBeat(spread('a', 2000)) + 500)
  t.equal(bench.running.get('a'), 1, 'under way')
  const heard = bench.delivered.length
  bench.scheduler.set([poll('b')])
  t.strictSame(bench.closed, ['a'])
  await bench.clock.advance(600)
  t.equal(bench.running.get('a'), 0, 'its answer has come')
  t.strictSame(bench.delivered.slice(heard).filter(([{ key }]) => key === 'a'), [], 'to nobody')
  await bench.clock.advance(10_000)
  t.equal(bench.starts('a').length, 1, 'and it is not asked again')
})

void t.test('set: another deadline, request or node is another probe', async (t) => {
  const changed: ReadonlyArray<readonly [Partial<Poll>, string]> = [
    [{ timeoutMs: 2000 }, 'deadline'],
    [{ request: { kind: 'metrics', options: { path: '/metrics' }, wants: ['load'] } }, 'request'],
    [{ node: { key: 'http://a', protocol: 'http', host: 'a', port: 80, caFile: '/ca.pem' } }, 'node']
  ]
  for (const [options, why] of changed) {
    const bench = new Bench()
    bench.tookMs.set('a', 1000)
    bench.scheduler.set([poll('a')])
    await bench.clock.advance(onBeat(spread('a', 2000)) + 500)
    bench.scheduler.set([poll('a', options)])
    t.strictSame([bench.created, bench.closed], [['a', 'a'], ['a']], why)
    await bench.clock.advance(500)
    t.strictSame(bench.delivered, [], `${why}: what the old one says late is not heard`)
    await bench.clock.advance(5000)
    t.ok(bench.delivered.length > 0, `${why}: what the new one says is`)
  }
})

void t.test('stop: closes all, hears nothing, asks nothing', async (t) => {
  const bench = new Bench()
  bench.tookMs.set('a', 1000)
  bench.scheduler.set([poll('a'), poll('b')])
  await bench.clock.advance(onBeat(spread('a', 2000)) + 500)
  const heard = bench.delivered.length
  bench.scheduler.stop()
  t.strictSame(bench.closed, ['a', 'b'])
  bench.starts('a')
  bench.starts('b')
  await bench.clock.advance(20_000)
  t.equal(bench.delivered.length, heard)
  t.strictSame(bench.started, [])
  t.equal(bench.clock.waiting, 0)
  bench.scheduler.stop()
  t.equal(bench.closed.length, 2, 'twice is once')
})
