/**
 * The model of HAProxy put to work, for a machine without HAProxy: a small HTTP balancer on loopback that asks the real
 * agent port and lets sim/haproxy.ts say what each answer does. Two pools, leastconn by weight, its own TCP check.
 */
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { askAgent, NoAnswer, type AskAddress } from '../agent/ask.ts'
import type { ServerStat } from '../haproxy/runtime.ts'
import { GATEWAYS, POOLS, type Balancer } from './balancer.ts'
import { createServer as createModel, effectiveWeight, hear, hearLine, setCheck, statusColumn, takesTraffic, type HaproxyServer } from './haproxy.ts'

export interface ModelOptions {
  readonly agent: AskAddress
  readonly agentInterMs: number
  /** Ports of the gateways on loopback, in the order of GATEWAYS. */
  readonly ports: readonly number[]
}

const HOST = '127.0.0.1'
const CHECK_INTER_MS = 2000
const CHECK_COUNTER = { rise: 2, fall: 3 } as const
const CONNECT_MS = 2000

interface Member {
  readonly pool: string
  readonly name: string
  readonly port: number
  model: HaproxyServer
  checkHealth: number | undefined
  sessions: number
  sessionsNow: number
  failed: number
}

export async function startModelBalancer ({ agent, agentInterMs, ports }: ModelOptions): Promise<Balancer> {
  const members = POOLS.flatMap(pool => GATEWAYS.map((name, i): Member =>
    ({ pool, name, port: ports[i] ?? 0, model: createModel(), checkHealth: undefined, sessions: 0, sessionsNow: 0, failed: 0 })))
  const timers = members.flatMap(member => [
    setInterval(() => { void askFor(member, agent, agentInterMs) }, agentInterMs),
    setInterval(() => { checkPort(member) }, CHECK_INTER_MS)
  ])
  const publicServer = await listen((req, res) => {
    const isRead = ['GET', 'HEAD', 'OPTIONS'].includes(req.method ?? '')
    forward(members.filter(({ pool }) => pool === (isRead ? POOLS[0] : POOLS[1])), req, res, isRead ? 2 : 0)
  })
  const diagnostics = await listen((req, res) => {
    const name = /^[\w-]+/.exec(req.headers.host ?? '')?.[0]
    const member = members.find(each => each.name === name)
    if (member === undefined) res.writeHead(404).end('Name a gateway: http://webapi1.localhost\n')
    else pass(member, req, res, () => { res.writeHead(503).end() })
  })

  const url = (server: Server): string => `http://${HOST}:${(server.address() as AddressInfo).port}`
  return {
    kind: 'model of HAProxy',
    version: '2.6',
    publicUrl: url(publicServer),
    diagnosticsUrl: url(diagnostics),
    stat: async () => members.map(statOf),
    stop: async () => {
      for (const timer of timers) clearInterval(timer)
      for (const server of [publicServer, diagnostics]) {
        server.close()
        server.closeAllConnections()
      }
    }
  }
}

const statOf = ({ pool, name, model, sessions, sessionsNow, failed }: Member): ServerStat => ({
  backend: pool, server: name, status: statusColumn(model), weight: effectiveWeight(model), agentStatus: model.agentStatus, lastAgent: model.lastAgt,
  checkStatus: model.checkHealth === 'up' ? 'L4OK' : 'L4CON', sessions, sessionsNow, queued: 0, failed
})

async function listen (handler: RequestListener): Promise<Server> {
  const server = createServer(handler)
  server.listen(0, HOST)
  await once(server, 'listening')
  return server
}

async function askFor (member: Member, agent: AskAddress, deadlineMs: number): Promise<void> {
  try {
    member.model = hearLine(member.model, `${await askAgent(agent, `${member.pool}/${member.name}\n`, deadlineMs)}\n`)
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    member.model = hear(member.model, { kind: error.kind === 'broken' ? 'reset' : error.kind })
  }
}

function checkPort (member: Member): void {
  const socket = connect({ host: HOST, port: member.port, timeout: CONNECT_MS })
  const done = (passed: boolean): void => {
    socket.destroy()
    member.checkHealth = step(member.checkHealth, passed, CHECK_COUNTER)
    member.model = setCheck(member.model, member.checkHealth >= CHECK_COUNTER.rise ? 'up' : 'down')
  }
  socket.once('connect', () => { done(true) })
  socket.once('timeout', () => { done(false) })
  socket.once('error', () => { done(false) })
}

/** To the least busy for its weight; `retries` more tries elsewhere for what may be asked twice. */
function forward (pool: readonly Member[], req: IncomingMessage, res: ServerResponse, retries: number): void {
  const able = pool.filter(({ model }) => takesTraffic(model))
    .sort((a, b) => (a.sessionsNow + 1) / effectiveWeight(a.model) - (b.sessionsNow + 1) / effectiveWeight(b.model) || a.sessions - b.sessions)
  const [first] = able
  if (first === undefined) {
    res.writeHead(503, { 'retry-after': '10', 'content-type': 'text/plain' }).end('No gateway of this pool is fit to serve. Try again soon.\n')
    return
  }
  pass(first, req, res, () => {
    const others = pool.filter(member => member !== first)
    if (retries > 0 && others.length > 0 && !res.headersSent) forward(others, req, res, retries - 1)
    else if (!res.headersSent) res.writeHead(502).end()
    else res.destroy()
  })
}

function pass (member: Member, req: IncomingMessage, res: ServerResponse, onFailure: () => void): void {
  member.sessions += 1
  member.sessionsNow += 1
  const upstream = httpRequest({ host: HOST, port: member.port, method: req.method, path: req.url, headers: req.headers, agent: false }, answer => {
    if ((answer.statusCode ?? 0) >= 500) member.failed += 1
    res.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(res)
  })
  upstream.once('close', () => { member.sessionsNow -= 1 })
  upstream.once('error', () => {
    member.failed += 1
    onFailure()
  })
  res.once('close', () => { upstream.destroy() })
  req.pipe(upstream)
}

/**
 * HAProxy's counter: 0 … rise+fall-1, up while >= rise. Crossing `rise` either way jumps to the far end, so a full run
 * is needed to come back [check.c]. The first result decides alone.
 */
function step (health: number | undefined, passed: boolean, { rise, fall }: typeof CHECK_COUNTER): number {
  const top = rise + fall - 1
  if (health === undefined) return passed ? top : 0
  if (passed) return health + 1 >= rise ? top : health + 1
  return health - 1 < rise ? 0 : health - 1
}
