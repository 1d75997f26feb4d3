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
  /** The present connection, also while it is being made. */
  #socket: Socket | undefined
  #isLookingUp: () => boolean = () => false
  /** Connections begun. A request during which there was no new one went over an old one. */
  #connections = 0

  /** Throws a ProbeFailure when the node's CA file cannot be used. */
  constructor (node: Node, deadlines: Deadlines) {
    this.#deadlines = deadlines
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
    let left: Exchange | undefined
    const cancel = this.#deadlines.after(timeoutMs, () => left?.expire(timeoutMs, this.#isLookingUp()))
    try {
      const before = this.#connections
      left = new Exchange(this.#client, request, () => this.#socket)
      return await left.answer.catch(async (error: unknown) => {
        // A node may close an idle connection just as we use it. That is no refusal: ask again on a new one.
        const reused = this.#connections === before
        if (!reused || left?.heard === true || !isRepeatable(request) || !isClosed(error)) throw error
        left = new Exchange(this.#client, request, () => this.#socket)
        return left.answer
      })
    } finally {
      cancel()
    }
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

const isRepeatable = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
const isClosed = (error: unknown): boolean =>
  ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')

/** One request on its way. */
class Exchange {
  readonly answer: Promise<HttpAnswer>
  /** Whether any of the answer has come. */
  heard = false
  #expired = false
  #reject: (error: unknown) => void = () => undefined
  readonly #socket: () => Socket | undefined

  constructor (client: Client, request: HttpRequest, socket: () => Socket | undefined) {
    this.#socket = socket
    this.answer = new Promise((resolve, reject) => {
      this.#reject = reject
      this.#dispatch(client, request, resolve)
    })
  }

  expire (timeoutMs: number, isLookingUp: boolean): void {
    this.#expired = true
    const socket = this.#socket()
    // A TLS handshake that hangs is a host that was reached.
    const unreached = socket === undefined || socket.destroyed || socket.connecting
    const within = `within ${showDuration(timeoutMs)}`
    if (isLookingUp) this.#fail(new ProbeFailure('local', `no address from the name service ${within}`))
    else this.#fail(unreached
      ? new ProbeFailure('noconn', `no connection ${within}`)
      : new ProbeFailure('timeout', `${this.heard ? 'only a part of the answer' : 'no answer'} ${within}`))
  }

  #fail (error: Error): void {
    this.#reject(error)
    this.#socket()?.destroy(error)
  }

  #dispatch (client: Client, request: HttpRequest, resolve: (answer: HttpAnswer) => void): void {
    const { method, path, headers, body } = request
    const chunks: Buffer[] = []
    let length = 0
    let status = 0
    let answerHeaders: HttpAnswer['headers'] = {}
    const options = {
      method: method as Dispatcher.HttpMethod,
      path,
      headers: { 'user-agent': 'hcf', ...headers },
      body: body ?? null,
      reset: !isRepeatable(request) // no other request shares its connection, so an idle close cannot hit it
    }
    client.dispatch(options, {
      onRequestStart: controller => {
        if (this.#expired) controller.abort(new Error('expired'))
      },
      onResponseStart: (_, code, received) => {
        this.heard = true
        status = code
        answerHeaders = received as HttpAnswer['headers']
      },
      onResponseData: (_, chunk) => {
        length += chunk.length
        if (length > BODY_BYTES_MAX) this.#fail(new ProbeFailure('protocol', `body over ${BODY_BYTES_MAX} bytes`))
        else chunks.push(chunk)
      },
      onResponseEnd: () => { resolve({ status, headers: answerHeaders, body: Buffer.concat(chunks) }) },
      onResponseError: (_, error) => { this.#reject(error) }
    })
  }
}
