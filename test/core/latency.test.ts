/** How quickly servers answer, by themselves and beside their peers. How to read the drawings: drawings.ts. */
import t from 'tap'
import { newBackend, rebuilt } from '../../src/core/advance.ts'
import { isSlow, latencyOf, medianMs, peerCap, remember } from '../../src/core/latency.ts'
import { newServer } from '../../src/core/phase.ts'
import type { ServerState } from '../../src/core/state.ts'
import { BARE, only, ownOf, play, server, tell, web } from './drawings.ts'

const took = (...latenciesMs: readonly number[]): ServerState => ({ ...newServer(0), phase: 'in', latenciesMs })
const steady = (ms: number): ServerState => took(ms, ms, ms)

void t.test('a look knows better than the clock how long it took', async (t) => {
  const times = { ok: true, startMs: 100, endMs: 150 } as const
  t.equal(latencyOf({ ...times, facts: {} }), 50)
  t.equal(latencyOf({ ...times, facts: { latencyMs: 7 } }), 7, 'a second try is no slowness of the node')
  t.equal(latencyOf({ ...times, facts: { latencyMs: 'quick' } }), 50)
})

void t.test('the last three answers', async (t) => {
  t.strictSame([1, 2, 3, 4].reduce<readonly number[]>(remember, []), [2, 3, 4])
  const rows: ReadonlyArray<readonly [readonly number[], number | undefined, string]> = [
    [[], undefined, 'none'],
    [[1, 2], undefined, 'two'],
    [[1, 2, 3], 2, 'the middle one'], [[3, 2, 1], 2, 'in any order'], [[2, 1, 3], 2, 'in any order'], [[2, 3, 1], 2, 'in any order'],
    [[1, 3, 2], 2, 'in any order'], [[3, 1, 2], 2, 'in any order'],
    [[5, 5, 9000], 5, 'one odd answer moves nothing'],
    [[5, 9000, 9000], 9000, 'two do']
  ]
  for (const [ms, median, why] of rows) t.equal(medianMs(took(...ms)), median, `${ms.join()}: ${why}`)

  const story = play(web('a', BARE), 'a +yzo*+')
  t.strictSame(ownOf(story).latenciesMs, [300, 600, 5], 'silence has none, and what we saw while held up counts for nothing')
})

void t.test('slow: a quarter of the deadline', async (t) => {
  t.equal(isSlow(server('a'), steady(500), only('strain')), true)
  t.equal(isSlow(server('a'), steady(499), only('strain')), false)
  t.equal(isSlow(server('a', [], { timeoutMs: 4000 }), steady(500), only('strain')), false, 'of its own deadline')
  t.equal(isSlow(server('a'), took(900, 900), only('strain')), false, 'too few answers to say')
  t.equal(isSlow(server('a'), steady(900), BARE), false, 'switched off')
})

void t.test('beside its peers: the part of its weight that it keeps', async (t) => {
  const cap = (own: ServerState, peers: readonly ServerState[], policy = only('peers')): number => {
    const farm = web('abcdef', policy)
    return peerCap(farm, rebuilt(farm, { ...newBackend(farm, 0), servers: [own, ...peers] }, 0), own)
  }
  const rows: ReadonlyArray<readonly [own: number, peers: readonly number[], percent: number, string]> = [
    [100, [10, 10, 10], 100, 'quick enough for anybody'],
    [101, [10, 10, 10], 24, '250% of the median, against its own'],
    [250, [100, 100, 100], 100, 'within the dead band'],
    [251, [100, 100, 100], 99, 'beyond it'],
    [500, [100, 100, 100], 50, 'twice that'],
    [1000, [100, 100, 100], 25, 'four times'],
    [500, [100, 100], 50, 'three are enough, with itself'],
    [500, [100], 100, 'two are not'],
    [500, [100, 100, 500, 500], 100, 'the median of five is slow, too'],
    [500, [100, 100, 500], 50, 'the lower median of four is not'],
    [500, [1, 100, 400], 50, 'the median, not the mean'],
    [500, [0, 0, 0], 0, 'peers that take no time at all']
  ]
  for (const [own, peers, percent, why] of rows) {
    t.equal(cap(steady(own), peers.map(steady)), percent, `${own} ms beside ${peers.join()}: ${why}`)
  }
  t.equal(cap(took(500, 500), [100, 100, 100].map(steady)), 100, 'too few answers to say')
  t.equal(cap(steady(500), [100, 100, 100].map(steady), BARE), 100, 'switched off')
  const rest = (['out', 'held', 'start'] as const).map(phase => ({ ...steady(100), phase }))
  t.equal(cap(steady(500), [steady(100), ...rest]), 100, 'who carries nothing is no peer')
  t.equal(cap(steady(500), [steady(100), took(100, 100)]), 100, 'nor one not known well enough')
})

void t.test('one that is slower than its peers sheds load, and gets it back', async (t) => {
  tell(t, 'of three', web('abc', only('weight', 'peers')), `
    a  ++yyyyyyyyy+++++++++  uuu88665544334455667
    b  ++++++++++++++++++++  uuuuuuuuuuuuuuuuuuuu
    c  ++++++++++++++++++++  uuuuuuuuuuuuuuuuuuuu`)
})
