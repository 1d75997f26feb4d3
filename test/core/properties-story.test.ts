/** What a farm does in the stories that matter most, however large it is and however its polls fall: 27 … 30. See properties.test.ts. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { CANARY, PAGE, plainPool, TIMEOUT_MS, type FarmPlan, type PoolPlan } from './properties-farm.ts'
import { begin, decideAt, places, seen, take, type Step, type Truth, type World } from './properties-history.ts'
import { serves } from './properties-oracle.ts'
import { check } from './properties-run.ts'

const INTERVAL_MS = 2000
const WARM_MS = 20_000

/** When its polls begin within an interval, and how long after the end of a slow one the next begins. */
interface Pace { readonly offsetMs: number, readonly gapMs: number }
/** By node, and from when on: from the beginning of the story. */
type TruthOf = (node: string, atMs: number) => Truth

/** Every node is looked at again and again, once for all its servers, until a time. */
function looksAt (farm: FarmPlan, probe: string, truthOf: TruthOf, untilMs: number, paces: readonly Pace[], everyMs = INTERVAL_MS): readonly Step[] {
  const origin = begin(farm).nowMs
  const pools = Object.values(farm).map(({ servers }) => servers)
  const nodes = [...new Set(pools.flat().map(({ node }) => node))]
  const all = nodes.flatMap((node, i) => {
    const { offsetMs, gapMs } = paces[i % paces.length]!
    const looked: Step[] = []
    for (let atMs = offsetMs, nth = i; atMs < untilMs; nth += 1) {
      const truth = truthOf(node, atMs)
      const endMs = atMs + (truth === 'timeout' || truth === 'noconn' ? TIMEOUT_MS : 40)
      const sample = seen(truth, probe, origin + endMs, nth)
      for (const [pool, servers] of pools.entries()) {
        for (const [server, each] of servers.entries()) if (each.node === node) looked.push({ kind: 'look', atMs: origin + endMs, pool, server, probe, sample })
      }
      atMs = Math.max(atMs + everyMs, endMs + gapMs)
    }
    return looked
  })
  return all.toSorted((a, b) => a.atMs - b.atMs)
}

/** The farm after each step, and how long the story has gone on. */
function * follow (farm: FarmPlan, story: readonly Step[]): Generator<{ readonly world: World, readonly atMs: number }> {
  const first = begin(farm)
  let world = first
  for (const step of story) {
    world = take(world, step)
    yield { world, atMs: world.nowMs - first.nowMs }
  }
}

const serving = (world: World): readonly string[] => places(world).filter(place => {
  const decision = decideAt(world, place)
  return decision.state === 'unknown' || serves(decision)
}).map(({ id }) => id)

const paces = fc.array(fc.record({ offsetMs: fc.integer({ min: 0, max: INTERVAL_MS - 1 }), gapMs: fc.constantFrom(0, 0, 500) }), { minLength: 1, maxLength: 10 })
const many = fc.integer({ min: 2, max: 10 })
const size = fc.record({ count: many, fall: fc.integer({ min: 2, max: 4 }), rise: fc.integer({ min: 1, max: 3 }) })
/** One backend, or two of the same nodes. */
const farmOf = (pool: PoolPlan, isShared: boolean): FarmPlan => isShared ? { be: pool, api: pool } : { be: pool }

// Fails when a peer may vouch that was last seen well before the silence began.
void t.test('27 when all fall silent, nobody is taken out', async () => {
  check(fc.property(size, fc.boolean(), paces, fc.array(fc.constantFrom<Truth>('timeout', 'noconn', 'tls'), { minLength: 1, maxLength: 5 }), ({ count, ...runs }, isShared, pace, kinds) => {
    const farm = farmOf(plainPool(count, runs), isShared)
    const truthOf: TruthOf = (node, atMs) => atMs < WARM_MS ? 'good' : kinds[(Number(node.slice(1)) + atMs) % kinds.length]!
    for (const { world } of follow(farm, looksAt(farm, PAGE, truthOf, 3 * WARM_MS, pace))) {
      assert.equal(serving(world).length, places(world).length)
    }
  }))
})

// Fails when a peer whose criterion has tripped, and may not act, still counts as passing.
void t.test('28 what all fail takes nobody out, whatever the pace at which it is looked at', async () => {
  const content = fc.constantFrom<readonly [Truth, string, number]>(['http', PAGE, 0], ['storage', PAGE, 0], ['canary', CANARY, INTERVAL_MS], ['canary', CANARY, 7000])
  check(fc.property(size, fc.boolean(), paces, content, ({ count, ...runs }, isShared, pace, [fault, probe, everyMs]) => {
    const farm = farmOf(plainPool(count, { ...runs, more: [CANARY] }), isShared)
    const untilMs = WARM_MS + 5 * Math.max(everyMs, INTERVAL_MS) + 10_000
    const truthOf: TruthOf = (_, atMs) => atMs < WARM_MS ? 'good' : fault
    const pages = looksAt(farm, PAGE, truthOf, untilMs, pace)
    const canaries = looksAt(farm, CANARY, probe === PAGE ? () => 'good' : truthOf, untilMs, pace, Math.max(everyMs, INTERVAL_MS))
    for (const { world } of follow(farm, [...pages, ...canaries].toSorted((a, b) => a.atMs - b.atMs))) {
      assert.equal(serving(world).length, places(world).length)
    }
  }))
})

const lone = fc.tuple(size, fc.boolean(), fc.nat(9), paces, fc.constantFrom<Truth>('refused', 'reset', 'timeout', 'noconn', 'http', 'storage'))

// Fails when those that must vouch are asked for more of them than there are.
void t.test('29 who fails alone is out within fall + 1 rounds, in every backend of its node', async () => {
  check(fc.property(lone, ([{ count, ...runs }, isShared, chosen, pace, fault]) => {
    const farm = farmOf(plainPool(count, runs), isShared)
    const bad = `n${chosen % count}`
    const truthOf: TruthOf = (node, atMs) => atMs >= WARM_MS && node.slice(1) === bad.slice(1) ? fault : 'good'
    const untilMs = WARM_MS + INTERVAL_MS + (runs.fall + 1) * INTERVAL_MS
    const last = [...follow(farm, looksAt(farm, PAGE, truthOf, untilMs, pace))].at(-1)!.world
    assert.deepEqual(serving(last), places(last).map(({ id }) => id).filter(id => !id.endsWith(bad)))
  }))
})

// Fails when the ramp does not end.
void t.test('30 who is well again has all its weight within rise rounds, the hold and the ramp', async () => {
  check(fc.property(lone, ([{ count, ...runs }, isShared, chosen, pace, fault]) => {
    const farm = farmOf(plainPool(count, runs), isShared)
    const bad = `h${chosen % count}`
    const wellMs = 2 * WARM_MS
    const truthOf: TruthOf = (node, atMs) => atMs >= WARM_MS && atMs < wellMs && node === bad ? fault : 'good'
    const { hold, ramp } = begin(farm).pools[0]!.backend.policy
    // The first look that passes may begin an interval later, and after the end of one that waited for an answer.
    const backMs = wellMs + INTERVAL_MS + TIMEOUT_MS + runs.rise * INTERVAL_MS + hold!.baseMs + ramp!.forMs + 4000
    const last = [...follow(farm, looksAt(farm, PAGE, truthOf, backMs, pace))].at(-1)!.world
    for (const place of places(last)) assert.deepEqual({ ...decideAt(last, place), because: [] }, { state: 'up', weightPercent: 100, layer: 'criteria', because: [] })
  }))
})

// Fails when a node that was heard for one backend is not heard again for the next.
void t.test('a node of two backends has a voice in each: who hangs goes out of both', async (t) => {
  const pool = plainPool(3)
  const farm = { be: pool, api: pool }
  const truthOf: TruthOf = (node, atMs) => atMs >= WARM_MS && node === 'h1' ? 'timeout' : 'good'
  const last = [...follow(farm, looksAt(farm, PAGE, truthOf, WARM_MS + 10_000, [{ offsetMs: 0, gapMs: 0 }]))].at(-1)!.world
  t.strictSame(serving(last), ['be/n0', 'be/n2', 'api/n0', 'api/n2'])
  const told = places(last).filter(({ server }) => server === 1).map(place => decideAt(last, place))
  for (const { state, because } of told) t.strictSame([state, because], ['down', ['reach: timeout by the node']])
})
