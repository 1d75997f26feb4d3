/**
 * How many looks may be under way at once, and who is next. Who finds no place waits in a line, each at most once in it,
 * and enters in the order of coming: nobody is passed over, however crowded it is.
 */
import type { Clock, Timer } from './clock.ts'

/** Of a line so many enter at once. */
export const LET_IN_MAX = 32

export interface Guest {
  /** How many it takes: one for each connection. Does not change while it waits or is in. */
  readonly places: number
}

export interface PlacesOptions<G> {
  readonly clock: Pick<Clock, 'after'>
  /** Of all that are in together. Who takes more than that enters alone. */
  readonly max: () => number
  /** When places are free again, the line moves so much later, and no more than LET_IN_MAX enter; then again. */
  readonly letInMs: number
  readonly enter: (guest: G) => void
}

export class Places<G extends Guest> {
  readonly #options: PlacesOptions<G>
  readonly #line = new Set<G>()
  #taken = 0
  #timer: Timer | undefined

  constructor (options: PlacesOptions<G>) {
    this.#options = options
  }

  /** It enters at once, or in its turn. */
  come (guest: G): void {
    if (this.#line.size === 0 && this.#fits(guest)) this.#let(guest)
    else this.#line.add(guest)
  }

  /** It was in, and is done. */
  leave (guest: G): void {
    this.#taken -= guest.places
    this.#move()
  }

  /** It does not wait any more, if it did. */
  forget (guest: G): void {
    if (!this.#line.delete(guest)) return
    this.#timer?.stop()
    this.#timer = undefined
    this.#move() // who is first now may take less
  }

  #fits ({ places }: Guest): boolean {
    return this.#taken === 0 || this.#taken + places <= this.#options.max()
  }

  #let (guest: G): void {
    this.#taken += guest.places
    this.#options.enter(guest)
  }

  #move (): void {
    const [first] = this.#line
    if (first === undefined || this.#timer !== undefined || !this.#fits(first)) return
    this.#timer = this.#options.clock.after(this.#options.letInMs, () => {
      this.#timer = undefined
      this.#letIn()
    })
  }

  #letIn (): void {
    let left = LET_IN_MAX
    for (const guest of this.#line) {
      if (left === 0 || !this.#fits(guest)) break
      left -= 1
      this.#line.delete(guest)
      this.#let(guest)
    }
    this.#move()
  }
}
