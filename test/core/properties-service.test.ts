/** What holds of who serves and who goes, whatever the farm and its history: 11 … 19 and what damping may not do. See properties.test.ts. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import { explain } from '../../src/core/explain.ts'
import type { ErrorClass, Sample } from '../../src/core/model.ts'
import type { CheckState } from '../../src/core/state.ts'
import { anyFarm, PAGE } from './properties-farm.ts'
import { decideAt, places, play, take, type Moment, type Step, type World } from './properties-history.ts'
import { isOrderedOut, isOurs, lookAt, looks, meant, needed, orderOn, same, serves, Told } from './properties-oracle.ts'
import { always, anyHistory, check } from './properties-run.ts'

type Looked = Moment & { readonly step: Extract<Step, { kind: 'look' }> }
const isLook = (moment: Moment): moment is Looked => moment.step.kind === 'look'
/** The farm as it was, asked at the moment after. */
const unmoved = ({ before, world: { nowMs } }: Moment): World => ({ ...before, nowMs })
const checksOf = (world: World, { pool, server }: Looked['step']): ReadonlyArray<CheckState | undefined> =>
  world.pools[pool]!.state.servers[server]!.checks

/** Servers of each enforcing pool that no operator took out, and how many of them serve. */
function counts (told: Told, world: World): ReadonlyArray<{ readonly pool: number, readonly ours: number, readonly serving: number }> {
  const all = looks(world).map(look => ({ ...look, serves: told.hear(look) }))
  return world.pools.flatMap(({ backend }, pool) => {
    const ours = all.filter(look => look.pool === pool && !isOrderedOut(look.order))
    return backend.policy.mode === 'observe' ? [] : [{ pool, ours: ours.length, serving: ours.filter(look => look.serves).length }]
  })
}

// Fails when `need` does not look at min_up.
always('11 never fewer than min_up serve because of polls, nor than the operator left', () => {
  const told = new Told()
  return ({ world }) => {
    for (const { pool, ours, serving } of counts(told, world)) {
      assert(serving >= Math.min(world.pools[pool]!.backend.policy.minUp, ours), `${serving} of ${ours}`)
    }
  }
})

// Fails when `need` does not look at max_out; when a sample in a backend whose floor has run out of time leaves it as it was.
always('12 never are more than max_out out because of polls', () => {
  const told = new Told()
  return ({ world }) => {
    for (const { pool, ours, serving } of counts(told, world)) {
      assert(serving >= Math.min(needed(world.pools[pool]!.backend), ours), `${serving} of ${ours}`)
    }
  }
})

// Fails when `choose` keeps one more than are missing.
always('13 a server is kept against its verdict only while there are too few, and no more of them than that', () => ({ world }) => {
  for (const [pool, { backend, state }] of world.pools.entries()) {
    if (backend.policy.mode === 'observe') continue
    const own = looks(world).filter(look => look.pool === pool)
    const kept = own.filter(({ decision }) => decision.layer === 'floor').length
    if (kept === 0) continue
    const fit = own.filter(({ decision, order, state: { toldOut } }) => {
      if (decision.layer === 'floor') return false
      return decision.state === 'unknown' ? !toldOut : serves(decision) || (order !== undefined && !isOrderedOut(order) && decision.state === 'up')
    }).length
    assert(fit + kept <= Math.min(backend.servers.length, needed(backend) + state.extra), `${kept} kept beside ${fit}`)
  }
})

function frozen<T> (value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) frozen(inner)
  }
  return value
}

// Fails when `floorAt` keeps the floor it has computed in the state.
void t.test('14 asking changes nothing, whenever and how often', async () => {
  check(fc.property(anyFarm, anyHistory, fc.integer({ min: 0, max: 200_000 }), (farm, history, laterMs) => {
    for (const { world } of play(farm, history)) {
      for (const { backend, state } of world.pools) {
        const before = JSON.stringify(state)
        frozen(state)
        for (const i of backend.servers.keys()) {
          const now = decide(backend, state, i, world.nowMs)
          assert(explain(backend, state, i, world.nowMs + laterMs).sentence.length > 0)
          assert.deepEqual(decide(backend, state, i, world.nowMs), now)
        }
        assert.equal(JSON.stringify(state), before)
      }
    }
  }), 0.5)
})

// Fails when `reachedBy` takes our own trouble for silence.
always('15 our own trouble changes no answer, and what we see while in trouble is held against nobody', () => moment => {
  if (!isLook(moment)) return
  const { step: { sample } } = moment
  if (isOurs(sample)) return same(unmoved(moment), moment.world, 'local')
  if (!sample.ok || sample.tainted !== true) return
  const before = checksOf(moment.before, moment.step)
  for (const [i, { bad = 0 } = {}] of checksOf(moment.world, moment.step).entries()) assert(bad <= (before[i]?.bad ?? 0))
})

// Fails when `choose` fills one map that all floors share.
always('16 a poll in one backend changes no answer of another', () => moment => {
  if (!isLook(moment)) return
  for (const pool of moment.world.pools.keys()) {
    if (pool !== moment.step.pool) assert.deepEqual(meant(moment.world, pool), meant(unmoved(moment), pool))
  }
})

// Fails when a sample of one server also lets those back whose time out is over.
always('17 a poll moves the phase of its own server only; time, orders and questions move none', () => moment => {
  const { before, world, step } = moment
  if (step.kind === 'reload' || step.kind === 'restart') return
  for (const place of places(world)) {
    if (isLook(moment) && place.pool === moment.step.pool && place.server === moment.step.server) continue
    assert.equal(lookAt(world, place).state.phase, lookAt(before, place).state.phase)
  }
})

const worse = (sample: Sample, kind: 'http' | ErrorClass): Sample => {
  const { startMs, endMs } = sample
  return kind === 'http' ? { ok: true, startMs, endMs, facts: { http: 'fail', latencyMs: 5 } } : { ok: false, startMs, endMs, error: { class: kind, message: kind } }
}

// Fails when a server comes back although its last look was a failure. Without `noconn`: to the floor it is milder than
// the silence before it, so that it can keep a server which one pass of two cannot bring back.
void t.test('18 the worse look never gives the better answer', async () => {
  check(fc.property(anyFarm, anyHistory, fc.constantFrom<'http' | ErrorClass>('http', 'timeout', 'refused'), (farm, history, kind) => {
    for (const moment of play(farm, history)) {
      if (!isLook(moment) || moment.step.probe !== PAGE || !moment.step.sample.ok || moment.step.sample.tainted === true) continue
      const { before, world, step } = moment
      if (Object.values(moment.step.sample.facts).includes('fail')) continue
      const place = places(world).find(each => each.pool === moment.step.pool && each.server === moment.step.server)!
      if (orderOn(world, place.id) !== undefined) continue
      const other = take(before, { ...step, sample: worse(moment.step.sample, kind) })
      const [good, bad] = [decideAt(world, place), decideAt(other, place)]
      if (bad.state !== 'unknown' && good.state !== 'unknown') assert(serves(good) || !serves(bad), `${good.state} when good, ${bad.state} when bad`)
    }
  }))
})

// Fails when a criterion trips one failure too early.
always('19 a single failure among passes takes nobody out', () => moment => {
  if (!isLook(moment)) return
  const { world, before, step: { pool, server } } = moment
  const { criteria } = world.pools[pool]!.backend.servers[server]!
  const failed = checksOf(world, moment.step).flatMap((check, i) => check !== undefined && check !== checksOf(before, moment.step)[i] && check.bad > 0 ? [{ check, fall: criteria[i]!.fall }] : [])
  if (failed.length === 0 || failed.some(({ check: { bad, ring }, fall }) => bad > 1 || fall < 2 || (ring & (ring - 1)) !== 0)) return
  for (const place of places(world)) {
    const was = lookAt(unmoved(moment), place)
    if (was.state.phase === 'in') assert.equal(decideAt(world, place).state, was.decision.state)
  }
})

// Fails when a server that has just come back is given time before it may go out again.
always('damping delays no removal: who fails for good is out with that very look, and told so', () => moment => {
  if (!isLook(moment)) return
  const place = places(moment.world).find(each => each.pool === moment.step.pool && each.server === moment.step.server)!
  const { backend, server, state: { phase, checks }, decision: { state, layer }, order } = lookAt(moment.world, place)
  const fails = backend.servers[server]!.criteria.some(({ onFail: { action } }, i) => checks[i]?.latched === true && (action === 'down' || action === 'drain'))
  if (!fails) return
  assert.equal(phase, 'out')
  if (order === undefined && layer !== 'floor' && layer !== 'observe') assert(state === 'down' || state === 'drain')
})
