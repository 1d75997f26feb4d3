/** The criteria of a backend: merged over its profile's, and each checked by the schema of its kind. */
import { z } from 'zod'
import type { OnFail } from '../core/model.ts'
import { REACH } from '../core/reach.ts'
import { criterionKinds, type CriterionKindName } from '../criteria/index.ts'
import type { AnyCriterionKind } from '../criteria/kind.ts'
import { duration, onFail, wholeNumber } from '../criteria/scalars.ts'
import { profiles, type RawCriterion } from '../profiles/index.ts'
import { paceDuration } from './policy.ts'
import type { Path, Report } from './problems.ts'

/** What every criterion may say, whatever its kind. */
export const commonOptions = {
  on_fail: onFail.optional(),
  rise: wholeNumber(1, 100).optional(),
  fall: wholeNumber(1, 100).optional(),
  every: duration.optional(),
  within: paceDuration.optional(),
  solo: z.boolean({ error: 'must be true or false' }).optional()
} satisfies z.ZodRawShape
type CommonOptions = z.output<z.ZodObject<typeof commonOptions>>

const KINDS = Object.keys(criterionKinds) as CriterionKindName[]

/** A criterion after merge and check, not yet bound to a node. */
export interface Plan {
  readonly name: string
  readonly kindName: CriterionKindName
  readonly kind: AnyCriterionKind
  /** Those of the kind alone. */
  readonly options: Readonly<Record<string, unknown>>
  readonly common: CommonOptions
}

/** What of a backend says which criteria it has, as far as it can be read. */
export interface CriteriaSource {
  readonly profile?: string | undefined
  readonly criteria: Readonly<Record<string, RawCriterion | false>>
}

/** Checks all criteria of a backend; those with problems are left out. */
export function planCriteria (backend: string, { profile, criteria }: CriteriaSource, report: Report): readonly Plan[] {
  const path = ['backends', backend, 'criteria']
  const inherited = inheritedFrom(profile)
  const known = Object.keys(inherited).join(', ')
  const merged: Record<string, RawCriterion> = { ...inherited }
  for (const [name, own] of Object.entries(criteria)) {
    const theirs = inherited[name]
    if (name === REACH) {
      report.add([...path, name], 'is built in, and every server has it: rise and fall of the policy are its own', 'key')
    } else if (own === false) {
      const has = profile === undefined ? 'there is no profile' : `profile ${profile} has ${known}`
      if (theirs === undefined) report.add([...path, name], `drops nothing: ${has}`, 'key')
      delete merged[name]
    } else if (own['kind'] === undefined && theirs === undefined) {
      const hint = profile === undefined ? '' : ` (profile ${profile} has ${known})`
      report.add([...path, name, 'kind'], `is missing: it must be one of ${KINDS.join(', ')}${hint}`)
      delete merged[name]
    } else {
      // Another kind under the same name is another criterion: nothing of the profile's is meant for it.
      merged[name] = own['kind'] === undefined || own['kind'] === theirs?.['kind'] ? { ...theirs, ...own } : own
    }
  }
  return Object.entries(merged).flatMap(([name, raw]) => planCriterion([...path, name], name, raw, report))
}

const inheritedFrom = (profile: string | undefined): Readonly<Record<string, RawCriterion>> =>
  profile === undefined ? {} : profiles[profile as keyof typeof profiles].criteria

const schemaOf = (kindName: CriterionKindName, kind: AnyCriterionKind): z.ZodObject =>
  z.strictObject({ kind: z.literal(kindName), ...kind.options.shape, ...commonOptions })

function planCriterion (path: Path, name: string, raw: RawCriterion, report: Report): readonly Plan[] {
  const kindName = KINDS.find(known => known === raw['kind'])
  if (kindName === undefined) {
    report.addValue([...path, 'kind'], `must be one of ${KINDS.join(', ')}`, raw['kind'])
    return []
  }

  const kind: AnyCriterionKind = criterionKinds[kindName]
  const schema = schemaOf(kindName, kind)
  const parsed = schema.safeParse(raw)
  if (!parsed.success) {
    report.addIssues(parsed.error.issues, raw, schema, path)
    return []
  }
  const contradiction = kind.contradiction?.(parsed.data as never)
  if (contradiction !== undefined) report.add(path, contradiction, 'key')

  const entries = Object.entries(parsed.data)
  const options = Object.fromEntries(entries.filter(([key]) => key in kind.options.shape))
  const common: CommonOptions = Object.fromEntries(entries.filter(([key]) => key in commonOptions))
  if (kind.probe(options as never) === 'reach') {
    for (const key of ['every', 'within'] as const) {
      if (common[key] === undefined) continue
      report.add([...path, key], `has no meaning for ${kindName}, which reads the poll that shows the node reachable`, 'key')
    }
  }
  return [{ name, kindName, kind, options, common }]
}

export const onFailOf = ({ kind, common }: Plan): OnFail => common.on_fail ?? kind.defaults.onFail

/** A criterion as it would be written in full. What is the policy's to say is left to it. */
export function writePlan (plan: Plan): Readonly<Record<string, unknown>> {
  const { kind, kindName, options, common } = plan
  const { rise, fall, everyMs: every, withinMs: within } = kind.defaults
  const whole = { kind: kindName, ...options, ...defined({ rise, fall, every, within }), ...common, on_fail: onFailOf(plan) }
  const written = z.encode(schemaOf(kindName, kind), whole as never) as Readonly<Record<string, unknown>>
  return 'headers' in written ? { ...written, headers: hidden(written['headers'] as Readonly<Record<string, string>>) } : written
}

const defined = (record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))

const SECRET_HEADER = /auth|token|key|secret|cookie|pass|credential/i

/** What is printed of a header that may hold a token is its name. */
const hidden = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, SECRET_HEADER.test(name) ? '[hidden]' : value]))
