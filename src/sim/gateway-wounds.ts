/** What can be wrong with a simulated gateway, and what that makes of its storage servers. */

export interface Wounds {
  /**
   * - refused: nothing listens; back on the same port as a freshly started node
   * - hang: accepts and never answers; what was asked meanwhile is dropped when it ends
   * - blocked: accepts, and answers everything at once when it ends (blocked reactor, SIGSTOP and SIGCONT)
   * - accept-close: closes each connection as soon as it is made (no file descriptors left)
   */
  readonly mode: 'ok' | 'refused' | 'hang' | 'blocked' | 'accept-close'
  /** Every answer is late by this much. */
  readonly delayMs: number
  /** CPU seconds spent per second. */
  readonly cpu: number
  /** False: `servers` is empty, as just after a start. */
  readonly storageAnnounced: boolean
  /** So many storage servers are connected: the first ones. */
  readonly storageConnected: number
  /** So many of the connected ones hang; the next ones are full, the next have broken disks. */
  readonly storageHung: number
  readonly storageFull: number
  readonly disksBroken: number
  /** Real files cannot be read or written; everything else is fine. */
  readonly threadsExhausted: boolean
  readonly introducerConnected: boolean
  /** Text (a cap) that the node puts wherever it can say something, to see that it is never shown. Empty: none. */
  readonly leak: string
}

/** Nothing is wrong, with any number of storage servers. */
export const HEALTHY: Wounds = Object.freeze({
  mode: 'ok',
  delayMs: 0,
  cpu: 0.03,
  storageAnnounced: true,
  storageConnected: Infinity,
  storageHung: 0,
  storageFull: 0,
  disksBroken: 0,
  threadsExhausted: false,
  introducerConnected: true,
  leak: ''
})

/** One storage server as it is. */
export interface Storage { readonly up: boolean, readonly hung: boolean, readonly full: boolean, readonly broken: boolean }

/** So many storage servers with these wounds. Wounds go to different ones as long as there are any left, then round again. */
export function storageStates ({ storageAnnounced, storageConnected, storageHung, storageFull, disksBroken }: Wounds, servers: number): readonly Storage[] {
  const up = storageAnnounced ? Math.min(storageConnected, servers) : 0
  const hit = (i: number, from: number, many: number): boolean => i < up && (i - from % up + up) % up < many
  return Array.from({ length: servers }, (_, i) => ({
    up: i < up,
    hung: hit(i, 0, storageHung),
    full: hit(i, storageHung, storageFull),
    broken: hit(i, storageHung + storageFull, disksBroken)
  }))
}
