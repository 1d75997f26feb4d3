/** What survives a change of the config, and a restart. */
import { newBackend, rebuilt } from './advance.ts'
import { itemsOf } from './list.ts'
import type { Backend, Server } from './model.ts'
import { newServer } from './phase.ts'
import { takesOut } from './severity.ts'
import type { BackendState, CheckState, ServerState } from './state.ts'

/** A server as far as memory goes: what it looks at, and what its criteria mean. */
export type Remembered = Pick<Server, 'name' | 'node'> & { readonly criteria: ReadonlyArray<Pick<Server['criteria'][number], 'name' | 'meaning' | 'probe'>> }

/**
 * A server that is still the same node keeps what it is; a criterion that still means the same keeps its memory. One
 * that is new changes nothing until it has failed often enough, one that is gone holds nobody out beyond the next look.
 */
export function carryOver (from: { readonly servers: readonly Remembered[] }, state: BackendState, to: Backend, nowMs: number): BackendState {
  const servers = to.servers.map(server => {
    const index = from.servers.findIndex(({ name }) => name === server.name)
    const old = from.servers[index]
    const own = state.servers.at(index)
    if (old === undefined || own === undefined) return newServer(nowMs)
    return old.node === server.node ? carryServer(old, own, server) : newServer(nowMs, wasOut(own))
  })
  return rebuilt(to, { ...state, servers: itemsOf(servers) }, nowMs)
}

/** HAProxy keeps it out until it hears something else. */
const wasOut = ({ phase, toldOut }: ServerState): boolean => phase === 'out' || phase === 'held' || toldOut

function carryServer (from: Remembered, state: ServerState, to: Server): ServerState {
  const checks = to.criteria.map(criterion => {
    const check = state.checks[from.criteria.findIndex(old => old.name === criterion.name && old.meaning === criterion.meaning)]
    // A warning that is a reason to go out from now on: it must trip again, past the gate.
    return check?.latched === true && state.phase === 'in' && takesOut(criterion) ? { ...check, latched: false } : check
  })
  const read = new Set(to.criteria.map(({ probe }) => probe))
  const probes = Object.fromEntries(Object.entries(state.probes).filter(([probe]) => read.has(probe)))
  return { ...state, checks, probes }
}

/** The state of a backend as it is kept over a restart: plain data. Orders are kept by themselves. */
export interface Snapshot {
  readonly servers: readonly Remembered[]
  readonly state: Omit<BackendState, 'orders' | 'tally' | 'floor' | 'servers'> & { readonly servers: readonly ServerState[] }
}

export const snapshot = ({ servers }: Backend, { orders: _, tally: __, floor: ___, ...state }: BackendState): Snapshot => ({
  servers: servers.map(({ name, node, criteria }) => ({ name, node, criteria: criteria.map(({ name, meaning, probe }) => ({ name, meaning, probe })) })),
  state: { ...state, servers: [...state.servers] }
})

/**
 * A backend after a restart: servers whose last look is fresh go on as they were, the others begin anew, and with them
 * what the backend as a whole has learned. `shiftMs`: what the clock of the samples says now, less what the old one would.
 */
export function revive (to: Backend, { servers, state }: Snapshot, shiftMs: number, nowMs: number): BackendState {
  const { staleAfterMs } = to.policy
  const later = (ms: number): number => ms + shiftMs
  const shifted = state.servers.map(own => shiftServer(own, later))
  const isFresh = ({ lastMs }: ServerState): boolean => lastMs !== undefined && nowMs - lastMs <= staleAfterMs
  const known = shifted.map(own => isFresh(own) ? own : newServer(nowMs, wasOut(own)))
  const begun = newBackend(to, nowMs)
  if (!shifted.some(isFresh)) return carryOver({ servers }, { ...begun, servers: known }, to, nowMs)
  const { ejectsMs, extra, extraAtMs, strainSinceMs } = state
  const learned = { extra, ejectsMs: ejectsMs.map(later), extraAtMs: later(extraAtMs), strainSinceMs: maybe(strainSinceMs, later) }
  return carryOver({ servers }, { ...begun, ...learned, servers: known }, to, nowMs)
}

type Later = (ms: number) => number
const maybe = (ms: number | undefined, later: Later): number | undefined => ms === undefined ? undefined : later(ms)

function shiftServer (own: ServerState, later: Later): ServerState {
  return {
    ...own,
    checks: own.checks.map(check => check === undefined || check === null ? undefined : shiftCheck(check, later)), // JSON has no undefined
    probes: Object.fromEntries(Object.entries(own.probes).map(([key, { endMs, good }]) =>
      [key, { endMs: later(endMs), ...(good === undefined ? {} : { good: { ...good, startMs: later(good.startMs), endMs: later(good.endMs) } }) }])),
    bornMs: later(own.bornMs),
    sinceMs: later(own.sinceMs),
    holdUntilMs: later(own.holdUntilMs),
    flapsMs: own.flapsMs.map(later),
    rampFromMs: maybe(own.rampFromMs, later),
    lastMs: maybe(own.lastMs, later),
    weightAtMs: later(own.weightAtMs)
  }
}

const shiftCheck = (check: CheckState, later: Later): CheckState => ({
  ...check,
  doubt: check.doubt,
  firstFailMs: maybe(check.firstFailMs, later),
  goodSinceMs: maybe(check.goodSinceMs, later),
  lastGoodMs: maybe(check.lastGoodMs, later),
  sinceMs: later(check.sinceMs)
})
