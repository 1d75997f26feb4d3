/** What holds of what is remembered, whatever the farm and its history: 20 … 26, and what is counted along. See properties.test.ts. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { encodeReply, parseReply, parseRequest } from '../../src/agent/protocol.ts'
import { rebuilt } from '../../src/core/advance.ts'
import { floorAt } from '../../src/core/floor.ts'
import type { Order } from '../../src/core/order.ts'
import { neutral } from '../../src/core/reply.ts'
import type { Tally } from '../../src/core/state.ts'
import { anyFarm, PAGE, type FarmPlan } from './properties-farm.ts'
import { begin, play, restart, steps, take, type Place, type Step, type World } from './properties-history.ts'
import { isSettled, looks, meant, same, sameReplies } from './properties-oracle.ts'
import { always, anyHistory, check } from './properties-run.ts'
import { seen } from './properties-sight.ts'

type LookStep = Extract<Step, { kind: 'look' }>
const look = ({ pool, server }: Pick<Place, 'pool' | 'server'>, probe: string, sample: LookStep['sample'], atMs = sample.endMs): LookStep =>
  ({ kind: 'look', atMs, pool, server, probe, sample })

/** The farm as it is defined now. */
const planned = ({ pools }: World): FarmPlan => Object.fromEntries(pools.map(({ backend, plan }) => [backend.name, plan]))
const reloaded = (world: World, to = planned(world)): World => take(world, { kind: 'reload', atMs: world.nowMs, to })
/** Where a restart changes nothing: everyone was seen lately. */
const isFresh = (world: World): boolean => looks(world).every(({ state: { lastMs }, backend: { policy } }) =>
  lastMs !== undefined && world.nowMs - lastMs <= policy.staleAfterMs)

function shifted (step: Step, ms: number): Step {
  const atMs = step.atMs + ms
  if (step.kind === 'orders') return { ...step, atMs, orders: step.orders.map(order => later(order, ms)) }
  if (step.kind !== 'look') return { ...step, atMs }
  const { sample } = step
  return { ...step, atMs, sample: { ...sample, startMs: sample.startMs + ms, endMs: sample.endMs + ms } }
}

const later = ({ untilMs, ...order }: Order, ms: number): Order =>
  ({ ...order, fromMs: order.fromMs + ms, ...(untilMs === undefined ? {} : { untilMs: untilMs + ms }) })

// Fails when a sample is not compared with the newest one of its probe.
always('20 a result older than the newest one of its server is nothing', () => ({ world, step }) => {
  if (step.kind !== 'look') return
  const { pool, server, probe } = step
  const endMs = world.pools[pool]!.state.servers.at(server)!.probes[probe]?.endMs
  if (endMs === undefined) return
  for (const truth of ['refused', 'timeout', 'good', 'http'] as const) {
    const after = take(world, look(step, probe, seen(truth, probe, endMs - 1, 0), world.nowMs))
    assert.equal(after.pools[pool]!.state, world.pools[pool]!.state)
  }
})

// Fails when `carryServer` forgets when a probe was last looked at.
void t.test('21 a reload of the same farm changes nothing, now or later', async () => {
  check(fc.property(anyFarm, anyHistory, fc.integer({ min: 1, max: 9 }), (farm, history, every) => {
    let twin = begin(farm)
    let at = 0
    for (const { world, step } of play(farm, history)) {
      twin = take(twin, step)
      if ((at += 1) % every === 0) twin = reloaded(twin)
      same(world, twin, `after ${at} steps`)
    }
  }))
})

// Fails when a sample of a server that is not there is taken for another's.
void t.test('22 a name we do not know gets no opinion, and leaves no trace', async () => {
  const near = fc.tuple(fc.constantFrom('be', 'api', 'BE', ''), fc.string()).map(parts => parts.join('/'))
  const NAME = fc.oneof(fc.string({ unit: 'binary' }), near)
  check(fc.property(anyFarm, anyHistory, NAME, fc.nat(20), (farm, history, name, beyond) => {
    const request = parseRequest(name)
    const asked = request.kind === 'server' ? `unknown ${request.id}` : request.kind === 'malformed' ? request.why : 'nothing'
    const line = encodeReply(neutral(asked))
    assert.match(line, /^# [\x20-\x7e]*\n$/)
    assert.deepEqual(Object.keys(parseReply(line.slice(0, -1))), ['text'])

    for (const { world } of play(farm, history)) {
      for (const [pool, { backend, state }] of world.pools.entries()) {
        const server = backend.servers.length + beyond
        for (const truth of ['refused', 'good'] as const) {
          assert.equal(take(world, look({ pool, server }, PAGE, seen(truth, PAGE, world.nowMs, 0))).pools[pool]!.state, state)
        }
      }
      const order: Order = { scope: 'be/nobody', action: 'down', fromMs: 0, by: 'al', reason: '' }
      same(world, take(world, { kind: 'orders', atMs: world.nowMs, orders: [...world.orders, order] }), 'an order for nobody')
    }
  }), 0.5)
})

// Fails when a time that is kept is not moved to the new clock.
void t.test('23 a restart while everyone was seen lately changes nothing, now or later, whatever the new clock says', async () => {
  check(fc.property(anyFarm, anyHistory, fc.nat(), fc.integer({ min: -900_000, max: 900_000 }), (farm, history, chosen, shiftMs) => {
    const story = [...play(farm, history)]
    const fresh = story.flatMap(({ world }, i) => isFresh(world) ? [i] : [])
    const at = fresh[chosen % fresh.length]
    if (at === undefined) return
    let twin = restart(story[at]!.world, story[at]!.world.nowMs, shiftMs)
    same(story[at]!.world, twin, 'at once')
    for (const { step, world } of story.slice(at + 1)) {
      twin = take(twin, shifted(step, shiftMs))
      if (step.kind === 'restart' && !isFresh(world)) return
      same(world, twin, 'later')
    }
  }), 2)
})

// Fails when a reload drops the orders.
void t.test('24 orders outlive every reload and restart', async () => {
  check(fc.property(anyFarm, anyHistory, fc.constantFrom(0, 5000, 300_000), (farm, history, downMs) => {
    for (const { world } of play(farm, history)) {
      if (world.orders.length === 0) continue
      const atMs = world.nowMs + downMs
      const ordered = looks({ ...world, nowMs: atMs }).filter(({ order }) => isSettled(order))
      for (const after of [reloaded({ ...world, nowMs: atMs }), restart(world, atMs)]) {
        const now = looks(after)
        for (const { id, decision } of ordered) assert.deepEqual(now.find(each => each.id === id)!.decision, decision)
      }
    }
  }), 0.5)
})

// Fails when a criterion that has no memory yet is given that of the one in its place.
void t.test('25 a new criterion changes no answer before it has failed often enough', async () => {
  check(fc.property(anyFarm, anyHistory, (farm, history) => {
    for (const { world, step } of play(farm, history)) {
      if (step.kind !== 'look' || world.pools[step.pool]!.plan.more.includes('extra')) continue
      const { pool, server } = step
      const { plan, backend, state } = world.pools[pool]!
      if (state.servers.at(server)!.phase === 'start') continue // it has no verdict yet, and now waits for one more look
      const to = { ...planned(world), [backend.name]: { ...plan, more: ['extra' as const, ...plan.more] } }
      let [old, young] = [world, reloaded(world, to)]
      sameReplies(old, young, 'at once')
      for (let i = 1; i < plan.fall; i += 1) {
        const sample = { ok: true as const, startMs: world.nowMs, endMs: world.nowMs, facts: { extra: 'fail' } }
        old = take(old, look({ pool, server }, 'extra', sample))
        young = take(young, look({ pool, server }, 'extra', sample))
        assert.deepEqual(meant(young, pool), meant(old, pool), `after ${i} failures of ${plan.fall}`)
      }
    }
  }), 0.5)
})

// Fails when a hold has a random part.
void t.test('26 the same events give the same answers, whatever was asked meanwhile', async () => {
  check(fc.property(anyFarm, anyHistory, (farm, history) => {
    const story = [...play(farm, history)]
    for (const { world } of story) looks(world)
    let twin = begin(farm)
    for (const [i, step] of steps(farm, history).entries()) {
      twin = take(twin, step)
      assert.deepEqual(twin.pools.map(({ state }) => state), story[i]!.world.pools.map(({ state }) => state))
      same(story[i]!.world, twin, `after ${i + 1} steps`)
    }
  }))
})

/** A count that is absent is 0. */
const counted = ({ known, passing, ...tally }: Tally): object =>
  ({ ...tally, known: dense(known), passing: dense(passing, known.length) })
const dense = (counts: readonly number[], length = counts.length): readonly number[] => Array.from({ length }, (_, i) => counts[i] ?? 0)

// Fails when a floor does not end with the orders and ages it was made of; when a server's own part of a count is not taken out.
always('what is counted along is what a count anew gives, at any time', () => ({ world }) => {
  const pools = world.pools.map(pool => ({ ...pool, state: rebuilt(pool.backend, pool.state, world.nowMs) }))
  for (const [i, { backend, state }] of world.pools.entries()) {
    const { tally, floor } = pools[i]!.state
    assert.deepEqual(counted(state.tally), counted(tally))
    const { fit, kept } = floorAt(backend, state, world.nowMs)
    assert.deepEqual([fit, kept], [floor.fit, floor.kept])
  }
  same({ ...world, pools }, world, 'anew')
})
