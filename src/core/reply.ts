/**
 * What goes on the wire for a decision: which of HAProxy's words we say, and when we say none.
 *
 * HAProxy leaves alone whatever a reply does not name, so every reply on which we have an opinion names health and
 * weight. Admin words write the same bits as the operator's own `set server … state`, so with `admin_state: shared`
 * they appear only while we mean drain or maint, and as `ready` while we take our own word back [agent-check].
 */
import type { Decision } from './model.ts'
import { clean } from './text.ts'

export type AdminWord = 'ready' | 'drain' | 'maint'
/** HAProxy takes `down`, `stopped` and `fail` for the same thing. We say `down`. */
export type HealthWord = 'up' | 'down' | 'stopped' | 'fail'

/** One answer to an agent-check. An absent field leaves HAProxy's state as it is. */
export interface Reply {
  readonly admin?: AdminWord
  readonly health?: HealthWord
  /** Percent of the `weight` on the server line; an integer, 0 … 100. */
  readonly weightPercent?: number
  /** The description: HAProxy shows it beside a health word. */
  readonly text?: string
}

/** `shared`: the operator may use HAProxy's admin words too. `owned`: they are ours alone. */
export type AdminState = 'shared' | 'owned'

/** Longest description HAProxy shows whole in `last_agt` and its logs, with room to spare [tcpcheck.c]. */
export const TEXT_BYTES_MAX = 90

/** A line that changes nothing, for everything on which we have no opinion. */
export const neutral = (text: string): Reply => ({ text: clean(text, TEXT_BYTES_MAX) })

/**
 * The reply for a decision. `releasing`: we said drain or maint before, and not every poller has heard that it is over.
 * With drain and maint no weight is named: HAProxy 2.6 would log a line at every check.
 */
export function toReply (decision: Decision, adminState: AdminState, releasing: boolean): Reply {
  const { state, weightPercent, because } = decision
  if (state === 'unknown') return neutral(because[0] ?? 'no verdict yet')

  const text = because[0] === undefined ? {} : { text: clean(because[0], TEXT_BYTES_MAX) }
  if (state === 'drain' || state === 'maint') return { admin: state, health: 'up', ...text }

  const ready = releasing || adminState === 'owned' ? { admin: 'ready' as const } : {}
  return { ...ready, health: state, weightPercent, ...text }
}
