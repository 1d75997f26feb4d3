/** Self-doubt: who may go out for a trip, and who may not. How to read the drawings: drawings.ts. */
import t from 'tap'
import { newBackend } from '../../src/core/advance.ts'
import { doubtOf, type Trip, type Voice } from '../../src/core/gate.ts'
import type { CheckState } from '../../src/core/state.ts'
import {
  backend, BARE, checkOf, content, criterion, CRITERIA, decided, DRAIN, only, ownOf, play, reach, server, tell, WARN, web, weight, without
} from './drawings.ts'

const GATE = only('gate')

void t.test('what one fails is its own, what all fail is not', async (t) => {
  tell(t, 'one is silent', web('abc', GATE), `
    a  ++ooo  uuuud
    b  +++++  uuuuu
    c  +++++  uuuuu`)
  tell(t, 'all are silent: our network, or the load', web('abc', GATE), `
    a  ++oooo  uuuu??
    b  ++oooo  uuuu??
    c  ++oooo  uuuu??`)
  tell(t, 'all fail the same criterion: something they share', web('abc', GATE), `
    a  ++----++  uuuu??uu
    b  ++----++  uuuu??uu
    c  ++----++  uuuu??uu`)
  const story = tell(t, 'each fails another: each is singled out', web('abc', GATE), `
    a  ++HHH  uuuud
    b  ++SSS  uuuuD
    c  +++++  uuuuu`)
  t.equal(ownOf(story).checks[1]?.doubt, undefined)
})

void t.test('34% of the others must pass, two thirds where silence is weak evidence, and one at least', async (t) => {
  const rows: ReadonlyArray<readonly [servers: number, most: number, mostStrictly: number]> =
    [[2, 1, 1], [3, 2, 1], [4, 2, 2], [5, 3, 2], [6, 4, 2], [7, 4, 3], [10, 6, 4]]
  for (const [servers, most, mostStrictly] of rows) {
    const names = Array.from('abcdefghij').slice(0, servers)
    const kinds = [
      ['++---', most, 'content'],
      ['+++++++++ooo', most, 'silent'],
      ['+++++++++nnn', mostStrictly, 'no connection: maybe our own network'],
      ['++++++++ooo', mostStrictly, 'in service for less than 15 s: maybe the load that came with it']
    ] as const
    for (const [polls, mayFail, why] of kinds) {
      for (const failing of [mayFail, mayFail + 1]) {
        const drawing = names.map((name, i) => `${name} ${i < failing ? polls : '+'.repeat(polls.length)}`).join('\n')
        const story = play(web(names.join(''), GATE), drawing)
        t.equal(decided(story).state, failing === mayFail ? 'down' : 'up', `${failing} of ${servers}: ${why}`)
      }
    }
  }
})

void t.test('the evidence against us is counted', async (t) => {
  const story = play(web('abcd', GATE), `
    a  ++---
    b  ++---
    c  ++---
    d  +++++`)
  t.strictSame(ownOf(story).checks[1]?.doubt, { why: 'peers', asked: 3, passing: 1, failing: 2 })
  const drained = play(web('abc', GATE), `
    a  ++SSSooo
    b  ++++ooo.
    c  ++++ooo.`)
  t.strictSame(ownOf(drained).checks[0]?.doubt, { why: 'peers', asked: 2, passing: 0, failing: 2 }, 'of one that is out already')
  const apart = play(web('abcd', GATE), `
    a  ++HHH
    b  ++.HH
    c  ++...
    d  ++...`)
  t.match(checkOf(apart, 1).doubt, { asked: 3, passing: 0, failing: 1 }, 'who has not looked since neither passes nor fails')
  const recovering = play(web('abcd', GATE), `
    a  +++++HHH
    b  ++HHH..+
    c  ++++++++
    d  ++HHH.+.`)
  t.match(checkOf(recovering, 1).doubt, { asked: 3, passing: 1, failing: 2 }, 'who is out for it fails it until it is back')
})

void t.test('a witness has looked since the trouble began', async (t) => {
  tell(t, 'b has not: nobody knows whether it is only a', web('ab', GATE), `
    a  ++----+  uuuu??u
    b  ++.....  uuuuuuu`)
  tell(t, 'b does', web('ab', GATE), `
    a  ++-----  uuuu??d
    b  ++...+.  uuuuuuu  after the look of a in its column`)
  tell(t, 'b passes again, but did not when the look of a began', web('ab', GATE), `
    b  +++o++  uuuuuu
    a  ++oooo  uuuu?d`)
  tell(t, 'b passes again when the look of a begins', web('ab', GATE), `
    b  +++-+  uuuuu
    a  ++---  uuuud`)
})

void t.test('silence is judged by those that carry traffic, too', async (t) => {
  tell(t, 'b rests, and would answer whatever the load; it has a voice when it has carried for 15 s', web('ab', only('gate', 'hold')), `
    a  +++++oooooooooooo  uuuuuuu?????????d
    b  ++xxx++++++++++++  uuuuddhuuuuuuuuuu`)
  tell(t, 'b was back before the silence began', web('ab', only('gate')), `
    a  ++++++++ooo  uuuuuuuuuud
    b  ++xxx++++++  uuuudduuuuu`)
  tell(t, 'b is kept by the floor, and carries', web('ab', { ...GATE, minUp: 2 }), `
    a  +++++ooo  uuuuuuuK
    b  ++------  uuuuKKKK`)
  tell(t, 'b and c are silent, too: known, and no news', web('abcd', GATE), `
    a  ++++++++++++ooo  uuuuuuuuuuuuuud
    b  +++++++++oooooo  uuuuuuuuuuudddd
    c  +++++++++oooooo  uuuuuuuuuuudddd
    d  +++++++++++++++  uuuuuuuuuuuuuuu`)
  tell(t, 'content is another matter: they fail it still', web('abcd', GATE), `
    a  +++++---  uuuuuuu?
    b  ++------  uuuudddd
    c  ++------  uuuudddd
    d  ++++++++  uuuuuuuu`)
})

void t.test('a refusal is the host\'s own word', async (t) => {
  for (const mark of ['x', 'r']) {
    tell(t, 'nobody is asked', web('ab', GATE), `
    a  ++xxx  uuuud
    b  ++xxx  uuuud`.replaceAll('x', mark))
  }
  tell(t, 'but not about what it says otherwise', web('ab', GATE, [reach(), criterion('canary')]), `
    a         ++++x  uuuu?
    a.canary  +.---
    b         +++++  uuuu?
    b.canary  +.---`)
  tell(t, 'silence that ends in a refusal', web('ab', GATE), `
    a  ++oox  uuuud
    b  ++ooo  uuuu?`)
})

void t.test('a statement of the node itself is believed', async (t) => {
  tell(t, 'all want to leave', web('ab', GATE, [reach(), content('lame', { solo: true, fall: 1, rise: 1, ...DRAIN })]), `
    a  ++-++  uuDuu
    b  ++-++  uuDuu`)
})

void t.test('what takes nobody out needs no witness', async (t) => {
  tell(t, 'a weight', web('ab', without('peers'), [reach(), content('load', { onFail: weight(50) })]), `
    a  ++-----  uuuu886
    b  ++-----  uuuu886`)
  const story = play(web('ab', GATE, [reach(), content('introducer', WARN)]), `
    a  ++---
    b  ++---`)
  t.match(ownOf(story).checks[1], { latched: true, doubt: undefined }, 'a warning')
})

void t.test('two servers of one node are one voice', async (t) => {
  const twin = (name: string, node: string) => server(name, CRITERIA, { node })
  tell(t, 'b and its twin fail, d passes: one of two', backend([server('a'), twin('b', 'n'), twin('c', 'n'), server('d')], GATE), `
    a  ++---  uuuud
    b  ++---  uuuud
    c  ++---  uuuud
    d  +++++  uuuuu`)
  tell(t, 'and none for themselves', backend([twin('a', 'n'), twin('b', 'n'), twin('c', 'n'), server('d')], GATE), `
    a  ++---  uuuud
    b  ++---  uuuud
    c  ++---  uuuud
    d  +++++  uuuuu`)
})

void t.test('a backend of one node asks those of other backends', async (t) => {
  tell(t, 'who answer: it is the node', web('a', GATE), `
    a    ++ooo  uuuud
    @gw  +++++`)
  tell(t, 'who do not: it is us', web('a', GATE), `
    a    ++ooo  uuuu?
    @gw  ++ooo`)
  tell(t, 'one of two is enough', web('a', GATE), `
    a    +++++++++ooo  uuuuuuuuuuud
    @gw  +++++++++ooo
    @cd  ++++++++++++`)
  tell(t, 'who have long been gone, and say nothing', web('a', GATE), `
    a    +++++ooo  uuuuuuud
    @gw  ooooooo+`)
  tell(t, 'nobody', web('a', GATE), `
    a    ++ooo  uuuud`)
  tell(t, 'about content they know nothing', web('a', GATE), `
    a    ++---  uuuud
    @gw  ++ooo`)
  tell(t, 'two servers are one node', backend([server('a'), server('b', CRITERIA, { node: 'http://a' })], GATE), `
    a    ++ooo  uuuu?
    b    ++ooo  uuuu?
    @gw  ++ooo`)
  tell(t, 'where there are others, strangers are not asked', web('ab', GATE), `
    a    ++ooo  uuuu?
    b    xxxxx  ..ddd
    @gw  +++++`)
})

void t.test('strangers: one voice a node, and none for the node itself', async (t) => {
  const farm = web('a', GATE)
  const passes: CheckState = { ...checkOf(play(farm, 'a ++')), goodSinceMs: 50, lastGoodMs: 150 }
  const check: CheckState = { ...checkOf(play(farm, 'a ++ooo')), latched: false, firstFailMs: 100 }
  const trip: Trip = { index: 0, at: 0, check, startMs: 200, endMs: 210 }
  const { state } = play(farm, 'a ++oo')
  const twice = [{ node: 'o', check: passes }, { node: 'o', check: passes }]
  const rows: ReadonlyArray<readonly [readonly Voice[], 'peers' | undefined, string]> = [
    [[{ node: 'n', check: passes }], undefined, 'one passes'],
    [[{ node: 'n', check }, { node: 'm', check }, ...twice], 'peers', 'one of three, said twice'],
    [[{ node: 'n', check }, { node: 'http://a', check: passes }], 'peers', 'its own node is no witness'],
    [[{ node: 'n', check: { ...check, bad: 0 } }], undefined, 'no data, no voice'],
    [[{ node: 'n', check: { ...check, latched: true } }], undefined, 'gone itself: no voice'],
    [[{ node: 'n', check: { ...passes, goodSinceMs: 200 } }], undefined, 'passes since this look began'],
    [[{ node: 'n', check: { ...passes, goodSinceMs: 201 } }], 'peers', 'passes since later'],
    [[{ node: 'n', check: { ...passes, lastGoodMs: 101 } }], undefined, 'looked at since the trouble began'],
    [[{ node: 'n', check: { ...passes, lastGoodMs: 100 } }], 'peers', 'not looked at since']
  ]
  for (const [voices, why, what] of rows) t.equal(doubtOf(farm, state, trip, () => voices)?.why, why, what)
})

void t.test('a look at what is no criterion of no server is no trip', async (t) => {
  const farm = web('a', GATE)
  const trip = { check: {} as CheckState, startMs: 0, endMs: 0 }
  for (const [index, at] of [[1, 0], [0, 9]] as const) {
    t.equal(doubtOf(farm, newBackend(farm, 0), { ...trip, index, at }, () => []), undefined)
  }
})

void t.test('layers that are switched off doubt nothing', async (t) => {
  tell(t, 'all silent, and all out', web('ab', BARE), `
    a  ++ooo  uuuud
    b  ++ooo  uuuud`)
  tell(t, 'all fail', web('ab', BARE), `
    a  ++---  uuuud
    b  ++---  uuuud`)
})
