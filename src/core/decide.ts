/**
 * The read path: what should HAProxy do with a server now? Pure and cheap: the same arguments give the same decision
 * in the agent, in `explain` and on the status page, and asking changes nothing.
 */
import { KEPT_WEIGHT_PERCENT } from './floor.ts'
import type { Backend, BackendState, Decision } from './model.ts'
import { isInService, NEW_SERVER, standing } from './phase.ts'

/** `index` is the server's place in `backend.servers`. */
export function decide (backend: Backend, state: BackendState, index: number): Decision {
  const server = backend.servers[index]
  const serverState = state.servers[index]
  if (server === undefined || serverState === undefined) throw new RangeError(`no server ${index} in ${backend.name}`)

  const { phase, weightPercent, because } = standing(server, serverState)
  if (!state.kept.includes(index)) {
    if (phase === 'start') return { state: 'unknown', weightPercent, layer: 'start', because: ['no verdict yet', ...because] }
    return { state: phase === 'in' ? 'up' : phase, weightPercent, layer: 'criteria', because }
  }

  const alone = !backend.servers.some((peer, i) => isInService(peer, state.servers[i] ?? NEW_SERVER))
  const [first = phase, ...rest] = because
  return {
    state: 'up',
    weightPercent: alone ? weightPercent : Math.min(weightPercent, KEPT_WEIGHT_PERCENT),
    layer: 'floor',
    because: [`kept up by min_up ${backend.policy.minUp}: ${first}`, ...rest]
  }
}
