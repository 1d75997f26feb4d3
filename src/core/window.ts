/** A maintenance window of the config: an order that comes by itself, again and again. */
import type { OrderAction } from './order.ts'

export type WindowAction = Exclude<OrderAction, 'ready' | 'up'>

/** One time that a window is on, in Unix ms. It lasts `forMs`, whatever the clocks on the wall do meanwhile. */
export interface Occurrence { readonly fromWallMs: number, readonly untilWallMs: number }

export interface Window {
  /** `backend/*` or `backend/server`. */
  readonly scope: string
  /** As the operator wrote it: `Sun 03:00`. */
  readonly at: string
  /** The same as a cron pattern, minute first: `0 3 * * SUN`. */
  readonly cron: string
  /** IANA name; absent: the machine's own. */
  readonly zone?: string
  readonly forMs: number
  readonly action: WindowAction
  readonly reason: string
}

/** How a pattern is read, for whoever does: a time that comes twice in the night of a fold is taken once, in a list of times too. */
export const CRON_RULES = { mode: '5-part', fixedTimeRule: 'no-wildcard' } as const
