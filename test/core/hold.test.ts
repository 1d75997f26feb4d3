/** A server that goes out stays out for a while, longer each time. How to read the drawings: drawings.ts. */
import t from 'tap'
import { holdOut } from '../../src/core/hold.ts'
import { newServer } from '../../src/core/phase.ts'
import { BARE, only, ownOf, play, tell, web } from './drawings.ts'

const HOLD = only('hold')
const MINUTE = 60_000

void t.test('5 s, doubled for each time out within ten minutes, 2 minutes at most', async (t) => {
  const nowMs = 60 * MINUTE
  const rows: ReadonlyArray<readonly [agoMs: readonly number[], holdMs: number, flaps: number, string]> = [
    [[], 5000, 1, 'the first time'],
    [[MINUTE], 10_000, 2, 'the second'],
    [[3, 2, 1].map(n => n * MINUTE), 40_000, 4, 'the fourth'],
    [[4, 3, 2, 1].map(n => n * MINUTE), 80_000, 5, 'the fifth'],
    [[5, 4, 3, 2, 1].map(n => n * MINUTE), 120_000, 6, 'the sixth: the bound'],
    [Array.from({ length: 60 }, () => MINUTE), 120_000, 61, 'beyond counting'],
    [[10 * MINUTE - 1], 10_000, 2, 'not yet forgotten'],
    [[10 * MINUTE], 5000, 1, 'forgotten'],
    [[20 * MINUTE, MINUTE], 10_000, 2, 'one of two forgotten']
  ]
  for (const [agoMs, holdMs, flaps, why] of rows) {
    const held = holdOut(HOLD, { ...newServer(0), flapsMs: agoMs.map(ms => nowMs - ms) }, nowMs)
    t.equal(held.holdUntilMs, nowMs + holdMs, why)
    t.equal(held.flapsMs.length, flaps, `${why}: remembered`)
    t.equal(held.flapsMs.at(-1), nowMs)
  }
})

void t.test('the doubling is bounded also where nobody bounds it', async (t) => {
  const policy = { ...BARE, hold: { baseMs: 1, maxMs: Infinity, windowMs: Infinity } }
  const held = holdOut(policy, { ...newServer(0), flapsMs: Array.from({ length: 5000 }, () => 0) }, 0)
  t.equal(held.holdUntilMs, 2 ** 20)
})

void t.test('a flapper comes to rest', async (t) => {
  const story = tell(t, '5 s, 10 s, 20 s, 40 s', web('ab', HOLD), `
    a  ++xxx+++xxx+++++xxx++++++++++xxx+++++++++++++++++++++  uuuuddhuuuddhhhuuuddhhhhhhhhuuuddhhhhhhhhhhhhhhhhhhuu
    b  +`)
  t.equal(ownOf(story).flapsMs.length, 4)
})

void t.test('ten minutes later nothing is held against it', async (t) => {
  const story = play(web('a', HOLD), `
    a  ++xxx+++xxx+++++~~~~~~~~~~~~~~~~~~~~xxx`)
  t.equal(ownOf(story).flapsMs.length, 1)
  t.equal(ownOf(story).holdUntilMs - story.nowMs, 5010)
})

void t.test('switched off: out for as long as it fails', async (t) => {
  const story = tell(t, 'two passes', web('a', BARE), `
    a  ++xxx++  uuuuddu`)
  t.strictSame(ownOf(story).flapsMs, [], 'and nothing is counted')
})
