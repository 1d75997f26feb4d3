import t from 'tap'
import { FIRST_WITHIN_MS } from '../../src/runtime/scheduler.ts'
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
