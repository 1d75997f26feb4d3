/**
 * A simulated Tahoe-LAFS gateway: a real HTTP server on loopback that can be wounded while it runs, and then answers,
 * lies, hangs and refuses as Tahoe-LAFS 1.20 was measured to do [webapi].
 */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { page, plainError, statistics, type Answer } from './gateway-answers.ts'
import { Grid, type GridOptions, type Wait } from './gateway-grid.ts'
import { HEALTHY, type Wounds } from './gateway-wounds.ts'

export { HEALTHY, type Wounds } from './gateway-wounds.ts'
export type { Files } from './gateway-grid.ts'
export type { StorageProtocol } from './gateway-answers.ts'

export interface GatewayOptions extends GridOptions {
  readonly name?: string
  /** 0: any free one, the same from then on. */
  readonly port?: number
  readonly host?: string
}

export type RequestKind = 'front' | 'statistics' | 'read' | 'info' | 'upload' | 'create' | 'overwrite' | 'check' | 'other'

/** One answer given. Never its path: that may be a cap. */
export interface Served { readonly method: string, readonly kind: RequestKind, readonly status: number }

/** A request that has no answer yet. */
interface Work {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** Decoded; undefined when it cannot be. */
  readonly cap: string | undefined
  readonly kind: RequestKind
  readonly body: Buffer
  readonly res: ServerResponse
  readonly sinceMs: number
  /** It waits for the wounds to change. */
  held: boolean
  timer: NodeJS.Timeout | undefined
}

const BODY_BYTES_MAX = 1024 * 1024
const LOG_MAX = 200
const KEEP_ALIVE_MS = 60_000
/** CPU seconds that a start costs, and the uptime from which there are averages. */
const START_CPU_SECONDS = 1
const AVERAGES_AFTER_SECONDS = 60

export class Gateway {
  readonly name: string
  readonly host: string
  /** Connections accepted, requests received to their end, answers given. */
  connections = 0
  received = 0
  served = 0
  readonly #grid: Grid
  readonly #server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS })
  readonly #sockets = new Set<Socket>()
  readonly #works = new Set<Work>()
  readonly #log: Served[] = []
  /** The wall clock less the monotonic one. */
  readonly #epochMs = Date.now() - performance.now()
  #waiters: Array<{ readonly count: number, readonly resolve: () => void }> = []
  #startMs = performance.now()
  #cpu = { seconds: START_CPU_SECONDS, atMs: this.#startMs }
  #port = 0
  #stopped = false
  #settled: Promise<void> = Promise.resolve()

  static async start (options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = new Gateway(options)
    await gateway.#listen(options.port ?? 0)
    return gateway
  }

  private constructor (options: GatewayOptions) {
    this.name = options.name ?? 'gateway'
    this.host = options.host ?? '127.0.0.1'
    this.#grid = new Grid(options, this.#startMs)
    this.#server.on('connection', socket => { this.#connected(socket) })
    this.#server.on('request', (req, res) => { void this.#receive(req, res) })
  }

  get port (): number { return this.#port }
  get url (): string { return `http://${this.host}:${this.#port}` }
  get wounds (): Wounds { return this.#grid.wounds }
  get caps (): Grid['caps'] { return this.#grid.caps }
  /** What the immutable cap opens. */
  get file (): Buffer { return this.#grid.file }
  /** The identities of the storage servers; those that `storageConnected` leaves come first. */
  get nodeIds (): readonly string[] { return this.#grid.nodeIds }
  /** The last answers given. */
  get log (): readonly Served[] { return this.#log }

  /** Changes some wounds; resolves when they are in effect. */
  async wound (changes: Partial<Wounds>): Promise<void> {
    if (this.#stopped) throw new Error(`gateway ${this.name} is stopped`)
    const now = performance.now()
    const before = this.wounds.mode
    this.#cpu = { seconds: this.#cpuSeconds(now), atMs: now }
    this.#grid.change(Object.freeze({ ...this.wounds, ...changes }), now)
    const { mode } = this.wounds
    if (before === 'hang' && mode !== 'hang') this.#drop([...this.#works].filter(work => work.held))
    if (before === 'refused' && mode !== 'refused') this.#restart(now)
    if (mode === 'accept-close') this.#drop()
    for (const work of this.#works) if (work.held) this.#dispatch(work)
    await this.#settle()
  }

  async heal (): Promise<void> { await this.wound(HEALTHY) }

  /** Resolves when so many requests have been received since the start, answered or not. */
  async arrived (count: number): Promise<void> {
    if (this.received < count) await new Promise<void>(resolve => { this.#waiters.push({ count, resolve }) })
  }

  /** Closes everything at once, also connections that hang. */
  async stop (): Promise<void> {
    this.#stopped = true
    await this.#settle()
  }

  /** Makes the listener what it should be, one change after another. */
  #settle (): Promise<void> {
    const step = async (): Promise<void> => {
      const open = !this.#stopped && this.wounds.mode !== 'refused'
      if (open === this.#server.listening) return
      if (open) return await this.#listen(this.#port)
      const closed = once(this.#server, 'close')
      this.#server.close()
      this.#drop()
      await closed
    }
    this.#settled = this.#settled.then(step, step)
    return this.#settled
  }

  async #listen (port: number): Promise<void> {
    this.#server.listen(port, this.host)
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Ends the connections of these requests; without any, all connections. */
  #drop (works?: readonly Work[]): void {
    for (const work of works ?? this.#works) this.#forget(work)
    for (const socket of works?.map(work => work.res.socket) ?? this.#sockets) socket?.destroy()
  }

  #restart (now: number): void {
    this.#startMs = now
    this.#cpu = { seconds: START_CPU_SECONDS, atMs: now }
    this.#grid.counters = {}
  }

  #connected (socket: Socket): void {
    this.connections += 1
    this.#sockets.add(socket)
    socket.on('close', () => { this.#sockets.delete(socket) })
    if (this.wounds.mode === 'accept-close') socket.destroy()
  }

  async #receive (req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of req as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size <= BODY_BYTES_MAX) chunks.push(chunk)
      }
    } catch {
      // The client went away before it had said everything: there is nobody to answer.
    }
    if (req.socket.destroyed) return
    const work = this.#work(req, res, Buffer.concat(chunks))
    this.#works.add(work)
    res.on('close', () => { this.#forget(work) })
    if (size > BODY_BYTES_MAX) this.#send(work, page(413, 'Request Entity Too Large', this.wounds.leak))
    else if (this.wounds.delayMs > 0) this.#later(work, this.wounds.delayMs)
    else this.#dispatch(work)
    this.received += 1
    const ready = this.#waiters.filter(({ count }) => count <= this.received)
    this.#waiters = this.#waiters.filter(({ count }) => count > this.received)
    for (const { resolve } of ready) resolve()
  }

  #work (req: IncomingMessage, res: ServerResponse, body: Buffer): Work {
    const method = req.method ?? 'GET'
    const [path = '/', search = ''] = (req.url ?? '/').split('?', 2)
    const query = new URLSearchParams(search)
    const asked = { method, path, query, cap: capIn(path), kind: kindOf(method, path, query), body }
    return { ...asked, res, sinceMs: performance.now(), held: false, timer: undefined }
  }

  #later (work: Work, ms: number): void {
    work.timer = setTimeout(() => { this.#dispatch(work) }, ms)
  }

  #forget (work: Work): void {
    clearTimeout(work.timer)
    this.#works.delete(work)
  }

  /** Answers, or holds the request until there is a reason to try again. */
  #dispatch (work: Work): void {
    clearTimeout(work.timer)
    const { mode } = this.wounds
    const silent = mode === 'hang' || mode === 'blocked'
    const outcome = silent ? { againMs: undefined } : this.#answer(work, performance.now())
    work.held = 'againMs' in outcome
    if (!('againMs' in outcome)) this.#send(work, outcome)
    else if (outcome.againMs !== undefined) this.#later(work, outcome.againMs)
  }

  #answer (work: Work, now: number): Answer | Wait {
    const { cap = '', body } = work
    switch (work.kind) {
      case 'front': return this.#front(work, now)
      case 'statistics': return statistics(work.query.get('t'), this.#grid.counters, this.#stats(now), this.wounds.leak)
      case 'read': return work.method === 'HEAD' ? this.#grid.head(cap) : this.#grid.read(cap, now)
      case 'info': return this.#grid.info(cap)
      case 'create': return this.#grid.create(body, now)
      case 'upload': return this.#grid.upload(body, now, now - work.sinceMs)
      case 'overwrite': return this.#grid.overwrite(cap, body, now)
      case 'check': return this.#grid.check(cap, now)
      case 'other': return this.#other(work.path)
    }
  }

  #front (work: Work, now: number): Answer {
    if (work.query.get('t') === 'json') return this.#grid.welcome(now, this.#epochMs + now)
    return page(200, 'Tahoe-LAFS - Welcome', this.wounds.leak)
  }

  #other (path: string): Answer {
    const { leak } = this.wounds
    if (path === '/storage') return page(500, 'Internal Server Error', leak)
    if (path.startsWith('/uri')) return plainError(400, 'I do not know how to do that', leak)
    return page(path === '/status' ? 200 : 404, path === '/status' ? 'Recent Operations' : 'No Such Resource', leak)
  }

  #stats (now: number): Record<string, number> {
    const uptime = (now - this.#startMs) / 1000
    const average = uptime > AVERAGES_AFTER_SECONDS ? { 'cpu_monitor.1min_avg': this.wounds.cpu } : {}
    return { ...average, 'cpu_monitor.total': this.#cpuSeconds(now), 'node.uptime': uptime }
  }

  #cpuSeconds (now: number): number {
    return this.#cpu.seconds + this.wounds.cpu * (now - this.#cpu.atMs) / 1000
  }

  #send (work: Work, { status, type, body, length }: Answer): void {
    this.#works.delete(work)
    if (work.res.destroyed) return
    const leak = this.wounds.leak.replace(/[^\x20-\x7e]|["\\]/g, ' ')
    const said = leak === '' ? {} : { etag: `"${leak}"`, 'x-tahoe': leak }
    work.res.writeHead(status, {
      server: `TwistedWeb/24.7.0${leak}`,
      date: new Date(this.#epochMs + performance.now()).toUTCString(),
      'content-type': leak === '' ? type : `${type}; said="${leak}"`,
      'content-length': length ?? Buffer.byteLength(body),
      ...said
    })
    work.res.end(work.method === 'HEAD' ? undefined : body)
    this.served += 1
    this.#log.push({ method: work.method, kind: work.kind, status })
    if (this.#log.length > LOG_MAX) this.#log.shift()
  }
}

function kindOf (method: string, path: string, query: URLSearchParams): RequestKind {
  const t = query.get('t')
  const reads = method === 'GET' || method === 'HEAD'
  if (path === '/' && reads) return 'front'
  if (path === '/statistics' && reads) return 'statistics'
  if (path === '/uri' && method === 'PUT' && t === null) return query.has('format') ? 'create' : 'upload'
  if (!path.startsWith('/uri/')) return 'other'
  if (reads && t === null) return 'read'
  if (reads && t === 'json') return 'info'
  if (method === 'PUT' && t === null) return 'overwrite'
  return method === 'POST' && t === 'check' ? 'check' : 'other'
}

/** The cap in `/uri/<cap>`, plain or percent-encoded. */
function capIn (path: string): string | undefined {
  try {
    return decodeURIComponent(path.split('/', 3)[2] ?? '')
  } catch {
    // A stray percent sign: no cap of ours looks like that.
    return undefined
  }
}
