/** Waits until HAProxy has done what an order says, and tells how far it is. */
import type { ServerStatus, StatusBody, TrafficBody } from '../admin/api.ts'
import { clean, count, showDuration } from '../core/text.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { askAdmin, type Admin } from './admin-client.ts'
import { CommandError, EXIT, type Io } from './io.ts'
import { takesTraffic } from './order-view.ts'
import { pause } from './patience.ts'

const LOOK_EVERY_MS = 500
/** Each may have the agent ask every HAProxy. */
const LOOKS_AT_ONCE = 4
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

const notYet = (how: string): Seen => ({ isDone: false, how })

/** Until no HAProxy has a session on these servers, and each has heard of it. */
export async function waitUntilOut (servers: readonly ServerStatus[], waiting: Waiting): Promise<boolean> {
  const stillIn = servers.filter(takesTraffic)
  for (const { server, sentence } of stillIn) waiting.io.stderr.write(`${server}: keeps its traffic, so is not waited for: ${clean(sentence, 200)}\n`)
  const out = servers.filter(server => !stillIn.includes(server)).map(({ server }) => server)
  const empty = new Set<string>()
  return waitForAll(out, waiting, async () => {
    const states = await statesNow(waiting.admin)
    return async id => {
      const server = states.get(id)
      const seen = server !== undefined && takesTraffic(server) ? notYet('takes traffic again: the order has ended') : whatIsLeft(await trafficOf(waiting.admin, id))
      // One look may count the sessions just before HAProxy hears of it, and the hearing just after.
      const isSure = empty.has(id)
      if (seen.isDone) empty.add(id)
      else empty.delete(id)
      return seen.isDone && !isSure ? ONCE_MORE : seen
    }
  })
}

/** Not worth a line while we go on. */
const ONCE_MORE = notYet('nothing left, as far as one look tells')

function whatIsLeft ({ haproxys, waiting }: TrafficBody): Seen {
  const left = haproxys.flatMap(({ socket, sessions = 0, error }) => {
    if (error !== undefined) return [`${socket} cannot be asked (${clean(error)})`]
    return sessions > 0 ? [`${count(sessions, 'session')} on ${socket}`] : []
  })
  const all = [...left, ...unheard(waiting)]
  if (all.length > 0) return notYet(all.join('; '))
  return { isDone: true, how: haproxys.length > 0 ? 'no session left' : 'every HAProxy that asks has heard it (with haproxy.sockets in the config, sessions are counted too)' }
}

/** Until we say that they take traffic, and every HAProxy has heard it and shows it. */
export async function waitUntilIn (servers: readonly ServerStatus[], waiting: Waiting): Promise<boolean> {
  const held = servers.filter(server => server.layer === 'order' && !takesTraffic(server))
  for (const { server, sentence } of held) waiting.io.stderr.write(`${server}: another order keeps it out: ${clean(sentence, 200)}\n`)
  const rest = servers.filter(server => !held.includes(server)).map(({ server }) => server)
  const all = await waitForAll(rest, waiting, async () => {
    const states = await statesNow(waiting.admin)
    return async id => {
      const server = states.get(id)
      if (server === undefined) return notYet('is not in the config any more')
      return takesTraffic(server) ? notIn(await trafficOf(waiting.admin, id)) : notYet([server.state, ...server.because.slice(0, 1).map(why => clean(why, 200))].join(': '))
    }
  })
  return all && held.length === 0
}

/** HAProxy has eyes of its own: its check may still have to pass. One that cannot be asked has at least heard it. */
function notIn ({ haproxys, waiting }: TrafficBody): Seen {
  const out = haproxys.flatMap(({ socket, status }) => status === undefined || /^(?:UP|no check)/.test(status) ? [] : [`${clean(status, 40)} on ${socket}`])
  const all = [...out, ...unheard(waiting)]
  return all.length > 0 ? notYet(all.join('; ')) : { isDone: true, how: 'takes traffic' }
}

const unheard = (waiting: readonly string[]): readonly string[] => waiting.map(from => `${clean(from, 60)} has not heard it yet`)

async function statesNow (admin: Admin): Promise<ReadonlyMap<string, ServerStatus>> {
  const { servers } = await askAdmin(admin, '/v1/status') as StatusBody
  return new Map(servers.map(server => [server.server, server]))
}

async function trafficOf (admin: Admin, id: string): Promise<TrafficBody> {
  const [backend = '', server = ''] = id.split('/')
  return await askAdmin(admin, `/v1/servers/${encodeURIComponent(backend)}/${encodeURIComponent(server)}/traffic`) as TrafficBody
}

/** Whether all were done in time. `begin` makes a round of looks. */
async function waitForAll (ids: readonly string[], { admin, io, waitMs, signal, stays }: Waiting, begin: () => Promise<Look>): Promise<boolean> {
  const say = progress(io)
  const giveUpMs = clock.now() + waitMs
  const left = new Map(ids.map(id => [id, 'nobody could be asked']))
  while (left.size > 0 && !signal.aborted) {
    for (const [id, seen] of await round([...left.keys()], begin, why => { say(admin.shown, why) })) {
      if (seen !== ONCE_MORE) say(id, seen.how)
      if (seen.isDone) left.delete(id)
      else left.set(id, seen.how)
    }
    if (left.size === 0 || clock.now() >= giveUpMs) break
    await pause(clock, Math.min(LOOK_EVERY_MS, giveUpMs - clock.now()), signal)
  }
  if (left.size === 0) return true
  const what = [...left].slice(0, LEFT_SHOWN_MAX).map(([id, how]) => `  ${id}: ${how}\n`).join('')
  const more = left.size > LEFT_SHOWN_MAX ? `  and ${left.size - LEFT_SHOWN_MAX} more\n` : ''
  io.stderr.write(`${signal.aborted ? 'no longer waited for' : `not within ${showDuration(waitMs)}`}:\n${what}${more}${stays}\n`)
  return false
}

/** What a look at each has seen, in their order. An agent that is away for a moment is asked again. */
async function round (ids: readonly string[], begin: () => Promise<Look>, onTrouble: (why: string) => void): Promise<ReadonlyArray<readonly [id: string, seen: Seen]>> {
  try {
    const look = await begin()
    const seen = new Map<string, Seen>()
    const queue = [...ids]
    const worker = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) seen.set(id, await look(id))
    }
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, worker))
    return ids.flatMap(id => {
      const one = seen.get(id)
      return one === undefined ? [] : [[id, one] as const]
    })
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode !== EXIT.unavailable) throw error
    onTrouble(error.message)
    return []
  }
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
