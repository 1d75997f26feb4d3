/** The agent port: listeners on TCP and unix sockets, who may ask, how many at once. */
import { chmodSync } from 'node:fs'
import { BlockList, createServer, isIP, type Server, type Socket } from 'node:net'
import { neutral, type Reply } from '../core/reply.ts'
import { makeRoom } from '../runtime/unix-socket.ts'
import { serveAgent, type Timer } from './conversation.ts'
import type { Request } from './protocol.ts'

/** HAProxy opens up to 2,000 connections within 100 ms: what the backlog refuses is an answer lost. */
const BACKLOG = 4096

export type ListenAddress =
  | { readonly kind: 'tcp', readonly host: string, readonly port: number }
  | { readonly kind: 'unix', readonly path: string }

export interface ListenOptions {
  readonly address: ListenAddress
  /** Whom to answer for when no request comes. */
  readonly server?: string
}

export interface AgentDeps {
  readonly after: (ms: number, run: () => void) => Timer
  /** What we say of a server to who asks; undefined for a server we do not know. */
  readonly reply: (id: string, from: string) => Reply | undefined
  /** The same for a person: nobody was told anything. */
  readonly peek: (id: string) => Reply | undefined
  readonly onUnknown: (asked: string, from: string) => void
  readonly onRefused: (from: string, why: string) => void
  readonly onTrouble: (error: Error) => void
}

export interface AgentLimits {
  readonly allow: readonly string[]
  readonly maxConnections: number
  readonly lineTimeoutMs: number
}

/** One open listener. */
export interface AgentListener {
  readonly address: ListenAddress
  /** Where it listens: the port the system chose for port 0. */
  readonly bound: string
  /** From the next connection on: another default server, other limits. */
  update: (options: ListenOptions, limits: AgentLimits) => void
  close: () => Promise<void>
}

/** Rejects with the system's error when the address cannot be listened on. */
export async function listenAgent (options: ListenOptions, limits: AgentLimits, deps: AgentDeps): Promise<AgentListener> {
  const sockets = new Set<Socket>()
  let allowed = allowList(limits.allow)
  let { lineTimeoutMs } = limits
  let fallback = options.server
  const peer = (address: string | undefined): string => options.address.kind === 'unix' ? 'unix' : plainAddress(address)

  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const from = peer(socket.remoteAddress)
    if (from !== 'unix' && !allowed(from)) {
      socket.on('error', () => undefined) // whoever it is, it is gone
      socket.destroy()
      if (from !== GONE) deps.onRefused(from, 'not in agent.allow')
      return
    }
    sockets.add(socket)
    socket.on('close', () => { sockets.delete(socket) })
    serveAgent(socket, { after: deps.after, lineTimeoutMs, answer: request => answer(request, fallback, from, deps) })
  })
  server.maxConnections = limits.maxConnections
  server.on('drop', drop => { deps.onRefused(peer(drop?.remoteAddress), `over ${server.maxConnections} connections`) })

  await listen(server, options.address)
  server.on('error', deps.onTrouble) // EMFILE on accept and the like: the listener lives on
  return {
    address: options.address,
    bound: boundAddress(server, options.address),
    update: ({ server: named }, next) => {
      fallback = named
      allowed = allowList(next.allow)
      lineTimeoutMs = next.lineTimeoutMs
      server.maxConnections = next.maxConnections
    },
    close: async () => new Promise(resolve => {
      server.close(() => { resolve() })
      for (const socket of sockets) socket.destroy()
    })
  }
}

function answer (request: Request, fallback: string | undefined, from: string, deps: AgentDeps): Reply {
  if (request.kind === 'malformed') {
    deps.onUnknown(request.why, from)
    return neutral(request.why)
  }
  const id = request.kind === 'server' ? request.id : fallback
  if (id === undefined) return neutral('no server asked for: agent-send must name one, with a line end')
  const peeks = request.kind === 'server' && request.peeks === true
  const reply = peeks ? deps.peek(id) : deps.reply(id, from)
  if (reply !== undefined) return reply
  if (!peeks) deps.onUnknown(id, from)
  return neutral(`unknown ${id}`)
}

async function listen (server: Server, address: ListenAddress): Promise<void> {
  if (address.kind === 'unix') await makeRoom(address.path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const listening = (): void => {
      server.off('error', reject)
      resolve()
    }
    if (address.kind === 'unix') server.listen({ path: address.path, backlog: BACKLOG }, listening)
    else server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, listening)
  })
  if (address.kind === 'unix') chmodSync(address.path, 0o660)
}

function boundAddress (server: Server, address: ListenAddress): string {
  const bound = server.address()
  if (address.kind === 'unix') return `unix:${address.path}`
  if (bound === null || typeof bound === 'string') return `${address.host}:${address.port}`
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`
}

/** A peer that has reset its connection before we looked at it. */
const GONE = 'gone'

/** An IPv4 peer of an IPv6 listener is `::ffff:10.0.0.1`: the same peer. */
const plainAddress = (address: string | undefined): string => (address ?? GONE).replace(/^::ffff:(?=\d+\.)/, '')

/** Whether an address is in one of the networks. */
export function allowList (cidrs: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [ip = '', bits] = cidr.split('/')
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(ip, family)
    else list.addSubnet(ip, Number(bits), family)
  }
  return address => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
