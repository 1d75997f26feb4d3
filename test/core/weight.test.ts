/** How much of its weight a server gets. How to read the drawings: drawings.ts. */
import t from 'tap'
import { newBackend } from '../../src/core/advance.ts'
import type { Policy } from '../../src/core/policy.ts'
import type { OutClass } from '../../src/core/state.ts'
import { criteriaCap, keptWeight, leastPercent, shareOf, slew, weightNow } from '../../src/core/weight.ts'
import {
  backend, BARE, content, criterion, decided, only, ownOf, play, reach, server, tell, web, weight, without, type Story
} from './drawings.ts'

const SLEW = only('weight')
const based = (baseWeight: number, policy = SLEW): Policy => ({ ...policy, baseWeight })

void t.test('the least: the floor of 10%, and 1 of what haproxy.cfg says', async (t) => {
  const rows: ReadonlyArray<readonly [base: number, percent: number, string]> = [
    [100, 10, 'the floor'], [256, 10, 'the floor'], [10, 10, '1 of 10'], [9, 12, '1 of 9, rounded up'], [3, 34, '1 of 3'], [2, 50, '1 of 2'],
    [1, 100, 'all or nothing']
  ]
  for (const [base, percent, why] of rows) t.equal(leastPercent(based(base)), percent, `weight ${base}: ${why}`)
  t.equal(leastPercent({ ...SLEW, weight: { ...SLEW.weight!, floorPercent: 1 } }), 1, 'a lower floor')
})

void t.test('of a server with a share of its own', async (t) => {
  const rows: ReadonlyArray<readonly [share: number, percent: number, base: number, given: number, string]> = [
    [100, 100, 100, 100, 'all'], [50, 100, 100, 50, 'half'], [50, 35, 100, 17, 'rounded down'], [5, 10, 100, 1, 'never 0'],
    [50, 10, 10, 10, 'what HAProxy still counts as 1'], [20, 100, 3, 34, 'what HAProxy still counts as 1'], [50, 50, 256, 25, 'a large weight']
  ]
  for (const [share, percent, base, given, why] of rows) {
    t.equal(shareOf(server('a', [], { weightPercent: share }), percent, based(base)), given, `${percent}% of ${share}% of ${base}: ${why}`)
  }
})

void t.test('what criteria allow', async (t) => {
  const criteria = [
    criterion('a', { onFail: weight(50) }), criterion('b', { onFail: weight(20) }), criterion('c', { onFail: { action: 'drain' } })
  ]
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, number, string]> = [
    [{}, 100, 'no sample, no cap'],
    [{ a: '+', b: '+' }, 100, 'nothing fails'],
    [{ a: '---' }, 50, 'one fails'],
    [{ a: '---', b: '---' }, 20, 'the smaller one'],
    [{ a: '+--' }, 100, 'not before its run is complete'],
    [{ a: '---+' }, 50, 'until it is back'],
    [{ a: '---++' }, 100, 'and back'],
    [{ a: '4' }, 40, 'a pass that sheds'],
    [{ a: '8', b: '---' }, 20, 'less than a cap'],
    [{ a: '1', b: '---' }, 10, 'more than a cap'],
    [{ a: '4-' }, 40, 'one failure gives a shedding server no load back'],
    [{ a: '4---' }, 50, 'failing, its own cap counts'],
    [{ c: '---' }, 100, 'a drain is no cap: what it shall have when it is back'],
    [{ c: '3' }, 30, 'any criterion may shed']
  ]
  for (const [runs, wanted, why] of rows) {
    const story = play(web('a', BARE, criteria), Object.entries(runs).map(([probe, run]) => `a.${probe} ${run}`).join('\n'))
    t.equal(criteriaCap(server('a', criteria), ownOf(story)), wanted, why)
  }
})

/** The weights of the first server, poll by poll. */
function weights (policy: Policy, polls: string, criteria = [reach(), content('load', { onFail: weight(50) })]): readonly number[] {
  return Array.from(polls, (_, i) => decided(play(web('a', policy, criteria), `a ${polls.slice(0, i + 1)}`)).weightPercent)
}

void t.test('down by a fifth, up by a tenth, a step each 4 s', async (t) => {
  t.strictSame(weights(SLEW, '+++1+++++++'), [100, 100, 100, 80, 80, 90, 90, 100, 100, 100, 100], 'one step down, two up')
  t.strictSame(weights(SLEW, '+++1111111111111111').slice(3), [80, 80, 60, 60, 50, 50, 40, 40, 30, 30, 25, 25, 20, 20, 15, 15],
    '80, 64, 51, 40, 32, 25, 20, 16: shown in steps of 5')
  t.strictSame(weights(SLEW, `+++${'1'.repeat(20)}`).at(-1), 10, 'to the end')
  t.strictSame(weights(SLEW, '+++9999'), [100, 100, 100, 90, 90, 90, 90], 'no further than it has to')
  t.strictSame(weights(SLEW, '+---------+++++++').slice(3), [80, 80, 60, 60, 50, 50, 50, 50, 60, 60, 70, 70, 80, 80],
    'a criterion that fails with a weight of 50%')
})

void t.test('a step is taken only where there is one', async (t) => {
  const farm = web('a', SLEW)
  const story = play(farm, 'a +++++')
  const own = ownOf(story)
  const at = (over: Partial<typeof own>, nowMs: number, policy = SLEW): number =>
    slew(backend(farm.servers, policy), newBackend(farm, 0), server('a'), { ...own, ...over }, nowMs).weightPercent
  t.equal(at({ weightPercent: 50, weightAtMs: 10_000 }, 13_999), 50, 'not yet 4 s')
  t.equal(at({ weightPercent: 50, weightAtMs: 10_000 }, 14_000), 60, '4 s')
  t.equal(at({ weightPercent: 95, weightAtMs: 0 }, 14_000), 100, 'no more than all')
  t.equal(at({ weightPercent: 50, weightAtMs: 0, phase: 'out' }, 14_000), 50, 'out of service')
  t.equal(at({ weightPercent: 50, weightAtMs: 0 }, 14_000, BARE), 50, 'switched off')
  t.equal(slew(farm, story.state, server('a'), { ...own, weightAtMs: 3 }, 99_000).weightAtMs, 3, 'nothing to do: no step')
  t.strictSame(weights(based(3), '+++111111111'), [100, 100, 100, 80, 80, 60, 60, 50, 50, 40, 40, 34], 'not below 1 of 3')
  t.strictSame(weights(based(1), '+++111'), [100, 100, 100, 100, 100, 100], 'all or nothing')
})

void t.test('switched off: all or nothing', async (t) => {
  t.strictSame(weights(BARE, '+++111'), [100, 100, 100, 100, 100, 100])
  tell(t, 'and no ramp', web('ab', without('weight')), `
    a  ++xxx++++  uuuuddhuu
    b  +++++++++  uuuuuuuuu`)
})

void t.test('back from the cold: from 10%, in 30 s', async (t) => {
  const story = tell(t, 'six points a poll', web('ab', only('weight', 'ramp')), `
    a  ++xxx++++++++++++++++++  uuuudd112234455677889uu
    b  +++++++++++++++++++++++  uuuuuuuuuuuuuuuuuuuuuuu`)
  t.equal(decided(story).weightPercent, 100)
  const back = play(web('ab', only('weight', 'ramp')), `
    a  ++xxx++
    b  +++++++`)
  const rows = [[0, 10], [1000, 10], [5000, 25], [15_000, 55], [29_000, 95], [29_999, 95], [30_000, 100], [99_000, 100]] as const
  const fromMs = ownOf(back).rampFromMs ?? 0
  for (const [laterMs, percent] of rows) {
    t.equal(weightNow(back.backend, back.state, ownOf(back), fromMs + laterMs).percent, percent, `${laterMs} ms`)
  }
})

void t.test('a ramp and a weight: the smaller one', async (t) => {
  const story = play(web('abc', only('weight', 'ramp')), `
    a  ++xxx++33333
    b  ++++++++++++
    c  ++++++++++++`)
  t.match(weightNow(story.backend, story.state, ownOf(story), story.nowMs), { percent: 35, ramps: true }, 'coming back: 40% of the time')
  t.match(weightNow(story.backend, story.state, { ...ownOf(story), weightPercent: 33 }, story.nowMs), { percent: 30, ramps: false })
})

void t.test('nobody waits for a ramp while too few carry their whole share', async (t) => {
  tell(t, 'one of three is not half', web('abc', only('weight', 'ramp')), `
    a  ++xxx++++++++++  uuuudduuuuuuuuu
    b  ++xxx++++++++++  uuuudduuuuuuuuu
    c  +++++++++++++++  uuuuuuuuuuuuuuu`)
  tell(t, 'one of two is', web('ab', only('weight', 'ramp')), `
    a  ++xxx+++  uuuudd11
    b  ++++++++  uuuuuuuu`)
  tell(t, 'nor while those that do are strained', web('ab', only('weight', 'ramp', 'strain')), `
    a  ++xxx++++++  uuuudd1uuuu
    b  ++++++zzzzz  uuuuuuuuuuu`)
})

void t.test('kept by the floor: with little, unless it is needed', async (t) => {
  const kept = (policy: Policy, drawing: string, kind: OutClass, extra = 0): number => {
    const story: Story = play(web('ab', policy), drawing)
    return keptWeight(story.backend, { ...story.state, extra }, kind, story.nowMs)
  }
  const alone = `
    a  +xxx
    b  +xxx`
  const beside = `
    a  +xxx
    b  ++++`
  t.equal(kept({ ...SLEW, minUp: 1 }, alone, 'dead'), 100, 'nobody else is in service')
  for (const kind of ['drain', 'fail', 'noconn', 'noreply', 'dead'] as const) t.equal(kept({ ...SLEW, minUp: 2 }, beside, kind), 10, kind)
  t.equal(kept({ ...SLEW, minUp: 2 }, beside, 'held'), 100, 'it passes')
  t.equal(kept({ ...based(3), minUp: 2 }, beside, 'dead'), 34, '1 of 3')
  t.equal(kept({ ...BARE, minUp: 2 }, beside, 'dead'), 100, 'all or nothing')
  for (const [kind, percent] of [['drain', 100], ['noconn', 100], ['fail', 10], ['noreply', 10], ['dead', 10]] as const) {
    t.equal(kept({ ...SLEW, minUp: 2 }, beside, kind, 1), percent, `${kind}, under strain`)
  }
})
