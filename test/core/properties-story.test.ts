/** What a farm does in the stories that matter most, however large it is and however its polls fall: 27 … 30. See properties.test.ts. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Sample } from '../../src/core/model.ts'
import { CANARY, PAGE, plainPool, TIMEOUT_MS, type FarmPlan, type PoolPlan, type ServerPlan } from './properties-farm.ts'
import { begin, decideAt, places, take, type Step, type World } from './properties-history.ts'
import { serves } from './properties-oracle.ts'
import { check } from './properties-run.ts'
import { seen, type Truth } from './properties-sight.ts'

const INTERVAL_MS = 2000
const WARM_MS = 20_000
const ANSWER_MS = 40

/** When the polls of a node begin within an interval, how soon a failed one is repeated, and how long after the end of a slow one. */
interface Pace { readonly offsetMs: number, readonly fastMs: number, readonly gapMs: number }
/** By node, and ms since the story began. */
type TruthOf = (node: string, atMs: number) => Truth
interface Watch {
  readonly probe: string
  readonly truthOf: TruthOf
  readonly untilMs: number
  /** By node, over and over. */
  readonly paces: readonly Pace[]
  readonly everyMs?: number
}

/** Every node is looked at again and again, once for all its servers. */
function watch (farm: FarmPlan, { probe, truthOf, untilMs, paces, everyMs = INTERVAL_MS }: Watch): readonly Step[] {
  const origin = begin(farm).nowMs
  const pools = Object.values(farm).map(({ servers }) => servers)
  const nodes = [...new Set(pools.flat().map(({ node }) => node))]
  const all = nodes.flatMap((node, i) => {
    const { offsetMs, fastMs, gapMs } = paces[i % paces.length]!
    const looks: Step[] = []
    for (let atMs = offsetMs, nth = i; atMs < untilMs; nth += 1) {
      const truth = truthOf(node, atMs)
      const endMs = atMs + (truth === 'timeout' || truth === 'noconn' ? TIMEOUT_MS : ANSWER_MS)
      looks.push(...looksOf(pools, node, probe, seen(truth, probe, origin + endMs, nth)))
      atMs = Math.max(atMs + (truth === 'good' ? everyMs : fastMs), endMs + gapMs)
    }
    return looks
  })
  return all.toSorted((a, b) => a.atMs - b.atMs)
}

const looksOf = (pools: ReadonlyArray<readonly ServerPlan[]>, node: string, probe: string, sample: Sample): readonly Step[] =>
  pools.flatMap((servers, pool) => servers.flatMap((each, server): Step[] =>
    each.node === node ? [{ kind: 'look', atMs: sample.endMs, pool, server, probe, sample }] : []))

/** The farm after each step. */
function * follow (farm: FarmPlan, story: readonly Step[]): Generator<World> {
  let world = begin(farm)
  for (const step of story) {
    world = take(world, step)
    yield world
  }
}

const serving = (world: World): readonly string[] => places(world).filter(place => {
  const decision = decideAt(world, place)
  return decision.state === 'unknown' || serves(decision)
}).map(({ id }) => id)

const pace: fc.Arbitrary<Pace> = fc.record({
  offsetMs: fc.integer({ min: 0, max: INTERVAL_MS - 1 }), fastMs: fc.constantFrom(INTERVAL_MS, 500), gapMs: fc.constantFrom(0, 0, 500)
})
const paces = fc.array(pace, { minLength: 1, maxLength: 10 })
/** One backend, or two of the same nodes. */
const farmOf = (pool: PoolPlan, isShared: boolean): FarmPlan => isShared ? { be: pool, api: pool } : { be: pool }
const farms = fc.record({
  count: fc.integer({ min: 2, max: 10 }), fall: fc.integer({ min: 2, max: 4 }), rise: fc.integer({ min: 1, max: 3 }), isShared: fc.boolean()
}).map(({ count, isShared, ...runs }) => farmOf(plainPool(count, { ...runs, more: [] }), isShared))

// Fails when a peer may vouch that was last seen well before the silence began.
void t.test('27 when all fall silent, nobody is taken out', async () => {
  const kinds = fc.array(fc.constantFrom<Truth>('timeout', 'noconn', 'tls'), { minLength: 1, maxLength: 5 })
  check(fc.property(farms, paces, kinds, (farm, paces, kinds) => {
    const truthOf: TruthOf = (node, atMs) => atMs < WARM_MS ? 'good' : kinds[(Number(node.slice(1)) + atMs) % kinds.length]!
    for (const world of follow(farm, watch(farm, { probe: PAGE, truthOf, untilMs: 2 * WARM_MS, paces }))) {
      assert.equal(serving(world).length, places(world).length)
    }
  }))
})

const withCanary = (farm: FarmPlan): FarmPlan =>
  Object.fromEntries(Object.entries(farm).map(([name, pool]) => [name, { ...pool, more: [CANARY] }]))

// Fails when a peer may vouch that was last seen well before the fault began.
void t.test('28 what all fail takes nobody out, whatever the pace at which it is looked at', async () => {
  const fault = fc.constantFrom<readonly [Truth, string, number]>(
    ['http', PAGE, INTERVAL_MS], ['storage', PAGE, INTERVAL_MS], [CANARY, CANARY, INTERVAL_MS], [CANARY, CANARY, 7000]
  )
  check(fc.property(farms.map(withCanary), paces, fault, (farm, paces, [fault, probe, everyMs]) => {
    const truthOf = (of: string): TruthOf => (_, atMs) => atMs >= WARM_MS && probe === of ? fault : 'good'
    const untilMs = WARM_MS + 3 * everyMs
    const pages = watch(farm, { probe: PAGE, truthOf: truthOf(PAGE), untilMs, paces })
    const canaries = watch(farm, { probe: CANARY, truthOf: truthOf(CANARY), untilMs, paces, everyMs })
    for (const world of follow(farm, [...pages, ...canaries].toSorted((a, b) => a.atMs - b.atMs))) {
      assert.equal(serving(world).length, places(world).length)
    }
  }))
})

const faults = fc.constantFrom<Truth>('refused', 'reset', 'timeout', 'noconn', 'http', 'storage')
const nodeOf = ({ be }: FarmPlan, chosen: number): string => be!.servers[chosen % be!.servers.length]!.node

// Fails when a peer must have passed since the last look began, and not since the first that failed.
void t.test('29 who fails alone is out within fall + 1 rounds, in every backend of its node', async () => {
  check(fc.property(farms, paces, fc.nat(9), faults, (farm, paces, chosen, fault) => {
    const bad = nodeOf(farm, chosen)
    const truthOf: TruthOf = (node, atMs) => atMs >= WARM_MS && node === bad ? fault : 'good'
    const untilMs = WARM_MS + INTERVAL_MS + (farm['be']!.fall + 1) * INTERVAL_MS
    const world = [...follow(farm, watch(farm, { probe: PAGE, truthOf, untilMs, paces }))].at(-1)!
    assert.deepEqual(serving(world), places(world).filter(({ server }) => server !== Number(bad.slice(1))).map(({ id }) => id))
  }))
})

// Fails when a ramp begins anew with each look.
void t.test('30 who is well again has all its weight within rise rounds, the hold and the ramp', async () => {
  check(fc.property(farms, paces, fc.nat(9), faults, fc.integer({ min: 6000, max: WARM_MS }), (farm, paces, chosen, fault, lastsMs) => {
    const bad = nodeOf(farm, chosen)
    const wellMs = WARM_MS + lastsMs
    const truthOf: TruthOf = (node, atMs) => atMs >= WARM_MS && atMs < wellMs && node === bad ? fault : 'good'
    const { hold, ramp } = begin(farm).pools[0]!.backend.policy
    // The first look that passes begins an interval later, or after one that waited for an answer.
    const backMs = wellMs + TIMEOUT_MS + 500 + farm['be']!.rise * INTERVAL_MS + hold!.baseMs + ramp!.forMs + 4000
    const world = [...follow(farm, watch(farm, { probe: PAGE, truthOf, untilMs: backMs, paces }))].at(-1)!
    for (const place of places(world)) {
      assert.deepEqual(decideAt(world, place), { state: 'up', weightPercent: 100, layer: 'criteria', because: [] })
    }
  }))
})

// Fails when a node that was heard for one backend is not heard for the next.
void t.test('a node of two backends has a voice in each: who hangs goes out of both', async (t) => {
  const farm = farmOf(plainPool(3), true)
  const truthOf: TruthOf = (node, atMs) => atMs >= WARM_MS && node === 'h1' ? 'timeout' : 'good'
  const paces = [{ offsetMs: 0, fastMs: INTERVAL_MS, gapMs: 0 }]
  const world = [...follow(farm, watch(farm, { probe: PAGE, truthOf, untilMs: WARM_MS + 10_000, paces }))].at(-1)!
  t.strictSame(serving(world), ['be/n0', 'be/n2', 'api/n0', 'api/n2'])
  for (const place of places(world).filter(({ server }) => server === 1)) {
    const { state, because } = decideAt(world, place)
    t.strictSame([state, because], ['down', ['reach: timeout by the node']])
  }
})
