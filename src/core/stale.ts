/** What a verdict is worth as it grows old: what we know is marked, then given up. */
import type { Policy } from './policy.ts'
import type { ServerState } from './state.ts'

/** From when on a verdict is given up and the server is up: the agent must not keep a server out that it no longer sees. */
export const opensMs = ({ phase, bornMs, lastMs }: ServerState, { staleOpenMs = Infinity }: Policy): number =>
  (phase === 'start' ? bornMs : lastMs ?? bornMs) + staleOpenMs

export const isOpen = (state: ServerState, policy: Policy, nowMs: number): boolean => nowMs > opensMs(state, policy)

export const isStale = ({ phase, lastMs }: ServerState, { staleAfterMs }: Policy, nowMs: number): boolean =>
  phase !== 'start' && lastMs !== undefined && nowMs - lastMs > staleAfterMs
