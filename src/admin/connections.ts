/** Who may be connected at once. Strangers never take the last places, which are this machine's, nor one of them those of all the others. */
import { isLocal, neighbourhoodOf, type Ends } from './address.ts'

export interface ConnectionLimits {
  /** In all. */
  readonly connections: number
  /** For this machine alone. */
  readonly reserved: number
  /** From one address elsewhere. */
  readonly perAddress: number
}

interface Peer extends Ends {
  readonly once: (event: 'close', listener: () => void) => unknown
  readonly destroy: () => unknown
}

export class Connections {
  readonly #limits: ConnectionLimits
  /** From elsewhere, by address. */
  readonly #outside = new Map<string, number>()
  #count = 0

  constructor (limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** Whoever there is no room for is cut off unheard. */
  take (socket: Peer, overUnix: boolean): void {
    const from = overUnix || isLocal(socket) ? undefined : neighbourhoodOf(socket.remoteAddress ?? 'gone')
    if (from !== undefined && !this.#hasRoomFor(from)) {
      socket.destroy()
      return
    }
    this.#add(from, 1)
    socket.once('close', () => { this.#add(from, -1) })
  }

  #hasRoomFor (from: string): boolean {
    const { connections, reserved, perAddress } = this.#limits
    return this.#count < connections - reserved && this.#of(from) < perAddress
  }

  #of (from: string): number {
    return this.#outside.get(from) ?? 0
  }

  #add (from: string | undefined, more: number): void {
    this.#count += more
    if (from === undefined) return
    const count = this.#of(from) + more
    if (count > 0) this.#outside.set(from, count)
    else this.#outside.delete(from)
  }
}
