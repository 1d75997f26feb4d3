/** Waits until HAProxy has done what an order says, and tells how far it is. */
import type { ServerStatus, StatusBody, TrafficBody } from '../admin/api.ts'
import { clean, count, showDuration } from '../core/text.ts'
import { STAT_SHARED_MS } from '../haproxy/traffic.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { askAdmin, type Admin } from './admin-client.ts'
import { CommandError, EXIT, type Io } from './io.ts'
import { takesTraffic } from './order-view.ts'
import { pause, stopAt } from './patience.ts'

const LOOK_EVERY_MS = 500
/** Each may have the agent ask every HAProxy. */
const LOOKS_AT_ONCE = 4
/** A look that has begun when the time is over may end: it says what is left. */
const LAST_LOOK_MS = 2000
const LEFT_SHOWN_MAX = 10

export interface Waiting {
  readonly admin: Admin
  readonly io: Io
  readonly waitMs: number
  readonly signal: AbortSignal
  /** What becomes of the order when we go. */
  readonly stays: string
}

/** What a look has seen, in words. */
interface Seen { readonly isDone: boolean, readonly how: string }
type Look = (id: string) => Promise<Seen>
type Begin = (signal: AbortSignal) => Promise<Look>

const notYet = (how: string): Seen => ({ isDone: false, how })

/** Until no HAProxy has a session on these servers, and each has heard of it. No when one keeps its traffic. */
export async function waitUntilOut (servers: readonly ServerStatus[], waiting: Waiting): Promise<boolean> {
  const stillIn = servers.filter(takesTraffic)
  for (const { server, sentence } of stillIn) waiting.io.stderr.write(`${server}: keeps its traffic, so is not waited for: ${clean(sentence, 200)}\n`)
  const out = servers.filter(server => !stillIn.includes(server)).map(({ server }) => server)
  const emptySinceMs = new Map<string, number>()
  const all = await waitForAll(out, waiting, async signal => {
    const states = await statesNow(waiting.admin, signal)
    return async id => {
      const server = states.get(id)
      const begunMs = clock.now()
      if (server === undefined) return notYet('is not in the config any more')
      const seen = takesTraffic(server) ? notYet('takes traffic again: the order has ended') : whatIsLeft(await trafficOf(waiting.admin, id, signal))
      if (!seen.isDone) emptySinceMs.delete(id)
      else if (!emptySinceMs.has(id)) emptySinceMs.set(id, clock.now())
      // One look may count the sessions just before HAProxy hears of it, and the hearing just after; and the next may share its count.
      return seen.isDone && begunMs - (emptySinceMs.get(id) ?? begunMs) < STAT_SHARED_MS ? ONCE_MORE : seen
    }
  })
  return all && stillIn.length === 0
}

/** Not worth a line while we go on. */
const ONCE_MORE = notYet('nothing left, as far as one look tells')

/** Done is said only by somebody who knows: a socket that has the server or, without sockets, an HAProxy that has asked. */
function whatIsLeft ({ haproxys, waiting, heard }: TrafficBody): Seen {
  const left = haproxys.flatMap(({ socket, status = '', sessions = 0, error }) => {
    if (error !== undefined) return [`${socket} cannot be asked (${clean(error)})`]
    if (sessions > 0) return [`${count(sessions, 'session')} on ${socket}`]
    return isIn(status) ? [`${clean(status, 40)} on ${socket}`] : [] // the next client is sent there
  })
  const nobody = haproxys.length === 0
    ? heard === 0 && waiting.length === 0 ? ['no HAProxy has asked since'] : []
    : haproxys.every(({ sessions, error }) => sessions === undefined && error === undefined) ? ['no HAProxy of haproxy.sockets has this server: is its name in haproxy.cfg the same?'] : []
  const all = [...left, ...nobody, ...unheard(waiting)]
  if (all.length > 0) return notYet(all.join('; '))
  return { isDone: true, how: haproxys.length > 0 ? 'no session left' : 'every HAProxy that asks has heard it (with haproxy.sockets in the config, sessions are counted too)' }
}

/** Until we say that they take traffic, and every HAProxy has heard it and shows it. */
export async function waitUntilIn (servers: readonly ServerStatus[], waiting: Waiting): Promise<boolean> {
  const held = servers.filter(server => server.layer === 'order' && !takesTraffic(server))
  for (const { server, sentence } of held) waiting.io.stderr.write(`${server}: another order keeps it out: ${clean(sentence, 200)}\n`)
  const rest = servers.filter(server => !held.includes(server)).map(({ server }) => server)
  const all = await waitForAll(rest, waiting, async signal => {
    const states = await statesNow(waiting.admin, signal)
    return async id => {
      const server = states.get(id)
      if (server === undefined) return notYet('is not in the config any more')
      return takesTraffic(server) ? notIn(id, await trafficOf(waiting.admin, id, signal)) : notYet([server.state, ...server.because.slice(0, 1).map(why => clean(why, 200))].join(': '))
    }
  })
  return all && held.length === 0
}

/** HAProxy has eyes of its own: its check may still have to pass. One that cannot be asked has at least heard it. */
function notIn (id: string, { haproxys, waiting }: TrafficBody): Seen {
  const cure = (status: string): string => waiting.length > 0 || !/^(?:DRAIN|MAINT)/.test(status) ? ''
    : ` though it has heard us: set there by hand, or by an hcf that has lost its state_dir? \`set server ${id} state ready\` there ends it`
  const out = haproxys.flatMap(({ socket, status }) => status === undefined || isIn(status) ? [] : [`${clean(status, 40)} on ${socket}${cure(status)}`])
  const all = [...out, ...unheard(waiting)]
  return all.length > 0 ? notYet(all.join('; ')) : { isDone: true, how: 'takes traffic' }
}

/** As HAProxy shows a server that it sends clients to. */
const isIn = (status: string): boolean => /^(?:UP|no check)/.test(status)

const unheard = (waiting: readonly string[]): readonly string[] => waiting.map(from => `${clean(from, 60)} has not heard it yet`)

async function statesNow (admin: Admin, signal: AbortSignal): Promise<ReadonlyMap<string, ServerStatus>> {
  const { servers } = await askAdmin(admin, '/v1/status', { signal }) as StatusBody
  return new Map(servers.map(server => [server.server, server]))
}

async function trafficOf (admin: Admin, id: string, signal: AbortSignal): Promise<TrafficBody> {
  const [backend = '', server = ''] = id.split('/')
  return await askAdmin(admin, `/v1/servers/${encodeURIComponent(backend)}/${encodeURIComponent(server)}/traffic`, { signal }) as TrafficBody
}

/** Whether all were done in time. `begin` makes a round of looks. */
async function waitForAll (ids: readonly string[], { admin, io, waitMs, signal, stays }: Waiting, begin: Begin): Promise<boolean> {
  const say = progress(io)
  let giveUpMs = clock.now() + waitMs
  let isLast = false
  const left = new Map(ids.map(id => [id, 'not looked at']))
  while (left.size > 0 && !signal.aborted) {
    for (const [id, seen] of await round([...left.keys()], begin, { signal, giveUpMs, onTrouble: why => { say(admin.shown, why) } })) {
      if (seen !== ONCE_MORE) say(id, seen.how)
      if (seen.isDone) left.delete(id)
      else left.set(id, seen.how)
    }
    if (left.size === 0 || isLast) break
    if (clock.now() >= giveUpMs) {
      if (![...left.values()].includes(ONCE_MORE.how)) break
      isLast = true // what looks empty is looked at once more, whatever the time is
      giveUpMs = clock.now() + LAST_LOOK_MS
    }
    await pause(clock, Math.min(LOOK_EVERY_MS, giveUpMs - clock.now()), signal)
  }
  if (left.size === 0) return true
  const what = [...left].slice(0, LEFT_SHOWN_MAX).map(([id, how]) => `  ${id}: ${how}\n`).join('')
  const more = left.size > LEFT_SHOWN_MAX ? `  and ${left.size - LEFT_SHOWN_MAX} more\n` : ''
  io.stderr.write(`${signal.aborted ? 'no longer waited for' : `not within ${showDuration(waitMs)}`}:\n${what}${more}${stays}\n`)
  return false
}

interface Round {
  readonly signal: AbortSignal
  readonly giveUpMs: number
  readonly onTrouble: (why: string) => void
}

/**
 * What a look at each has seen, in their order, as far as there was time. An agent that is away for a moment is asked again.
 * However late it is, some are looked at: it is worth to know what is left.
 */
async function round (ids: readonly string[], begin: Begin, { signal, giveUpMs, onTrouble }: Round): Promise<ReadonlyArray<readonly [id: string, seen: Seen]>> {
  const seen = new Map<string, Seen>()
  const queue = [...ids]
  const stop = stopAt(clock, giveUpMs + LAST_LOOK_MS, signal)
  try {
    const look = await begin(stop.signal)
    const worker = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = clock.now() < giveUpMs ? queue.shift() : undefined) seen.set(id, await look(id))
    }
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, worker))
  } catch (error) {
    queue.length = 0 // what one was told, the others would be told too
    if (!(error instanceof CommandError) || error.exitCode !== EXIT.unavailable) throw error
    if (!stop.signal.aborted) onTrouble(error.message)
  } finally {
    stop.off()
  }
  return ids.flatMap(id => {
    const one = seen.get(id)
    return one === undefined ? [] : [[id, one] as const]
  })
}

/** A line when something is new. */
function progress (io: Io): (what: string, how: string) => void {
  const said = new Map<string, string>()
  return (what, how) => {
    if (said.get(what) === how) return
    said.set(what, how)
    io.stderr.write(`${what}: ${how}\n`)
  }
}
