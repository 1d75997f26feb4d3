/** The OpenAPI description, made of the routes and their schemas when somebody asks for it. */
import { STATUS_CODES } from 'node:http'
import swagger from '@fastify/swagger'
import { fastify } from 'fastify'
import { z } from 'zod'
import * as api from './api.ts'
import type { Route } from './route.ts'

/** Those that have a name of their own in the description. */
const NAMED = {
  Status: api.statusBody, Server: api.serverBody, ServerStatus: api.serverStatus, Backend: api.backendStory, Criterion: api.criterionView,
  Override: api.overrideView, Overrides: api.overridesBody, Given: api.givenBody, Pollers: api.pollersBody, Poller: api.pollerView,
  AskedBy: api.askedBy, Unknown: api.unknownView, Traffic: api.trafficBody, Event: api.eventView, Events: api.eventsBody,
  Reload: api.reloadBody, Problem: api.problemBody, Health: api.healthBody, ServerHealth: api.serverHealthBody
} as const

type Json = Readonly<Record<string, unknown>>

/** Nobody but programs reads it, and seldom: it is not kept, and a second server of routes that do nothing writes it. */
export async function describeApi (routes: readonly Route[], version: string): Promise<unknown> {
  const { schemas, refOf } = namedSchemas()
  const app = fastify({ logger: false, exposeHeadRoutes: false })
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => data => JSON.stringify(data))
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'halt-and-catch-fire', version, description: 'The admin port of hcf. Ages are in ms, moments in UTC. Every error is a Problem [RFC 9457].' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Needed from other machines; `hcf token NAME` makes one.' } } }
    },
    convertConstToEnum: false
  })
  for (const each of routes) app.route({ method: each.method, url: each.url, schema: schemaOf(each, refOf), handler: () => undefined })
  await app.ready()
  const described = app.swagger() as { readonly components?: object }
  await app.close()
  return { ...described, components: { ...described.components, schemas } }
}

function schemaOf ({ id, summary, description, open = false, query, body, answers, problems, alsoProduces, url }: Route, refOf: (schema: z.ZodType) => Json): Json {
  const always = [...(body === undefined ? [] : [413, 415]), ...(open ? [] : [401, 403, 429])]
  const response = Object.fromEntries([
    ...Object.entries(answers).map(([status, schema]) => {
      const json = { 'application/json': { schema: refOf(schema) } }
      const content = alsoProduces === undefined ? json : { ...json, [alsoProduces]: { schema: { type: 'string' } } }
      return [status, { description: STATUS_CODES[status] ?? status, content }] as const
    }),
    ...[...problems, ...always].map(status =>
      [String(status), { description: STATUS_CODES[status] ?? String(status), content: { 'application/problem+json': { schema: refOf(api.problemBody) } } }] as const)
  ])
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(open ? {} : { security: [{}, { token: [] }] }),
    ...(url.includes(':') ? { params: paramsOf(url) } : {}),
    ...(query === undefined ? {} : { querystring: plain(query) }),
    ...(body === undefined ? {} : { body: plain(body) }),
    response
  }
}

const paramsOf = (url: string): Json => ({
  type: 'object',
  properties: Object.fromEntries([...url.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, { type: 'string' }]))
})

function plain (schema: z.ZodType): Json {
  const { $schema, ...json } = z.toJSONSchema(schema)
  return json
}

/** Every named schema, and how others refer to it. */
function namedSchemas (): { readonly schemas: Json, readonly refOf: (schema: z.ZodType) => Json } {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id })
  const uri = (id: string): string => `#/components/schemas/${id}`
  const { schemas } = z.toJSONSchema(registry, { uri })
  const bare = Object.fromEntries(Object.entries(schemas).map(([id, { $schema, $id, ...json }]) => [id, json]))
  return {
    schemas: bare,
    refOf: schema => {
      const id = registry.get(schema)?.id
      return id === undefined ? plain(schema) : { $ref: uri(id) }
    }
  }
}
