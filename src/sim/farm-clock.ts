/**
 * The agent's clock in a simulation: as exact as SimClock, fast enough for thousands of runs, and it may stop as a
 * blocked process does.
 */
import type { Clock, Timer } from '../runtime/clock.ts'

interface Pending {
  dueMs: number
  /** Those of one instant fire in the order of their creation. */
  order: number
  readonly run: () => void
  /** Undefined: once. */
  readonly everyMs: number | undefined
  stopped: boolean
}

/** Where the calendar stands when the monotonic clock says 0. */
const EPOCH_MS = Date.UTC(2026, 0, 1)

/**
 * Turns of the microtask queue that pass for settling. From the end of a look to the scheduler's next timer it takes
 * half of them; a turn of the event loop would do for any number, and costs more than the rest of a step.
 */
const SETTLE_TURNS = 16
const NOTHING = Promise.resolve()

export class FarmClock implements Clock {
  /** A binary heap, the next one first. Stopped ones stay until they are due. */
  readonly #heap: Pending[] = []
  #created = 0
  #nowMs = 0
  #blocked = false
  /** Timers have fired since the last settling; one of them has answered a promise. */
  #fired = false
  #answered = false

  now (): number {
    return this.#nowMs
  }

  wall (): number {
    return EPOCH_MS + this.#nowMs
  }

  after (ms: number, run: () => void): Timer {
    return this.#add(this.#nowMs + Math.max(0, ms), run, undefined)
  }

  /** Late once, it is not made up for: the next one is a whole period after the late one, as with Node's. */
  every (ms: number, run: () => void): Timer {
    if (ms <= 0) throw new RangeError(`a period must be above 0 ms, is ${ms}`)
    return this.#add(this.#nowMs + ms, run, ms)
  }

  /** While blocked no timer fires; what fell due fires late, at the first advance after. */
  set blocked (blocked: boolean) {
    this.#blocked = blocked
  }

  get blocked (): boolean {
    return this.#blocked
  }

  /**
   * Time passes until `untilMs`. Timers fire in the order of their due times, then of their creation. After each one
   * that has answered a promise, and at the end, promises that wait for promises only have time to settle. Nothing to
   * wait for: undefined.
   */
  advance (untilMs: number): Promise<void> | undefined {
    const first = this.#heap[0]
    if (!this.#blocked && first !== undefined && first.dueMs <= untilMs) return this.#fire(untilMs)
    this.#nowMs = untilMs
    return undefined
  }

  async #fire (untilMs: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= untilMs; next = this.#heap[0]) {
      this.#pop()
      if (next.stopped) continue
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      if (next.everyMs !== undefined) this.#again(next, next.everyMs) // before the run, which may stop it
      next.run()
      this.#fired = true
      if (this.#answered) await this.#settle()
    }
    if (this.#fired) await this.#settle()
    this.#nowMs = untilMs
  }

  /** For a timer's run: it has answered a promise, and who waits for that shall go on before the next timer. */
  answered (): void {
    this.#answered = true
  }

  async #settle (): Promise<void> {
    this.#fired = false
    this.#answered = false
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await NOTHING
  }

  #add (dueMs: number, run: () => void, everyMs: number | undefined): Timer {
    const pending: Pending = { dueMs, order: 0, run, everyMs, stopped: false }
    this.#push(pending)
    return { stop: () => { pending.stopped = true } }
  }

  #again (pending: Pending, everyMs: number): void {
    pending.dueMs = this.#nowMs + everyMs
    this.#push(pending)
  }

  #push (pending: Pending): void {
    this.#created += 1
    pending.order = this.#created
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || isBefore(parent, pending)) break
      heap[at] = parent
      at = up
    }
    heap[at] = pending
  }

  #pop (): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const child = this.#smallerChild(at)
      const below = heap[child]
      if (below === undefined || isBefore(last, below)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }

  #smallerChild (at: number): number {
    const left = 2 * at + 1
    const [a, b] = [this.#heap[left], this.#heap[left + 1]]
    return a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left
  }
}

const isBefore = (a: Pending, b: Pending): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
