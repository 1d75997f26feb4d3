/** What went wrong, as problem+json [RFC 9457]: a sentence that names the place and the cure, and fields for programs. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'
import { clean, redact } from '../core/text.ts'

const TYPE = 'application/problem+json'
/** The same for every answer: nothing here is for a cache, nor for a browser to guess at. */
export const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Token needed',
  403: 'Not allowed',
  404: 'Not found',
  408: 'Too slow',
  409: 'Order refused',
  413: 'Too large',
  415: 'Not JSON',
  422: 'Config rejected',
  429: 'Too many failures',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Busy',
  507: 'Cannot be kept'
}

/** Thrown by who handles a request; becomes the answer. */
export class Problem extends Error {
  readonly status: number
  readonly more: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor (status: number, detail: string, { more = {}, headers = {} }: {
    readonly more?: Readonly<Record<string, unknown>>, readonly headers?: Readonly<Record<string, string>>
  } = {}) {
    super(detail)
    this.name = 'Problem'
    this.status = status
    this.more = more
    this.headers = headers
  }
}

const bodyOf = (status: number, detail: string, more: Readonly<Record<string, unknown>> = {}): object =>
  ({ ...more, type: 'about:blank', title: TITLES[status] ?? STATUS_CODES[status] ?? 'Problem', status, detail })

/** Errors of ours, of fastify's, and of nobody's. */
export function sendError (error: Error & { readonly statusCode?: number, readonly code?: string }, reply: FastifyReply): FastifyReply {
  if (error instanceof Problem) return send(reply.headers(error.headers), error.status, error.message, error.more)
  const status = error.statusCode ?? 500
  // What a fault of ours says may be anything; it is for the log of whoever runs us, not for who asks.
  if (status >= 500) return send(reply, 500, 'A fault in the agent.')
  return send(reply, status, SENTENCES[error.code ?? ''] ?? clean(error.message, 200))
}

const SENTENCES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is larger than anything this port takes. Name fewer servers at once.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'A body must be JSON, and say so: Content-Type: application/json.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty, though it says to be JSON.'
}

// A serializer would take problem+json for something it does not know.
const send = (reply: FastifyReply, status: number, detail: string, more?: Readonly<Record<string, unknown>>): FastifyReply =>
  reply.headers(HEADERS).code(status).type(TYPE).send(JSON.stringify(bodyOf(status, detail, more)))

/** Who does not even get to make a request: it is told on the wire, and cut off. */
export function refuseClient (error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, detail] = FAULTS[error.code ?? ''] ?? [400, 'This is no HTTP request that can be read.']
  const body = redact(JSON.stringify(bodyOf(status, detail)))
  const headers = { 'content-type': TYPE, 'content-length': String(Buffer.byteLength(body)), connection: 'close', ...HEADERS }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n${body}`, () => { socket.destroy() })
}

const FAULTS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than anything this port takes.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come whole in its time.']
}
