/** When something comes again and again: the words of a person as a cron pattern, and what that pattern comes to. */
import { Cron } from 'croner'
import { CRON_RULES } from '../core/window.ts'

/** `Sun 03:00` and the like, or five fields. What is in them is read by toCron and croner. */
export const AT_SHAPE = new RegExp([
  '^(?:(?:[A-Za-z]{3}(?:[,-][A-Za-z]{3})* +',
  '|\\d{1,2}(?:st|nd|rd|th)(?:,\\d{1,2}(?:st|nd|rd|th))* +)?\\d{1,2}:\\d{2}',
  '|[\\w*,/#+-]+(?: +[\\w*,/#+-]+){4})$'
].join(''))
const FIELDS = /^\S+(?: +\S+){4}$/
export const hasFields = (at: string): boolean => FIELDS.test(at)

/** As a cron pattern of five fields; undefined when it has not the shape. Numbers may still be out of range. */
export function toCron (at: string): string | undefined {
  if (hasFields(at)) return at
  const [, days, hour, minute] = /^(?:(\S+) +)?(\d{1,2}):(\d{2})$/.exec(at) ?? []
  const dayFields = toDayFields(days)
  return hour === undefined || dayFields === undefined ? undefined : `${Number(minute)} ${Number(hour)} ${dayFields}`
}

function toDayFields (days: string | undefined): string | undefined {
  if (days === undefined) return '* * *'
  const parts = days.split(',')
  const dates = parts.flatMap(part => /^(\d+)[a-z]{2}$/.exec(part)?.[1] ?? [])
  if (dates.length === parts.length) return `${dates.map(Number).join(',')} * *`
  const weekdays = parts.flatMap(weekdaysOf)
  return weekdays.includes('') ? undefined : `* * ${weekdays.join(',')}`
}

const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const

/** One day or a range of them, which may run over the end of the week. '' stands for what is no day. */
function weekdaysOf (part: string): readonly string[] {
  const ends = part.toUpperCase().split('-').map(day => WEEKDAYS.findIndex(known => known === day))
  const [first = -1, last = first] = ends
  if (ends.length > 2 || first < 0 || last < 0) return ['']
  const days = (last - first + WEEKDAYS.length) % WEEKDAYS.length + 1
  return Array.from({ length: days }, (_, i) => WEEKDAYS[(first + i) % WEEKDAYS.length] ?? '')
}

/** A fixed one: a config that is right today is right tomorrow. */
const FROM_MS = Date.UTC(2024, 0, 1)
const HORIZON_MS = 400 * 86_400_000
/** Twice a day is looked at for the whole year; whatever comes more often shows its least distance sooner. */
const BEGINNINGS_MAX = 800

/** The shortest time between two beginnings within a year; Infinity when there is but one. */
export type Rhythm = number | 'unreadable' | 'never'

/** A farm has many servers with the same window. */
const KNOWN_MAX = 1000
const known = new Map<string, Rhythm>()

export function rhythmOf (cron: string, zone: string | undefined): Rhythm {
  const key = `${cron} ${zone ?? ''}`
  const rhythm = known.get(key) ?? findRhythm(cron, zone)
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(key, rhythm)
  return rhythm
}

function findRhythm (cron: string, zone: string | undefined): Rhythm {
  const calendar = calendarOf(cron, zone)
  if (calendar === undefined) return 'unreadable'
  let run = calendar.nextRun(new Date(FROM_MS))
  if (run === null) return 'never'
  let least = Infinity
  for (let i = 1; i < BEGINNINGS_MAX; i += 1) {
    const next = calendar.nextRun(run)
    if (next === null || next.getTime() > FROM_MS + HORIZON_MS) break
    least = Math.min(least, next.getTime() - run.getTime())
    run = next
  }
  return least
}

function calendarOf (cron: string, zone: string | undefined): Cron | undefined {
  try {
    return new Cron(cron, { ...CRON_RULES, ...(zone === undefined ? {} : { timezone: zone }) })
  } catch { // it throws at what it cannot read, in words that count days and months from 0
    return undefined
  }
}

const zones = new Map<string, boolean>()

/** Whether this machine knows a zone by that name. To find out is slow. */
export function isZone (name: string): boolean {
  const is = zones.get(name) ?? findZone(name)
  if (zones.size >= KNOWN_MAX) zones.clear()
  zones.set(name, is)
  return is
}

function findZone (name: string): boolean {
  if (/^[+-]/.test(name)) return false // an offset is no zone: newer machines take it, older do not
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(FROM_MS) !== ''
  } catch {
    return false
  }
}
