/** What a verdict is worth as it grows old. How to read the drawings: drawings.ts. */
import t from 'tap'
import { newServer } from '../../src/core/phase.ts'
import { isOpen, isStale, opensMs } from '../../src/core/stale.ts'
import type { ServerState } from '../../src/core/state.ts'
import { BARE, decided, only, play, tell, web } from './drawings.ts'

const OPEN = only('staleOpenMs')

void t.test('marked after 15 s, given up after 2 minutes', async (t) => {
  const seen: ServerState = { ...newServer(1000), phase: 'out', lastMs: 50_000 }
  const rows: ReadonlyArray<readonly [ServerState, nowMs: number, stale: boolean, open: boolean, string]> = [
    [seen, 50_000, false, false, 'just seen'],
    [seen, 65_000, false, false, '15 s'],
    [seen, 65_001, true, false, 'more'],
    [seen, 170_000, true, false, '2 minutes'],
    [seen, 170_001, true, true, 'more'],
    [{ ...newServer(1000), lastMs: 50_000 }, 121_000, false, false, 'no verdict: counted from its beginning'],
    [{ ...newServer(1000), lastMs: 50_000 }, 121_001, false, true, 'more'],
    [{ ...newServer(1000), phase: 'in' }, 121_000, false, false, 'a verdict without a look, of a state that was mended by hand'],
    [{ ...newServer(1000), phase: 'in' }, 121_001, false, true, 'counts from its beginning, too']
  ]
  for (const [own, nowMs, stale, open, why] of rows) {
    t.equal(isStale(own, OPEN, nowMs), stale, `${why}: marked`)
    t.equal(isOpen(own, OPEN, nowMs), open, `${why}: given up`)
    t.equal(isOpen(own, BARE, nowMs), false, 'switched off')
  }
  t.equal(opensMs(seen, BARE), Infinity)
})

void t.test('an agent that sees nothing more gives its verdicts up', async (t) => {
  tell(t, 'after two minutes', web('ab', OPEN), `
    a  +xxx.~~~~  uuuddddds
    b  ++++.~~~~  uuuuuuuus`)
  tell(t, 'trouble of our own is no look', web('ab', OPEN), `
    a  +xxxl~~~~  uuuddddds
    b  ++++l~~~~  uuuuuuuus`)
  tell(t, 'nothing was ever seen: no opinion, but not for ever', web('a', OPEN), `
    a  l~~~~  ....s`)
  tell(t, 'one look ends it, with the verdict of before', web('a', OPEN), `
    a  +xxx.~~~~x++  uuudddddsddu`)
})

void t.test('stale: hold keeps the last verdict', async (t) => {
  tell(t, 'for ever', web('ab', BARE), `
    a  +xxx.~~~~~~  uuudddddddd
    b  ++++.~~~~~~  uuuuuuuuuuu`)
})

void t.test('the reason says so', async (t) => {
  const story = play(web('ab', OPEN), `
    a  +xxx
    b  ++++`)
  t.strictSame(decided(story, 'a', 15_000).because, ['reach: refused by the node'])
  t.strictSame(decided(story, 'a', 15_011).because, ['stale, not seen for over 15s: reach: refused by the node'])
  t.strictSame(decided(story, 'b', 15_021).because, ['stale, not seen for over 15s: ok'])
  t.strictSame(decided(story, 'a', 120_011), {
    state: 'up', weightPercent: 100, layer: 'stale', because: ['stale: not seen for over 2m, so up']
  })
  t.strictSame(decided(play(web('a', OPEN), 'a .'), 'a', 120_000).because, ['stale: no verdict for over 2m, so up'])
})
