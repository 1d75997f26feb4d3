/** The write path: one event in, the next state of a backend out. Pure, so a journal can be replayed. */
import { foldSample } from './check.ts'
import type { Event, SampleEvent } from './event.ts'
import { keep } from './floor.ts'
import type { Backend, BackendState, Server, ServerState } from './model.ts'
import { NEW_SERVER, standing } from './phase.ts'

export const newBackend = (backend: Backend): BackendState => ({ servers: backend.servers.map(() => NEW_SERVER), kept: [] })

export function advance (backend: Backend, state: BackendState, event: Event): BackendState {
  const server = backend.servers[event.server]
  const before = state.servers[event.server]
  if (server === undefined || before === undefined) return state

  const after = advanceServer(server, before, event)
  if (after === before) return state
  const servers = state.servers.with(event.server, after)
  // A floor can only move with somebody's phase, or with why somebody who may be kept is out.
  const moved = standing(server, before).phase !== standing(server, after).phase
  return { servers, kept: moved || state.kept.length > 0 ? keep(backend, servers) : state.kept }
}

/** One sample moves the checks that read its probe, and no other. */
function advanceServer (server: Server, state: ServerState, { probe, sample }: SampleEvent): ServerState {
  const before = state.probes[probe]
  if (before !== undefined && sample.endMs < before.endMs) return state // a late answer of an older poll
  const checks = server.criteria.map((criterion, i) =>
    criterion.probe === probe ? foldSample(criterion, state.checks[i], sample, before?.good) : state.checks[i])
  const good = sample.ok ? { good: sample } : {}
  return settle(server, { checks, probes: { ...state.probes, [probe]: { ...before, endMs: sample.endMs, ...good } }, known: state.known })
}

/** With the phase remembered, where there is one. */
function settle (server: Server, state: ServerState): ServerState {
  const { phase } = standing(server, state)
  return phase === 'start' ? state : { ...state, known: phase }
}

/** What survives a reload: the checks whose criterion still means the same on the same server. */
export function carryOver (from: Backend, state: BackendState, to: Backend): BackendState {
  const servers = to.servers.map(server => {
    const index = from.servers.findIndex(({ name }) => name === server.name)
    const old = from.servers[index]
    const oldState = state.servers[index]
    return old === undefined || oldState === undefined ? NEW_SERVER : carryServer(old, oldState, server)
  })
  return { servers, kept: keep(to, servers) }
}

function carryServer (from: Server, state: ServerState, to: Server): ServerState {
  const checks = to.criteria.map(({ name, meaning }) =>
    state.checks[from.criteria.findIndex(old => old.name === name && old.meaning === meaning)])
  const read = new Set(to.criteria.map(({ probe }) => probe))
  const probes = Object.fromEntries(Object.entries(state.probes).filter(([probe]) => read.has(probe)))
  return settle(to, { checks, probes, known: state.known })
}
