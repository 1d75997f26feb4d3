/**
 * One HTTP conversation with one node: a single keep-alive connection, one request at a time, a deadline that covers
 * connect to last byte, a bounded body. undici's own timers tick by a second and its AbortSignal does nothing while
 * connecting, so we keep the connecting socket and destroy it ourselves.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { buildConnector, Client, type Dispatcher } from 'undici'
import type { Node } from '../core/probe.ts'
import type { Deadlines } from './deadline.ts'
import { ProbeFailure } from './errors.ts'

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

type Phase = 'connecting' | 'waiting' | 'body'

export class HttpClient {
  readonly #client: Client
  readonly #deadlines: Deadlines
  #connecting: Socket | undefined
  /** Requests the present connection has answered: above 0 it may have been closed by the node in between. */
  #answered = 0

  /** Throws when the node's CA file cannot be read. */
  constructor (node: Node, deadlines: Deadlines) {
    this.#deadlines = deadlines
    const host = node.host.includes(':') ? `[${node.host}]` : node.host
    const connect = buildConnector({
      timeout: 0, // ours is exact
      ...(node.caFile === undefined ? {} : { ca: readFileSync(node.caFile, 'utf8') }),
      ...(node.serverName === undefined ? {} : { servername: node.serverName })
    })
    this.#client = new Client(`${node.protocol === 'https' ? 'https' : 'http'}://${host}:${node.port}`, {
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: HEADER_BYTES_MAX,
      connect: (options, callback) => {
        this.#answered = 0
        this.#connecting = connect(options, (...result) => {
          this.#connecting = undefined
          callback(...result)
        }) as unknown as Socket
      }
    })
  }

  /** The whole answer, or a rejection that errors.ts can classify. `timeoutMs` is for all of it, a second try included. */
  async ask (request: HttpRequest, timeoutMs: number): Promise<HttpAnswer> {
    let left: Exchange | undefined
    const cancel = this.#deadlines.after(timeoutMs, () => left?.expire(timeoutMs))
    try {
      const reused = this.#answered > 0
      left = new Exchange(this.#client, request, () => this.#connecting)
      const answer = await left.answer.catch(async (error: unknown) => {
        // A node may close an idle connection just as we use it. That is no refusal: ask again on a new one.
        if (!reused || left?.heard === true || left?.expired === true || !isRepeatable(request) || !isClosed(error)) throw error
        left = new Exchange(this.#client, request, () => this.#connecting)
        return left.answer
      })
      this.#answered += 1
      return answer
    } finally {
      cancel()
    }
  }

  close (): void {
    this.#connecting?.destroy()
    this.#client.destroy().catch(() => undefined) // nobody is left to tell
  }
}

const isRepeatable = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
const isClosed = (error: unknown): boolean => ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')

/** One request on its way. */
class Exchange {
  readonly answer: Promise<HttpAnswer>
  expired = false
  #phase: Phase = 'connecting'
  #controller: Dispatcher.DispatchController | undefined
  #reject: (error: unknown) => void = () => undefined
  readonly #connecting: () => Socket | undefined

  constructor (client: Client, request: HttpRequest, connecting: () => Socket | undefined) {
    this.#connecting = connecting
    this.answer = new Promise((resolve, reject) => {
      this.#reject = reject
      this.#dispatch(client, request, resolve)
    })
  }

  /** Whether any of the answer has come. */
  get heard (): boolean {
    return this.#phase === 'body'
  }

  expire (timeoutMs: number): void {
    this.expired = true
    // A TLS handshake that hangs is a host that was reached.
    const unreached = this.#phase === 'connecting' && this.#connecting()?.connecting !== false
    const failure = unreached
      ? new ProbeFailure('noconn', `none within ${Math.round(timeoutMs)}ms`)
      : new ProbeFailure('timeout', this.#phase === 'body' ? `only a part of it within ${Math.round(timeoutMs)}ms` : `within ${Math.round(timeoutMs)}ms`)
    this.#fail(failure)
    this.#connecting()?.destroy(failure)
  }

  #fail (error: Error): void {
    this.#reject(error)
    this.#controller?.abort(error)
  }

  #dispatch (client: Client, { method, path, headers, body }: HttpRequest, resolve: (answer: HttpAnswer) => void): void {
    const chunks: Buffer[] = []
    let length = 0
    let status = 0
    let answerHeaders: HttpAnswer['headers'] = {}
    const options = { method: method as Dispatcher.HttpMethod, path, headers: { 'user-agent': 'hcf', ...headers }, body: body ?? null }
    client.dispatch(options, {
      onRequestStart: controller => {
        this.#phase = 'waiting'
        this.#controller = controller
        if (this.expired) controller.abort(new Error('expired'))
      },
      onResponseStart: (_, code, received) => {
        this.#phase = 'body'
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
