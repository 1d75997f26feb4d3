/**
 * What happens to a farm, for the properties: a history is a list of small commands, so that fast-check can leave out
 * what a failure does not need. `play` gives the steps they come to, with the farm before and after each.
 */
import { advance, newBackend } from '../../src/core/advance.ts'
import { decide } from '../../src/core/decide.ts'
import type { Voice } from '../../src/core/gate.ts'
import { serverId, type Backend, type Decision, type Sample } from '../../src/core/model.ts'
import { byScope, type Order, type OrderAction } from '../../src/core/order.ts'
import { reachCheck } from '../../src/core/reach.ts'
import { carryOver, revive, snapshot, type Snapshot } from '../../src/core/reload.ts'
import type { BackendState } from '../../src/core/state.ts'
import { buildPool, PAGE, type FarmPlan, type PoolPlan } from './properties-farm.ts'
import { seen, type Truth } from './properties-sight.ts'

export const RELOADS = ['same', 'extra', 'move', 'minUp'] as const
/** Servers by their place among all servers of the farm, modulo their number. */
type Who = 'all' | readonly number[]
export type Command =
  | { readonly do: 'turn', readonly who: Who, readonly to: Truth }
  /** Every server is looked at once, one after the other, so many times. */
  | { readonly do: 'rounds', readonly times: number, readonly stepMs: number, readonly restMs: number }
  /** Some fail for some rounds, and are well again for some more. */
  | { readonly do: 'outage', readonly who: Who, readonly as: Truth, readonly restMs: number }
  /** Some are out of our sight for over two minutes, the others are not. */
  | { readonly do: 'eclipse', readonly who: Who }
  | { readonly do: 'look', readonly who: number, readonly probe: string, readonly afterMs: number }
  /** A look that took so long that a newer one has ended before it. */
  | { readonly do: 'late', readonly who: number }
  | { readonly do: 'wait', readonly ms: number }
  | { readonly do: 'order', readonly scope: number, readonly action: OrderAction, readonly inMs: number, readonly forMs: number }
  | { readonly do: 'clear', readonly scope: number }
  | { readonly do: 'reload', readonly what: typeof RELOADS[number], readonly who: number }
  | { readonly do: 'restart', readonly downMs: number }

export type Step = { readonly atMs: number } & (
  | { readonly kind: 'look', readonly pool: number, readonly server: number, readonly probe: string, readonly sample: Sample }
  | { readonly kind: 'orders', readonly orders: readonly Order[] }
  | { readonly kind: 'reload', readonly to: FarmPlan }
  | { readonly kind: 'restart' }
  /** Nothing but time. */
  | { readonly kind: 'ask' })

export interface Pool { readonly plan: PoolPlan, readonly backend: Backend, readonly state: BackendState }
export interface World {
  readonly nowMs: number
  readonly pools: readonly Pool[]
  readonly orders: readonly Order[]
  /** Who is looked at besides, to know of our own network. */
  readonly strangers: readonly Voice[]
}

/** The clock has gone on for a while: nothing may hang on where it began. */
const BEGIN_MS = 1_000_000

export const begin = (farm: FarmPlan, nowMs = BEGIN_MS): World => ({
  nowMs,
  orders: [],
  strangers: [],
  pools: Object.entries(farm).map(([name, plan]) => {
    const backend = buildPool(name, plan)
    return { plan, backend, state: newBackend(backend, nowMs) }
  })
})

/** What the monitor does with a step, as one value from another. */
export function take (world: World, step: Step): World {
  const now = { ...world, nowMs: step.atMs }
  switch (step.kind) {
    case 'ask': return now
    case 'look': return { ...now, pools: world.pools.map((pool, i) => i === step.pool ? look(world, pool, step) : pool) }
    case 'orders': return { ...now, orders: step.orders, pools: world.pools.map(pool => ordered(pool, step.orders, step.atMs)) }
    case 'reload': return { ...now, pools: Object.entries(step.to).map(([name, plan]) => reload(world, name, plan, step.atMs)) }
    case 'restart': return restart(world, step.atMs)
  }
}

function look (world: World, pool: Pool, { server, probe, sample }: Extract<Step, { kind: 'look' }>): Pool {
  const outside = (): readonly Voice[] => [...world.pools.flatMap(other => other === pool ? [] : voices(other)), ...world.strangers]
  return { ...pool, state: advance(pool.backend, pool.state, { kind: 'sample', server, probe, sample }, outside) }
}

const voices = ({ backend, state }: Pool): readonly Voice[] => backend.servers.flatMap((server, i) => {
  const check = reachCheck(server, state.servers.at(i)!)
  return check === undefined ? [] : [{ node: server.node, check }]
})

const ordered = (pool: Pool, orders: readonly Order[], atMs: number): Pool =>
  ({ ...pool, state: advance(pool.backend, pool.state, { kind: 'orders', orders: byScope(orders), atMs }) })

function reload ({ pools }: World, name: string, plan: PoolPlan, atMs: number): Pool {
  const backend = buildPool(name, plan)
  const old = pools.find(pool => pool.backend.name === name)!
  return { plan, backend, state: carryOver(old.backend, old.state, backend, atMs) }
}

/** What was kept on disk, as it is read again. */
const kept = ({ backend, state }: Pool): Snapshot => JSON.parse(JSON.stringify(snapshot(backend, state))) as Snapshot

/** `shiftMs`: what the new process's clock says now, less what the old one's would. */
export function restart (world: World, atMs: number, shiftMs = 0): World {
  const later = (ms: number): number => ms + shiftMs
  const orders = world.orders.map(({ untilMs, ...order }): Order =>
    ({ ...order, fromMs: later(order.fromMs), ...(untilMs === undefined ? {} : { untilMs: later(untilMs) }) }))
  const pools = world.pools.map(pool => {
    const backend = buildPool(pool.backend.name, pool.plan)
    return ordered({ ...pool, backend, state: revive(backend, kept(pool), shiftMs, later(atMs)) }, orders, later(atMs))
  })
  return { ...world, nowMs: later(atMs), orders, pools }
}

export interface Place { readonly pool: number, readonly server: number, readonly id: string }
export const places = ({ pools }: World): readonly Place[] => pools.flatMap(({ backend }, pool) => placesOf(backend, pool))

const known = new WeakMap<Backend, readonly Place[]>()
/** Asked for at every moment, and always the same. */
function placesOf (backend: Backend, pool: number): readonly Place[] {
  const all = known.get(backend) ?? backend.servers.map((each, server) => ({ pool, server, id: serverId(each) }))
  known.set(backend, all)
  return all
}

export const decideAt = ({ pools, nowMs }: World, { pool, server }: { readonly pool: number, readonly server: number }): Decision =>
  decide(pools[pool]!.backend, pools[pool]!.state, server, nowMs)

/** A server that can be looked at, and by which probes. */
interface Seat { readonly pool: number, readonly server: number, readonly id: string, readonly probes: readonly string[] }

export interface Moment { readonly before: World, readonly world: World, readonly step: Step }

/** `say`: what nodes and operators say beside the facts. */
export const steps = (farm: FarmPlan, commands: readonly Command[], say = ''): readonly Step[] => [...new Story(farm, say).tell(commands)]

export function * play (farm: FarmPlan, commands: readonly Command[], say = ''): Generator<Moment> {
  let before = begin(farm)
  for (const step of steps(farm, commands, say)) {
    const world = take(before, step)
    yield { before, world, step }
    before = world
  }
}

/** The steps that commands come to. Asks stand where an order begins or ends, and where time alone has passed. */
class Story {
  readonly #say: string
  #farm: FarmPlan
  #nowMs = BEGIN_MS
  #looks = 0
  #round = 0
  #orders: readonly Order[] = []
  readonly #truths = new Map<string, Truth>()
  readonly #seenMs = new Map<string, number>()

  constructor (farm: FarmPlan, say: string) {
    this.#farm = farm
    this.#say = say
  }

  get #all (): readonly Seat[] {
    return Object.entries(this.#farm).flatMap(([name, { servers, more }], pool) => servers.map((_, server) =>
      ({ pool, server, id: `${name}/n${server}`, probes: [PAGE, ...more.filter(each => each !== 'lame')] })))
  }

  #seat (who: number): Seat {
    return this.#all[who % this.#all.length]!
  }

  * tell (commands: readonly Command[]): Generator<Step> {
    for (const command of commands) yield * this.#do(command)
  }

  * #do (command: Command): Generator<Step> {
    switch (command.do) {
      case 'turn': return this.#turn(command.who, command.to)
      case 'rounds': return yield * this.#rounds(command)
      case 'outage':
        this.#turn(command.who, command.as)
        yield * this.#rounds({ times: 4, stepMs: 20, restMs: 500 })
        this.#turn(command.who, 'good')
        return yield * this.#rounds({ times: 4, stepMs: 20, restMs: command.restMs })
      case 'eclipse':
        this.#turn(command.who, 'local')
        return yield * this.#rounds({ times: 4, stepMs: 20, restMs: 45_000 })
      case 'look': return yield * this.#look(this.#seat(command.who), command.probe, command.afterMs)
      case 'late': return yield * this.#late(this.#seat(command.who))
      case 'wait': return yield * this.#rest(command.ms)
      case 'order': return yield * this.#order(command)
      case 'clear': return yield * this.#setOrders(this.#orders.filter(({ scope }) => scope !== this.#scope(command.scope)))
      case 'reload':
        this.#farm = this.#changed(command)
        return yield { kind: 'reload', atMs: this.#nowMs, to: this.#farm }
      case 'restart':
        yield * this.#pass(command.downMs)
        yield { kind: 'restart', atMs: this.#nowMs }
    }
  }

  #turn (who: Who, to: Truth): void {
    for (const { id } of who === 'all' ? this.#all : who.map(each => this.#seat(each))) this.#truths.set(id, to)
  }

  /** Probes of their own pace are part of every fourth round. */
  * #rounds ({ times, stepMs, restMs }: Omit<Extract<Command, { do: 'rounds' }>, 'do'>): Generator<Step> {
    for (let i = 0; i < times; i += 1) {
      for (const seat of this.#all) {
        for (const probe of this.#round % 4 === 0 ? seat.probes : [PAGE]) yield * this.#look(seat, probe, stepMs)
      }
      this.#round += 1
      yield * this.#rest(restMs)
    }
  }

  /** Asked about at its end, too. */
  * #rest (ms: number): Generator<Step> {
    yield * this.#pass(ms)
    if (ms > 0) yield { kind: 'ask', atMs: this.#nowMs }
  }

  * #pass (ms: number): Generator<Step> {
    const toMs = this.#nowMs + ms
    if (this.#orders.length > 0) {
      const bells = this.#orders.flatMap(({ fromMs, untilMs = Infinity }) => [fromMs, untilMs - 1, untilMs])
      for (const atMs of new Set(bells.sort((a, b) => a - b))) if (atMs > this.#nowMs && atMs <= toMs) yield { kind: 'ask', atMs }
    }
    this.#nowMs = toMs
  }

  * #look ({ pool, server, id, probes }: Seat, wanted: string, afterMs: number): Generator<Step> {
    yield * this.#pass(afterMs)
    const probe = probes.find(each => each === wanted) ?? PAGE
    const sample = seen(this.#truths.get(id) ?? 'good', probe, this.#nowMs, this.#looks += 1, this.#say)
    if (probe === PAGE) this.#seenMs.set(id, this.#nowMs)
    yield { kind: 'look', atMs: this.#nowMs, pool, server, probe, sample }
  }

  * #late ({ pool, server, id }: Seat): Generator<Step> {
    const endMs = (this.#seenMs.get(id) ?? 0) - 1
    if (endMs > 0) yield { kind: 'look', atMs: this.#nowMs, pool, server, probe: PAGE, sample: seen('refused', PAGE, endMs, 0, this.#say) }
  }

  * #order ({ scope, action, inMs, forMs }: Extract<Command, { do: 'order' }>): Generator<Step> {
    const fromMs = this.#nowMs + inMs
    const untilMs = forMs === Infinity ? {} : { untilMs: fromMs + forMs }
    const order: Order = { scope: this.#scope(scope), action, fromMs, ...untilMs, by: `al${this.#say}`, reason: `because${this.#say}` }
    yield * this.#setOrders([...this.#orders.filter(each => each.scope !== order.scope), order])
  }

  * #setOrders (orders: readonly Order[]): Generator<Step> {
    this.#orders = orders
    yield { kind: 'orders', atMs: this.#nowMs, orders }
  }

  #scope (at: number): string {
    const scopes = [...this.#all.map(({ id }) => id), ...Object.keys(this.#farm).map(name => `${name}/*`), '*/*']
    return scopes[at % scopes.length]!
  }

  #changed ({ what, who }: Extract<Command, { do: 'reload' }>): FarmPlan {
    const { pool, server } = this.#seat(who)
    const change = (plan: PoolPlan): PoolPlan => CHANGES[what](plan, server, this.#looks)
    return Object.fromEntries(Object.entries(this.#farm).map(([name, plan], i) => [name, i === pool ? change(plan) : plan]))
  }
}

type Change = (plan: PoolPlan, server: number, salt: number) => PoolPlan
const CHANGES: Readonly<Record<typeof RELOADS[number], Change>> = {
  same: plan => plan,
  extra: plan => ({ ...plan, more: plan.more.includes('extra') ? plan.more.filter(each => each !== 'extra') : [...plan.more, 'extra'] }),
  move: (plan, server, salt) => ({ ...plan, servers: plan.servers.with(server, { ...plan.servers[server]!, node: `moved-${salt}` }) }),
  minUp: plan => ({ ...plan, policy: { ...plan.policy, minUp: ((plan.policy.minUp ?? 1) + 1) % 4 } })
}
