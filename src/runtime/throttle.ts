/** Says yes once per key and period, so that a mistake repeated at each check fills no log. */
import type { Clock } from './clock.ts'

/** Keys come from outside: past this many, everything new shares one. */
export const KEYS_MAX = 1000
const OVERFLOW = '\0more'

export class Throttle {
  readonly #clock: Pick<Clock, 'now'>
  readonly #periodMs: number
  readonly #keysMax: number
  readonly #last = new Map<string, number>()

  constructor (clock: Pick<Clock, 'now'>, periodMs: number, keysMax = KEYS_MAX) {
    this.#clock = clock
    this.#periodMs = periodMs
    this.#keysMax = keysMax
  }

  allow (key: string): boolean {
    const now = this.#clock.now()
    const counted = this.#last.has(key) || this.#last.size < this.#keysMax ? key : this.#prune(now) ? key : OVERFLOW
    const last = this.#last.get(counted)
    if (last !== undefined && now - last < this.#periodMs) return false
    this.#last.delete(counted) // the map is in the order of who was allowed last
    this.#last.set(counted, now)
    return true
  }

  #prune (now: number): boolean {
    for (const [key, last] of this.#last) {
      if (now - last < this.#periodMs) break // and so are all after it
      this.#last.delete(key)
    }
    return this.#last.size < this.#keysMax
  }
}
