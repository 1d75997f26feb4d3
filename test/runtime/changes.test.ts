/** The words for what has changed: of criteria, of a backend as a whole, of a server. */
import t from 'tap'
import { newBackend, rebuilt } from '../../src/core/advance.ts'
import type { Layer, State } from '../../src/core/model.ts'
import type { BackendState, CheckState, Doubt, OutClass, ServerState } from '../../src/core/state.ts'
import { DOUBT_OVER_MS, isBad, shown, tellBackend, tellCriteria, tellDoubt, type Doubting } from '../../src/runtime/changes.ts'
import { backend, criterion, reach, server } from './samples.ts'
import { Sink } from './sink.ts'

const web = backend(['a', 'b', 'c'].map(name => server(name, [reach(), criterion('storage')])))
const START = newBackend(web, 0)

const check = (more: Partial<CheckState> = {}): CheckState => ({
  bad: 3, good: 0, latched: false, doubt: undefined, firstFailMs: undefined, goodSinceMs: undefined, lastGoodMs: undefined,
  ring: 7, ringed: 3, sinceMs: 0, weightPercent: 100, weightReason: '',
  verdict: { pass: false, value: 2, limit: 'at least 3', reason: '2 of 5 servers' }, ...more
})
const PASSES = check({ bad: 0, good: 1, verdict: { pass: true, value: 5, limit: 'at least 3', reason: '5 of 5 servers' } })
const doubted = (asked: number, passing: number, failing = asked - passing): CheckState =>
  check({ doubt: { why: 'peers', asked, passing, failing } })

/** Checks of the servers a, b, c: reach, storage. */
const withChecks = (...servers: ReadonlyArray<ReadonlyArray<CheckState | undefined>>): BackendState =>
  rebuilt(web, { ...START, servers: [...START.servers].map((own, i): ServerState => ({ ...own, phase: 'in', checks: servers[i] ?? [] })) }, 0)
const kept = (...names: readonly string[]): BackendState => {
  const indices = names.map((name): [number, OutClass] => ['a', 'b', 'c'].indexOf(name) > 0 ? [['a', 'b', 'c'].indexOf(name), 'fail'] : [0, 'drain'])
  return { ...START, floor: { ...START.floor, kept: new Map(indices) } }
}
const strained = (extra: number, inService = 3, troubled = 0): BackendState =>
  ({ ...START, extra, tally: { ...START.tally, in: inService, troubled } })

/** `level event: message` of what is told between two states; without a state before, at a start. */
function between (before: BackendState | undefined, after: BackendState): readonly string[] {
  const sink = new Sink()
  tellBackend(sink.log.event, before === undefined ? undefined : { backend: web, state: before }, { backend: web, state: after })
  return sink.told()
}

void t.test('criteria that began to fail or to pass', async (t) => {
  const fails = 'info criterion.fail: web/a storage fails: 2 of 5 servers'
  const passes = 'info criterion.pass: web/a storage passes: 5 of 5 servers'
  const rows: ReadonlyArray<readonly [CheckState | undefined, CheckState | undefined, readonly string[], string]> = [
    [undefined, undefined, [], 'no sample'],
    [undefined, PASSES, [], 'a first pass'],
    [undefined, check({ latched: true }), [fails], 'a first failure that counts'],
    [PASSES, check({ bad: 1 }), [], 'a failure that does not count yet'],
    [PASSES, check({ latched: true }), [fails], 'one that counts'],
    [PASSES, doubted(2, 0), [fails], 'one that may not'],
    [doubted(2, 0), doubted(3, 0), [], 'the doubt goes on'],
    [doubted(2, 0), check({ latched: true }), [], 'the doubt is over, the failure is not'],
    [check({ latched: true }), check({ latched: true, bad: 9 }), [], 'steady'],
    [check({ latched: true }), check({ latched: true, good: 1 }), [], 'on its way back'],
    [check({ latched: true }), PASSES, [passes], 'back'],
    [doubted(2, 0), PASSES, [passes], 'doubted, and back']
  ]
  for (const [before, after, told, why] of rows) {
    const sink = new Sink()
    tellCriteria(sink.log.event, web, withChecks([PASSES, before]), withChecks([PASSES, after]), 0)
    t.strictSame(sink.told(), told, why)
  }
  const sink = new Sink()
  tellCriteria(sink.log.event, web, withChecks(), withChecks([check({ latched: true }), check({ latched: true })], [check({ latched: true })]), 0)
  t.strictSame(sink.take().map(({ server: id, criterion: name, value, limit, reason }) => [id, name, value, limit, reason]), [
    ['web/a', 'reach', 2, 'at least 3', '2 of 5 servers'], ['web/a', 'storage', 2, 'at least 3', '2 of 5 servers']
  ], 'all of one server, and none of another')
  tellCriteria(sink.log.event, web, withChecks(), withChecks(), 9)
  t.strictSame(sink.told(), [], 'no such server')
})

void t.test('the floor', async (t) => {
  const keeps = (names: string): readonly string[] => [`warn backend.floor: web: the floor keeps ${names} in service against their criteria`]
  const rows: ReadonlyArray<readonly [BackendState | undefined, BackendState, readonly string[], string]> = [
    [undefined, START, [], 'a start'],
    [undefined, kept('b'), keeps('b'), 'a start with somebody kept'],
    [START, kept('b'), keeps('b'), 'one'],
    [kept('b'), kept('c', 'b'), keeps('b, c'), 'one more'],
    [kept('b', 'c'), kept('c', 'b'), [], 'the same ones'],
    [kept('b'), kept('c'), keeps('c'), 'another one'],
    [kept('b'), START, ['info backend.floor: web: enough servers are fit again'], 'nobody']
  ]
  for (const [before, after, told, why] of rows) t.strictSame(between(before, after), told, why)
})

/** What is told of a doubt, and what is remembered of that. */
function doubtTold (before: Doubting | undefined, after: BackendState, nowMs = 0): { readonly told: readonly string[], readonly next: Doubting | undefined } {
  const sink = new Sink()
  const next = tellDoubt(sink.log.event, before, { backend: web, state: after }, nowMs)
  return { told: sink.told(), next }
}

void t.test('a doubt that begins', async (t) => {
  const begins = (who: string, what: string, others: string): readonly string[] => [
    `warn backend.doubt: web: ${who} fails ${what}, ${others}: a shared fault, or our own eyes; nobody is taken out for it `
      + `(${what}: 2 of 5 servers)`
  ]
  const because = (doubt: Doubt): CheckState => check({ doubt })
  const rows: ReadonlyArray<readonly [BackendState, readonly string[], string]> = [
    [withChecks([PASSES, PASSES]), [], 'none'],
    [withChecks([doubted(2, 0)]), begins('a', 'reach', 'but 2 of 2 peers fail it too'), 'all fail it'],
    [withChecks([], [PASSES, doubted(9, 2)]), begins('b', 'storage', 'but 7 of 9 peers fail it too'), 'some pass'],
    [withChecks([doubted(0, 0)]), begins('a', 'reach', 'and no other has carried traffic long enough to compare'), 'nobody to ask'],
    [withChecks([doubted(1, 0)]), begins('a', 'reach', 'but 1 of 1 peer fails it too'), 'one'],
    [withChecks([because({ why: 'strain' })]), [], 'the others are strained: that is no doubt'],
    [withChecks([because({ why: 'queue' })]), [], 'it waits its turn: nor is that']
  ]
  for (const [after, told, why] of rows) t.strictSame(doubtTold(undefined, after).told, told, why)
})

void t.test('a doubt is told once, and is over when nobody has been in doubt for a while', async (t) => {
  const [on, off] = [withChecks([doubted(2, 0)]), withChecks([PASSES])]
  const first = doubtTold(undefined, on, 1000).next
  t.strictSame(first, { criterion: 'reach', lastMs: 1000 })
  t.strictSame(doubtTold(first, on, 5000), { told: [], next: { criterion: 'reach', lastMs: 5000 } }, 'it goes on')
  t.strictSame(doubtTold(first, withChecks([PASSES], [PASSES, doubted(2, 0)]), 5000), { told: [], next: { criterion: 'reach', lastMs: 5000 } }, 'another one')
  t.strictSame(doubtTold(first, off, 1000 + DOUBT_OVER_MS - 1), { told: [], next: first }, 'it may come back')
  t.strictSame(doubtTold(first, off, 1000 + DOUBT_OVER_MS), { told: ['info backend.doubt: web: no more doubt about reach'], next: undefined }, 'over')
  t.strictSame(doubtTold(undefined, off, 9e9), { told: [], next: undefined }, 'nothing to tell')
})

void t.test('strain', async (t) => {
  const begins = (text: string): readonly string[] => [`warn backend.strain: web: ${text} slow or silent: bringing able ones back`]
  const rows: ReadonlyArray<readonly [BackendState | undefined, BackendState, readonly string[], string]> = [
    [undefined, strained(0), [], 'a start'],
    [undefined, strained(1, 1, 1), begins('1 of 1 server in service is'), 'a reload that finds it strained'],
    [strained(0), strained(2, 3, 2), begins('2 of 3 servers in service are'), 'begins'],
    [strained(1), strained(2, 3, 3), [], 'grows'],
    [strained(3), strained(1), [], 'shrinks']
  ]
  for (const [before, after, told, why] of rows) t.strictSame(between(before, after), told, why)
  t.strictSame(between(strained(1), strained(0)), ['info backend.strain: web: no longer strained: nobody is kept for the load any more'], 'over')
})

void t.test('a reload: who was kept is known by the farm of before', async (t) => {
  const other = { ...web, servers: web.servers.toReversed() }
  const sink = new Sink()
  tellBackend(sink.log.event, { backend: web, state: kept('a') }, { backend: other, state: kept('c') })
  t.strictSame(sink.told(), [], 'the same server at another place')
})

void t.test('a decision in a word, and whether somebody should look', async (t) => {
  const rows: ReadonlyArray<readonly [State, Layer, string, boolean]> = [
    ['unknown', 'start', 'unknown', false],
    ['up', 'criteria', 'up', false], ['up', 'weight', 'up', false], ['up', 'ramp', 'up', false],
    ['up', 'gate', 'doubted', false], ['up', 'observe', 'watched', false],
    ['down', 'hold', 'held', false],
    ['down', 'criteria', 'down', true], ['drain', 'criteria', 'drain', true],
    ['up', 'floor', 'kept', true], ['up', 'stale', 'stale', true],
    ['up', 'order', 'up (order)', false], ['down', 'order', 'down (order)', false],
    ['drain', 'order', 'drain (order)', false], ['maint', 'order', 'maint (order)', false]
  ]
  for (const [state, layer, word, bad] of rows) {
    const decision = { state, layer, weightPercent: 100, because: [] }
    t.strictSame([shown(decision), isBad(decision)], [word, bad], `${state} by ${layer}`)
  }
})
