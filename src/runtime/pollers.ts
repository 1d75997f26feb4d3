/** Which HAProxys ask us, for what, and when last. An HAProxy is known by its source address. */

/** One that has not asked for this long is no longer waited for. */
export const POLLER_FORGET_MS = 60_000
/** Addresses remembered for one server, and in all. */
const POLLERS_MAX = 64

export interface PollerSeen { readonly from: string, readonly lastMs: number }

export class Pollers {
  readonly #byServer = new Map<string, Map<string, number>>()
  readonly #seen = new Set<string>()
  readonly #onFirst: (from: string, id: string) => void

  constructor (onFirst: (from: string, id: string) => void) {
    this.#onFirst = onFirst
  }

  /** `from` was told about server `id` at `nowMs`. */
  told (id: string, from: string, nowMs: number): void {
    let heard = this.#byServer.get(id)
    if (heard === undefined) this.#byServer.set(id, heard = new Map())
    if (!heard.has(from) && heard.size >= POLLERS_MAX) heard.delete(heard.keys().next().value ?? '')
    heard.set(from, nowMs)
    if (this.#seen.has(from) || this.#seen.size >= POLLERS_MAX) return
    this.#seen.add(from)
    this.#onFirst(from, id)
  }

  of (id: string): readonly PollerSeen[] {
    return [...this.#byServer.get(id) ?? []].map(([from, lastMs]) => ({ from, lastMs }))
  }

  /** Whether everyone who still asks for `id` has been told since `sinceMs`. */
  allToldSince (id: string, sinceMs: number, nowMs: number): boolean {
    for (const lastMs of this.#byServer.get(id)?.values() ?? []) {
      if (lastMs < sinceMs && nowMs - lastMs < POLLER_FORGET_MS) return false
    }
    return true
  }

  /** The same, for every server. */
  everyoneToldSince (sinceMs: number, nowMs: number): boolean {
    return [...this.#byServer.keys()].every(id => this.allToldSince(id, sinceMs, nowMs))
  }

  forget (known: ReadonlySet<string>): void {
    for (const id of this.#byServer.keys()) if (!known.has(id)) this.#byServer.delete(id)
  }
}
