/**
 * What was seen and what was decided, on disk, for whoever asks later. Two series of JSON lines: samples, which are many,
 * never push events out. Nothing here throws or waits: lines gather in memory, one write is under way at most, and when
 * the disk does not keep up samples are dropped and counted.
 */
import { createHash } from 'node:crypto'
import * as disk from 'node:fs/promises'
import { join } from 'node:path'
import type { Sample } from '../core/model.ts'
import type { Poll } from '../core/probe.ts'
import { count, redact } from '../core/text.ts'
import type { Clock, Timer } from './clock.ts'
import type { FeedEvent } from './feed.ts'
import { EVENTS_FILE, SAMPLES_FILE, Series, type JournalIo } from './journal-files.ts'
import type { LogEvent } from './log.ts'

export const FLUSH_MS = 200
/** So much is not kept waiting for its time. */
export const FLUSH_BYTES = 64 * 1024
/** Bytes of samples that may wait for the disk; and of events. */
export const SAMPLES_WAITING_MAX = 1024 * 1024
export const EVENTS_WAITING_MAX = 4 * 1024 * 1024
/** After a write that failed, the next one. */
export const RETRY_MS = 2000
/** A write that takes longer is trouble to tell of. */
export const SLOW_MS = 10_000
/** It works again when so long nothing went wrong. */
export const CALM_MS = 10_000
/** What waits is still written when we stop, unless that takes longer. */
export const CLOSE_MS = 1000
/** The share of events is an eighth. */
const EVENTS_SHARE = 1 / 8

export interface JournalDeps {
  readonly clock: Clock
  readonly log: LogEvent
  readonly dir: string
  readonly maxBytes: number
  /** Name of the server at this place of its backend, as `backend/server`. */
  readonly nameOf: (reader: Poll['readers'][number]) => string | undefined
  readonly io?: JournalIo
}

/** What the app writes to, whether there is a journal or not. */
export interface Chronicle {
  readonly isOn: boolean
  /** Lines lost since the start. */
  readonly dropped: number
  sample: (poll: Poll, sample: Sample) => void
  event: (event: FeedEvent) => void
  /** Writes what waits, or gives up on it soon. What comes later is not kept. */
  close: () => Promise<void>
}

/** For `journal: off`. */
export const noJournal: Chronicle = {
  isOn: false, dropped: 0, sample: () => undefined, event: () => undefined, close: async () => undefined
}

export class Journal implements Chronicle {
  readonly isOn = true
  readonly #deps: JournalDeps
  readonly #io: JournalIo
  readonly #events: Series
  readonly #samples: Series
  readonly #heads = new WeakMap<Poll, string>()
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #watch: Timer | undefined
  /** A write has failed, and none succeeded since. */
  #failing = false
  #closed = false
  #dropped = 0
  /** What was told of: lines lost in it so far, and when the last thing went wrong. */
  #trouble: { dropped: number, lastMs: number } | undefined

  constructor (deps: JournalDeps) {
    this.#deps = deps
    this.#io = deps.io ?? disk
    const eventBytes = Math.floor(deps.maxBytes * EVENTS_SHARE)
    this.#events = new Series(join(deps.dir, EVENTS_FILE), eventBytes)
    this.#samples = new Series(join(deps.dir, SAMPLES_FILE), deps.maxBytes - eventBytes)
  }

  get dropped (): number {
    return this.#dropped
  }

  /** Facts only: what a node sent is not here, and no secret of ours. */
  sample (poll: Poll, sample: Sample): void {
    const what = sample.ok ? `"facts":${JSON.stringify(sample.facts)}` : `"error":${JSON.stringify(sample.error)}`
    const at = new Date(this.#deps.clock.wall()).toISOString()
    const tainted = 'tainted' in sample ? ',"tainted":true' : ''
    const times = `"startMs":${micros(sample.startMs)},"endMs":${micros(sample.endMs)}`
    this.#add(this.#samples, `{"at":"${at}",${this.#headOf(poll)},${times},${redact(what)}${tainted}}\n`, SAMPLES_WAITING_MAX)
  }

  event (event: FeedEvent): void {
    this.#add(this.#events, `${redact(JSON.stringify(event))}\n`, EVENTS_WAITING_MAX)
  }

  async close (): Promise<void> {
    this.#closed = true
    this.#timer?.stop()
    await new Promise<void>(resolve => {
      const patience = this.#deps.clock.after(CLOSE_MS, resolve)
      void this.#drain().then(() => {
        patience.stop()
        resolve()
      })
    })
    this.#watch?.stop()
  }

  async #drain (): Promise<void> {
    await this.#writing
    if (this.#waiting > 0) await this.#flush()
  }

  get #waiting (): number {
    return this.#events.waiting + this.#samples.waiting
  }

  /** Events are few, and who reads them after a crash wants the last one. */
  get #isUrgent (): boolean {
    return this.#events.waiting > 0 || this.#waiting >= FLUSH_BYTES
  }

  /** The same for every sample of a poll. Its key may hold what it asks for, so only a digest of it is written. */
  #headOf (poll: Poll): string {
    const known = this.#heads.get(poll)
    if (known !== undefined) return known
    const key = createHash('sha256').update(poll.key).digest('base64url').slice(0, 12)
    const servers = poll.readers.flatMap(reader => this.#deps.nameOf(reader) ?? [])
    const fields = { node: poll.node.key, probe: poll.request.kind, key, servers }
    const head = redact(JSON.stringify(fields)).slice(1, -1)
    this.#heads.set(poll, head)
    return head
  }

  #add (series: Series, line: string, waitingMax: number): void {
    if (this.#closed) return
    const bytes = Buffer.byteLength(line)
    if (bytes > series.lineBytesMax) return this.#drop(`a line is longer than ${series.lineBytesMax} bytes`)
    if (series.waiting + bytes > waitingMax) return this.#drop('the disk does not keep up')
    series.add(line, bytes)
    if (this.#writing !== undefined || this.#failing) return // goes on by itself
    if (this.#isUrgent) this.#start()
    else this.#timer ??= this.#deps.clock.after(FLUSH_MS, () => { this.#start() })
  }

  #drop (why: string): void {
    this.#dropped += 1
    this.#tell(why, 1)
  }

  #start (): void {
    this.#timer?.stop()
    this.#timer = undefined
    this.#writing = this.#flush().finally(() => { this.#writing = undefined }).then(() => { this.#next() })
  }

  /** Never rejects. */
  async #flush (): Promise<void> {
    this.#watch = this.#deps.clock.after(SLOW_MS, () => { this.#tell(`a write takes more than ${SLOW_MS / 1000} s`) })
    const errors = [await this.#events.write(this.#io), await this.#samples.write(this.#io)].filter(error => error !== undefined)
    this.#watch.stop()
    const [error] = errors
    if (error !== undefined && this.#failing) this.#tell(error) // once may be a directory that was just removed
    this.#failing = error !== undefined
    if (!this.#failing) this.#tellOver()
  }

  #next (): void {
    if (this.#closed || this.#waiting === 0) return
    if (this.#failing) this.#timer = this.#deps.clock.after(RETRY_MS, () => { this.#start() })
    else if (this.#isUrgent) this.#start()
    else this.#timer = this.#deps.clock.after(FLUSH_MS, () => { this.#start() })
  }

  /** Once, however long it lasts. What it says comes back here as an event, so it is noted first. */
  #tell (why: string, dropped = 0): void {
    const lastMs = this.#deps.clock.now()
    if (this.#trouble !== undefined) {
      this.#trouble.dropped += dropped
      this.#trouble.lastMs = lastMs
      return
    }
    this.#trouble = { dropped, lastMs }
    const message = `the journal in ${this.#deps.dir} cannot be written as it comes (${why}): samples wait, and are dropped when they are too many`
    this.#deps.log('journal.dropping', { dropped, why }, message)
  }

  #tellOver (): void {
    if (this.#trouble === undefined || this.#deps.clock.now() - this.#trouble.lastMs < CALM_MS) return
    const { dropped } = this.#trouble
    this.#trouble = undefined
    this.#deps.log('journal.writing', { dropped }, `the journal is written again; ${count(dropped, 'line')} ${dropped === 1 ? 'is' : 'are'} missing`)
  }
}

const micros = (ms: number): number => Math.round(ms * 1000) / 1000
