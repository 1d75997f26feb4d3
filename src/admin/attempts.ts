/** How often somebody may guess. Guesses with more than a few failures behind them are refused before they cost anything. */
import { neighbourhoodOf } from './address.ts'

export const FAILURES_MAX = 5
export const WINDOW_MS = 60_000
/** Who comes from more addresses than this finds the hashes themselves rationed (tokens.ts). */
export const ADDRESSES_MAX = 1024
/** Of one address. Few addresses can have any: it takes guesses under way, and of those there are few at all (tokens.ts). */
export const WAITING_MAX = 32

/** It may be made. `end` it with what came of it, or its place is taken for ever. */
export interface Attempt { readonly end: (wrong: boolean) => void }
/** So many have failed that it is not looked at. */
interface Refused { readonly waitMs: number }

interface UnderWay {
  count: number
  readonly waiting: Array<(outcome: Attempt | Refused) => void>
}

export class Attempts {
  /** When the failed ones of each address began, in this order. The address that failed last is the last. */
  readonly #failures = new Map<string, readonly number[]>()
  readonly #underWay = new Map<string, UnderWay>()
  readonly #now: () => number

  constructor (now: () => number) {
    this.#now = now
  }

  /**
   * One under way might fail: as many at once as may fail at all, so that they do not get past the limit together. The
   * others wait for them, since people behind one address who all are right must not lock each other out. `busy`: too
   * many wait already.
   */
  async begin (address: string): Promise<Attempt | Refused | 'busy'> {
    const key = neighbourhoodOf(address)
    const outcome = this.#try(key)
    if (outcome !== undefined) return outcome
    const { waiting } = this.#ofKey(key)
    if (waiting.length >= WAITING_MAX) return 'busy'
    return new Promise(resolve => { waiting.push(resolve) })
  }

  /** Undefined while only those under way are in its way. */
  #try (key: string): Attempt | Refused | undefined {
    const now = this.#now()
    const failures = this.#recent(key)
    const [first = now] = failures
    if (failures.length >= FAILURES_MAX) return { waitMs: first + WINDOW_MS - now }
    const underWay = this.#ofKey(key)
    if (failures.length + underWay.count >= FAILURES_MAX) return undefined
    underWay.count += 1
    this.#underWay.set(key, underWay)
    return { end: wrong => { this.#end(key, wrong ? now : undefined) } }
  }

  #end (key: string, failedMs: number | undefined): void {
    if (failedMs !== undefined) this.#keep(key, [...this.#recent(key), failedMs].toSorted((a, b) => a - b))
    const underWay = this.#ofKey(key)
    underWay.count -= 1
    this.#letIn(key, underWay.waiting)
    if (underWay.count === 0) this.#underWay.delete(key) // then nobody waits: there would have been room, or a refusal
  }

  #letIn (key: string, waiting: UnderWay['waiting']): void {
    while (waiting.length > 0) {
      const outcome = this.#try(key)
      if (outcome === undefined) return
      waiting.shift()?.(outcome)
    }
  }

  #ofKey (key: string): UnderWay {
    return this.#underWay.get(key) ?? { count: 0, waiting: [] }
  }

  #recent (key: string): readonly number[] {
    const now = this.#now()
    return (this.#failures.get(key) ?? []).filter(time => now - time < WINDOW_MS)
  }

  #keep (key: string, times: readonly number[]): void {
    this.#failures.delete(key) // so that it becomes the youngest
    this.#failures.set(key, times)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > ADDRESSES_MAX && oldest !== undefined) this.#failures.delete(oldest)
  }
}
