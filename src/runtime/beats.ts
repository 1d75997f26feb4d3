/**
 * Timers that strike together. What is due within one beat shares one timer and one turn of the event loop: thousands of
 * polls a second, each on a timer and a turn of its own, cost a third more.
 */
import type { Clock, Timer } from './clock.ts'

/** Short enough that what HAProxy asks meanwhile does not wait for it. */
export const BEAT_MS = 5

/** The beat at this time, or the next one. */
export const onBeat = (ms: number): number => Math.ceil(ms / BEAT_MS) * BEAT_MS

interface Beat<T> { readonly due: Set<T>, readonly timer: Timer }

export class Beats<T> {
  readonly #clock: Pick<Clock, 'now' | 'after'>
  readonly #strike: (each: T) => void
  readonly #beats = new Map<number, Beat<T>>()

  constructor (clock: Pick<Clock, 'now' | 'after'>, strike: (each: T) => void) {
    this.#clock = clock
    this.#strike = strike
  }

  /** `atMs`: monotonic. What has passed is due at once. */
  add (each: T, atMs: number): void {
    const beatMs = onBeat(atMs)
    const beat = this.#beats.get(beatMs)
    if (beat !== undefined) {
      beat.due.add(each)
      return
    }
    const timer = this.#clock.after(Math.max(0, beatMs - this.#clock.now()), () => { this.#fire(beatMs) })
    this.#beats.set(beatMs, { due: new Set([each]), timer })
  }

  /** `atMs` as it was added. */
  delete (each: T, atMs: number): void {
    const beatMs = onBeat(atMs)
    const beat = this.#beats.get(beatMs)
    if (beat?.due.delete(each) !== true || beat.due.size > 0) return
    beat.timer.stop()
    this.#beats.delete(beatMs)
  }

  #fire (beatMs: number): void {
    const due = this.#beats.get(beatMs)?.due ?? []
    this.#beats.delete(beatMs) // first: what comes for the same time meanwhile is another beat
    for (const each of due) this.#strike(each)
  }
}
