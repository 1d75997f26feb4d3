/** Which HAProxys ask us, for what, and when last. An HAProxy is known by its source address. */

/** One that has not asked for this long is not waited for when we stop. */
export const POLLER_SILENT_MS = 60_000
/** One that has not asked for this long is not expected back: nobody goes on saying `ready` for it. */
export const POLLER_FORGET_MS = 300_000
/** Addresses remembered for one server, and in all. */
export const POLLERS_MAX = 64

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
    heard.delete(from) // the map is in the order of who asked last: the longest silent one makes room
    if (heard.size >= POLLERS_MAX) heard.delete(heard.keys().next().value ?? '')
    heard.set(from, nowMs)
    if (this.#seen.has(from) || this.#seen.size >= POLLERS_MAX) return
    this.#seen.add(from)
    this.#onFirst(from, id)
  }

  of (id: string): readonly PollerSeen[] {
    return [...this.#byServer.get(id) ?? []].map(([from, lastMs]) => ({ from, lastMs }))
  }

  /** Whether everyone who asked for `id` within `withinMs` has been told since `sinceMs`. */
  allToldSince (id: string, sinceMs: number, nowMs: number, withinMs = POLLER_FORGET_MS): boolean {
    for (const lastMs of this.#byServer.get(id)?.values() ?? []) {
      if (lastMs < sinceMs && nowMs - lastMs < withinMs) return false
    }
    return true
  }

  /** Whether everyone who still asks has been told about every server they ask for: the last word may be the last. */
  everyoneToldSince (sinceMs: number, nowMs: number): boolean {
    return [...this.#byServer.keys()].every(id => this.allToldSince(id, sinceMs, nowMs, POLLER_SILENT_MS))
  }

  forget (known: ReadonlySet<string>): void {
    for (const id of this.#byServer.keys()) if (!known.has(id)) this.#byServer.delete(id)
  }
}
