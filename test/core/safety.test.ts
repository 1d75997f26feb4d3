/** What an order would do to a backend. How to read the drawings: drawings.ts. */
import t from 'tap'
import { byScope, type Order } from '../../src/core/order.ts'
import { newServer } from '../../src/core/phase.ts'
import type { Policy } from '../../src/core/policy.ts'
import { arrived, refusalOf, serviceOf, type Caution } from '../../src/core/safety.ts'
import { BARE, order, ordered, play, web, type Story } from './drawings.ts'

const policy = (minUp: number, atMostDrained?: number): Policy => ({ ...BARE, minUp, ...(atMostDrained === undefined ? {} : { atMostDrained }) })
const three = (rules: Policy, b = '++++'): Story => play(web('abc', rules), `
    a  ++++
    b  ${b}
    c  ++++`)
const drains = (names: string): readonly Order[] => Array.from(names).map(name => order(`web/${name}`, 'drain'))

/** As `min_up 1: ac` or `at_most 2: ab`, and `given` when nothing speaks against it. */
function refused (story: Story, before: readonly Order[], after: readonly Order[], caution: Partial<Caution> = {}): string {
  const { backend, state, nowMs } = ordered(story, before)
  const why = refusalOf(backend, state, arrived(byScope([...before, ...after])), nowMs, { force: false, ...caution })
  if (why === undefined) return 'given'
  return why.why === 'min_up' ? `min_up ${why.minUp}: ${why.left.join('')} of ${why.of}` : `at_most ${why.atMost}: ${why.out.join('')}`
}

void t.test('min_up: who would be left', async (t) => {
  const rows: ReadonlyArray<readonly [Policy, string, string, readonly Order[], string, string]> = [
    [policy(1), '++++', '', drains('ab'), 'given', 'one is enough'],
    [policy(1), '++++', '', drains('abc'), 'min_up 1:  of 3', 'nobody would be left'],
    [policy(1), '++++', 'ab', drains('c'), 'min_up 1:  of 3', 'with those of before'],
    [policy(2), '++++', '', drains('ab'), 'min_up 2: c of 3', 'two are wanted'],
    [policy(0), '++++', 'ab', drains('c'), 'given', 'none is wanted'],
    [policy(2), '+xxx', '', drains('a'), 'min_up 2: c of 3', 'one that failed does not count'],
    [policy(3), '+xxx', '', drains('b'), 'min_up 3: ac of 3', 'too few already, and this one is kept: it serves'],
    [policy(0), '+xxx', '', drains('b'), 'given', 'this one serves nobody'],
    [policy(2), '++++', 'ab', [order('web/*', 'up')], 'given', 'nobody goes out'],
    [policy(3), '++++', '', [order('web/a', { weightPercent: 1 })], 'given', 'a cap takes nobody out'],
    [policy(3), '++++', '', [order('web/a', { weightPercent: 0 })], 'min_up 3: bc of 3', 'nothing does'],
    [policy(3), '++++', '', [{ ...order('web/a', { weightPercent: 0 }), ramp: { fromPercent: 100, overMs: 60_000 } }], 'min_up 3: bc of 3', 'in the end it does'],
    [policy(1), '++++', '', [order('*/*', 'maint')], 'min_up 1:  of 3', 'all at once'],
    [policy(1), '++++', '', [order('app/*', 'maint')], 'given', 'of another backend'],
    [policy(1), '++++', 'ab', [order('web/a', 'maint')], 'given', 'it was out before'],
    [policy(2), '++xx', 'a', [order('web/a', 'ready')], 'given', 'back']
  ]
  for (const [rules, b, before, after, wanted, why] of rows) t.equal(refused(three(rules, b), drains(before), after), wanted, why)
  t.equal(refused(three(policy(1)), drains('ab'), drains('c'), { force: true }), 'given', 'forced')
})

void t.test('when all fail, those that the floor keeps are what there is', async (t) => {
  const story = play(web('ab', policy(1)), `
    a  +xxx
    b  +xxx`)
  t.equal(serviceOf(story.backend, story.state, story.nowMs).serving.length, 1)
  t.equal(refused(story, [], [order('web/*', 'drain')]), 'min_up 1:  of 2', 'nobody would serve')
  t.equal(refused(story, [], drains('a')), 'given', 'the other is kept in its place')
  const watched = play(web('ab', { ...policy(1), mode: 'observe' }), `
    a  +xxx
    b  +xxx`)
  t.equal(refused(watched, [], [order('web/*', 'drain')]), 'min_up 1:  of 2', 'HAProxy hears up of both')
})

void t.test('at most: who is out by order', async (t) => {
  const rows: ReadonlyArray<readonly [Policy, string, string, Partial<Caution>, string, string]> = [
    [policy(0), '', 'a', { atMost: 1 }, 'given', 'the first'],
    [policy(0), 'a', 'b', { atMost: 1 }, 'at_most 1: a', 'the second'],
    [policy(0), '', 'ab', { atMost: 1 }, 'at_most 1: ', 'two at once'],
    [policy(0), 'a', 'a', { atMost: 1 }, 'given', 'again'],
    [policy(0), 'ab', 'b', { atMost: 1 }, 'given', 'more were out before'],
    [policy(0, 1), 'a', 'b', {}, 'at_most 1: a', 'by the config'],
    [policy(0, 1), 'a', 'b', { atMost: 2 }, 'at_most 1: a', 'a limit of one’s own is none above that of the config'],
    [policy(0, 2), 'a', 'b', { atMost: 1 }, 'at_most 1: a', 'it is one below'],
    [policy(0, 1), 'a', 'b', { force: true }, 'given', 'forced past the config'],
    [policy(0, 1), 'a', 'b', { force: true, atMost: 1 }, 'at_most 1: a', 'not past one’s own'],
    [policy(0), 'a', 'b', {}, 'given', 'no limit']
  ]
  for (const [rules, before, after, caution, wanted, why] of rows) {
    t.equal(refused(three(rules), drains(before), drains(after), caution), wanted, why)
  }
  t.equal(refused(three(policy(0)), drains('a'), [order('web/b', { weightPercent: 50 })], { atMost: 1 }), 'given', 'a cap is not out')
})

void t.test('who serves', async (t) => {
  const { backend, state, nowMs } = ordered(three(policy(1), '+xxx'), [order('web/c', 'drain'), order('app/a', 'drain')])
  t.strictSame(serviceOf(backend, state, nowMs), { serving: ['a'], fit: ['a'], ordered: ['c'] })
  const story = three(policy(2), '+xxx')
  t.strictSame(serviceOf(story.backend, story.state, story.nowMs), { serving: ['a', 'c'], fit: ['a', 'c'], ordered: [] })
  const kept = three(policy(3), '+xxx')
  t.strictSame(serviceOf(kept.backend, kept.state, kept.nowMs), { serving: ['a', 'b', 'c'], fit: ['a', 'c'], ordered: [] }, 'one that the floor keeps is not fit')
  const told = { ...story.state, servers: [...story.state.servers].with(2, newServer(0, true)) }
  t.strictSame(serviceOf(story.backend, told, 0).serving, ['a'], 'without an opinion it is what HAProxy was told before')
  t.strictSame(serviceOf(story.backend, { ...told, servers: told.servers.with(2, newServer(0)) }, 0).serving, ['a', 'c'])
  const walking = ordered(story, [{ ...order('web/a', { weightPercent: 0 }, story.nowMs), ramp: { fromPercent: 100, overMs: 60_000 } }])
  t.strictSame(serviceOf(walking.backend, walking.state, walking.nowMs), { serving: ['a', 'c'], fit: ['a', 'c'], ordered: [] }, 'one that walks to nothing serves until it is there')
})
