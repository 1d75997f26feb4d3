/** Times as a person types and reads them. */
import { ORDER_MS_MAX } from '../core/order.ts'
import { showAge } from '../core/text.ts'
import { CommandError, EXIT } from './io.ts'

const UNIT_MS: Readonly<Record<string, number>> = { d: 24 * 3_600_000, h: 3_600_000, m: 60_000, s: 1000 }

/** How long an order holds: `30m`, `1h30m`, `2d`. `option` is named when it is none. */
export function parseLasting (option: string, text: string): number {
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d+)?)([dhms])\s*/g)]
  const ms = Math.round(parts.reduce((sum, [, digits, unit = '']) => sum + Number(digits) * (UNIT_MS[unit] ?? 0), 0))
  if (parts.map(([part]) => part).join('') !== text || ms === 0) throw new CommandError(`${option} must be a duration like 30m, 1h30m or 2d, is ${text}`, EXIT.usage)
  if (ms > ORDER_MS_MAX) throw tooLong(option, '', text)
  return ms
}

const tooLong = (option: string, from: string, text: string): CommandError =>
  new CommandError(`${option} must be at most ${showAge(ORDER_MS_MAX)}${from}, is ${text}: what shall be so for ever belongs into the config`, EXIT.usage)

const two = (n: number): string => String(n).padStart(2, '0')
const dayOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
const timeOf = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}`

/** With the zone of this machine, as it is then: `2026-12-01T06:00+01:00`. */
function withZone (at: Date): string {
  const east = -at.getTimezoneOffset()
  const zone = east === 0 ? 'Z' : `${east < 0 ? '-' : '+'}${two(Math.floor(Math.abs(east) / 60))}:${two(Math.abs(east) % 60)}`
  return `${dayOf(at)}T${timeOf(at)}${zone}`
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/
const ZONELESS = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?$/

/**
 * A moment with its zone, as ISO in UTC. Without a zone it could be the clock of this machine, of the agent's or of the
 * ticket it was copied from, hours apart: so we ask, with the answer for this machine ready to be pasted.
 */
export function parseUntil (text: string, nowWallMs: number): string {
  const ms = MOMENT.test(text) ? Date.parse(text) : NaN
  if (ms > nowWallMs + ORDER_MS_MAX) throw tooLong('--until', ' from now', text)
  if (!Number.isNaN(ms)) return new Date(ms).toISOString()
  const meant = localMoment(text, nowWallMs)
  const cure = meant === undefined ? 'must be a moment like 2026-12-01T06:00Z' : `needs its zone; by the clock of this machine it is --until ${withZone(meant)}`
  throw new CommandError(`--until ${cure}, is ${text}`, EXIT.usage)
}

function localMoment (text: string, nowWallMs: number): Date | undefined {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  if (hour !== undefined) return nextAt(Number(hour), Number(minute), nowWallMs)
  const at = new Date(ZONELESS.test(text) ? text.replace(' ', 'T') : NaN)
  return Number.isNaN(at.getTime()) ? undefined : at
}

function nextAt (hour: number, minute: number, nowWallMs: number): Date {
  const at = new Date(nowWallMs)
  at.setHours(hour, minute, 0, 0)
  if (at.getTime() <= nowWallMs) at.setDate(at.getDate() + 1)
  return at
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const WEEK_MS = 6 * 24 * 3_600_000

/** By the clock of this machine: `03:42`, on another day `Tue 03:42`, further away `2026-12-01 06:00`. */
export function showMoment (moment: string, nowWallMs: number): string {
  const at = new Date(moment)
  if (dayOf(at) === dayOf(new Date(nowWallMs))) return timeOf(at)
  const isNear = Math.abs(at.getTime() - nowWallMs) < WEEK_MS
  return `${isNear ? DAYS[at.getDay()] : dayOf(at)} ${timeOf(at)}`
}

/** What is left of a time, in whole seconds upwards: half an hour that has just begun is `30m`. */
export const showLeft = (ms: number): string => showAge(Math.ceil(ms / 1000) * 1000)
/** How long something has been, without a flicker of milliseconds. */
export const showPast = (ms: number): string => ms < 1000 ? '0s' : showAge(ms)
