/**
 * The only owner of state. Samples come in and change it; HAProxy's questions read it. The two paths meet in this map
 * and nowhere else: no answer waits for a node.
 */
import { distance } from 'fastest-levenshtein'
import { advance, carryOver, newBackend } from '../core/advance.ts'
import { isPassing } from '../core/check.ts'
import { decide } from '../core/decide.ts'
import { explain, type Story } from '../core/explain.ts'
import { serverId, type Backend, type BackendState, type Decision, type Sample, type Server } from '../core/model.ts'
import { isAwaited, isUndecided } from '../core/phase.ts'
import type { Poll } from '../core/probe.ts'
import { toReply, type AdminState, type Reply } from '../core/reply.ts'
import type { Clock } from './clock.ts'
import type { LogEvent } from './log.ts'
import type { Pollers } from './pollers.ts'
import type { Said } from './said.ts'
import { Throttle } from './throttle.ts'

const NEAR_MAX = 3
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
}

interface Held {
  readonly backend: Backend
  readonly adminState: AdminState
  state: BackendState
  /** What we answer, server by server: asking costs a look-up. */
  readonly decisions: Decision[]
  readonly sinceMs: number[]
}

interface Place { readonly held: Held, readonly index: number }

/** One server as status and explain show it. */
export interface ServerView extends Story {
  readonly id: string
  readonly reply: Reply
  /** Monotonic ms when the decision last changed. */
  readonly sinceMs: number
}

export class Monitor {
  readonly #deps: MonitorDeps
  readonly #localTrouble: Throttle
  #backends = new Map<string, Held>()
  #places = new Map<string, Place>()

  constructor (farm: Farm, deps: MonitorDeps) {
    this.#deps = deps
    this.#localTrouble = new Throttle(deps.clock, LOCAL_TROUBLE_EVERY_MS)
    this.#install(farm)
  }

  get ids (): readonly string[] {
    return [...this.#places.keys()]
  }

  /** A new farm in one step. What still means the same keeps its state. */
  reload (farm: Farm): void {
    this.#install(farm)
    this.#deps.pollers.forget(new Set(this.#places.keys()))
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
    const { state } = decisionAt(place.held, place.index)
    if (state === 'drain' || state === 'maint') this.#deps.said.heard(id, from)
    return replyOf(place, (state === 'up' || state === 'down') && this.#deps.said.release(id, from))
  }

  /** The same for people, who may look as often as they like. */
  view (id: string): ServerView | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    const { held, index } = place
    const reply = replyOf(place, this.#deps.said.owes(id))
    return { id, reply, sinceMs: held.sinceMs[index] ?? 0, ...explain(held.backend, held.state, index) }
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
      const [known, state] = [held?.backend.servers[server], held?.state.servers[server]]
      return known !== undefined && state !== undefined && is(known, state, key)
    })
  }

  /** Known servers with a name like this one, nearest first. */
  nearest (id: string): readonly string[] {
    const limit = Math.max(3, Math.floor(id.length / 3))
    return this.ids.map(known => ({ known, far: distance(id, known) })).filter(({ far }) => far <= limit)
      .sort((a, b) => a.far - b.far).slice(0, NEAR_MAX).map(({ known }) => known)
  }

  #install ({ backends, adminStates }: Farm): void {
    const before = this.#backends
    this.#backends = new Map(backends.map(backend =>
      [backend.name, this.#hold(backend, adminStates[backend.name] ?? 'shared', before.get(backend.name))]))
    this.#places = new Map([...this.#backends.values()].flatMap(held =>
      held.backend.servers.map((server, index) => [serverId(server), { held, index }] as const)))
    for (const held of this.#backends.values()) {
      this.#logFloor(held, keptNames(before.get(held.backend.name)))
      for (const index of held.backend.servers.keys()) this.#redecide(held, index)
    }
  }

  /** With the decisions of before, so that a change a reload makes is told like any other. */
  #hold (backend: Backend, adminState: AdminState, old: Held | undefined): Held {
    const state = old === undefined ? newBackend(backend) : carryOver(old.backend, old.state, backend)
    const now = this.#deps.clock.now()
    const places = backend.servers.map(({ name }) => old?.backend.servers.findIndex(server => server.name === name) ?? -1)
    return {
      backend,
      adminState,
      state,
      decisions: places.map((place, index) => old?.decisions[place] ?? decide(backend, state, index)),
      sinceMs: places.map(place => old?.sinceMs[place] ?? now)
    }
  }

  #applyTo (held: Held, server: number, probe: string, sample: Sample): void {
    const before = held.state
    const kept = keptNames(held)
    held.state = advance(held.backend, before, { kind: 'sample', server, probe, sample })
    this.#logCriteria(held, server, before)
    this.#logFloor(held, kept)
    // A floor that holds somebody makes everyone's decision depend on everyone.
    const touched = before.kept.length + held.state.kept.length > 0 ? held.backend.servers.keys() : [server]
    for (const index of touched) this.#redecide(held, index)
  }

  #redecide (held: Held, index: number): void {
    const server = held.backend.servers[index]
    const from = decisionAt(held, index)
    const to = decide(held.backend, held.state, index)
    held.decisions[index] = to
    if (server === undefined) return
    const id = serverId(server)
    if (from.state !== to.state || from.layer !== to.layer) {
      // Before anyone can hear an admin word of ours, it is on disk that it is ours.
      if (to.state === 'drain' || to.state === 'maint') this.#deps.said.claim(id, to.state)
      held.sinceMs[index] = this.#deps.clock.now()
      this.#logState(id, from, to, replyOf({ held, index }, this.#deps.said.owes(id)))
    } else if (from.weightPercent !== to.weightPercent && (to.state === 'up' || to.state === 'down')) {
      const fields = { server: id, from: from.weightPercent, to: to.weightPercent, because: to.because }
      this.#deps.log('server.weight', fields, `${id} weight ${from.weightPercent}% -> ${to.weightPercent}%`)
    }
  }

  #logState (id: string, from: Decision, to: Decision, reply: Reply): void {
    const bad = to.state === 'down' || to.state === 'drain' || to.layer === 'floor'
    const { state, layer, because } = to
    const fields = { server: id, from: from.state, to: state, layer, because, reply: this.#deps.encode(reply) }
    const why = because[0] === undefined ? '' : `: ${because[0]}`
    this.#deps.log('server.state', fields, `${id} ${shown(from)} -> ${shown(to)}${why}`, bad ? 'warn' : 'info')
  }

  #logCriteria ({ backend, state }: Held, index: number, before: BackendState): void {
    const server: Server | undefined = backend.servers[index]
    for (const [i, criterion] of server?.criteria.entries() ?? []) {
      const check = state.servers[index]?.checks[i]
      const old = before.servers[index]?.checks[i]
      if (server === undefined || check === undefined || check === old) continue
      const passes = isPassing(criterion, check)
      if (old === undefined ? passes : isPassing(criterion, old) === passes) continue
      const { value, limit, reason } = check.verdict
      const id = serverId(server)
      const message = `${id} ${criterion.name} ${passes ? 'passes' : 'fails'}: ${reason}`
      this.#deps.log(passes ? 'criterion.pass' : 'criterion.fail', { server: id, criterion: criterion.name, value, limit, reason }, message)
    }
  }

  #logFloor (held: Held, before: readonly string[]): void {
    const kept = keptNames(held)
    if (kept.join() === before.join()) return
    const { name } = held.backend
    const on = kept.length > 0
    const message = on ? `min_up keeps ${kept.join(', ')} in service against its criteria` : 'enough servers are fit again'
    this.#deps.log('backend.floor', { backend: name, on, held: kept }, `${name}: ${message}`, on ? 'warn' : 'info')
  }
}

const shown = ({ state, layer }: Decision): string => layer === 'floor' ? 'kept' : state

const keptNames = (held: Held | undefined): readonly string[] =>
  held?.state.kept.flatMap(index => held.backend.servers[index]?.name ?? []) ?? []

const replyOf = ({ held, index }: Place, releasing: boolean): Reply => toReply(decisionAt(held, index), held.adminState, releasing)

function decisionAt (held: Held, index: number): Decision {
  const decision = held.decisions[index]
  if (decision === undefined) throw new RangeError(`no server ${index} in ${held.backend.name}`)
  return decision
}
