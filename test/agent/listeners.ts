/** Listeners of the agent for as long as a test lasts, and clients that ask them. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listenAgent, type AgentDeps, type AgentLimits, type AgentListener, type ListenOptions } from '../../src/agent/server.ts'

export const LIMITS: AgentLimits = { allow: ['127.0.0.0/8', '::1'], maxConnections: 100, lineTimeoutMs: 500 }
export const LOOPBACK: ListenOptions = { address: { kind: 'tcp', host: '127.0.0.1', port: 0 } }

export interface Agent {
  readonly listener: AgentListener
  /** What was asked for that we know, by whom. */
  readonly known: string[]
  readonly unknown: string[]
  readonly refused: string[]
  readonly trouble: string[]
  /** The length of each timer that was set. */
  readonly timersMs: number[]
}

type After = AgentDeps['after']

const after: After = (ms, run) => {
  const timer = setTimeout(run, ms)
  return { stop: () => { clearTimeout(timer) } }
}
/** Time stands still. */
export const never: After = () => ({ stop: () => undefined })

/** It knows the servers `web/…`. */
export async function listen (
  t: Test, options: ListenOptions = LOOPBACK, limits: Partial<AgentLimits> = {}, timers: After = after
): Promise<Agent> {
  const said: Omit<Agent, 'listener'> = { known: [], unknown: [], refused: [], trouble: [], timersMs: [] }
  const listener = await listenAgent(options, { ...LIMITS, ...limits }, {
    after: (ms, run) => {
      said.timersMs.push(ms)
      return timers(ms, run)
    },
    reply: (id, from) => {
      if (!id.startsWith('web/')) return undefined
      said.known.push(`${id} for ${from}`)
      return { health: 'up', weightPercent: 100, text: id }
    },
    peek: id => id.startsWith('web/') ? { text: `peeked ${id}` } : undefined,
    onUnknown: (asked, from) => { said.unknown.push(`${asked} by ${from}`) },
    onRefused: (from, why) => { said.refused.push(`${from}: ${why}`) },
    onTrouble: error => { said.trouble.push((error as NodeJS.ErrnoException).code ?? error.message) }
  })
  t.teardown(() => listener.close())
  return { listener, ...said }
}

export const portOf = (bound: string): number => Number(/\d+$/.exec(bound)?.[0])

/** A connection to what a listener says it is bound to; `from` is our own address. */
export function dial (bound: string, from?: string): Socket {
  if (bound.startsWith('unix:')) return connect(bound.slice('unix:'.length))
  const host = bound.slice(0, bound.lastIndexOf(':')).replace(/^\[|\]$/g, '')
  return connect({ host, port: portOf(bound), ...(from === undefined ? {} : { localAddress: from }) })
}

/** All that is answered to one request until the other end closes. The line end of the answer closes our side, as HAProxy does. */
export async function ask (bound: string, request: string, from?: string): Promise<string> {
  const socket = dial(bound, from)
  let heard = ''
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
    if (heard.includes('\n')) socket.end()
  })
  socket.on('error', () => { /* Then nothing was heard. */ })
  if (request !== '') socket.write(request, 'latin1')
  await new Promise(resolve => { socket.on('close', resolve) })
  return heard
}

/** A connection that is open at both ends, and says nothing more. */
export async function idle (t: Test, bound: string): Promise<Socket> {
  const socket = dial(bound)
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  await once(socket, 'data') // quiet as it is, it is answered; then it may stay for a while
  return socket
}
