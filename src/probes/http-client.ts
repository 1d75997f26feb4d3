/**
 * One HTTP conversation with one node: a single keep-alive connection, one request at a time, a deadline that covers
 * connect to last byte, a bounded body. undici's own timers tick by a second and its AbortSignal does nothing while
 * connecting, so we keep the socket and destroy it ourselves. We abort no request that is under way either: undici would
 * connect again for it at once, without a deadline.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { buildConnector, Client, type Dispatcher } from 'undici'
import type { Node } from '../core/probe.ts'
import { showDuration } from '../core/text.ts'
import type { Deadlines } from './deadline.ts'
import { ProbeFailure } from './errors.ts'
import { watchLookup } from './lookup.ts'

/** Longest body of an answer. More is a protocol error. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024
const HEADER_BYTES_MAX = 16 * 1024

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export class HttpClient {
  readonly #client: Client
  readonly #deadlines: Deadlines
  readonly #keeps: () => boolean
  /** The present connection, also while it is being made. */
  #socket: Socket | undefined
  #isLookingUp: () => boolean = () => false
  /** Connections begun. A request during which there was no new one went over an old one. */
  #connections = 0

  /** Throws a ProbeFailure when the node's CA file cannot be used. `keeps`: whether its connection stays open now. */
  constructor (node: Node, deadlines: Deadlines, keeps: () => boolean = () => true) {
    this.#deadlines = deadlines
    this.#keeps = keeps
    const host = node.host.includes(':') ? `[${node.host}]` : node.host
    const connect = buildConnector({
      timeout: 0, // ours is exact
      ...(node.caFile === undefined ? {} : { ca: authorities(node.caFile) })
    })
    const name = node.serverName === undefined ? {} : { servername: node.serverName } // before the one of a Host header
    this.#client = new Client(`${node.protocol === 'https' ? 'https' : 'http'}://${host}:${node.port}`, {
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: HEADER_BYTES_MAX,
      connect: (options, callback) => {
        this.#connections += 1
        this.#socket = connect({ ...options, ...name }, (...[error, socket]) => {
          // Wrapped, because undici 7 never connects again after an ERR_TLS_CERT_ALTNAME_INVALID that it sees itself.
          if (error === null) callback(null, socket)
          else callback(new Error('cannot connect', { cause: error }), null)
        }) as unknown as Socket
        this.#isLookingUp = watchLookup(this.#socket, node.host)
      }
    })
  }

  /** The whole answer, or a rejection that errors.ts can classify. `timeoutMs` is for all of it, a second try included. */
  async ask (request: HttpRequest, timeoutMs: number): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(this, request, timeoutMs, { resolve, reject })
      exchange.cancel = this.#deadlines.after(timeoutMs, () => { exchange.expire() })
      exchange.begin()
    })
  }

  /** For the one exchange there is. */
  dispatch (exchange: Exchange): void {
    this.#client.dispatch(exchange.options, exchange)
  }

  get keeps (): boolean {
    return this.#keeps()
  }

  get connections (): number {
    return this.#connections
  }

  /** How far the connection has come. A TLS handshake that hangs is a host that was reached. */
  get stage (): 'looking up' | 'unreached' | 'reached' {
    const socket = this.#socket
    if (this.#isLookingUp()) return 'looking up'
    return socket === undefined || socket.destroyed || socket.connecting ? 'unreached' : 'reached'
  }

  hangUp (error: Error): void {
    this.#socket?.destroy(error)
  }

  close (): void {
    this.#client.destroy().catch(() => undefined) // nobody is left to tell
    this.#socket?.destroy()
  }
}

/** Node.js takes a file without any certificate for no authority at all, and would then blame the node. */
function authorities (file: string): string {
  try {
    const pem = readFileSync(file, 'utf8')
    void new X509Certificate(pem)
    return pem
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new ProbeFailure('local', `ca_file ${file} cannot be used (${code.startsWith('ERR_') ? 'not a PEM certificate' : code})`)
  }
}

const isRepeatable = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
const isClosed = (error: unknown): boolean =>
  ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')

/** Most come in one piece. */
const whole = (chunks: readonly Buffer[]): Buffer => chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)

interface Waiting { readonly resolve: (answer: HttpAnswer) => void, readonly reject: (error: unknown) => void }

/** One request on its way: what undici tells, as it comes. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly options: Dispatcher.DispatchOptions
  cancel: () => void = () => undefined
  readonly client: HttpClient
  readonly waiting: Waiting
  readonly timeoutMs: number
  /** Connections begun before this one was asked for; undefined when it is asked again. */
  before: number | undefined
  /** Whether any of the answer has come. */
  heard = false
  isOver = false
  status = 0
  headers: HttpAnswer['headers'] = {}
  chunks: Buffer[] = []
  bytes = 0

  constructor (client: HttpClient, { method, path, headers, body }: HttpRequest, timeoutMs: number, waiting: Waiting) {
    this.client = client
    this.waiting = waiting
    this.timeoutMs = timeoutMs
    this.before = client.connections
    this.options = {
      method: method as Dispatcher.HttpMethod,
      path,
      headers: { 'user-agent': 'hcf', ...headers },
      body: body ?? null,
      reset: !client.keeps || !isRepeatable(method) // no other request shares its connection, so an idle close cannot hit it
    }
  }

  begin (): void {
    this.client.dispatch(this)
  }

  expire (): void {
    const within = `within ${showDuration(this.timeoutMs)}`
    const { stage } = this.client
    if (stage === 'looking up') this.fail(new ProbeFailure('local', `no address from the name service ${within}`))
    else if (stage === 'unreached') this.fail(new ProbeFailure('noconn', `no connection ${within}`))
    else this.fail(new ProbeFailure('timeout', `${this.heard ? 'only a part of the answer' : 'no answer'} ${within}`))
  }

  fail (error: Error): void {
    this.reject(error)
    this.client.hangUp(error)
  }

  reject (error: unknown): void {
    this.isOver = true
    this.cancel()
    this.waiting.reject(error)
  }

  onRequestStart (controller: Dispatcher.DispatchController): void {
    if (this.isOver) controller.abort(new Error('expired'))
  }

  onResponseStart (_: Dispatcher.DispatchController, status: number, headers: HttpAnswer['headers']): void {
    this.heard = true
    this.status = status
    this.headers = headers
  }

  onResponseData (_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.bytes += chunk.length
    if (this.bytes > BODY_BYTES_MAX) this.fail(new ProbeFailure('protocol', `body over ${BODY_BYTES_MAX} bytes`))
    else this.chunks.push(chunk)
  }

  onResponseEnd (): void {
    const { status, headers, chunks } = this
    this.isOver = true
    this.cancel()
    this.waiting.resolve({ status, headers, body: whole(chunks) })
  }

  /** A node may close an idle connection just as we use it. That is no refusal: ask again on a new one, once. */
  onResponseError (_: Dispatcher.DispatchController, error: Error): void {
    if (this.isOver) return
    const reused = this.client.connections === this.before
    if (!reused || this.heard || !isRepeatable(this.options.method) || !isClosed(error)) return this.reject(error)
    this.before = undefined
    this.begin()
  }
}
