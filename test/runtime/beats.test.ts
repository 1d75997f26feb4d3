import t from 'tap'
import { BEAT_MS, Beats, onBeat } from '../../src/runtime/beats.ts'
import { SimClock } from '../../src/sim/clock.ts'

/** Who was struck, and when. */
function bench (): { readonly clock: SimClock, readonly beats: Beats<string>, readonly struck: string[] } {
  const clock = new SimClock()
  const struck: string[] = []
  return { clock, struck, beats: new Beats<string>(clock, each => { struck.push(`${each}@${clock.now()}`) }) }
}

void t.test('onBeat: the beat at this time, or the next', async (t) => {
  const rows: ReadonlyArray<readonly [number, number]> = [[0, 0], [0.1, 5], [4.9, 5], [5, 5], [5.1, 10], [1000, 1000], [1001, 1005]]
  for (const [ms, beatMs] of rows) t.equal(onBeat(ms), beatMs, `${ms} ms`)
})

void t.test('what is due within one beat shares a timer, and never comes early', async (t) => {
  const { clock, beats, struck } = bench()
  for (const [each, atMs] of [['a', 20], ['b', 12.5], ['c', 16], ['d', 11], ['e', 21]] as const) beats.add(each, atMs)
  t.equal(clock.waiting, 3)
  await clock.advance(100)
  t.strictSame(struck, ['b@15', 'd@15', 'a@20', 'c@20', 'e@25'], 'in the order in which they were added')
})

void t.test('what has passed is due at once', async (t) => {
  const { clock, beats, struck } = bench()
  await clock.advance(1002)
  beats.add('long ago', 400)
  beats.add('just now', 1002)
  await clock.advance(0)
  t.strictSame(struck, ['long ago@1002'])
  await clock.advance(BEAT_MS)
  t.strictSame(struck, ['long ago@1002', 'just now@1005'])
})

void t.test('what is taken back does not come', async (t) => {
  const { clock, beats, struck } = bench()
  beats.add('a', 20)
  beats.add('b', 19)
  beats.delete('a', 20)
  beats.delete('a', 20)
  beats.delete('b', 40)
  beats.add('alone', 50)
  beats.delete('alone', 50)
  t.equal(clock.waiting, 1, 'nor does its timer, when it was alone')
  await clock.advance(100)
  t.strictSame(struck, ['b@20'])
})

void t.test('what is added for the same time while it strikes comes once, and later', async (t) => {
  const clock = new SimClock()
  const struck: string[] = []
  const beats = new Beats<string>(clock, each => {
    struck.push(each)
    if (struck.length < 4) beats.add(each, clock.now())
  })
  beats.add('a', 20)
  beats.add('b', 20)
  await clock.advance(20)
  t.strictSame(struck, ['a', 'b', 'a', 'b', 'a'], 'after all that were there')
  t.equal(clock.waiting, 0)
})
