/** What has happened, for whoever asks or listens: the newest log lines above debug, each with an id to go on from. */
import { redact } from '../core/text.ts'
import type { Clock } from './clock.ts'

export const EVENTS_KEPT_MAX = 10_000
/** Longest message, and longest field as JSON. A longer list is cut short, anything else is left out; `omitted` names both. */
export const MESSAGE_CHARACTERS_MAX = 2000
export const FIELD_CHARACTERS_MAX = 4000
/** Fields an event keeps; ours have fewer than ten. */
export const FIELDS_MAX = 12

export const LEVELS = ['info', 'warn', 'error'] as const

export interface FeedEvent {
  /** Grows, over restarts too. */
  readonly id: number
  /** ISO 8601, UTC. */
  readonly at: string
  readonly event: string
  readonly level: typeof LEVELS[number]
  readonly msg: string
  /** The other fields of docs/logs.md. */
  readonly [field: string]: unknown
}

export interface FeedOptions {
  readonly clock: Pick<Clock, 'wall'>
  readonly keep?: number
  /** Events of an earlier run, oldest first. */
  readonly past?: readonly FeedEvent[]
  /** Hears each new event after all listeners: what it does may be an event itself, and that comes later. */
  readonly onEvent?: (event: FeedEvent) => void
}

export interface FeedQuery {
  readonly sinceWallMs?: number
  /** Only events with a larger id. */
  readonly afterId?: number
  readonly backend?: string
  /** The newest so many. */
  readonly limit?: number
}

type Listener = (event: FeedEvent) => void

export class EventFeed {
  readonly #clock: Pick<Clock, 'wall'>
  readonly #keep: number
  readonly #onEvent: Listener | undefined
  readonly #listeners = new Set<{ readonly hear: Listener }>()
  /** Oldest first, and so by id. */
  readonly #events: FeedEvent[]
  #lastId: number

  constructor ({ clock, keep = EVENTS_KEPT_MAX, past = [], onEvent }: FeedOptions) {
    this.#clock = clock
    this.#keep = keep
    this.#onEvent = onEvent
    this.#events = past.toSorted((a, b) => a.id - b.id).slice(-keep)
    this.#lastId = this.#events.at(-1)?.id ?? 0
  }

  add (event: string, level: FeedEvent['level'], fields: Readonly<Record<string, unknown>>, msg: string): FeedEvent {
    const wallMs = this.#clock.wall()
    // A calendar that was set back must not hide what comes from somebody who goes on from the last id.
    this.#lastId = Math.max(this.#lastId + 1, Math.floor(wallMs * 1000))
    const head = { id: this.#lastId, at: new Date(wallMs).toISOString(), event, level, msg: redact(msg).slice(0, MESSAGE_CHARACTERS_MAX) }
    const added: FeedEvent = { ...head, ...plain(fields), ...head } // twice: first in order, and not to be replaced by a field
    this.#events.push(added)
    if (this.#events.length > this.#keep) this.#events.shift()
    for (const { hear } of this.#listeners) hear(added)
    this.#onEvent?.(added)
    return added
  }

  /** Oldest first. */
  list ({ sinceWallMs = -Infinity, afterId = -Infinity, backend, limit = Infinity }: FeedQuery = {}): readonly FeedEvent[] {
    const found: FeedEvent[] = []
    for (let i = this.#events.length - 1; i >= 0 && found.length < limit; i -= 1) {
      const event = this.#events[i]
      if (event === undefined || event.id <= afterId) break
      if (Date.parse(event.at) < sinceWallMs) continue // not the end: calendars are set back
      if (backend === undefined || concerns(event, backend)) found.push(event)
    }
    return found.reverse()
  }

  /** Hears of every event from now on; returns how to stop that. */
  subscribe (hear: Listener): () => void {
    const listener = { hear }
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }
}

/** Whether an event is about this backend, a server of it, or an order for it. */
export function concerns ({ backend: itself, server, scope }: Readonly<Record<string, unknown>>, backend: string): boolean {
  const isIn = (name: unknown): boolean => typeof name === 'string' && name.startsWith(`${backend}/`)
  return itself === backend || isIn(server) || isIn(scope) || scope === '*/*'
}

/** The fields as JSON has them, without secrets: what is kept is what will be written and sent. */
function plain (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kept: Record<string, unknown> = {}
  const omitted: string[] = []
  for (const [name, value] of Object.entries(fields).slice(0, FIELDS_MAX)) {
    if (value === undefined) continue
    const short = shorten(value)
    const json = toJson(short)
    if (json.length <= FIELD_CHARACTERS_MAX && json !== '') kept[name] = JSON.parse(json)
    if (short !== value || kept[name] === undefined) omitted.push(name)
  }
  return omitted.length === 0 ? kept : { ...kept, omitted }
}

/** A list of which as much is left as fits; anything else as it is. */
function shorten (value: unknown): unknown {
  let short = value
  while (Array.isArray(short) && short.length > 1 && toJson(short).length > FIELD_CHARACTERS_MAX) short = short.slice(0, Math.floor(short.length / 2))
  return short
}

/** Empty for what JSON cannot hold. */
function toJson (value: unknown): string {
  try {
    return redact((JSON.stringify(value) as string | undefined) ?? '')
  } catch { // a circle, or a bigint: the event is still worth telling
    return ''
  }
}
