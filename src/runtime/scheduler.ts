/**
 * When to poll: starts spread by a hash of the poll's name, never two of one poll at once, faster while a verdict is
 * undecided, missed slots skipped. Knows nothing of what a sample means.
 */
import type { Sample } from '../core/model.ts'
import type { Poll, Probe } from '../core/probe.ts'
import type { Clock, Timer } from './clock.ts'

/** Polls under way at once. One that finds no place waits for its next slot. */
export const IN_FLIGHT_MAX = 2048
/** The first look at everything is done within this, however slow its pace: until then we have no opinion. */
export const FIRST_WITHIN_MS = 2000

export interface SchedulerDeps {
  readonly clock: Clock
  readonly createProbe: (poll: Poll) => Probe
  readonly onSample: (poll: Poll, sample: Sample) => void
  readonly isUndecided: (poll: Poll) => boolean
  readonly isAwaited: (poll: Poll) => boolean
  /** Keys of polls whose next look would settle a doubt that this one raised. */
  readonly wanted: (poll: Poll) => readonly string[]
}

interface Entry {
  poll: Poll
  /** Everything of the poll that its probe was made from. */
  readonly identity: string
  readonly probe: Probe
  slotMs: number
  timer: Timer | undefined
}

export class Scheduler {
  readonly #deps: SchedulerDeps
  readonly #entries = new Map<string, Entry>()
  readonly #byReader = new Map<string, Set<Entry>>()
  /** The end of the last poll in each lane. */
  readonly #lanes = new Map<string, Promise<unknown>>()
  #inFlight = 0

  constructor (deps: SchedulerDeps) {
    this.#deps = deps
  }

  /** The polls there shall be from now on. One that stays keeps its connection and its place in the interval. */
  set (polls: readonly Poll[]): void {
    const keys = new Set(polls.map(({ key }) => key))
    for (const [key, entry] of this.#entries) if (!keys.has(key)) this.#drop(key, entry)
    for (const poll of polls) this.#adopt(poll)
    this.#byReader.clear()
    for (const entry of this.#entries.values()) {
      for (const reader of entry.poll.readers) addTo(this.#byReader, readerKey(reader), entry)
    }
  }

  stop (): void {
    for (const [key, entry] of this.#entries) this.#drop(key, entry)
  }

  #adopt (poll: Poll): void {
    const identity = JSON.stringify([poll.node, poll.request, poll.timeoutMs, poll.hedgeMs])
    const existing = this.#entries.get(poll.key)
    if (existing?.identity === identity) {
      existing.poll = poll
      this.#hasten(existing)
      return
    }
    if (existing !== undefined) this.#drop(poll.key, existing)
    const entry: Entry = { poll, identity, probe: this.#deps.createProbe(poll), slotMs: this.#firstSlot(poll), timer: undefined }
    this.#entries.set(poll.key, entry)
    this.#wait(entry)
  }

  #firstSlot ({ key, intervalMs }: Poll): number {
    return this.#deps.clock.now() + spread(key, Math.min(intervalMs, FIRST_WITHIN_MS))
  }

  /** A poll that stays, but got a quicker pace or a reader that knows nothing yet, does not wait out its old pace. */
  #hasten (entry: Entry): void {
    const { poll, slotMs } = entry // in the past while the poll is under way
    const patienceMs = this.#deps.isAwaited(poll) ? Math.min(poll.intervalMs, FIRST_WITHIN_MS) : poll.intervalMs
    if (slotMs - this.#deps.clock.now() > patienceMs) this.#again(entry)
  }

  /** In its lane, after whoever is there already. */
  async #look ({ poll: { lane }, probe }: Entry): Promise<Sample> {
    if (lane === undefined) return probe.run()
    const before = this.#lanes.get(lane)
    const turn = before === undefined ? probe.run() : before.then(async () => probe.run())
    this.#lanes.set(lane, turn)
    const sample = await turn
    if (this.#lanes.get(lane) === turn) this.#lanes.delete(lane)
    return sample
  }

  /** A node that answers again may make a server wait for nothing but a canary that is not due for long. */
  #hastenAwaited ({ poll: { readers } }: Entry): void {
    const soonMs = this.#deps.clock.now() + FIRST_WITHIN_MS
    for (const reader of readers) {
      for (const entry of this.#byReader.get(readerKey(reader)) ?? []) if (entry.slotMs > soonMs) this.#hasten(entry)
    }
  }

  /** A slow pace is no reason to leave a server in doubt. */
  #hastenWanted ({ poll }: Entry): void {
    const soonMs = this.#deps.clock.now() + FIRST_WITHIN_MS
    for (const key of this.#deps.wanted(poll)) {
      const entry = this.#entries.get(key)
      if (entry !== undefined && entry.slotMs > soonMs) this.#again(entry)
    }
  }

  #again (entry: Entry): void {
    entry.timer?.stop()
    entry.slotMs = this.#firstSlot(entry.poll)
    this.#wait(entry)
  }

  #drop (key: string, entry: Entry): void {
    this.#entries.delete(key)
    entry.timer?.stop()
    entry.probe.close()
  }

  #wait (entry: Entry): void {
    entry.timer = this.#deps.clock.after(Math.max(0, entry.slotMs - this.#deps.clock.now()), () => { void this.#run(entry) })
  }

  async #run (entry: Entry): Promise<void> {
    if (this.#inFlight < IN_FLIGHT_MAX) {
      this.#inFlight += 1
      const sample = await this.#look(entry)
      this.#inFlight -= 1
      if (this.#entries.get(entry.poll.key) !== entry) return // dropped meanwhile: nobody reads it any more
      this.#deps.onSample(entry.poll, sample)
      this.#hastenAwaited(entry)
      this.#hastenWanted(entry)
    }
    const { intervalMs, fastMs } = entry.poll
    const now = this.#deps.clock.now()
    // An undecided one whose quick slot has passed while it was waited for goes on at once.
    entry.slotMs = this.#deps.isUndecided(entry.poll) ? Math.max(now, entry.slotMs + fastMs) : nextSlot(entry.slotMs, intervalMs, now)
    this.#wait(entry)
  }
}

type Reader = Poll['readers'][number]
const readerKey = ({ backend, server }: Reader): string => `${backend}/${server}`

function addTo (map: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([entry]))
  else known.add(entry)
}

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
