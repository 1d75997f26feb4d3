/** Chance that is the same in every run. */

/**
 * A number in [0, 1) that follows from its keys alone (32-bit integers), however often and in whatever order it is asked
 * for. So one seed gives every policy the same luck, though each looks at other times.
 */
export function uniform (seed: number, a: number, b: number, c: number): number {
  let hash = mix(mix(mix(mix(0x9e3779b9, seed), a), b), c)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000
}

/** One round of MurmurHash3. */
function mix (hash: number, key: number): number {
  const scrambled = Math.imul(key, 0xcc9e2d51)
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593)
  return Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64
}

/** A row of numbers from a seed, for those who make things up: scenarios, histories. */
export class Random {
  readonly #seed: number
  #drawn = 0

  constructor (seed: number) {
    this.#seed = seed
  }

  /** In [0, 1). */
  next (): number {
    this.#drawn += 1
    return uniform(this.#seed, this.#drawn, 0, 0)
  }

  /** In [low, high). */
  between (low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  /** A whole number, 0 … n-1. */
  below (n: number): number {
    return Math.floor(this.next() * n)
  }

  chance (probability: number): boolean {
    return this.next() < probability
  }

  pick<T> (items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0]
  }

  /** `n` different ones, or all there are, in the order they were drawn. */
  some<T> (items: readonly T[], n: number): readonly T[] {
    const left = [...items]
    return Array.from({ length: Math.min(n, left.length) }, () => left.splice(this.below(left.length), 1)).flat()
  }
}
