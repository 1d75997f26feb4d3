/** The admin port: what the agent knows, as JSON, for the CLI and for people. Loopback or unix socket only. */
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import type { BackendStory, CriterionStory } from '../core/explain.ts'
import { clean } from '../core/text.ts'

/** All times are ages in ms: a reader needs no clock of ours. */
export interface ServerStatus {
  readonly server: string
  readonly state: string
  readonly weightPercent: number
  readonly layer: string
  readonly because: readonly string[]
  readonly sentence: string
  /** The reply line as HAProxy gets it, without its line end. */
  readonly reply: string
  readonly forMs: number
}

export interface ServerDetail extends ServerStatus {
  /** What the whole backend can afford. */
  readonly backend: BackendStory
  readonly criteria: ReadonlyArray<Omit<CriterionStory, 'sinceMs'> & { readonly forMs?: number }>
  readonly pollers: ReadonlyArray<{ readonly from: string, readonly agoMs: number }>
}

export interface AdminDeps {
  readonly version: string
  readonly status: () => readonly ServerStatus[]
  readonly server: (id: string) => ServerDetail | undefined
  readonly nearest: (id: string) => readonly string[]
  readonly isStopping: () => boolean
  readonly uptimeMs: () => number
}

export function createAdmin (deps: AdminDeps): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    frameworkErrors: (error, _, reply) => sendError(error, reply) // a path that cannot be decoded
  })

  app.get('/v1/status', () => ({ version: deps.version, uptimeMs: deps.uptimeMs(), servers: deps.status() }))

  app.get<{ Params: { backend: string, server: string } }>('/v1/servers/:backend/:server', (request, reply) => {
    const id = `${request.params.backend}/${request.params.server}`
    const detail = deps.server(id)
    if (detail !== undefined) return detail
    const near = deps.nearest(id)
    const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''
    return sendProblem(reply, 404, 'Unknown server', `No server ${clean(id)} in the config.${hint}`)
  })

  app.get('/health', (_, reply) => deps.isStopping()
    ? reply.code(503).send({ status: 'stopping' })
    : { status: 'ok' })

  app.setNotFoundHandler((request, reply) => sendProblem(reply, 404, 'Not found',
    `Nothing at ${request.method} here. There are GET /v1/status, GET /v1/servers/BACKEND/SERVER, GET /health.`))
  app.setErrorHandler((error: Error & { statusCode?: number }, _, reply) => sendError(error, reply))
  return app
}

function sendError (error: Error & { statusCode?: number }, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500
  if (status < 500) return sendProblem(reply, status, 'Bad request', clean(error.message))
  return sendProblem(reply, status, 'Internal error', 'A fault in the agent.')
}

const sendProblem = (reply: FastifyReply, status: number, title: string, detail: string): FastifyReply =>
  reply.code(status).type('application/problem+json').send({ type: 'about:blank', status, title, detail })
