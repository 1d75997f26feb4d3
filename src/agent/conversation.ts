/**
 * Agent-checks: read the request first, answer in one write, then let the peer close. Takes any streams, so that a test
 * needs no port. Closing first, or an RST over an unread request, loses answers on some HAProxys [check.c].
 *
 * Nearly every request comes whole in its first read, is answered there and reset by its HAProxy. So nothing is set up
 * for a connection that only another kind would need: one timer looks after all of them, and counts ticks, not time.
 * When our own loop is late the ticks are late too, and what has come meanwhile is read before the next: nobody is cut
 * off for our slowness.
 */
import type { Duplex } from 'node:stream'
import { REQUEST_BYTES_MAX } from './protocol.ts'

export const TICK_MS = 10
/** Without a line end, silence this long ends a request: `set server … agent-send` cannot send one. */
export const QUIET_MS = 30
/** How long a peer that has its answer may keep the connection open, and how much it may send: read, and thrown away. */
export const LINGER_MS = 1000
export const SURPLUS_BYTES_MAX = 65_536

export interface Timer { stop: () => void }

/** Who is at the other end. */
export interface Peer {
  readonly from: string
  /** How many of its connections have not sent their whole request yet: kept by their conversations. */
  asking: number
}

export interface ConversationLimits {
  readonly maxConnections: number
  /** From the first byte to the end of the request; what has come by then is the request. */
  readonly lineTimeoutMs: number
}

export interface ConversationDeps {
  readonly after: (ms: number, run: () => void) => Timer
  /** The line for what was asked. */
  readonly answer: (request: string, from: string) => Buffer
  /** Somebody had to make room for the next. */
  readonly onCrowded: (from: string, why: string) => void
}

interface Talk {
  readonly stream: Duplex
  readonly peer: Peer
  /** What has come of its request. */
  heard: Buffer
  /** The tick at which silence ends the request, and the one at which its line must; once answered, when it must be gone. */
  untilTick: number
  lineTick: number
  surplusBytes: number
}

const LF = 0x0a
const CR = 0x0d
const NOTHING = Buffer.alloc(0)

/** So many ticks last that long at least: the first one is under way. */
const ticks = (ms: number): number => Math.ceil(ms / TICK_MS) + 1

/** All that go on at one listener. */
export class Conversations {
  readonly #deps: ConversationDeps
  #limits: ConversationLimits
  /** Those whose request is not whole, and those that have their answer: each in the order in which they came to that. */
  readonly #asking = new Set<Talk>()
  readonly #answered = new Set<Talk>()
  #tick = 0
  #timer: Timer | undefined

  constructor (limits: ConversationLimits, deps: ConversationDeps) {
    this.#limits = limits
    this.#deps = deps
  }

  /** From the next connection on. */
  limit (limits: ConversationLimits): void {
    this.#limits = limits
  }

  /** Serves one agent-check on a stream that has just been opened. */
  serve (stream: Duplex, peer: Peer): void {
    while (this.#size >= this.#limits.maxConnections) this.#makeRoom()
    const talk: Talk = { stream, peer, heard: NOTHING, untilTick: this.#tick + ticks(QUIET_MS), lineTick: Infinity, surplusBytes: 0 }
    this.#asking.add(talk)
    peer.asking += 1
    this.#timer ??= this.#deps.after(TICK_MS, this.#onTick)

    stream.on('data', (chunk: Buffer) => { this.#hear(talk, chunk) })
    stream.on('end', () => {
      this.#answer(talk)
      stream.end() // the peer has said all it will: nothing can be lost by closing now
    })
    // An ECONNRESET after a whole answer is how HAProxy ends a check; before one there is nobody left to answer.
    stream.on('error', () => { stream.destroy() })
    stream.on('close', () => { this.#forget(talk) })
  }

  /** Ends them all. */
  close (): void {
    for (const talk of [...this.#asking, ...this.#answered]) this.#end(talk)
    this.#timer?.stop()
    this.#timer = undefined
  }

  get #size (): number {
    return this.#asking.size + this.#answered.size
  }

  #hear (talk: Talk, chunk: Buffer): void {
    if (!this.#asking.has(talk)) return this.#ignore(talk, chunk)
    talk.heard = talk.heard === NOTHING ? chunk : Buffer.concat([talk.heard, chunk])
    if (talk.heard.length > REQUEST_BYTES_MAX || chunk.includes(LF) || chunk.includes(CR)) return this.#answer(talk)
    talk.untilTick = this.#tick + ticks(QUIET_MS)
    if (talk.lineTick === Infinity) talk.lineTick = this.#tick + ticks(this.#limits.lineTimeoutMs)
  }

  #answer (talk: Talk): void {
    if (!this.#asking.delete(talk)) return
    const { stream, peer, heard } = talk
    peer.asking -= 1
    talk.heard = NOTHING
    talk.untilTick = this.#tick + ticks(LINGER_MS)
    this.#answered.add(talk)
    stream.write(this.#deps.answer(heard.toString('latin1', 0, REQUEST_BYTES_MAX + 1), peer.from))
  }

  /** Read on, so that no unread byte turns the close into an RST; but not for ever. */
  #ignore (talk: Talk, { length }: Buffer): void {
    talk.surplusBytes += length
    if (talk.surplusBytes > SURPLUS_BYTES_MAX) this.#end(talk)
  }

  #end (talk: Talk): void {
    this.#forget(talk)
    talk.stream.destroy()
  }

  #forget (talk: Talk): void {
    if (this.#asking.delete(talk)) talk.peer.asking -= 1
    else this.#answered.delete(talk)
  }

  readonly #onTick = (): void => {
    this.#tick += 1
    for (const talk of this.#asking) if (this.#tick >= Math.min(talk.untilTick, talk.lineTick)) this.#answer(talk)
    for (const talk of this.#answered) {
      if (this.#tick < talk.untilTick) break // and so do all that were answered after it
      this.#end(talk)
    }
    this.#timer = this.#size > 0 ? this.#deps.after(TICK_MS, this.#onTick) : undefined
  }

  /**
   * The oldest that has its answer goes first: it loses nothing. Then, of the peer with the most of them, the one that has
   * been asking longest: who takes every place takes them from itself, and an HAProxy that asks at once comes through.
   */
  #makeRoom (): void {
    const [answered] = this.#answered
    const talk = answered ?? this.#longestOfTheGreediest()
    if (talk === undefined) return
    const over = `over ${this.#limits.maxConnections} connections`
    this.#deps.onCrowded(talk.peer.from, answered === undefined ? over : `${over}, closed early after its answer`)
    this.#end(talk)
  }

  #longestOfTheGreediest (): Talk | undefined {
    let found: Talk | undefined
    for (const talk of this.#asking) {
      if (talk.peer.asking > (found?.peer.asking ?? 0)) found = talk
      if (talk.peer.asking * 2 > this.#asking.size) return talk // nobody can have more
    }
    return found
  }
}
