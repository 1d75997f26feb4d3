/** Probes of nodes on loopback, under deadlines that expire when the test says so. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { Facts, ProbeError, Sample } from '../../src/core/model.ts'
import type { Node, Poll, Probe, ProbeRequest } from '../../src/core/probe.ts'
import { Deadlines, TICK_MS } from '../../src/probes/deadline.ts'
import { createProbe, type ProbeDeps } from '../../src/probes/index.ts'

export const TIMEOUT_MS = 300
/** At this tick, and not before, what has so many ms is over. */
export const ticksOf = (ms: number): number => Math.ceil(ms / TICK_MS) + 1
export const TIMEOUT_TICKS = ticksOf(TIMEOUT_MS)

/** The ticker of all deadlines, turned by hand. */
export class HandTicker {
  running = 0
  readonly deadlines: Deadlines
  #tick: () => void = () => undefined

  constructor () {
    this.deadlines = new Deadlines((tick, everyMs) => {
      if (everyMs !== TICK_MS) throw new RangeError(`a tick of ${everyMs} ms`)
      this.running += 1
      this.#tick = tick
      return { stop: () => { this.running -= 1 } }
    })
  }

  tick (times = 1): void {
    for (let i = 0; i < times && this.running > 0; i += 1) this.#tick()
  }
}

export interface ProbeUnderTest extends Probe {
  readonly ticker: HandTicker
  /** What the clock of the probe shows. */
  readonly clock: { nowMs: number }
}

/** A probe for as long as the test lasts. */
export function probe (t: Test, node: Node, request: ProbeRequest, more: Pick<Poll, 'hedgeMs'> = {}, keeps?: ProbeDeps['keeps']): ProbeUnderTest {
  const ticker = new HandTicker()
  const clock = { nowMs: 0 }
  const poll: Poll = { key: 'poll', node, request, intervalMs: 2000, fastMs: 500, timeoutMs: TIMEOUT_MS, readers: [], ...more }
  const made = createProbe(poll, { now: () => clock.nowMs, deadlines: ticker.deadlines, ...(keeps === undefined ? {} : { keeps }) })
  t.teardown(() => { made.close() })
  return { ...made, ticker, clock }
}

export const nodeAt = (port: number, more: Partial<Node> = {}): Node =>
  ({ key: 'node', protocol: 'http', host: '127.0.0.1', port, ...more })

/** `GET /` with nothing asked of the body. */
export const GET: Extract<ProbeRequest, { readonly kind: 'http' }> = {
  kind: 'http',
  options: { method: 'GET', path: '/', headers: {}, follow: 0, pointers: [] }
}
export const WRITE: ProbeRequest = { kind: 'tahoe-write', options: { bytes: 100 } }

/** The facts of a good sample, or the error of a bad one. */
export const outcome = (sample: Sample): Facts | ProbeError => sample.ok ? sample.facts : sample.error

/** A server that handles each connection as told, and its port. */
export async function serve (t: Test, handle: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => { /* Clients under test go away as they like. */ })
    handle(socket)
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  return listenOn(t, server, host)
}

/** The port of a server that listens as long as the test lasts. */
export async function listenOn (t: Test, server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** The head of each HTTP request on a connection, as it comes. Bodies are short, and come with their heads. */
export function onRequest (socket: Socket, answer: (head: string) => void): void {
  socket.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1')
    if (/^[A-Z]+ \//.test(text)) answer(text)
  })
}

export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

/** What somebody waits for that happens elsewhere. */
export function signal (): { readonly given: Promise<void>, give: () => void } {
  let give = (): void => undefined
  const given = new Promise<void>(resolve => { give = resolve })
  return { given, give: () => { give() } }
}

export interface Blackhole { readonly port: number, readonly full: () => Promise<void>, readonly wake: () => void }

/** A node that has been stopped and takes no connection any more, as behind a firewall that drops; `wake` it to answer. */
export async function blackhole (t: Test): Promise<Blackhole> {
  const script = `const server = require('node:http').createServer((_, res) => res.end('awake'))
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data') as [Buffer]
  const port = Number(line.toString())
  return {
    port,
    full: async () => {
      child.kill('SIGSTOP')
      for (let i = 0; i < 2; i += 1) { // a backlog of 1 holds two [listen(2)]
        const socket = connect(port, '127.0.0.1')
        t.teardown(() => socket.destroy())
        await once(socket, 'connect')
      }
    },
    wake: () => { child.kill('SIGCONT') }
  }
}
