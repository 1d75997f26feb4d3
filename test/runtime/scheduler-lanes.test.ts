import t from 'tap'
import { onBeat } from '../../src/runtime/beats.ts'
import { FIRST_WITHIN_MS, spread } from '../../src/runtime/scheduler.ts'
import { Bench, poll } from './scheduler-bench.ts'

void t.test('polls of one lane take turns', async (t) => {
  const bench = new Bench()
  const keys = ['a', 'b', 'c']
  for (const key of keys) bench.tookMs.set(key, 5000)
  bench.scheduler.set(keys.map(key => poll(key, { intervalMs: 60_000, lane: 'one file' })))
  await bench.clock.advance(30_000)
  const starts = bench.started.map(([, ms]) => ms)
  t.equal(starts.length, 3, 'all of them')
  for (const [i, ms] of starts.slice(1).entries()) t.ok(ms >= starts[i]! + 5000, 'one after another')
})

void t.test('a poll that is awaited does not wait out a slow pace', async (t) => {
  const bench = new Bench()
  bench.scheduler.set([poll('front'), poll('canary', { intervalMs: 60_000 }), poll('other', { intervalMs: 60_000, readers: [{ backend: 'web', server: 1 }] })])
  await bench.clock.advance(10_000)
  for (const key of ['canary', 'other']) bench.starts(key)
  for (const key of ['canary', 'other']) bench.awaited.add(key)
  await bench.clock.advance(FIRST_WITHIN_MS * 2 + 10)
  t.ok(bench.starts('canary').length > 0, 'once another poll of its server is done')
  t.equal(bench.starts('other').length, 0, 'of its own server')
})

void t.test('a poll that is gone is not waited for', async (t) => {
  const bench = new Bench()
  bench.scheduler.set([poll('front'), poll('canary', { intervalMs: 60_000 })])
  await bench.clock.advance(10_000)
  bench.starts('canary')
  bench.scheduler.set([poll('front')])
  bench.awaited.add('canary')
  bench.wanted.set('front', ['canary'])
  await bench.clock.advance(10_000)
  t.strictSame(bench.starts('canary'), [], 'by nobody that still looks')
})

void t.test('a poll that would settle a doubt does not wait out a slow pace', async (t) => {
  const bench = new Bench()
  const slow = { intervalMs: 60_000, fastMs: 10_000 }
  bench.scheduler.set([poll('doubted'), poll('witness', slow), poll('other', slow)])
  await bench.clock.advance(10_000)
  for (const key of ['doubted', 'witness', 'other']) bench.starts(key)
  bench.wanted.set('doubted', ['witness', 'gone'])
  await bench.clock.advance(2000) // one look at the doubted one
  bench.wanted.clear()
  await bench.clock.advance(2000)
  const sooner = bench.starts('witness')
  const asked = bench.starts('doubted').find(ms => ms < sooner[0]!)!
  t.strictSame(sooner, [onBeat(asked + spread('witness', FIRST_WITHIN_MS))], 'it looks once, at its place within the first seconds')
  t.strictSame(bench.starts('other'), [], 'and nobody else does')
  await bench.clock.advance(60_000)
  t.strictSame(bench.starts('witness'), [sooner[0]! + 60_000], 'then at its own pace again')
})

void t.test('a wanted poll that is due anyway, or under way, is left alone', async (t) => {
  const bench = new Bench()
  bench.tookMs.set('witness', 3000)
  bench.wanted.set('doubted', ['witness'])
  bench.scheduler.set([poll('doubted', { intervalMs: 200 }), poll('witness', { intervalMs: 10_000 })])
  await bench.clock.advance(30_000)
  const starts = bench.starts('witness')
  t.equal(bench.mostAtOnce, 1, 'never two of one poll at once')
  t.ok(starts.length >= 5, 'nor is it put off')
  const gaps = starts.slice(1).map((ms, i) => ms - starts[i]!)
  const isSoon = (ms: number): boolean => ms >= 3000 && ms <= 3000 + FIRST_WITHIN_MS + 200
  t.ok(gaps.every(isSoon), `it is looked at as soon as it has ended, and not sooner: ${gaps.join(', ')}`)
})
