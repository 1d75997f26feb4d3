/** The rules once more, in other words than the core's: what the properties compare it with. */
import assert from 'node:assert/strict'
import type { Backend, Decision, Sample } from '../../src/core/model.ts'
import type { Order } from '../../src/core/order.ts'
import type { ServerState } from '../../src/core/state.ts'
import { decideAt, places, type Place, type Step, type World } from './properties-history.ts'

/** A server at a moment, with all that is asked of it. */
export interface Look extends Place {
  readonly backend: Backend
  readonly state: ServerState
  readonly decision: Decision
  readonly order: Order | undefined
  /** Percent of the configured weight that is the whole of this server's share. */
  readonly full: number
}

export function looks (world: World): readonly Look[] {
  const all: Look[] = []
  for (const place of places(world)) all.push(lookAt(world, place))
  return all
}

/** Hundreds of thousands of these are made: no spreads. */
export function lookAt (world: World, place: Place): Look {
  const { pool, server, id } = place
  const { backend, state: { servers } } = world.pools[pool]!
  const full = shared(backend, server, 100)
  return { pool, server, id, backend, state: servers.at(server)!, decision: decideAt(world, place), order: orderOn(world, id), full }
}

/** Of those that have begun and not ended, the one with the fewest stars. */
export function orderOn ({ orders, nowMs }: World, id: string): Order | undefined {
  if (orders.length === 0) return undefined
  const stars = (scope: string): number => scope.split('*').length
  const mine = [id, `${id.split('/')[0]}/*`, '*/*']
  return orders.filter(({ scope, fromMs, untilMs = Infinity }) => mine.includes(scope) && fromMs <= nowMs && nowMs < untilMs).toSorted(
    (a, b) => stars(a.scope) - stars(b.scope))[0]
}

export function isOrderedOut (order: Order | undefined): boolean {
  if (order === undefined) return false
  return typeof order.action === 'string' ? order.action !== 'up' : order.action.weightPercent === 0
}
/** An order that by itself says whether a server serves. */
export const isSettled = (order: Order | undefined): boolean => order?.action === 'up' || isOrderedOut(order)

/** What HAProxy multiplies its weight with is never less than one of its own units. */
export const shared = ({ policy: { baseWeight }, servers }: Backend, server: number, percent: number): number =>
  Math.max(Math.ceil(100 / baseWeight), Math.floor(servers[server]!.weightPercent * percent / 100))

export function needed ({ servers: { length }, policy: { minUp, maxOutPercent } }: Backend): number {
  const mayGo = maxOutPercent === 0 ? 0 : Math.max(1, Math.floor(length * maxOutPercent / 100))
  return Math.min(length, Math.max(minUp, length - mayGo))
}

/** It takes new clients. No opinion: see `Told`. */
export const serves = ({ state, weightPercent }: Decision): boolean => state === 'up' && weightPercent > 0

/** What HAProxy heard last of each server: no opinion changes nothing. */
export class Told {
  readonly #last = new Map<string, Decision>()

  /** Whether a server serves, as far as the polls have a say in it. */
  hear ({ id, decision }: Look): boolean {
    if (decision.state !== 'unknown') this.#last.set(id, decision)
    const last = this.#last.get(id)
    return last === undefined || last.layer === 'order' || serves(last)
  }
}

/** Whether a sample is evidence at all. */
export const isOurs = (sample: Sample): boolean => !sample.ok && sample.error.class === 'local'

/** When each server was last seen, by usable looks that came in order. */
export class Sight {
  readonly #looksMs = new Map<string, number>()
  readonly #lastMs = new Map<string, number>()

  watch (step: Step, world: World): void {
    if (step.kind !== 'look') {
      for (const { id, state } of looks(world)) if (state.lastMs === undefined) this.#lastMs.delete(id) // a new node, or a new agent
      return
    }
    const { sample: { endMs }, sample, probe } = step
    const id = places(world).find(place => place.pool === step.pool && place.server === step.server)!.id
    if (isOurs(sample) || endMs < (this.#looksMs.get(`${id} ${probe}`) ?? 0)) return
    this.#looksMs.set(`${id} ${probe}`, endMs)
    this.#lastMs.set(id, Math.max(endMs, this.#lastMs.get(id) ?? 0))
  }

  /** How old the newest look is. */
  age ({ id }: Place, { nowMs }: World): number | undefined {
    const lastMs = this.#lastMs.get(id)
    return lastMs === undefined ? undefined : nowMs - lastMs
  }
}

/** State and weight of every server of a pool. */
export const meant = (world: World, pool: number): readonly string[] => places(world).filter(place => place.pool === pool).map(place => {
  const { state, weightPercent } = decideAt(world, place)
  return `${place.id} ${state} ${weightPercent}%`
})

/** A quick look first: most decisions are alike, and there are very many. */
export const alike = (a: Decision, b: Decision): boolean => a.state === b.state && a.weightPercent === b.weightPercent && a.layer === b.layer &&
  a.because.length === b.because.length && a.because.every((why, i) => why === b.because[i])

/** The decisions of two farms, word for word. */
export function same (a: World, b: World, why: string): void {
  for (const place of places(a)) {
    const [one, other] = [decideAt(a, place), decideAt(b, place)]
    if (!alike(one, other)) assert.deepEqual(other, one, `${place.id} ${why}`)
  }
}

/** As far as HAProxy hears them. */
export function sameReplies (a: World, b: World, why: string): void {
  const heard = ({ state, weightPercent, because }: Decision): string => `${state} ${weightPercent}% #${because[0] ?? ''}`
  for (const place of places(a)) assert.equal(heard(decideAt(b, place)), heard(decideAt(a, place)), `${place.id} ${why}`)
}
