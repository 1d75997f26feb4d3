/**
 * When to poll: starts spread by a hash of the poll's name, never two of one poll at once, faster while a verdict is
 * undecided, missed slots skipped. Knows nothing of what a sample means, but for one thing: nodes that do not answer hold
 * what they are given for as long as they may. So they share a part of their own: however many they are, one that answers
 * keeps its slots.
 */
import type { Sample } from '../core/model.ts'
import type { Poll, Probe } from '../core/probe.ts'
import { Beats, onBeat } from './beats.ts'
import type { Clock } from './clock.ts'
import { Places, type Guest } from './places.ts'

/** Connections to nodes under way at once. */
export const IN_FLIGHT_MAX = 6144
/** So many of them for nodes that were silent the last time; the others are for nodes that answered, or were never asked. */
export const silentMax = (inFlightMax: number): number => Math.max(1, Math.floor(inFlightMax / 3))
export const promptMax = (inFlightMax: number): number => Math.max(1, inFlightMax - silentMax(inFlightMax))
/** How soon others take the places of silent ones: a network that is back must not meet all of them at once. */
export const LET_IN_MS = 10
/** The first look at everything is done within this, however slow its pace: until then we have no opinion. */
export const FIRST_WITHIN_MS = 2000

export interface SchedulerDeps {
  readonly clock: Clock
  /** Fewer than IN_FLIGHT_MAX. */
  readonly inFlightMax?: () => number
  readonly createProbe: (poll: Poll) => Probe
  readonly onSample: (poll: Poll, sample: Sample) => void
  readonly isUndecided: (poll: Poll) => boolean
  readonly isAwaited: (poll: Poll) => boolean
  /** Keys of polls whose next look would settle a doubt that this one raised. */
  readonly wanted: (poll: Poll) => readonly string[]
}

interface Entry extends Guest {
  poll: Poll
  readonly probe: Probe
  /** In the past while it is under way, or waits for a place. */
  slotMs: number
  /** Others with a reader of this one. */
  peers: readonly Entry[]
  /** Where it finds its place: with the prompt or with the silent. */
  among: Places<Entry>
  places: number
}

const NOBODY: readonly Entry[] = []

export class Scheduler {
  readonly #deps: SchedulerDeps
  readonly #entries = new Map<string, Entry>()
  /** The end of the last poll in each lane. */
  readonly #lanes = new Map<string, Promise<unknown>>()
  readonly #beats: Beats<Entry>
  readonly #prompt: Places<Entry>
  readonly #silent: Places<Entry>

  constructor (deps: SchedulerDeps) {
    const { clock, inFlightMax = () => IN_FLIGHT_MAX } = deps
    const enter = (entry: Entry): void => { this.#begin(entry) }
    this.#deps = deps
    this.#beats = new Beats(clock, entry => { entry.among.come(entry) })
    this.#prompt = new Places({ clock, max: () => promptMax(inFlightMax()), letInMs: 0, enter })
    this.#silent = new Places({ clock, max: () => silentMax(inFlightMax()), letInMs: LET_IN_MS, enter })
  }

  /** The polls there shall be from now on. One that stays keeps its connection and its place in the interval. */
  set (polls: readonly Poll[]): void {
    const keys = new Set(polls.map(({ key }) => key))
    for (const [key, entry] of this.#entries) if (!keys.has(key)) this.#drop(key, entry)
    for (const poll of polls) this.#adopt(poll)
    this.#introduce()
  }

  stop (): void {
    for (const [key, entry] of this.#entries) this.#drop(key, entry)
  }

  #adopt (poll: Poll): void {
    const existing = this.#entries.get(poll.key)
    if (existing !== undefined && identityOf(existing.poll) === identityOf(poll)) {
      existing.poll = poll
      this.#hasten(existing)
      return
    }
    if (existing !== undefined) this.#drop(poll.key, existing)
    const entry: Entry = { poll, probe: this.#deps.createProbe(poll), slotMs: this.#firstSlot(poll), peers: NOBODY, among: this.#prompt, places: 1 }
    this.#entries.set(poll.key, entry)
    this.#beats.add(entry, entry.slotMs)
  }

  #introduce (): void {
    const byReader = new Map<string, Entry[]>()
    for (const entry of this.#entries.values()) {
      for (const reader of entry.poll.readers) {
        const known = byReader.get(readerKey(reader))
        if (known === undefined) byReader.set(readerKey(reader), [entry])
        else known.push(entry)
      }
    }
    for (const entry of this.#entries.values()) {
      const peers = new Set(entry.poll.readers.flatMap(reader => byReader.get(readerKey(reader)) ?? []))
      entry.peers = peers.size > 1 ? [...peers].filter(peer => peer !== entry) : NOBODY
    }
  }

  #firstSlot ({ key, intervalMs }: Poll): number {
    return onBeat(this.#deps.clock.now() + spread(key, Math.min(intervalMs, FIRST_WITHIN_MS)))
  }

  /** A poll that stays, but got a quicker pace or a reader that knows nothing yet, does not wait out its old pace. */
  #hasten (entry: Entry): void {
    const { poll, slotMs } = entry
    const patienceMs = this.#deps.isAwaited(poll) ? Math.min(poll.intervalMs, FIRST_WITHIN_MS) : poll.intervalMs
    if (slotMs - this.#deps.clock.now() > patienceMs) this.#again(entry)
  }

  /** A node that answers again may make a server wait for nothing but a canary that is not due for long. */
  #hastenAwaited ({ peers }: Entry): void {
    if (peers.length === 0) return
    const soonMs = this.#deps.clock.now() + FIRST_WITHIN_MS
    for (const entry of peers) if (entry.slotMs > soonMs) this.#hasten(entry)
  }

  /** A slow pace is no reason to leave a server in doubt. */
  #hastenWanted ({ poll }: Entry): void {
    const keys = this.#deps.wanted(poll)
    if (keys.length === 0) return
    const soonMs = this.#deps.clock.now() + FIRST_WITHIN_MS
    for (const key of keys) {
      const entry = this.#entries.get(key)
      if (entry !== undefined && entry.slotMs > soonMs) this.#again(entry)
    }
  }

  #again (entry: Entry): void {
    this.#beats.delete(entry, entry.slotMs)
    entry.slotMs = this.#firstSlot(entry.poll)
    this.#beats.add(entry, entry.slotMs)
  }

  #drop (key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#beats.delete(entry, entry.slotMs)
    entry.among.forget(entry)
    entry.probe.close()
  }

  #begin (entry: Entry): void {
    const { poll: { lane }, probe } = entry
    const look = lane === undefined ? probe.run() : this.#inLane(lane, probe)
    void look.then(sample => { this.#ended(entry, sample) })
  }

  /** After whoever is there already. */
  async #inLane (lane: string, probe: Probe): Promise<Sample> {
    const before = this.#lanes.get(lane)
    const turn = before === undefined ? probe.run() : before.then(async () => probe.run())
    this.#lanes.set(lane, turn)
    const sample = await turn
    if (this.#lanes.get(lane) === turn) this.#lanes.delete(lane)
    return sample
  }

  #ended (entry: Entry, sample: Sample): void {
    const { poll } = entry
    entry.among.leave(entry)
    if (this.#entries.get(poll.key) !== entry) return // dropped meanwhile: nobody reads it any more
    const silent = wasSilent(poll, sample)
    entry.among = silent ? this.#silent : this.#prompt
    entry.places = silent && poll.hedgeMs !== undefined ? 2 : 1 // its second look is as good as certain
    this.#deps.onSample(poll, sample)
    this.#hastenAwaited(entry)
    this.#hastenWanted(entry)
    const now = this.#deps.clock.now()
    // An undecided one whose quick slot has passed while it was waited for goes on at once.
    entry.slotMs = this.#deps.isUndecided(poll) ? Math.max(now, entry.slotMs + poll.fastMs) : nextSlot(entry.slotMs, poll.intervalMs, now)
    this.#beats.add(entry, entry.slotMs)
  }
}

/** Everything of a poll that its probe was made from. */
const identityOf = ({ node, request, timeoutMs, hedgeMs }: Poll): string => JSON.stringify([node, request, timeoutMs, hedgeMs])

/** No answer, and not at once: whoever says no is not silent. The name service may be, too. */
const wasSilent = ({ timeoutMs }: Poll, sample: Sample): boolean => !sample.ok && sample.endMs - sample.startMs >= timeoutMs / 2

type Reader = Poll['readers'][number]
const readerKey = ({ backend, server }: Reader): string => `${backend}/${server}`

/**
 * The next slot of a pace: now, when it has only just passed (a look that took all of its time). Those that have passed
 * for long are skipped, not made up for.
 */
export function nextSlot (slotMs: number, paceMs: number, nowMs: number): number {
  const next = slotMs + paceMs
  const lateMs = nowMs - next
  if (lateMs < 0) return next
  return lateMs < paceMs / 2 ? nowMs : next + (Math.floor(lateMs / paceMs) + 1) * paceMs
}

/** FNV-1a: the same name starts at the same place in the interval, in every process. */
export function spread (name: string, withinMs: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % Math.max(1, Math.floor(withinMs))
}
