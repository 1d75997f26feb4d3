/** Asking a simulated gateway, also when it may never answer. */

import { request, type Agent, type IncomingHttpHeaders } from 'node:http'
import type { Test } from 'tap'
import { Gateway, type GatewayOptions } from '../../src/sim/gateway.ts'

export interface Reply { readonly status: number, readonly headers: IncomingHttpHeaders, readonly body: Buffer }
export interface Ask {
  readonly method?: string
  readonly body?: Buffer | string
  readonly signal?: AbortSignal
  readonly agent?: Agent
}
export interface Front {
  readonly introducers: { readonly statuses: readonly string[] }
  readonly servers: ReadonlyArray<{
    readonly nodeid: string
    readonly connection_status: string
    readonly available_space: number
    readonly last_received_data: number
  }>
}
export interface Check { readonly summary: string, readonly results: Readonly<Record<string, unknown>> }
export interface Statistics { readonly counters: Record<string, number>, readonly stats: Record<string, number> }

export const FILE = 'a new file of more than the 55 bytes that would fit into a cap'
export const CHECK = '?t=check&output=JSON'

/** One request on its own connection (unless an agent is given), to the end of its answer. */
export function ask (gateway: Gateway, path: string, asked: Ask = {}): Promise<Reply> {
  const { method = 'GET', body, signal, agent } = asked
  return new Promise((resolve, reject) => {
    const options = { method, agent: agent ?? (false as const), ...(signal === undefined ? {} : { signal }) }
    const req = request(`${gateway.url}${path}`, options, res => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) })
      })
    })
    req.on('error', reject)
    req.end(body)
  })
}

/** The answer, or `hang` when the gateway has the request and says nothing. For one request at a time. */
export async function outcome (gateway: Gateway, path: string, options: Ask = {}): Promise<Reply | 'hang'> {
  const { received, served } = gateway
  const gone = new AbortController()
  const reply = ask(gateway, path, { ...options, signal: gone.signal })
  reply.catch(() => { /* Ours, when we go away; any other one is thrown by the race. */ })
  await Promise.race([reply, gateway.arrived(received + 1)])
  if (gateway.served > served) return await reply
  gone.abort()
  return 'hang'
}

export const status = (reply: Reply | 'hang'): number | 'hang' => reply === 'hang' ? reply : reply.status
export const json = <T>(reply: Reply): T => JSON.parse(reply.body.toString()) as T
export const front = async (gateway: Gateway): Promise<Front> => json<Front>(await ask(gateway, '/?t=json'))
export const statistics = async (gateway: Gateway): Promise<Statistics> =>
  json<Statistics>(await ask(gateway, '/statistics?t=json'))

/** How a request failed to get any answer. */
export const failure = (reply: Promise<Reply>): Promise<unknown> =>
  reply.then(answer => answer.status, (error: unknown) => (error as { code?: unknown }).code)

/** A gateway for as long as the test lasts. */
export async function start (test: Test, options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = await Gateway.start(options)
  test.teardown(() => gateway.stop())
  return gateway
}
