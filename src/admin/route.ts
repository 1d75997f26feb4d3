/** A route as data: what it takes and gives is read by the server and by the description of it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Caller } from './access.ts'
import { Problem } from './problems.ts'

/** `/v1/servers/:backend/:server` names one. */
export interface Params { readonly backend?: string, readonly server?: string }

interface Call<Query, Body> {
  readonly caller: Caller
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

interface Described {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly url: string
  /** The name of it in a client made from the description. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  /** Without a token from anywhere, and under any name: balancers ask it. */
  readonly open?: boolean
  /** Answers that are no problem, by status. */
  readonly answers: Readonly<Record<number, z.ZodType>>
  readonly problems: readonly number[]
  /** What it may give instead of JSON. */
  readonly alsoProduces?: string
}

export interface Route extends Described {
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly handle: (request: FastifyRequest, reply: FastifyReply, caller: Caller) => unknown
}

type RouteOf<Query, Body> = Described & {
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  readonly handle: (call: Call<Query, Body>) => unknown
}

/** Checks what it gets by its schemas before it is handled. */
export const route = <Query = unknown, Body = unknown>({ query, body, handle, ...described }: RouteOf<Query, Body>): Route => ({
  ...described,
  query,
  body,
  handle: (request, reply, caller) => handle({
    request,
    reply,
    caller,
    params: request.params as Params,
    query: parse(query, request.query, 'the query'),
    body: parse(body, request.body ?? {}, 'the body')
  })
})

/** Of a route without a schema the type is unknown, and so is the value. */
function parse<T> (schema: z.ZodType<T> | undefined, value: unknown, what: string): T {
  if (schema === undefined) return value as T
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(issue => sentenceOf(issue, what))
  throw new Problem(400, problems.join('; '), { more: { problems } })
}

function sentenceOf (issue: z.core.$ZodIssue, what: string): string {
  if (issue.code === 'unrecognized_keys') return `${what} has ${issue.keys.join(', ')}, which is not known here`
  return `${issue.path.length > 0 ? issue.path.join('.') : what}: ${issue.message}`
}
