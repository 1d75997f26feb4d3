/**
 * What holds of every answer, whatever the farm and its history (the numbers are those of docs/decision.md). The others:
 * properties-service (11 … 19), properties-memory (20 … 26), properties-story (27 … 30).
 *
 * Each was seen to fail with the core as its comment says. More histories: HCF_PROPERTY_RUNS=5000, others:
 * HCF_PROPERTY_SEED=7.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { encodeReply, parseReply } from '../../src/agent/protocol.ts'
import { advance } from '../../src/core/advance.ts'
import type { Decision } from '../../src/core/model.ts'
import { byScope } from '../../src/core/order.ts'
import { toReply } from '../../src/core/reply.ts'
import { anyFarm, type FarmPlan } from './properties-farm.ts'
import { decideAt, play, type World } from './properties-history.ts'
import { isOrderedOut, isSettled, looks, orderOn, shared, Sight, type Look } from './properties-oracle.ts'
import { always, anyHistory, check } from './properties-run.ts'

const SECRET = 'aaaabbbbccccddddeeee'
const CAP = `URI:CHK:${SECRET}:ffff:3:10:99`
const text = fc.tuple(
  fc.string({ unit: 'binary', maxLength: 120 }),
  fc.constantFrom('', '\nmaint', '\r\n', ' down #', CAP, encodeURIComponent(CAP)),
  fc.string()
).map(parts => parts.join(''))

const adminState = (world: World, { pool }: Look): 'shared' | 'owned' => world.pools[pool]!.plan.adminState
const line = (world: World, look: Look, releasing = false): string =>
  encodeReply(toReply(look.decision, adminState(world, look), releasing))

/** The words of a decision, as HAProxy has to read them. */
function words ({ state, weightPercent }: Decision, ready: boolean): object {
  if (state === 'unknown') return {}
  if (state === 'drain' || state === 'maint') return { admin: state, health: 'up' }
  return { ...(ready ? { admin: 'ready' } : {}), health: state, weight: `${weightPercent}%` }
}

// Fails when `clean` lets line ends through.
void t.test('01 an answer is one printable line of at most 128 bytes, and no text from outside acts in it', async () => {
  check(fc.property(anyFarm, anyHistory, text, fc.boolean(), (farm, history, say, releasing) => {
    for (const { world } of play(farm, history, say)) {
      for (const look of looks(world)) {
        const reply = line(world, look, releasing)
        assert.match(reply, /^[\x20-\x7e]*\n$/)
        assert(reply.length <= 128, `${reply.length} bytes`)
        assert(!reply.includes(SECRET))
        const { text: _, ...read } = parseReply(reply.slice(0, -1))
        assert.deepEqual(read, words(look.decision, releasing || adminState(world, look) === 'owned'))
      }
    }
  }), 0.5)
})

// Fails when `toReply` leaves out the weight of a server that is down.
always('02 an answer names all we have an opinion on, and only a server without a verdict has none', () => ({ world }) => {
  for (const look of looks(world)) {
    const { admin, health, weight } = parseReply(line(world, look).trimEnd())
    if (look.decision.state === 'unknown') {
      assert.equal(look.state.phase, 'start')
      assert.deepEqual([admin, health, weight], [undefined, undefined, undefined])
      continue
    }
    assert(health !== undefined)
    assert((admin === 'drain' || admin === 'maint') !== (weight !== undefined), 'drain and maint go without a weight, all else with one')
    if (adminState(world, look) === 'owned') assert(admin !== undefined)
  }
})

// Fails when a server that is out is told the weight it had.
always('03 an answer restricts its server in one way at most', () => ({ world }) => {
  for (const { decision: { state, weightPercent }, full } of looks(world)) {
    const restrictions = [state === 'drain' || state === 'maint', state === 'down', weightPercent < full].filter(Boolean)
    assert(restrictions.length <= 1, `${state} ${weightPercent}%`)
  }
})

// Fails when `weightNow` rounds down to the quantum below the floor.
always('04 a weight is whole, and not under its floor but by an order', () => ({ world }) => {
  for (const { backend, server, decision, order, full } of looks(world)) {
    const { weightPercent, state } = decision
    const { baseWeight, weight } = backend.policy
    assert(Number.isInteger(weightPercent) && weightPercent >= 0 && weightPercent <= 100, `${weightPercent}`)
    if (weightPercent === 0) assert(isOrderedOut(order))
    if (state !== 'up' || order !== undefined) continue
    const least = weight === undefined ? full : shared(backend, server, Math.max(weight.floorPercent, Math.ceil(100 / baseWeight)))
    assert(weightPercent >= least, `${weightPercent}% of ${least}%`)
    if (weight === undefined) assert(weightPercent === full || weightPercent === 100)
  }
})

// Fails when `shareOf` does not look at the weight in haproxy.cfg.
always('04b a server in service has at least one unit of weight in HAProxy', () => ({ world }) => {
  for (const { backend, decision, order } of looks(world)) {
    if (decision.state !== 'up' || isOrderedOut(order)) continue
    assert(backend.policy.baseWeight * decision.weightPercent >= 100, `${decision.weightPercent}%`)
  }
})

// Fails when a server that never had a verdict does not grow stale.
always('05 no opinion ends, at the latest when it would be stale', () => {
  const sinceMs = new Map<string, number>()
  return ({ world, step }) => {
    for (const { id, decision, backend: { policy } } of looks(world)) {
      if (decision.state !== 'unknown') sinceMs.delete(id)
      else if (step.kind === 'reload' || step.kind === 'restart' || !sinceMs.has(id)) sinceMs.set(id, world.nowMs)
      assert(world.nowMs - (sinceMs.get(id) ?? world.nowMs) <= (policy.staleOpenMs ?? Infinity))
    }
  }
})

// Fails when an order for a backend comes before one for a server.
always('06 an order is in the very next answer, and so is its end; the narrowest counts', () => ({ world }) => {
  for (const { order, decision, full } of looks(world)) {
    const { state, weightPercent, layer, because } = decision
    if (order === undefined) assert.notEqual(layer, 'order')
    else if (isSettled(order)) {
      assert.equal(layer, 'order')
      assert(because[0]?.includes(order.by))
      assert.equal(state, typeof order.action === 'string' ? order.action : 'up')
      assert.equal(weightPercent, typeof order.action === 'string' ? full : 0)
    }
  }
})

/** The farm without orders that cap a weight. */
function uncapped (world: World, pool: number): World {
  const orders = world.orders.filter(({ action }) => typeof action === 'string' || action.weightPercent === 0)
  const { backend, state, ...rest } = world.pools[pool]!
  const free = { ...rest, backend, state: advance(backend, state, { kind: 'orders', orders: byScope(orders), atMs: world.nowMs }) }
  return { ...world, orders, pools: world.pools.with(pool, free) }
}

// Fails when `capped` says the weight of the order whatever the polls say.
always('07 a weight by order is a cap, and no more than that', () => ({ world }) => {
  for (const { pool, server, id, backend, order, decision: { state, weightPercent, layer } } of looks(world)) {
    if (typeof order?.action !== 'object' || order.action.weightPercent === 0) continue
    const without = uncapped(world, pool)
    if (orderOn(without, id) !== undefined) continue
    const free = decideAt(without, { pool, server })
    assert.equal(state, free.state)
    assert(weightPercent <= free.weightPercent)
    const cap = Math.max(order.action.weightPercent, Math.ceil(100 / backend.policy.baseWeight))
    const caps = state === 'up' && backend.policy.weight !== undefined
    assert.equal(weightPercent, caps ? Math.min(cap, free.weightPercent) : free.weightPercent)
    if (weightPercent !== free.weightPercent) assert.equal(layer, 'order')
  }
})

// Fails when `decide` looks at the phase before it looks at the age.
always('08 who was not seen for long is up, whole', () => {
  const sight = new Sight()
  return ({ world, step }) => {
    sight.watch(step, world)
    for (const look of looks(world)) {
      const age = sight.age(look, world)
      if (look.order !== undefined || age === undefined || look.state.phase === 'start') continue
      const { state, weightPercent, layer } = look.decision
      const isOpen = age > (look.backend.policy.staleOpenMs ?? Infinity)
      assert.equal(layer === 'stale', isOpen)
      if (isOpen) assert.deepEqual([state, weightPercent], ['up', 100])
    }
  }
})

// Fails when a verdict is marked by the time of the phase instead of the last look.
always('09 who was not seen lately is said to be stale', () => {
  const sight = new Sight()
  return ({ world, step }) => {
    sight.watch(step, world)
    for (const look of looks(world)) {
      const age = sight.age(look, world)
      if (look.order !== undefined || age === undefined || look.state.phase === 'start') continue
      assert.equal(/\bstale\b/.test(look.decision.because[0] ?? ''), age > look.backend.policy.staleAfterMs)
    }
  }
})

const observing = anyFarm.map((farm): FarmPlan => Object.fromEntries(Object.entries(farm).map(([name, pool]) =>
  [name, { ...pool, policy: { ...pool.policy, mode: 'observe' } }])))

// Fails when a server that the floor keeps is not observed.
always('10 who only observes says nothing but up 100%', () => ({ world }) => {
  for (const { order, decision } of looks(world)) {
    if (order !== undefined || decision.state === 'unknown') continue
    assert.deepEqual([decision.state, decision.weightPercent], ['up', 100])
  }
}, observing)
