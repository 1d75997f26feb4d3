/** Time that passes only when told to: the same order of events in every run, and no waiting. */
import type { Clock, Timer } from '../runtime/clock.ts'

interface Pending { readonly dueMs: number, readonly run: () => void }

/** Where the calendar stands when the monotonic clock says 0. */
const EPOCH_MS = Date.UTC(2026, 0, 1)

export class SimClock implements Clock {
  readonly #epochMs: number
  /** In the order of their creation. */
  readonly #pending = new Set<Pending>()
  #nowMs = 0
  #advancing = false

  constructor ({ epochMs = EPOCH_MS } = {}) {
    this.#epochMs = epochMs
  }

  now (): number {
    return this.#nowMs
  }

  wall (): number {
    return Math.floor(this.#epochMs + this.#nowMs) // whole ms, as the system's
  }

  after (ms: number, run: () => void): Timer {
    return this.#add(this.#nowMs + Math.max(0, ms), run)
  }

  every (ms: number, run: () => void): Timer {
    if (ms <= 0) throw new RangeError(`a period must be above 0 ms, is ${ms}`)
    let timer: Timer
    const again = (dueMs: number): void => {
      timer = this.#add(dueMs, () => {
        again(dueMs + ms) // before the run, which may stop it
        run()
      })
    }
    again(this.#nowMs + ms)
    return { stop: () => { timer.stop() } }
  }

  /** Timers that wait. */
  get waiting (): number {
    return this.#pending.size
  }

  /**
   * Lets `ms` pass. Timers fire one by one, in the order of their due times, then of their creation. Before the first
   * and after each one, a turn of the event loop (`setImmediate`) lets every promise settle that waits for promises
   * only; what waits for real I/O is not waited for.
   */
  async advance (ms: number): Promise<void> {
    if (this.#advancing) throw new Error('time is passing already: await the advance before')
    this.#advancing = true
    try {
      const untilMs = this.#nowMs + ms
      await settle()
      for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
        this.#pending.delete(next)
        this.#nowMs = next.dueMs
        next.run()
        await settle()
      }
      this.#nowMs = untilMs
    } finally {
      this.#advancing = false
    }
  }

  #add (dueMs: number, run: () => void): Timer {
    const pending: Pending = { dueMs, run }
    this.#pending.add(pending)
    return { stop: () => { this.#pending.delete(pending) } }
  }

  #next (untilMs: number): Pending | undefined {
    let first: Pending | undefined
    for (const pending of this.#pending) {
      if (pending.dueMs <= untilMs && pending.dueMs < (first?.dueMs ?? Infinity)) first = pending
    }
    return first
  }
}

const settle = async (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })
