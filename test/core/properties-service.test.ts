/** What holds of who serves and who goes, whatever the farm and its history: 11 … 19, and damping. See properties.test.ts. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import { explain } from '../../src/core/explain.ts'
import type { Sample } from '../../src/core/model.ts'
import type { CheckState } from '../../src/core/state.ts'
import { anyFarm, PAGE } from './properties-farm.ts'
import { begin, decideAt, places, play, steps, take, type Moment, type Place, type Step, type World } from './properties-history.ts'
import { alike, isOrderedOut, isOurs, lookAt, looks, meant, needed, orderOn, same, serves, Told } from './properties-oracle.ts'
import { always, anyHistory, check } from './properties-run.ts'

type Looked = Moment & { readonly step: Extract<Step, { kind: 'look' }> }
const isLook = (moment: Moment): moment is Looked => moment.step.kind === 'look'
/** The farm as it was, asked at the moment after. */
const unmoved = ({ before, world: { nowMs } }: Moment): World => ({ ...before, nowMs })
const checksOf = (world: World, { pool, server }: Looked['step']): ReadonlyArray<CheckState | undefined> =>
  world.pools[pool]!.state.servers.at(server)!.checks

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

// Fails when `need` does not look at max_out.
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
    const fit = own.filter(({ decision, state: { toldOut } }) =>
      decision.layer !== 'floor' && (decision.state === 'unknown' ? !toldOut : serves(decision))).length
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
        frozen(state)
        for (const i of backend.servers.keys()) {
          const now = decide(backend, state, i, world.nowMs)
          assert(explain(backend, state, i, world.nowMs + laterMs).sentence.length > 0)
          assert(alike(decide(backend, state, i, world.nowMs), now))
        }
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
void t.test('16 a poll in one backend changes no answer of another', async () => {
  check(fc.property(anyFarm, anyHistory, (farm, history) => {
    let world = begin(farm)
    for (const step of steps(farm, history)) {
      const others = step.kind === 'look' ? [...world.pools.keys()].filter(pool => pool !== step.pool) : []
      const before = others.map(pool => meant({ ...world, nowMs: step.atMs }, pool))
      world = take(world, step)
      assert.deepEqual(others.map(pool => meant(world, pool)), before)
    }
  }))
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

type Worse = 'http' | 'timeout' | 'refused'
function worse ({ startMs, endMs }: Sample, kind: Worse): Sample {
  if (kind === 'http') return { ok: true, startMs, endMs, facts: { http: 'fail', latencyMs: 5 } }
  return { ok: false, startMs, endMs, error: { class: kind, message: kind } }
}

/** All that was asked passed. */
const isGood = (sample: Sample): boolean => sample.ok && sample.tainted !== true && !Object.values(sample.facts).includes('fail')
const placeOf = (world: World, { pool, server }: Looked['step']): Place =>
  places(world).find(each => each.pool === pool && each.server === server)!

// Fails when a server comes back although its last look was a failure. Without `noconn`: to the floor it is milder than
// the silence before it, so that it can keep a server which one pass of two cannot bring back.
void t.test('18 the worse look never gives the better answer', async () => {
  check(fc.property(anyFarm, anyHistory, fc.constantFrom<Worse>('http', 'timeout', 'refused'), (farm, history, kind) => {
    for (const moment of play(farm, history)) {
      if (!isLook(moment) || moment.step.probe !== PAGE || !isGood(moment.step.sample)) continue
      const { before, world, step } = moment
      const place = placeOf(world, step)
      if (orderOn(world, place.id) !== undefined) continue
      const other = take(before, { ...step, sample: worse(step.sample, kind) })
      const [good, bad] = [decideAt(world, place), decideAt(other, place)]
      if (good.state === 'unknown' || bad.state === 'unknown') continue
      assert(serves(good) || !serves(bad), `${good.state}, but ${bad.state} when worse`)
    }
  }), 2)
})

// Fails when a criterion trips one failure too early.
always('19 a single failure among passes takes nobody out', () => moment => {
  if (!isLook(moment)) return
  const { world, before, step: { pool, server } } = moment
  const { criteria } = world.pools[pool]!.backend.servers[server]!
  const known = checksOf(before, moment.step)
  const failed = checksOf(world, moment.step).flatMap((check, i) =>
    check === undefined || check === known[i] || check.bad === 0 ? [] : [{ check, fall: criteria[i]!.fall }])
  const isSingle = failed.every(({ check: { bad, ring }, fall }) => bad === 1 && fall >= 2 && (ring & (ring - 1)) === 0)
  if (failed.length === 0 || !isSingle) return
  for (const place of places(world)) {
    const was = lookAt(unmoved(moment), place)
    if (was.state.phase === 'in') assert.equal(decideAt(world, place).state, was.decision.state)
  }
})

// Fails when a server that has just come back is given time before it may go out again.
always('damping delays no removal: who fails for good is out with that very look, and told so', () => moment => {
  if (!isLook(moment) || moment.world.pools[moment.step.pool]!.state === moment.before.pools[moment.step.pool]!.state) return
  const { backend, server, state: { phase, checks }, decision, order } = lookAt(moment.world, placeOf(moment.world, moment.step))
  const { state, layer } = decision
  const failing = backend.servers[server]!.criteria.filter((_, i) => checks[i]?.latched === true)
  if (!failing.some(({ onFail: { action } }) => action === 'down' || action === 'drain')) return
  assert.equal(phase, 'out')
  if (order === undefined && layer !== 'floor' && layer !== 'observe') assert(state === 'down' || state === 'drain')
})
