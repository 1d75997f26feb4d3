/**
 * What an HAProxy makes of an agent's answers: one server's state, as a value. Pure: no sockets, no clock, no chance.
 *
 * Modelled on check.c, tcpcheck.c, server.c and stats.c, and held to what real ones did (test/sim/haproxy.test.ts).
 * Left out: rise and fall of the own health check (a result here acts at once, so `UP 1/3` shows as `UP`), slowstart,
 * tracking, DNS, and the stale-buffer bug of old versions (a line split over two segments taking a user's bytes).
 */
import type { AdminWord } from '../core/reply.ts'
import { parseReply } from '../agent/protocol.ts'

/** `srv_admin_state`, bit by bit [server-t.h]. F: forced by operator or agent. I: inherited. C: config. R: resolver. */
export const ADMIN = { FMAINT: 1, IMAINT: 2, CMAINT: 4, FDRAIN: 8, IDRAIN: 16, RMAINT: 32 } as const
/** CMAINT only remembers that the config says `disabled`; FMAINT beside it does the work. */
const MAINT = ADMIN.FMAINT | ADMIN.IMAINT | ADMIN.RMAINT
const DRAIN = ADMIN.FDRAIN | ADMIN.IDRAIN

/** `tune.bufsize`: what is read of an answer. The line end must be among it. */
export const BUFFER_BYTES = 16_384
/** HCHK_DESC_LEN less its NUL: what is kept of a message, frame included [check-t.h]. */
export const MESSAGE_BYTES_MAX = 127
const WEIGHT_MAX = 256

/** Where versions differ. */
export interface Traits {
  /** 3.1 and later read `weight:N`. */
  readonly weightWord: boolean
  /** 3.3 and 3.4: an agent that never said `up` counts as down as soon as anything asks. */
  readonly startsDown: boolean
  /** 3.4 and later: an answer that fills the whole buffer is dropped, wherever its line end is. */
  readonly dropsFullBuffer: boolean
  /** Newer versions name the errno in `last_agt`. */
  readonly namesErrno: boolean
}

export const HAPROXY_2_6: Traits = { weightWord: false, startsDown: false, dropsFullBuffer: false, namesErrno: false }
export const HAPROXY_3_5: Traits = { weightWord: true, startsDown: false, dropsFullBuffer: true, namesErrno: true }
export const HAPROXY_3_4: Traits = { ...HAPROXY_3_5, startsDown: true }

/** The server line. */
export interface ServerConfig {
  readonly iweight: number
  /** Infinity: none given, or 0. */
  readonly maxconn: number
  /** Whether it has `check`, HAProxy's own health check. */
  readonly check: boolean
  readonly disabled: boolean
  /** static-rr, source, uri and the like: weights other than 0 and `iweight` are refused. */
  readonly staticAlgorithm: boolean
  readonly traits: Traits
}

/** Column `agent_status`, without the `* ` of a check under way. */
export type AgentStatus =
  'INI' | 'CHECKED' | 'L7OK' | 'L7STS' | 'L7RSP' | 'L7TOUT' | 'L4CON' | 'L4TOUT' | 'SOCKERR'

export interface HaproxyServer {
  readonly config: ServerConfig
  /** Absolute, 0 … 256. */
  readonly uweight: number
  /** Infinity: no limit. */
  readonly maxconn: number
  /** Bits of ADMIN. */
  readonly admin: number
  /** `srv_op_state`: 2 running, 0 stopped. MAINT is stopped too. */
  readonly running: boolean
  readonly checkHealth: 'up' | 'down' | 'none'
  readonly agentEnabled: boolean
  readonly agentHealth: 0 | 1
  readonly agentStatus: AgentStatus
  /** The last message, cut like HAProxy's, without the line feed that some versions end a warning with. */
  readonly lastAgt: string
}

/** How one agent check went. `bytes` is binary text, one character a byte; all of it came before the deadline. */
export type AgentOutcome =
  | { readonly kind: 'bytes', readonly bytes: string, readonly eof: 'open' | 'fin' | 'rst' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'connect-timeout' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'reset' }

/** Commands of the runtime API, after `set server b/s` where that is their beginning. */
export type Command =
  | `state ${AdminWord}` | 'disable server' | 'enable server'
  | `weight ${number}` | `weight ${number}%` | `maxconn ${number}`
  | 'agent up' | 'agent down' | 'health up' | 'health down' | 'enable agent' | 'disable agent'

const DEFAULTS: ServerConfig = {
  iweight: 100, maxconn: Infinity, check: true, disabled: false, staticAlgorithm: false, traits: HAPROXY_2_6
}

/** A server as it starts: taken for up until something says otherwise. */
export function createServer (options: Partial<ServerConfig> = {}): HaproxyServer {
  const config = { ...DEFAULTS, ...options }
  return {
    config,
    uweight: config.iweight,
    maxconn: config.maxconn,
    admin: config.disabled ? ADMIN.CMAINT | ADMIN.FMAINT : 0,
    running: !config.disabled,
    checkHealth: config.check ? 'up' : 'none',
    agentEnabled: true,
    agentHealth: config.traits.startsDown ? 0 : 1,
    agentStatus: 'INI',
    lastAgt: ''
  }
}

/**
 * A restart or reload. Without a state file all that was said is forgotten. With one, admin bits, weight and the
 * operating state survive, agent health and maxconn do not: what was stopped is back with the next good check or `up`.
 */
export function restart (server: HaproxyServer, { withStateFile = false } = {}): HaproxyServer {
  const fresh = createServer(server.config)
  if (!withStateFile) return fresh
  const { uweight, admin, running } = server
  const checkHealth = running || !server.config.check ? fresh.checkHealth : 'down'
  return { ...fresh, uweight, admin, running, checkHealth }
}

/** The server after one agent check. */
export function hear (server: HaproxyServer, outcome: AgentOutcome): HaproxyServer {
  if (!server.agentEnabled) return server
  const because = (older: string, newer: string): string => server.config.traits.namesErrno ? newer : older
  const reset = 'Connection reset by peer'
  switch (outcome.kind) {
    case 'refused': return note(server, 'L4CON', because('Connection refused', 'ECONNREFUSED returned by OS'))
    case 'connect-timeout': return note(server, 'L4TOUT', '')
    case 'timeout': return note(server, 'L7TOUT', '')
    case 'reset': return note(server, 'SOCKERR', because(reset, `ECONNRESET returned by OS (${reset})`))
    case 'bytes': return hearBytes(server, outcome.bytes, outcome.eof)
  }
}

/** A whole line within the deadline, as from an agent that leaves closing to HAProxy. */
export const hearLine = (server: HaproxyServer, bytes: string): HaproxyServer =>
  hear(server, { kind: 'bytes', bytes, eof: 'open' })

/** The first LF, CR or NUL decides [tcpcheck.c: tcpcheck_agent_expect_reply]. What follows is never looked at. */
function hearBytes (server: HaproxyServer, bytes: string, eof: 'open' | 'fin' | 'rst'): HaproxyServer {
  if (bytes === '' && eof === 'rst') return hear(server, { kind: 'reset' })
  if (bytes === '' && eof === 'fin') return note(server, 'L7RSP', 'TCPCHK got an empty response at step 2')
  const full = bytes.length >= BUFFER_BYTES
  const dropped = full && server.config.traits.dropsFullBuffer
  const end = bytes.slice(0, BUFFER_BYTES).search(/[\n\r\0]/)
  if (end >= 0 && bytes[end] !== '\0' && !dropped) return hearReply(server, bytes.slice(0, end))
  return full || eof !== 'open' ? hearIncomplete(server) : hear(server, { kind: 'timeout' })
}

/**
 * The previous status is applied once more, with all its effects: after `down` it undoes an operator's `agent up`.
 * Without a previous status there is no result, and the check hangs until its timeout.
 */
function hearIncomplete (server: HaproxyServer): HaproxyServer {
  const status = server.agentStatus === 'INI' ? 'L7TOUT' : server.agentStatus
  return note(server, status, 'Ignoring incomplete line from agent')
}

/** Health is set while words are read; then admin, weight and maxconn; the result of the check comes last. */
function hearReply (server: HaproxyServer, line: string): HaproxyServer {
  const { health, admin, weight, maxconn, text, unknown } = parseReply(line, server.config.traits)
  let now: HaproxyServer = health === undefined ? server : { ...server, agentHealth: health === 'up' ? 1 : 0 }
  if (admin !== undefined) now = applyAdmin(now, admin)
  const weighed = weight === undefined ? { server: now } : applyWeight(now, weight)
  const limited = maxconn === undefined ? { server: weighed.server } : applyMaxconn(weighed.server, maxconn)
  const warning = weighed.error ?? limited.error
  now = limited.server

  if (health === undefined) {
    if (unknown !== undefined) return note(now, 'CHECKED', `agent reports an error : ${unknown}`)
    return note(now, 'CHECKED', warning === undefined ? '' : `agent warns : ${warning}`)
  }
  const trouble = health === 'up' || !text ? unknown ?? warning : undefined // a description of `down` goes first
  const info = trouble ?? text ?? ''
  const message = `via agent : ${healthAsWritten(line)}${info === '' ? '' : ` (${info})`}`
  return note(now, health === 'up' ? 'L7OK' : 'L7STS', message)
}

/** HAProxy echoes the word in the agent's own letter case. */
function healthAsWritten (line: string): string {
  const words = line.replace(/(^|[ \t,])#.*$/s, '').split(/[ \t,]+/)
  return words.findLast((word) => /^(?:up|down|stopped|fail)$/i.test(word)) ?? ''
}

/** A check's result [check.c: set_server_check_status]. Of all statuses only L7OK and L7STS move an agent's health. */
function note (server: HaproxyServer, agentStatus: AgentStatus, message: string): HaproxyServer {
  const noted = { ...server, agentStatus, lastAgt: message.slice(0, MESSAGE_BYTES_MAX) }
  if (agentStatus === 'L7OK') return rise({ ...noted, agentHealth: 1 })
  if (agentStatus === 'L7STS') return { ...noted, agentHealth: 0, running: false }
  return noted
}

/** Up again, if nothing speaks against it [check.c: check_notify_success]. */
function rise (server: HaproxyServer): HaproxyServer {
  const held = inMaint(server) || server.checkHealth === 'down' || (server.agentEnabled && server.agentHealth === 0)
  return held ? server : { ...server, running: true }
}

/** Agent words and the operator's `set server … state` are the same three functions [server.c: srv_adm_set_*]. */
function applyAdmin (server: HaproxyServer, word: AdminWord): HaproxyServer {
  const cleared = server.admin & ~(ADMIN.FMAINT | ADMIN.FDRAIN)
  const forced = { ready: 0, drain: ADMIN.FDRAIN, maint: ADMIN.FMAINT }[word]
  const changed = { ...server, admin: cleared | forced }
  if (inMaint(changed)) return { ...changed, running: false }
  if (!inMaint(server)) return changed
  // Leaving maintenance the own check counts as passed, and starts anew.
  return rise({ ...changed, checkHealth: server.checkHealth === 'none' ? 'none' : 'up' })
}

/** C's strtol, base 10, 64 bits: blanks and a sign may lead, overflow saturates, `tail` is what it left. */
function strtol (text: string): { readonly value: bigint, readonly tail: string } | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?)(\d+)/.exec(text)
  if (match === null) return undefined
  const [whole, sign, digits = '0'] = match
  const max = 2n ** 63n - 1n
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits)
  return { value: value > max ? max : value < -max - 1n ? -max - 1n : value, tail: text.slice(whole.length) }
}

interface Applied { readonly server: HaproxyServer, readonly error?: string }

/** [server.c: server_parse_weight_change_request], for the agent and for `set server … weight` alike. */
function applyWeight (server: HaproxyServer, text: string): Applied {
  const { iweight, staticAlgorithm } = server.config
  if (text === '') return { server, error: 'Require <weight> or <weight%>.' }
  const number = strtol(text)
  if (number === undefined) return { server, error: 'Empty weight string empty or preceded by garbage' }
  const { value, tail } = number
  let weight = Number(value)
  if (tail === '%') {
    if (value < 0n) return { server, error: 'Relative weight must be positive.' }
    weight = Math.min(Math.floor(iweight * Math.min(weight, 25_600) / 100), WEIGHT_MAX)
  } else if (value < 0n || value > BigInt(WEIGHT_MAX)) {
    return { server, error: 'Absolute weight can only be between 0 and 256 inclusive.' }
  } else if (tail !== '') {
    return { server, error: 'Trailing garbage in weight string' }
  }
  if (staticAlgorithm && weight !== 0 && weight !== iweight) {
    return { server, error: "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'." }
  }
  return { server: { ...server, uweight: weight } }
}

/** [server.c: server_parse_maxconn_change_request]. No range: stored in 32 bits, and 0 is no limit. */
function applyMaxconn (server: HaproxyServer, text: string): Applied {
  if (text === '') return { server, error: 'Require <maxconn>.' }
  const number = strtol(text)
  if (number === undefined) return { server, error: 'maxconn string empty or preceded by garbage' }
  if (number.tail !== '') return { server, error: 'Trailing garbage in maxconn string' }
  return { server: { ...server, maxconn: Number(BigInt.asUintN(32, number.value)) || Infinity } }
}

/** An operator's command. One that HAProxy refuses changes nothing. */
export function operate (server: HaproxyServer, command: Command): HaproxyServer {
  const [name, argument = ''] = command.split(' ', 2) as [string, string?]
  switch (name) {
    case 'state': return applyAdmin(server, argument as AdminWord)
    case 'weight': return applyWeight(server, argument).server
    case 'maxconn': return applyMaxconn(server, argument).server
    case 'agent': return forceHealth(server, server.agentEnabled, { agentHealth: argument === 'up' ? 1 : 0 }, argument)
    case 'health':
      return forceHealth(server, true, server.config.check ? { checkHealth: argument as 'up' | 'down' } : {}, argument)
    default: // enable, disable
      if (argument === 'agent') return { ...server, agentEnabled: name === 'enable' }
      return applyAdmin(server, name === 'enable' ? 'ready' : 'maint')
  }
}

/** One piece set by hand starts or stops the server at once, whatever the other says, until the next check does. */
function forceHealth (server: HaproxyServer, may: boolean, to: Partial<HaproxyServer>, word: string): HaproxyServer {
  return may ? { ...server, ...to, running: word === 'up' && !inMaint(server) } : server
}

/** A result of HAProxy's own health check. There is none in MAINT: health checks pause there, agent checks do not. */
export function setCheck (server: HaproxyServer, result: 'up' | 'down'): HaproxyServer {
  if (server.checkHealth === 'none' || inMaint(server)) return server
  if (result === 'down') return { ...server, checkHealth: 'down', running: false }
  return rise({ ...server, checkHealth: 'up' })
}

export const inMaint = (server: HaproxyServer): boolean => (server.admin & MAINT) !== 0
export const inDrain = (server: HaproxyServer): boolean => (server.admin & DRAIN) !== 0

export type StatusColumn = 'UP' | 'DOWN' | 'DOWN (agent)' | 'MAINT' | 'DRAIN (agent)' | 'DRAIN' | 'no check'

/** Column `status` [stats.c: stats_fill_sv_stats]. It names no weight: 0 shows as `UP`. */
export function statusColumn (server: HaproxyServer): StatusColumn {
  if (inMaint(server)) return 'MAINT'
  if (!server.running) return server.agentEnabled && server.agentHealth === 0 ? 'DOWN (agent)' : 'DOWN'
  if (inDrain(server)) return server.agentEnabled ? 'DRAIN (agent)' : 'DRAIN' // whoever asked for it
  return server.checkHealth === 'none' ? 'no check' : 'UP'
}

/** Its share of new clients: 0 unless it is running and neither in drain nor in maintenance. */
export const effectiveWeight = (server: HaproxyServer): number =>
  server.running && !inMaint(server) && !inDrain(server) ? server.uweight : 0

/** Whether clients without a session on it are sent there. */
export const takesTraffic = (server: HaproxyServer): boolean => effectiveWeight(server) > 0
