/**
 * The only owner of state. Samples come in and change it; HAProxy's questions read it. The two paths meet in this map
 * and nowhere else: no answer waits for a node.
 */
import { advance } from '../core/advance.ts'
import { decide } from '../core/decide.ts'
import { explain, explainBackend, summarize, type Summary } from '../core/explain.ts'
import type { Voice } from '../core/gate.ts'
import { serverId, type Backend, type Decision, type Sample } from '../core/model.ts'
import { byScope, NO_ORDERS, type Order, type Orders } from '../core/order.ts'
import { isAwaited, isUndecided, wantedWitnesses } from '../core/pace.ts'
import type { Poll } from '../core/probe.ts'
import { reachCheck } from '../core/reach.ts'
import { snapshot, type Snapshot } from '../core/reload.ts'
import { toReply, type AdminState, type Reply } from '../core/reply.ts'
import { arrived, refusalOf, takesTraffic, type Caution, type Refusal } from '../core/safety.ts'
import type { BackendState } from '../core/state.ts'
import { isBad, shown, tellBackend, tellCriteria, tellDoubt, tellWeight } from './changes.ts'
import type { Clock } from './clock.ts'
import { hold, type BackendView, type Held, type ServerView } from './held.ts'
import type { LogEvent } from './log.ts'
import { nearest } from './nearest.ts'
import type { Restored } from './polled.ts'
import type { Pollers } from './pollers.ts'
import type { Said } from './said.ts'
import { Throttle } from './throttle.ts'

const LOCAL_TROUBLE_EVERY_MS = 60_000

export interface Farm {
  readonly backends: readonly Backend[]
  readonly adminStates: Readonly<Record<string, AdminState>>
}

export interface MonitorDeps {
  readonly clock: Clock
  readonly log: LogEvent
  readonly pollers: Pollers
  readonly said: Said
  /** A reply as its line, for the log. */
  readonly encode: (reply: Reply) => string
  /** What the polls said before a restart. */
  readonly restored?: Restored | undefined
  /** In force from the start. */
  readonly orders?: readonly Order[]
}

interface Place { readonly held: Held, readonly index: number }

export class Monitor {
  readonly #deps: MonitorDeps
  readonly #localTrouble: Throttle
  #backends = new Map<string, Held>()
  #places = new Map<string, Place>()
  #orders: Orders = NO_ORDERS
  /** For the first farm only: what comes later has no past. */
  #restored: Restored | undefined

  constructor (farm: Farm, deps: MonitorDeps) {
    this.#deps = deps
    this.#localTrouble = new Throttle(deps.clock, LOCAL_TROUBLE_EVERY_MS)
    this.#restored = deps.restored
    this.#orders = byScope(deps.orders ?? [])
    this.#install(farm)
    this.#restored = undefined
  }

  get ids (): readonly string[] {
    return [...this.#places.keys()]
  }

  /** A new farm in one step. What still means the same keeps its state. */
  reload (farm: Farm): void {
    this.#install(farm)
    this.#deps.pollers.forget(new Set(this.#places.keys()))
  }

  /** All that is known of a backend, for who wants to check it. */
  memory (name: string): BackendState | undefined {
    return this.#backends.get(name)?.state
  }

  /** What the polls have taught us, to be kept over a restart. */
  snapshots (): Readonly<Record<string, Snapshot>> {
    return Object.fromEntries([...this.#backends].map(([name, { backend, state }]) => [name, snapshot(backend, state)]))
  }

  /** The write path: one sample, for every server that reads its poll. */
  apply (poll: Poll, sample: Sample): void {
    const fields = { node: poll.node.key, probe: poll.request.kind }
    this.#deps.log('poll.done', { ...fields, ok: sample.ok, ms: Math.round(sample.endMs - sample.startMs) }, 'polled')
    if (!sample.ok && sample.error.class === 'local' && this.#localTrouble.allow(poll.node.key)) {
      this.#deps.log('poll.local', { ...fields, why: sample.error.message }, 'cannot poll, and the node is not to blame')
    }
    for (const { backend, server } of poll.readers) {
      const held = this.#backends.get(backend)
      if (held !== undefined) this.#applyTo(held, server, poll.key, sample)
    }
  }

  /** The read path: what we say of a server to the HAProxy `from` that asks now. Undefined for one we do not know. */
  reply (id: string, from: string): Reply | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    const { state } = this.#redecide(place.held, place.index)
    if (state === 'drain' || state === 'maint') this.#deps.said.heard(id, from)
    return replyOf(place, (state === 'up' || state === 'down') && this.#deps.said.release(id, from))
  }

  /** The same for people, who may look as often as they like. */
  view (id: string): ServerView | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    const { held, index } = place
    return this.#said(held, index, explain(held.backend, held.state, index, this.#deps.clock.now()))
  }

  /** Every server at a glance, backend by backend; or of some backends only. */
  views (wanted: (backend: string) => boolean = () => true): readonly BackendView[] {
    const now = this.#deps.clock.now()
    return [...this.#backends.values()].filter(({ backend }) => wanted(backend.name)).map(held => {
      const { backend, state } = held
      const story = explainBackend(backend, state, now)
      const servers = backend.servers.map((_, index) => this.#said(held, index, summarize(backend, state, index, now, story)))
      return { name: backend.name, mode: backend.policy.mode, story, servers }
    })
  }

  #said<S extends Summary> (held: Held, index: number, summary: S): S & Pick<ServerView, 'id' | 'reply' | 'sinceMs'> {
    const server = held.backend.servers[index]
    const id = server === undefined ? '' : serverId(server)
    return { ...summary, id, reply: toReply(summary.decision, held.adminState, this.#deps.said.owes(id)), sinceMs: held.sinceMs[index] ?? 0 }
  }

  /** Whether a server takes traffic, as far as we say it; undefined for one we do not know. */
  takesTraffic (id: string): boolean | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    const { held: { backend, state }, index } = place
    return takesTraffic(decide(backend, state, index, this.#deps.clock.now()), state.servers.at(index))
  }

  /** The backends an order for `scope` concerns, as they are configured. */
  concerned (scope: string): readonly Backend[] {
    const [name, server] = scope.split('/')
    const all = [...this.#backends.values()].map(({ backend }) => backend)
    if (name === '*') return all
    return all.filter(backend => backend.name === name && (server === '*' || backend.servers.some(each => each.name === server)))
  }

  /** Why these orders should not replace those in force in the backends of these scopes; undefined when nothing speaks against it. */
  refusal (orders: readonly Order[], scopes: readonly string[], caution: Caution): Refusal | undefined {
    const given = arrived(byScope(orders))
    const names = new Set(scopes.flatMap(scope => this.concerned(scope)).map(({ name }) => name))
    for (const { backend, state } of this.#backends.values()) {
      const refused = names.has(backend.name) ? refusalOf(backend, state, given, this.#deps.clock.now(), caution) : undefined
      if (refused !== undefined) return refused
    }
    return undefined
  }

  /** Time alone changes what we mean: an order ends, a verdict grows old, a ramp goes on. Told now, not only when asked. */
  tick (): void {
    this.#redecideAll(held => {
      if (this.#deps.clock.now() >= held.state.floor.untilMs) this.#replace(held, this.#withOrders(held))
      this.#tellDoubt(held)
    })
  }

  /** The operator's orders from now on, all of them. */
  order (orders: readonly Order[]): void {
    this.#orders = byScope(orders)
    this.#redecideAll(held => { this.#replace(held, this.#withOrders(held)) })
  }

  /** Whether a poll is worth a quicker pace, for any server that reads it. */
  isUndecided (poll: Poll): boolean {
    return this.#someReader(poll, isUndecided)
  }

  /** Whether a server that reads a poll has no verdict for want of its first sample. */
  isAwaited (poll: Poll): boolean {
    return this.#someReader(poll, isAwaited)
  }

  #someReader ({ key, readers }: Poll, is: typeof isUndecided): boolean {
    return readers.some(({ backend, server }) => {
      const held = this.#backends.get(backend)
      const [known, state] = [held?.backend.servers[server], held?.state.servers.at(server)]
      return known !== undefined && state !== undefined && is(known, state, key)
    })
  }

  /** Keys of the polls whose next look would settle a doubt about a server that reads this poll. */
  wanted ({ key, readers }: Poll): readonly string[] {
    return readers.flatMap(({ backend, server }) => {
      const held = this.#backends.get(backend)
      return held === undefined ? [] : wantedWitnesses(held.backend, held.state, server, key)
    })
  }

  /** Known servers with a name like this one, nearest first. */
  nearest (id: string): readonly string[] {
    return nearest(id, this.ids)
  }

  #install ({ backends, adminStates }: Farm): void {
    const before = this.#backends
    const beginning = { orders: this.#orders, nowMs: this.#deps.clock.now(), log: this.#deps.log, restored: this.#restored }
    this.#backends = new Map(backends.map(backend =>
      [backend.name, hold(backend, adminStates[backend.name] ?? 'shared', before.get(backend.name), beginning)]))
    this.#places = new Map([...this.#backends.values()].flatMap(held =>
      held.backend.servers.map((server, index) => [serverId(server), { held, index }] as const)))
    this.#redecideAll(held => {
      tellBackend(this.#deps.log, before.get(held.backend.name), held)
      this.#tellDoubt(held)
    })
  }

  #withOrders ({ backend, state }: Held): BackendState {
    return advance(backend, state, { kind: 'orders', orders: this.#orders, atMs: this.#deps.clock.now() })
  }

  #applyTo (held: Held, server: number, probe: string, sample: Sample): void {
    const before = held.state
    const after = advance(held.backend, before, { kind: 'sample', server, probe, sample }, () => this.#voices(held))
    if (after === before) return
    tellCriteria(this.#deps.log, held.backend, before, after, server)
    this.#replace(held, after)
    // What the floor, the strain or a doubt do to the others is told at their next question, or tick.
    const touched = before.floor !== after.floor ? held.backend.servers.keys() : [server]
    for (const index of touched) this.#redecide(held, index)
  }

  #replace (held: Held, state: BackendState): void {
    const before = { backend: held.backend, state: held.state }
    held.state = state
    tellBackend(this.#deps.log, before, held)
    this.#tellDoubt(held)
  }

  #tellDoubt (held: Held): void {
    held.doubting = tellDoubt(this.#deps.log, held.doubting, held, this.#deps.clock.now())
  }

  /** Servers of other backends, who can vouch for our own network. */
  #voices (but: Held): readonly Voice[] {
    return [...this.#backends.values()].flatMap(held => held === but ? [] : held.backend.servers.flatMap((server, i) => {
      const state = held.state.servers.at(i)
      const check = state === undefined ? undefined : reachCheck(server, state)
      return check === undefined ? [] : [{ node: server.node, check }]
    }))
  }

  /** Whatever `first` does to each backend, and then what it comes to. */
  #redecideAll (first: (held: Held) => void): void {
    this.#deps.said.together(() => {
      for (const held of this.#backends.values()) {
        first(held)
        for (const index of held.backend.servers.keys()) this.#redecide(held, index)
      }
    })
  }

  /** What we mean now; told when it is something else than before. */
  #redecide (held: Held, index: number): Decision {
    const from = decisionAt(held, index)
    const to = decide(held.backend, held.state, index, this.#deps.clock.now())
    held.decisions[index] = to
    const server = held.backend.servers[index]
    if (server === undefined) return to
    if (from.state !== to.state || shown(from) !== shown(to)) this.#changed(held, index, serverId(server), from, to)
    else if (from.weightPercent !== to.weightPercent && to.state === 'up') {
      if (from.layer === 'order' || to.layer === 'order') held.sinceMs[index] = this.#deps.clock.now() // who has not asked since has not heard it
      tellWeight(this.#deps.log, serverId(server), from, to)
    }
    return to
  }

  #changed (held: Held, index: number, id: string, from: Decision, to: Decision): void {
    // Before anyone can hear an admin word of ours, it is on disk that it is ours.
    if (to.state === 'drain' || to.state === 'maint') this.#deps.said.claim(id, to.state)
    held.sinceMs[index] = this.#deps.clock.now()
    const { state, layer, because } = to
    const reply = this.#deps.encode(replyOf({ held, index }, this.#deps.said.owes(id)))
    const why = because[0] === undefined ? '' : `: ${because[0]}`
    const fields = { server: id, from: from.state, to: state, layer, because, reply }
    this.#deps.log('server.state', fields, `${id} ${shown(from)} -> ${shown(to)}${why}`, isBad(to) ? 'warn' : 'info')
  }
}

const replyOf = ({ held, index }: Place, releasing: boolean): Reply => toReply(decisionAt(held, index), held.adminState, releasing)

function decisionAt (held: Held, index: number): Decision {
  const decision = held.decisions[index]
  if (decision === undefined) throw new RangeError(`no server ${index} in ${held.backend.name}`)
  return decision
}
