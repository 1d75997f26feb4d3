/** What can be asked at the admin port, and ordered. One entry a route; the description of the API is made of the same. */
import { clean } from '../core/text.ts'
import type { Caller } from './access.ts'
import {
  clearQuery, eventsBody, eventsQuery, givenBody, healthBody, overridesBody, pollersBody, postBody, putBody, reloadBody,
  scope, serverBody, serverHealthBody, statusBody, trafficBody, type EventsQuery
} from './api.ts'
import type { AdminDeps, Given } from './deps.ts'
import { Problem } from './problems.ts'
import { route, type Params, type Route } from './route.ts'
import { CLIENTS_MAX, type EventStreams } from './sse.ts'

/** All that are kept: who comes back to a stream wants everything it missed. */
const EVENTS_MAX = 10_000

export const routesOf = (deps: AdminDeps, streams: EventStreams): readonly Route[] =>
  [...reads(deps), ...orders(deps), events(deps, streams), ...health(deps)]

const reads = (deps: AdminDeps): readonly Route[] => [
  route({
    method: 'GET', url: '/v1/status', id: 'status',
    summary: 'The farm at a glance',
    answers: { 200: statusBody }, problems: [],
    handle: () => deps.status()
  }),
  route({
    method: 'GET', url: '/v1/servers/:backend/:server', id: 'explain',
    summary: 'Why a server is what it is',
    answers: { 200: serverBody }, problems: [404],
    handle: ({ params }) => deps.server(idOf(params)) ?? notThere(deps, params)
  }),
  route({
    method: 'GET', url: '/v1/servers/:backend/:server/traffic', id: 'traffic',
    summary: 'Who still has traffic on a server',
    description: 'Asks the HAProxys of haproxy.sockets now, each within a bounded time.',
    answers: { 200: trafficBody }, problems: [404],
    handle: async ({ params }) => {
      if (deps.isFit(idOf(params)) === undefined) notThere(deps, params)
      return deps.traffic(idOf(params))
    }
  }),
  route({
    method: 'GET', url: '/v1/pollers', id: 'pollers',
    summary: 'Which HAProxys ask, and for what nobody asks',
    answers: { 200: pollersBody }, problems: [],
    handle: () => deps.pollers()
  }),
  route({
    method: 'GET', url: '/v1/overrides', id: 'overrides',
    summary: 'All orders and maintenance windows',
    answers: { 200: overridesBody }, problems: [],
    handle: () => ({ overrides: deps.overrides() })
  })
]

const REFUSED = 'Refused as a whole, with `code` and, where it is about a backend, who would be left: 409 for min_up and at_most, 507 when it cannot be kept on disk.'

const orders = (deps: AdminDeps): readonly Route[] => [
  route({
    method: 'PUT', url: '/v1/overrides/:backend/:server', id: 'override',
    summary: 'Give an order for a server, a backend (web/*) or all (*/*)',
    description: `It replaces the one of the same scope. ${REFUSED}`,
    body: putBody, answers: { 200: givenBody }, problems: [400, 404, 409, 507],
    handle: ({ params, body, caller }) => given(deps.give({ ...body, targets: [scopeOf(params)] }, authorOf(caller, body.by)))
  }),
  route({
    method: 'POST', url: '/v1/overrides', id: 'overrideAll',
    summary: 'Give one order for several servers: all of them, or none',
    description: REFUSED,
    body: postBody, answers: { 200: givenBody }, problems: [400, 404, 409, 507],
    handle: ({ body, caller }) => given(deps.give(body, authorOf(caller, body.by)))
  }),
  route({
    method: 'DELETE', url: '/v1/overrides/:backend/:server', id: 'clear',
    summary: 'End an order',
    query: clearQuery, answers: { 200: givenBody }, problems: [400, 404, 409, 507],
    handle: ({ params, query, caller }) => given(deps.clear(scopeOf(params), authorOf(caller, query.by), query.force === true))
  }),
  route({
    method: 'POST', url: '/v1/reload', id: 'reload',
    summary: 'Read the config again',
    description: 'With a problem in it nothing changes, and all problems are in `problems`.',
    answers: { 200: reloadBody }, problems: [422],
    handle: async () => {
      const reloaded = await deps.reload()
      if (!reloaded.ok) throw new Problem(422, reloaded.problems.join('\n'), { more: { problems: reloaded.problems } })
      const { config, backends, servers } = reloaded
      return { config, backends, servers }
    }
  })
]

const events = (deps: AdminDeps, streams: EventStreams): Route => route({
  method: 'GET', url: '/v1/events', id: 'events',
  summary: 'What has happened; with Accept: text/event-stream, what happens',
  description: `A stream begins with what the query asks for (nothing without since, sinceMs, after or limit), and goes on from Last-Event-ID. At most ${CLIENTS_MAX} at once.`,
  query: eventsQuery, answers: { 200: eventsBody }, problems: [400, 503], alsoProduces: 'text/event-stream',
  handle: ({ request, reply, query, caller }) => {
    if (request.method === 'HEAD' || !/\btext\/event-stream\b/i.test(request.headers.accept ?? '')) return { events: deps.events.list(query) }
    const { backend } = query
    const stream = streams.open({ past: pastOf(query, request.headers['last-event-id']), backend, byToken: caller.holder !== undefined })
    if (stream === undefined) throw new Problem(503, `${CLIENTS_MAX} clients follow the events already.`, { headers: { 'retry-after': '10' } })
    return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream)
  }
})

/** A client that comes back says where it was, whatever it asked for at first. */
function pastOf ({ since, sinceMs, after, backend, limit }: EventsQuery, lastId: string | string[] | undefined): EventsQuery | undefined {
  const all = { backend, limit: limit ?? EVENTS_MAX }
  if (typeof lastId === 'string' && /^\d{1,16}$/.test(lastId)) return { ...all, after: Number(lastId) }
  const isAsked = [since, sinceMs, after, limit].some(value => value !== undefined)
  return isAsked ? { ...all, since, sinceMs, after } : undefined
}

const health = (deps: AdminDeps): readonly Route[] => [
  route({
    method: 'GET', url: '/health', id: 'health', open: true,
    summary: 'Whether hcf itself is well; 503 while it stops',
    answers: { 200: healthBody, 503: healthBody }, problems: [],
    handle: ({ reply }) => deps.isStopping() ? reply.code(503).send({ status: 'stopping' }) : { status: 'ok' }
  }),
  route({
    method: 'GET', url: '/v1/health/:backend/:server', id: 'serverHealth', open: true,
    summary: 'Whether a server takes traffic, for balancers without agent-check',
    description: '200 also while hcf has no opinion, 503 while it is out or has no weight.',
    answers: { 200: serverHealthBody, 503: serverHealthBody }, problems: [404],
    handle: ({ params, reply }) => {
      const fit = deps.isFit(idOf(params))
      // No names near it: whoever asks here has shown no token.
      if (fit === undefined) throw new Problem(404, `No server ${clean(idOf(params))} in the config.`)
      return reply.code(fit ? 200 : 503).send({ status: fit ? 'in' : 'out' })
    }
  })
]

const idOf = ({ backend = '', server = '' }: Params): string => `${backend}/${server}`

function scopeOf (params: Params): string {
  const parsed = scope.safeParse(idOf(params))
  if (!parsed.success) throw new Problem(400, `${clean(idOf(params))} ${parsed.error.issues[0]?.message ?? 'is no scope'}`)
  return parsed.data
}

/** Who has shown a token is nobody else. */
const authorOf = ({ holder }: Caller, by = 'local'): string => holder?.name ?? by

function notThere ({ nearest }: AdminDeps, params: Params): never {
  const near = nearest(idOf(params))
  const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''
  throw new Problem(404, `No server ${clean(idOf(params))} in the config.${hint}`, { more: { near } })
}

const STATUS = { unknown: 404, invalid: 400, min_up: 409, at_most: 409, full: 507, disk: 507 } as const

function given (outcome: Given): unknown {
  if (outcome.ok) return outcome.body
  throw new Problem(STATUS[outcome.code], outcome.detail, { more: { ...outcome.more, code: outcome.code } })
}
