/** The admin port: what the agent knows, and what an operator wants of it, as JSON for the CLI, for programs and for people. */
import { chmodSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { redact } from '../core/text.ts'
import { Access, type Caller } from './access.ts'
import { Connections } from './connections.ts'
import type { AdminDeps } from './deps.ts'
import { LIMITS, type AdminLimits } from './limits.ts'
import { HEADERS, Problem, refuseClient, sendError } from './problems.ts'
import { route, type Route } from './route.ts'
import { routesOf } from './routes.ts'
import { EventStreams } from './sse.ts'

export type { AdminClock, AdminDeps, AdminEvents, Given, Reloaded } from './deps.ts'

export type AdminAddress =
  | { readonly path: string }
  | { readonly host: string, readonly port: number }

export interface AdminServer {
  /** Where it listens: `http://127.0.0.1:9778`, or the path. Rejects with the system's error. */
  readonly listen: (address: AdminAddress) => Promise<string>
  /** Ends every stream and connection. */
  readonly close: () => Promise<void>
  /** A request without a socket. */
  readonly inject: FastifyInstance['inject']
}

export function createAdmin (deps: AdminDeps, limits: AdminLimits = LIMITS): AdminServer {
  const access = new Access(deps)
  const streams = new EventStreams(deps)
  const connections = new Connections(limits) // of a name with two addresses there are two servers
  const callers = new WeakMap<FastifyRequest, Caller>()
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: true,
    serverFactory: handler => serverWith(limits, connections, handler),
    clientErrorHandler: refuseClient,
    frameworkErrors: (error, _, reply) => sendError(error, reply) // a path that cannot be decoded
  })
  app.removeContentTypeParser('text/plain') // what a form of any site can send

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS)
    if (!isOpen(request)) callers.set(request, await access.check(request))
  })
  app.addHook('onSend', async (_, __, payload) => typeof payload === 'string' ? redact(payload) : payload)
  app.addHook('preClose', async () => { streams.end() })
  addRoutes(app, routesOf(deps, streams), { version: deps.version, callerOf: request => callers.get(request) ?? {} })
  app.setErrorHandler((error: Error, _, reply) => sendError(error, reply))

  return {
    listen: async address => {
      access.place = 'path' in address ? { unix: true } : { unix: false, host: address.host }
      const bound = await app.listen(address)
      if ('path' in address) chmodSync(address.path, 0o660) // for its group too: whoever may connect may order
      return bound
    },
    close: async () => app.close(),
    inject: app.inject.bind(app)
  }
}

/** For createAdmin, and for a test that must look like strangers. */
export function serverWith (limits: AdminLimits, connections: Connections, handler: Parameters<typeof createServer>[1]): Server {
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.lookMs
  }, handler)
  server.maxConnections = limits.connections
  server.on('connection', socket => { connections.take(socket, typeof server.address() === 'string') })
  server.setTimeout(limits.silentMs)
  return server
}

declare module 'fastify' {
  interface FastifyContextConfig { readonly open?: boolean }
}
const isOpen = ({ routeOptions }: FastifyRequest): boolean => routeOptions.config?.open === true

interface Serving {
  readonly version: string
  readonly callerOf: (request: FastifyRequest) => Caller
}

function addRoutes (app: FastifyInstance, routes: readonly Route[], { version, callerOf }: Serving): void {
  const all: readonly Route[] = [...routes, descriptionOf(() => all, version)]
  for (const { method, url, open = false, handle } of all) {
    app.route({ method, url, config: { open }, handler: async (request, reply) => handle(request, reply, callerOf(request)) })
  }
  const names = all.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, (_, name: string) => name.toUpperCase())}`).join(', ')
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => sendError(new Problem(404, `Nothing at ${request.method} here. There are ${names}.`), reply))
}

/** Nobody asks for it while the farm is in trouble: what makes it is loaded only then. */
const descriptionOf = (routes: () => readonly Route[], version: string): Route => route({
  method: 'GET', url: '/v1/openapi.json', id: 'openapi',
  summary: 'This description [OpenAPI 3.1]',
  answers: { 200: z.looseObject({ openapi: z.string() }) }, problems: [],
  handle: async () => (await import('./openapi.ts')).describeApi(routes(), version)
})
