/** Which HAProxys ask us, for what, and when last. An HAProxy is known by its source address. */

/** One that has not asked for this long is not waited for when we stop. */
export const POLLER_SILENT_MS = 60_000
/** Addresses remembered for one server, and in all. */
export const POLLERS_MAX = 64

export interface PollerSeen { readonly from: string, readonly lastMs: number }

interface Asked { readonly lastMs: number, readonly times: number }

export class Pollers {
  readonly #byServer = new Map<string, Map<string, Asked>>()
  readonly #seen = new Set<string>()
  readonly #onFirst: (from: string, id: string) => void

  constructor (onFirst: (from: string, id: string) => void) {
    this.#onFirst = onFirst
  }

  /** `from` was told about server `id` at `nowMs`. */
  told (id: string, from: string, nowMs: number): void {
    let heard = this.#byServer.get(id)
    if (heard === undefined) this.#byServer.set(id, heard = new Map())
    const times = (heard.get(from)?.times ?? 0) + 1
    heard.delete(from) // the map is in the order of who asked last: the longest silent one makes room
    if (heard.size >= POLLERS_MAX) heard.delete(heard.keys().next().value ?? '')
    heard.set(from, { lastMs: nowMs, times })
    if (this.#seen.has(from) || this.#seen.size >= POLLERS_MAX) return
    this.#seen.add(from)
    this.#onFirst(from, id)
  }

  of (id: string): readonly PollerSeen[] {
    return [...this.#byServer.get(id) ?? []].map(([from, { lastMs }]) => ({ from, lastMs }))
  }

  /**
   * Whether everyone who still asks has been told about every server they ask for: the last word may be the last.
   * Who asked only once is a person trying it out.
   */
  everyoneToldSince (sinceMs: number, nowMs: number): boolean {
    for (const heard of this.#byServer.values()) {
      for (const { lastMs, times } of heard.values()) {
        if (times > 1 && lastMs < sinceMs && nowMs - lastMs < POLLER_SILENT_MS) return false
      }
    }
    return true
  }

  forget (known: ReadonlySet<string>): void {
    for (const id of this.#byServer.keys()) if (!known.has(id)) this.#byServer.delete(id)
  }
}
