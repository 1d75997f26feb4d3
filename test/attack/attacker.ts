/**
 * Attacks, in a process of their own: each keeps as many connections of its kind as it is told to, for as long as the
 * parent lives. Says `on` when each has made all of its connections once, and when asked, how many each has made by then.
 */
import { connect, type Socket } from 'node:net'
import type { Attack, AttackKind } from './siege.ts'

const LOOK_EVERY_MS = 5
const MEGABYTE = Buffer.alloc(1024 * 1024, 'a')
const REQUEST = Buffer.from('web/n0\n')
const REQUESTS = Buffer.from('web/n0\n'.repeat(10_000))

/** What it does once connected. It is replaced when it is closed. */
type Behave = (socket: Socket) => void

/** Who sends a byte each 20 ms, and each second. */
const quick = new Set<Socket>()
const slow = new Set<Socket>()

const dripsIn = (drippers: Set<Socket>): Behave => socket => {
  socket.resume()
  drippers.add(socket)
  socket.on('close', () => { drippers.delete(socket) })
}
const drip = (drippers: Set<Socket>): void => { for (const socket of drippers) socket.write('x') }

/** As much as is taken, without an end. */
function pour (socket: Socket, piece: Buffer): void {
  socket.write(piece, error => { if (error === undefined || error === null) pour(socket, piece) })
}

const BEHAVIOUR: Readonly<Record<AttackKind, Behave>> = {
  idle: socket => { socket.resume() },
  'a byte each 20 ms': dripsIn(quick),
  'a byte a second': dripsIn(slow),
  'long line': socket => {
    socket.resume()
    socket.write(MEGABYTE, () => { socket.write('\n', () => { socket.resetAndDestroy() }) })
  },
  'endless line': socket => {
    socket.resume()
    pour(socket, MEGABYTE)
  },
  reset: socket => { socket.resetAndDestroy() },
  'reset after asking': socket => { socket.write(REQUEST, () => { socket.resetAndDestroy() }) },
  stranger: socket => { socket.resume() },
  'half open': socket => {
    socket.resume()
    socket.end('web/n0')
  },
  'never reads': socket => {
    socket.pause()
    pour(socket, REQUESTS)
  }
}

/** One attack, and the addresses of the connections it has still to make. */
class Wave {
  made = 0
  readonly #attack: Attack
  readonly #wanted: string[]
  /** Connections that may be made now. */
  #due = 0

  constructor (attack: Attack) {
    this.#attack = attack
    this.#wanted = Array.from({ length: attack.connections }, (_, i) => attack.sources[i % attack.sources.length]!)
  }

  get isOn (): boolean {
    return this.made >= this.#attack.connections
  }

  look (port: number): void {
    const { perSecond } = this.#attack
    this.#due = Math.min(this.#due + perSecond * LOOK_EVERY_MS / 1000, perSecond / 10)
    for (; this.#due >= 1 && this.#wanted.length > 0; this.#due -= 1) this.#connect(port, this.#wanted.shift()!)
  }

  #connect (port: number, from: string): void {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true, allowHalfOpen: true })
    socket.on('connect', () => {
      this.made += 1
      BEHAVIOUR[this.#attack.kind](socket)
    })
    socket.on('end', () => { socket.end() })
    socket.on('error', () => { /* It is closed then. */ })
    socket.on('close', () => { this.#wanted.push(from) })
  }
}

const { port, attacks } = JSON.parse(process.argv[2] ?? '') as { port: number, attacks: readonly Attack[] }
const waves = attacks.map(attack => new Wave(attack))
let told = false

process.on('message', () => { process.send?.(waves.map(({ made }) => made)) })
process.on('disconnect', () => process.exit(0))
setInterval(drip, 20, quick)
setInterval(drip, 1000, slow)
setInterval(() => {
  for (const wave of waves) wave.look(port)
  if (told || !waves.every(({ isOn }) => isOn)) return
  told = true
  process.send?.('on')
}, LOOK_EVERY_MS)
