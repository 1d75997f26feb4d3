/** The agent port: listeners on TCP and unix sockets, who may ask, how many at once. */
import { chmodSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { neutral, type Reply } from '../core/reply.ts'
import { makeRoom } from '../runtime/unix-socket.ts'
import { Conversations, type ConversationLimits, type Timer } from './conversation.ts'
import { Memo } from './memo.ts'
import { knownPeers, unixPeer } from './peers.ts'
import { encodeReply, parseRequest, type Request } from './protocol.ts'

/** HAProxy opens up to 2,000 connections within 100 ms: what the backlog refuses is an answer lost. */
const BACKLOG = 4096

/** The same few requests and replies come again and again: so many are kept ready. */
const REQUESTS_MAX = 10_000
const LINES_MAX = 1000

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

export interface AgentLimits extends ConversationLimits { readonly allow: readonly string[] }

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
  const { address } = options
  let fallback = options.server
  let peers = knownPeers(limits.allow)
  const unix = unixPeer()
  const requests = new Memo(REQUESTS_MAX, parseRequest)
  const lines = new Memo(LINES_MAX, (line: string) => Buffer.from(line, 'latin1'))
  const conversations = new Conversations(limits, {
    after: deps.after,
    answer: (asked, from) => lines.get(encodeReply(answer(requests.get(asked), fallback, from, deps))),
    onCrowded: deps.onRefused
  })

  // Without noDelay: one write has nothing to wait for.
  const server = createServer({ allowHalfOpen: true }, socket => {
    const { remoteAddress } = socket
    const peer = address.kind === 'unix' ? unix : remoteAddress === undefined ? undefined : peers.get(remoteAddress)
    if (peer?.isAllowed === true) return conversations.serve(socket, peer)
    socket.on('error', () => undefined) // whoever it is, it is gone
    socket.destroy()
    if (peer !== undefined) deps.onRefused(peer.from, 'not in agent.allow') // else it has reset before we looked at it
  })

  await listen(server, address)
  server.on('error', deps.onTrouble) // EMFILE on accept and the like: the listener lives on
  return {
    address,
    bound: boundAddress(server, address),
    update: ({ server: named }, next) => {
      fallback = named
      peers = knownPeers(next.allow)
      conversations.limit(next)
    },
    close: async () => new Promise(resolve => {
      server.close(() => { resolve() })
      conversations.close()
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
