/** How often somebody may guess. Guesses with more than a few failures behind them are refused before they cost anything. */
import { isIPv6 } from 'node:net'

export const FAILURES_MAX = 5
export const WINDOW_MS = 60_000
/** Who comes from more addresses than this finds the hashes themselves rationed (tokens.ts). */
export const ADDRESSES_MAX = 1024

/** An attempt that may be made; `forgive` it when it turns out to be no failure. */
export interface Attempt { readonly forgive: () => void }

export class Attempts {
  /** When each address last failed, or began what may fail. Oldest address first. */
  readonly #times = new Map<string, readonly number[]>()
  readonly #now: () => number

  constructor (now: () => number) {
    this.#now = now
  }

  /** Counts as failed until it is forgiven: many at once must not get past the limit together. */
  begin (address: string): Attempt | { readonly waitMs: number } {
    const now = this.#now()
    const key = keyOf(address)
    const recent = (this.#times.get(key) ?? []).filter(time => now - time < WINDOW_MS)
    const [first = now] = recent
    if (recent.length >= FAILURES_MAX) return { waitMs: first + WINDOW_MS - now }
    this.#keep(key, [...recent, now])
    return { forgive: () => { this.#forgive(key, now) } }
  }

  #keep (key: string, times: readonly number[]): void {
    this.#times.delete(key) // so that it becomes the youngest
    if (times.length > 0) this.#times.set(key, times)
    const [oldest] = this.#times.keys()
    if (this.#times.size > ADDRESSES_MAX && oldest !== undefined) this.#times.delete(oldest)
  }

  #forgive (key: string, time: number): void {
    const times = this.#times.get(key) ?? []
    const i = times.indexOf(time)
    if (i >= 0) this.#keep(key, times.toSpliced(i, 1))
  }
}

/** Of IPv6, whoever has one address has the /64 around it. */
function keyOf (address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  return [...front, ...zeros, ...back].slice(0, 4).join(':')
}
