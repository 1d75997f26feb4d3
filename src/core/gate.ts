/**
 * Self-doubt. A criterion that has tripped takes its server out only if that singles it out: what everybody fails is
 * a dependency, a load, or our own eyes, and taking servers out for it only does harm. A refusal needs no second witness.
 */
import { isStrained, share, without } from './strain.ts'
import { floorAt } from './floor.ts'
import { isQuick } from './latency.ts'
import type { Backend, Server } from './model.ts'
import { REACH, reachCheck } from './reach.ts'
import { takesOut } from './severity.ts'
import type { BackendState, CheckState, Doubt, ServerState } from './state.ts'

/** Somebody outside the backend who can vouch for our own network: a node, and its reach check. */
export interface Voice { readonly node: string, readonly check: CheckState }
export type Outside = () => readonly Voice[]

/** A criterion of a server that has tripped with a sample. `state` holds the server as it is with that sample so far. */
export interface Trip {
  readonly index: number
  readonly at: number
  readonly check: CheckState
  readonly startMs: number
  readonly endMs: number
}

/** Why the trip may not count now; undefined when it may. */
export function doubtOf (backend: Backend, state: BackendState, trip: Trip, outside: Outside): Doubt | undefined {
  const server = backend.servers[trip.index]
  const own = state.servers.at(trip.index)
  const criterion = server?.criteria[trip.at]
  if (server === undefined || own === undefined || criterion === undefined) return undefined
  if (!takesOut(criterion) || criterion.solo || (criterion.kind === REACH && own.reached === 'dead')) return undefined

  const peers = askPeers(backend, state, trip, outside)
  if (peers !== undefined) return { why: 'peers', ...peers }
  if (own.phase !== 'in') return undefined
  // Whoever says that it cannot serve carries nothing: the strain of the others is no reason to keep it.
  const carries = criterion.kind === REACH || criterion.onFail.action === 'drain'
  if (carries && isStrained(backend.policy, without(state.tally, share(server, own, backend.policy)))) return { why: 'strain' }
  return isQueued(backend, state, trip.endMs) && !isSudden(backend, state, trip) ? { why: 'queue' } : undefined
}

/** What the others say; undefined when enough of them pass, or there is nobody to ask. */
function askPeers (backend: Backend, state: BackendState, trip: Trip, outside: Outside): Answer | undefined {
  const { gate } = backend.policy
  const server = backend.servers[trip.index]
  const criterion = server?.criteria[trip.at]
  if (gate === undefined || server === undefined || criterion === undefined) return undefined

  const isReach = criterion.kind === REACH
  const common = tooFewPass(backend, state, trip, isReach, gate.quorumPercent)
  if (common !== undefined) return common
  const percent = isReach && isWeak(state.servers.at(trip.index), trip, gate.settleMs) ? gate.strictQuorumPercent : gate.quorumPercent
  const voiceOf = isReach ? carrier(backend, state, trip, gate.settleMs) : witness(trip)
  const most = quorumOf(percent, state.tally.known[trip.at] ?? 0)
  let answer = poll(backend, state, trip, voiceOf, most)
  if (answer === undefined) return undefined
  if (answer.asked === 0) {
    if (!isReach) return isNewToAll(backend, state, trip, gate.settleMs) ? answer : undefined
    // Silence of the last one that carries traffic may be load. Only a server without peers asks strangers.
    if (backend.servers.some(({ node }) => node !== server.node)) return answer
    answer = pollOutside(outside(), trip, server.node)
  }
  return answer.asked === 0 || answer.passing >= quorumOf(percent, answer.asked) ? undefined : answer
}

const quorumOf = (percent: number, asked: number): number => Math.max(1, Math.ceil(percent * asked / 100))

/**
 * A criterion of a new config, of which none of the others has been looked at: whoever is looked at first must not go out,
 * for then it would stay out for what they all fail. It does not wait long: one that cannot be looked at must not hold it up.
 */
function isNewToAll ({ servers }: Backend, state: BackendState, { index, check: { firstFailMs = 0 }, endMs }: Trip, settleMs: number): boolean {
  if (state.servers.at(index)?.phase !== 'in' || endMs - firstFailMs >= settleMs) return false
  return servers.some(({ node }, i) => node !== servers[index]?.node && state.servers.at(i)?.phase === 'in')
}

/** Silence that may well be our own network's, or a load that has only just arrived. */
const isWeak = (own: ServerState | undefined, { check: { firstFailMs = 0 } }: Trip, settleMs: number): boolean =>
  own !== undefined && (own.reached === 'noconn' || own.sinceMs + settleMs > firstFailMs)

/** A fault that all share needs no asking round: at each look of each server that would be the square of the farm. */
function tooFewPass (
  { servers }: Backend, { servers: states, tally }: BackendState, { at, index }: Trip, isReach: boolean, quorumPercent: number
): Answer | undefined {
  const asked = isReach ? tally.in - (states.at(index)?.phase === 'in' ? 1 : 0) : (tally.known[at] ?? 0) - 1
  const passing = tally.passing[at] ?? 0 // of them some may pass too lately to count: never fewer than those who vouch
  const isTooFew = isReach ? passing === 0 : passing * 100 < quorumPercent * asked && passing < asked
  return asked < 1 || !isTooFew || hasTwins(servers) ? undefined : { asked, passing, failing: asked - passing }
}

interface Answer { readonly asked: number, readonly passing: number, readonly failing: number }
/** The check by which another server of the backend may speak; undefined when it may not. */
type VoiceOf = (server: Server, state: ServerState, index: number) => CheckState | undefined

/**
 * One voice a node, and none for the node in question; undefined as soon as `enough` pass. Many failing looks may come
 * here: nothing is allocated, unless servers share a node.
 */
function poll ({ servers }: Backend, state: BackendState, trip: Trip, voiceOf: VoiceOf, enough: number): Answer | undefined {
  const own = servers[trip.index]?.node
  const seen = hasTwins(servers) ? new Set<string>() : undefined
  let asked = 0
  let passing = 0
  let failing = 0
  for (let i = 0; i < servers.length; i += 1) {
    const server = servers[i]
    const other = state.servers.at(i)
    if (server === undefined || other === undefined || server.node === own || seen?.has(server.node) === true) continue
    const check = voiceOf(server, other, i)
    if (check === undefined || !hasData(check)) continue
    seen?.add(server.node)
    asked += 1
    if (vouches(check, trip)) {
      passing += 1
      if (passing >= enough) return undefined
    } else if (check.bad > 0 || check.latched) failing += 1
  }
  return { asked, passing, failing }
}

function pollOutside (voices: readonly Voice[], trip: Trip, own: string): Answer {
  const byNode = new Map(voices.filter(({ node, check }) => node !== own && hasData(check) && !check.latched).map(voice => [voice.node, voice]))
  const checks = [...byNode.values()].map(({ check }) => check)
  return { asked: checks.length, passing: checks.filter(check => vouches(check, trip)).length, failing: checks.filter(({ bad }) => bad > 0).length }
}

const hasData = ({ good, bad }: CheckState): boolean => good + bad > 0

/** It passes without a break since before this look began, and did so after this server began to fail. */
function vouches ({ latched, goodSinceMs, lastGoodMs }: CheckState, { check, startMs }: Trip): boolean {
  if (latched || goodSinceMs === undefined || lastGoodMs === undefined) return false
  return goodSinceMs <= startMs && lastGoodMs > (check.firstFailMs ?? 0)
}

/** Who can say something of a criterion: everyone in the backend that was looked at for it. */
const witness = ({ at }: Trip): VoiceOf => (_, { checks }) => checks[at]

/** Silence is judged by those that carry traffic too, and did before it began: a rested server answers whatever the load. */
function carrier (backend: Backend, state: BackendState, { check: { firstFailMs = 0 }, startMs }: Trip, settleMs: number): VoiceOf {
  const { kept } = floorAt(backend, state, startMs)
  return (server, other, index) => {
    const reach = reachCheck(server, other)
    if (reach === undefined || reach.latched) return undefined
    const isLoaded = other.phase === 'in' && (other.sinceMs <= firstFailMs || other.sinceMs + settleMs <= startMs)
    return isLoaded || kept.has(index) ? reach : undefined
  }
}

const twins = new WeakMap<readonly Server[], boolean>()

/** Whether two servers are one node. */
function hasTwins (servers: readonly Server[]): boolean {
  const known = twins.get(servers) ?? new Set(servers.map(({ node }) => node)).size < servers.length
  twins.set(servers, known)
  return known
}

function isQueued ({ policy: { burst }, servers }: Backend, { ejectsMs }: BackendState, nowMs: number): boolean {
  if (burst === undefined) return false
  let recent = 0
  for (const ms of ejectsMs) if (ms > nowMs - burst.withinMs) recent += 1
  return recent >= Math.max(1, Math.floor(servers.length * burst.sharePercent / 100))
}

/**
 * It answered quickly until it fell silent, and so do those that still answer: a hang, not load, for load shows before.
 * Many may hang at once (a rack, a shared disk), and there is no effect of one step to wait for before the next.
 */
function isSudden ({ servers, policy }: Backend, { servers: states }: BackendState, { at, index, check: { firstFailMs = 0 } }: Trip): boolean {
  const server = servers[index]
  const own = states.at(index)
  if (server === undefined || own === undefined || policy.strain === undefined || own.reached !== 'noreply' || server.criteria[at]?.kind !== REACH) return false
  if (own.sinceMs + (policy.gate?.settleMs ?? 0) > firstFailMs) return false // it has only just come back, maybe into a load
  return isQuick(server, own, policy) && servers.every((other, i) => {
    const state = states.at(i)
    return state === undefined || state.phase !== 'in' || (reachCheck(other, state)?.bad ?? 0) > 0 || isQuick(other, state, policy)
  })
}
