/** When a maintenance window is on, by the calendar of its zone; DST gaps and folds included. */
import { Cron } from 'croner'
import { CRON_RULES, type Occurrence, type Window } from '../core/window.ts'

/** What was found, and from when on: it stays right until it is over. */
interface Found { readonly sinceWallMs: number, readonly occurrence: Occurrence }

interface Calendar { readonly cron: Cron, found?: Found }

/** A calendar is slow to make and slow to ask; this is asked for every window every second. */
const calendars = new WeakMap<Window, Calendar>()

/** The one that is on now, else the next; undefined when there will be none. Its end is not part of it. */
export function occurrence (window: Window, nowWallMs: number): Occurrence | undefined {
  const calendar = calendarOf(window)
  const { found } = calendar
  if (found !== undefined && isStillRight(found, nowWallMs)) return found.occurrence
  // croner looks for what is later than the second it is given, so one that ends just now is not found.
  const fromWallMs = calendar.cron.nextRun(new Date(nowWallMs - window.forMs))?.getTime()
  if (fromWallMs === undefined) return undefined
  calendar.found = { sinceWallMs: nowWallMs, occurrence: { fromWallMs, untilWallMs: fromWallMs + window.forMs } }
  return calendar.found.occurrence
}

/** A clock that was set back may be before one that was over. */
const isStillRight = ({ sinceWallMs, occurrence: { untilWallMs } }: Found, nowWallMs: number): boolean =>
  sinceWallMs <= nowWallMs && nowWallMs < untilWallMs

function calendarOf (window: Window): Calendar {
  const known = calendars.get(window)
  if (known !== undefined) return known
  const { cron, zone } = window
  const calendar = { cron: new Cron(cron, { ...CRON_RULES, ...(zone === undefined ? {} : { timezone: zone }) }) }
  calendars.set(window, calendar)
  return calendar
}
