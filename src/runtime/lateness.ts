/**
 * Whether we were ourselves when we looked. An event loop that was blocked finds every deadline passed and every answer
 * late: what fails in such a moment says nothing about the nodes.
 */
import type { Sample } from '../core/model.ts'
import type { Clock, Timer } from './clock.ts'

/** A ticker that comes this much late was blocked. */
export const LATE_MS = 250
const TICK_MS = 100

export class Lateness {
  readonly #clock: Pick<Clock, 'now' | 'every'>
  readonly #onLate: (lateMs: number) => void
  readonly #timer: Timer
  #tickMs: number
  /** The last time we were blocked. */
  #blocked = { fromMs: -Infinity, toMs: -Infinity }

  constructor (clock: Pick<Clock, 'now' | 'every'>, onLate: (lateMs: number) => void = () => undefined) {
    this.#clock = clock
    this.#onLate = onLate
    this.#tickMs = clock.now()
    this.#timer = clock.every(TICK_MS, () => { this.#tick() })
  }

  /** A failure while we were blocked becomes our own trouble; an answer is believed, but what it says against the node is not. */
  taint (sample: Sample): Sample {
    this.#look()
    const { startMs, endMs } = sample
    if (startMs > this.#blocked.toMs || endMs < this.#blocked.fromMs) return sample
    if (sample.ok) return { ...sample, tainted: true }
    return { ok: false, startMs, endMs, error: { class: 'local', message: `hcf itself was held up: ${sample.error.message}` } }
  }

  stop (): void {
    this.#timer.stop()
  }

  #tick (): void {
    this.#look()
    this.#tickMs = this.#clock.now()
  }

  /** An answer may be handled before the ticker that was due with it. */
  #look (): void {
    const now = this.#clock.now()
    const lateMs = now - this.#tickMs - TICK_MS
    if (lateMs <= LATE_MS) return
    const isNew = this.#blocked.fromMs !== this.#tickMs
    this.#blocked = { fromMs: this.#tickMs, toMs: now } // it may go on after an answer was handled in it
    if (isNew) this.#onLate(lateMs)
  }
}
