/** `maintenance:` of a backend or a server: windows in which it is taken out, or gets less, by itself. */
import { z } from 'zod'
import { showAction } from '../core/order.ts'
import { DEFAULT_POLICY } from '../core/policy.ts'
import { showDuration, tidy } from '../core/text.ts'
import type { Window, WindowAction } from '../core/window.ts'
import { durationUpTo } from '../criteria/scalars.ts'
import { AT_SHAPE, hasFields, isZone, rhythmOf, toCron, type Rhythm } from './calendar.ts'
import { OFF } from './policy.ts'
import type { Path, Report } from './problems.ts'
import type { BackendFile } from './schema.ts'
import { near } from './wording.ts'

export const WINDOW_MS_MAX = 7 * 24 * 3_600_000
/** What a reply to HAProxy has room for. */
export const WINDOW_REASON_CHARACTERS_MAX = 100

const AT = 'must be a time like "03:00", "Sun 03:00", "Mon-Fri 22:30" or "1st 03:00", or five cron fields like "0 3 * * SUN"'
const FIELDS = 'must be five cron fields like "0 3 * * SUN" (minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-7 or SUN)'
const rhythm = (at: string, zone?: string): Rhythm => rhythmOf(toCron(at) ?? '', zone)

const at = z.string({ error: AT })
  .regex(AT_SHAPE, { error: AT, abort: true })
  .refine(written => rhythm(written) !== 'unreadable', { error: ({ input }) => hasFields(String(input)) ? FIELDS : AT, abort: true })
  .refine(written => rhythm(written) !== 'never', { error: 'must be a time that comes at all' })

const ZONE = 'must be a time zone like Europe/Zurich or UTC'
const zone = z.string({ error: ZONE }).refine(isZone, {
  error: ({ input }) => {
    const meant = near(String(input), Intl.supportedValuesOf('timeZone'))
    return meant === undefined ? ZONE : `${ZONE} (did you mean ${meant}?)`
  }
})

const ACTION = 'must be drain, maint, down or weight N% (0 to 99)'
const action = z.codec(
  z.string({ error: ACTION }).regex(/^(?:drain|maint|down|weight [1-9]?\d%)$/, { error: ACTION }),
  z.custom<WindowAction>(),
  {
    decode: (written): WindowAction => {
      if (written === 'drain' || written === 'maint' || written === 'down') return written
      return { weightPercent: Number.parseInt(written.slice('weight '.length), 10) }
    },
    encode: showAction
  }
)

const REASON = `must be 1 to ${WINDOW_REASON_CHARACTERS_MAX} characters that say why: whoever finds the server out reads them`
const LIST = 'must be a list of windows like { at: "Sun 03:00", for: 1h, reason: backup }'

const windowSchema = z.strictObject({
  at,
  for: durationUpTo(WINDOW_MS_MAX),
  zone: zone.optional(),
  action: action.prefault('drain'),
  force: z.boolean({ error: 'must be true or false' }).optional(),
  reason: z.string({ error: REASON }).max(WINDOW_REASON_CHARACTERS_MAX, { error: REASON }).regex(/\S/, { error: REASON })
}, { error: LIST.replace('a list of windows', 'a window') }).superRefine((window, context) => {
  if (window.zone !== undefined && !isZone(window.zone)) return
  const least = rhythm(window.at, window.zone)
  if (typeof least !== 'number' || window.for < least) return
  const message = `must be shorter than the least time between two beginnings (${showDuration(least)})`
  context.addIssue({ code: 'custom', path: ['for'], message })
})

export const maintenanceSchema = z.array(windowSchema, { error: LIST })
type WindowFile = z.output<typeof windowSchema>

/** Of the whole backend first, then of each server: a narrower one comes before a wider one wherever it stands. */
export function windowsOf (backend: string, { maintenance = [], servers, policy }: BackendFile, report: Report): readonly Window[] {
  const base = policy.weight === OFF ? DEFAULT_POLICY.baseWeight : policy.weight.base
  const path = ['backends', backend]
  checkWeights([...path, 'maintenance'], maintenance, base, report)
  checkService([...path, 'maintenance'], maintenance, { servers: Object.keys(servers).length, minUp: policy.min_up }, report)
  const ofServers = Object.entries(servers).flatMap(([name, server]) => {
    const own = typeof server === 'string' ? [] : server.maintenance ?? []
    checkWeights([...path, 'servers', name, 'maintenance'], own, base, report)
    return own.map(each => toWindow(`${backend}/${name}`, each))
  })
  return [...maintenance.map(each => toWindow(`${backend}/*`, each)), ...ofServers]
}

const toWindow = (scope: string, { at: written, for: forMs, zone: timeZone, action: does, reason }: WindowFile): Window => ({
  scope, at: written, cron: toCron(written) ?? '', ...(timeZone === undefined ? {} : { zone: timeZone }), forMs, action: does, reason: tidy(reason, WINDOW_REASON_CHARACTERS_MAX)
})

/** By hand it would take --force: nobody should write it by oversight. */
function checkService (path: Path, windows: readonly WindowFile[], { servers, minUp }: { readonly servers: number, readonly minUp: number }, report: Report): void {
  for (const [i, { action: does, force }] of windows.entries()) {
    const takesOut = typeof does === 'string' || does.weightPercent === 0
    if (!takesOut || minUp === 0 || force === true) continue
    report.add([...path, i], `takes all of it out at once (${servers} of ${servers}), and min_up is ${minUp}: give single servers windows of their own, or say force: true`)
  }
}

/** HAProxy multiplies weights in integers: what it would make 0 is raised, and nobody would know. */
function checkWeights (path: Path, windows: readonly WindowFile[], base: number, report: Report): void {
  const least = Math.ceil(100 / base)
  for (const [i, { action: does }] of windows.entries()) {
    if (typeof does === 'string' || does.weightPercent === 0 || does.weightPercent >= least) continue
    const why = `the least that is not 0 (policy.weight has base ${base})`
    report.add([...path, i, 'action'], `must be weight 0% or at least weight ${least}%, ${why}, is "${showAction(does)}"`)
  }
}
