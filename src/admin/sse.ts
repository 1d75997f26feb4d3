/** Events as they happen, over one answer that does not end [server-sent events]. */
import { Readable } from 'node:stream'
import { redact } from '../core/text.ts'
import type { EventsQuery, EventView } from './api.ts'
import type { AdminDeps } from './deps.ts'

export const CLIENTS_MAX = 64
/** A client that does not read is dropped: it comes back, and says what it heard last. */
export const WAITING_BYTES_MAX = 1024 * 1024
export const HEARTBEAT_MS = 15_000
/** Nothing was read for so many heartbeats: there may be nobody. */
const STALLED_BEATS = 4
/** What a browser waits before it comes back. */
const RETRY_MS = 1000

type StreamDeps = Pick<AdminDeps, 'events' | 'concerns' | 'clock' | 'tokens'>

export interface Follow {
  /** What happened before, for who has missed it; undefined for who wants only what comes. */
  readonly past: EventsQuery | undefined
  readonly backend: string | undefined
  /** It had to show a token to get in. */
  readonly byToken: boolean
}

export class EventStreams {
  readonly #deps: StreamDeps
  readonly #open = new Set<EventStream>()
  #last: { readonly event: EventView, readonly text: string } | undefined

  constructor (deps: StreamDeps) {
    this.#deps = deps
  }

  /** Undefined when there are too many already. */
  open (follow: Follow): Readable | undefined {
    if (this.#open.size >= CLIENTS_MAX) return undefined
    const stream = new EventStream(this.#deps, follow, event => this.#text(event))
    this.#open.add(stream)
    stream.on('close', () => { this.#open.delete(stream) })
    return stream
  }

  /** Written once for all who hear it. */
  #text (event: EventView): string {
    if (this.#last?.event !== event) this.#last = { event, text: encodeEvent(event) }
    return this.#last.text
  }

  end (): void {
    for (const stream of this.#open) stream.end()
  }
}

/** JSON has no line ends, so one line of data is enough. */
export const encodeEvent = (event: EventView): string => `id: ${event.id}\nevent: ${event.event}\ndata: ${redact(JSON.stringify(event))}\n\n`

class EventStream extends Readable {
  /** What happened before it came; then what happens. */
  readonly #past: Iterator<EventView>
  readonly #live: string[] = []
  readonly #text: (event: EventView) => string
  readonly #close: Array<() => void>
  #waiting = 0
  #wanted = false
  #stalledBeats = 0
  #ended = false

  constructor ({ events, concerns, clock, tokens }: StreamDeps, { past, backend, byToken }: Follow, text: (event: EventView) => string) {
    super()
    this.#text = text
    this.#past = (past === undefined ? [] : events.list(past)).values()
    const tokensThen = tokens()
    // Whether the token is still good is for the next request to find out; it goes on where this one ended.
    const isOver = (): boolean => byToken && tokens() !== tokensThen
    const heartbeat = clock.every(HEARTBEAT_MS, () => {
      if (isOver()) this.end()
      else this.#beat()
    })
    const unsubscribe = events.subscribe(event => {
      if (isOver()) this.end()
      else if (backend === undefined || concerns(event, backend)) this.#add(text(event))
    })
    this.#close = [unsubscribe, () => { heartbeat.stop() }]
    this.push(`retry: ${RETRY_MS}\n\n`) // at once, so that it is known to be open
  }

  /** No more comes; what waits is still read. */
  end (): void {
    this.#ended = true
    this.#pump()
  }

  override _read (): void {
    this.#wanted = true
    this.#stalledBeats = 0
    this.#pump()
  }

  override _destroy (error: Error | null, done: (error: Error | null) => void): void {
    for (const close of this.#close) close()
    done(error)
  }

  #beat (): void {
    this.#stalledBeats += 1 // the last beat was heard, or it would be 0 by now
    if (this.#stalledBeats >= STALLED_BEATS) this.destroy()
    else this.#add(':\n\n')
  }

  #add (text: string): void {
    this.#live.push(text)
    this.#waiting += Buffer.byteLength(text)
    if (this.#waiting > WAITING_BYTES_MAX) this.destroy()
    else this.#pump()
  }

  #pump (): void {
    while (this.#wanted && !this.destroyed) {
      const next = this.#next()
      if (next === undefined) return
      this.#wanted = next === null ? false : this.push(next)
      if (next === null) this.push(null)
    }
  }

  /** Null: it is over. */
  #next (): string | null | undefined {
    const { done, value } = this.#past.next()
    if (done !== true) return this.#text(value)
    const text = this.#live.shift()
    if (text === undefined) return this.#ended ? null : undefined
    this.#waiting -= Buffer.byteLength(text)
    return text
  }
}
