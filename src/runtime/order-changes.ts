/** What happens to orders and windows, told: one line for one change. */
import { showAction } from '../core/order.ts'
import { count } from '../core/text.ts'
import type { WindowTime } from './order-book.ts'
import type { LogEvent } from './log.ts'
import type { Override, StoreProblem } from './order-store.ts'

/** Author of what the book does by itself. */
const ITSELF = 'hcf'

const showMoment = (wallMs: number): string => new Date(wallMs).toISOString()

export function tellSet (log: LogEvent, { scope, action, by, reason, untilWallMs }: Override): void {
  const until = untilWallMs === undefined ? {} : { until: showMoment(untilWallMs) }
  const end = until.until === undefined ? '' : ` until ${until.until}`
  log('override.set', { scope, action: showAction(action), by, reason, ...until }, `${scope}: ${showAction(action)} by ${by}${end}: ${reason}`)
}

/** `ended`: by whom, if by anyone, and why, if that was said; `givenBy`: whose order it was. */
export function tellCleared (log: LogEvent, { scope, action, by: givenBy, reason }: Override, { by = ITSELF, why }: { readonly by?: string, readonly why?: string } = {}): void {
  const said = by === ITSELF ? ', there is nothing left for it to hide' : why === undefined ? '' : ` (${why})`
  const fields = { scope, action: showAction(action), by, givenBy, reason, ...(why === undefined ? {} : { why }) }
  log('override.cleared', fields, `${scope}: ${showAction(action)} by ${givenBy} cleared by ${by}${said}: ${reason}`)
}

export function tellExpired (log: LogEvent, { scope, action, by, reason }: Override): void {
  log('override.expired', { scope, action: showAction(action), by, reason }, `${scope}: ${showAction(action)} by ${by} is over: ${reason}`)
}

export function tellWindow (log: LogEvent, event: 'window.begin' | 'window.end', { window, untilWallMs }: WindowTime): void {
  const { scope, at, reason } = window
  const [action, until] = [showAction(window.action), showMoment(untilWallMs)]
  const told = event === 'window.begin' ? `begins: ${action} until ${until}` : `is over: ${action}`
  log(event, { scope, action, reason, until }, `${scope}: maintenance (${at}) ${told}: ${reason}`)
}

export function tellLost (log: LogEvent, file: string, { to, why, lost }: StoreProblem): void {
  const orders = lost === undefined ? 'the orders given before are' : `${count(lost, 'order')} given before ${lost === 1 ? 'is' : 'are'}`
  log('state.set_aside', { file, to, why }, `a state file was not understood: ${orders} not in force; give again what is still wanted`)
}

export function tellUnwritten (log: LogEvent, file: string, why: string): void {
  log('state.write_failed', { file, why }, 'cannot write that orders are over: tried again until the disk takes it')
}
