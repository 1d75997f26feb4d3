/** What has been worked out once for a key, for so many keys: then it begins anew, for keys come from outside. */
export class Memo<K, V> {
  readonly #known = new Map<K, V>()
  readonly #keysMax: number
  readonly #workOut: (key: K) => V

  constructor (keysMax: number, workOut: (key: K) => V) {
    this.#keysMax = keysMax
    this.#workOut = workOut
  }

  get (key: K): V {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= this.#keysMax) this.#known.clear()
    const value = this.#workOut(key)
    this.#known.set(key, value)
    return value
  }
}
