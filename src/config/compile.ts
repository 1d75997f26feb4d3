/** From the words of the file to what the program runs on: backends with their criteria, and the polls they need. */
import { z } from 'zod'
import type { Backend, Criterion, ErrorClass, OnFail, Server } from '../core/model.ts'
import type { Node, Poll, ProbeRequest } from '../core/probe.ts'
import { judgeReach, REACH } from '../core/reach.ts'
import { criterionKinds, type CriterionKindName } from '../criteria/index.ts'
import type { AnyCriterionKind } from '../criteria/kind.ts'
import { duration, onFail, wholeNumber } from '../criteria/scalars.ts'
import { profiles, type RawCriterion } from '../profiles/index.ts'
import type { Report } from './problems.ts'
import { parseNodeUrl, type BackendFile, type ServerFile } from './schema.ts'

/** What every criterion may say, whatever its kind. */
export const commonOptions = {
  on_fail: onFail.optional(),
  rise: wholeNumber(1).max(100, { error: 'must be at most 100' }).optional(),
  fall: wholeNumber(1).max(100, { error: 'must be at most 100' }).optional(),
  every: duration.optional(),
  within: duration.optional()
} satisfies z.ZodRawShape
type CommonOptions = z.output<z.ZodObject<typeof commonOptions>>

const UNREACHABLE: readonly ErrorClass[] = ['refused', 'noconn']
const ALL_ERRORS: readonly ErrorClass[] = ['refused', 'reset', 'noconn', 'timeout', 'tls', 'protocol', 'local']
const KINDS = Object.keys(criterionKinds) as CriterionKindName[]
/** A criterion with a pace of its own is looked at at least this often, as a part of that pace, while undecided. */
const FAST_PART = 10

/** A criterion after merge and check, not yet bound to a node. */
interface Plan {
  readonly name: string
  readonly kindName: CriterionKindName
  readonly kind: AnyCriterionKind
  readonly options: Record<string, unknown>
  readonly common: CommonOptions
}

export interface Compiled {
  readonly backend: Backend
  readonly polls: readonly Poll[]
  /** The criteria as they would be written in full, for `hcf check --effective`. */
  readonly written: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** One backend, or undefined when the report has problems that leave nothing to build. */
export function compileBackend (name: string, file: BackendFile, report: Report): Compiled {
  const merged = mergeCriteria(file)
  const plans = Object.entries(merged).flatMap(([criterion, raw]) => planCriterion(['backends', name, 'criteria', criterion], criterion, raw, report))
  const nodes = Object.entries(file.servers).map(([server, written]) => ({ server, written, node: toNode(written) }))
  for (const { server, node } of nodes) checkNode(['backends', name, 'servers', server], node, plans, report)
  if (nodes.length === 0) report.add(['backends', name, 'servers'], 'must name at least one server')
  if (file.policy.min_up > nodes.length) {
    report.add(['backends', name, 'policy', 'min_up'], `must be at most the number of servers (${nodes.length}), is ${file.policy.min_up}`)
  }

  const polls: Poll[] = []
  const servers = nodes.map(({ server, written, node }, index): Server => {
    const bind = new Binding(name, index, node, file)
    const criteria = [bind.reach(plans), ...plans.map(plan => bind.criterion(plan, plans))]
    polls.push(...bind.polls)
    return { backend: name, name: server, weightPercent: typeof written === 'string' ? 100 : written.weight, criteria }
  })
  const written = Object.fromEntries(plans.map(plan => [plan.name, writePlan(plan)]))
  return { backend: { name, policy: { minUp: file.policy.min_up }, servers }, polls, written }
}

function mergeCriteria (file: BackendFile): Readonly<Record<string, RawCriterion>> {
  const merged: Record<string, RawCriterion> = { ...(file.profile === undefined ? {} : profiles[file.profile].criteria) }
  for (const [name, own] of Object.entries(file.criteria)) {
    if (own === false) {
      delete merged[name]
      continue
    }
    const inherited = merged[name]
    // Another kind under the same name is another criterion: nothing of the profile's is meant for it.
    const replaces = own['kind'] !== undefined && own['kind'] !== inherited?.['kind']
    merged[name] = replaces ? own : { ...inherited, ...own }
  }
  return merged
}

function planCriterion (path: readonly string[], name: string, raw: RawCriterion, report: Report): Plan[] {
  const kindName = KINDS.find(kind => kind === raw['kind'])
  if (name === REACH) {
    report.add(path, 'is a built-in criterion: its rise and fall are the policy’s', 'key')
    return []
  }
  if (kindName === undefined) {
    const given = raw['kind'] === undefined ? 'is missing: it ' : ''
    report.add([...path, 'kind'], `${given}must be one of ${KINDS.join(', ')}${raw['kind'] === undefined ? '' : `, is ${JSON.stringify(raw['kind'])}`}`)
    return []
  }

  const kind: AnyCriterionKind = criterionKinds[kindName]
  const schema = z.strictObject({ kind: z.literal(kindName), ...kind.options.shape, ...commonOptions })
  const parsed = schema.safeParse(raw)
  if (!parsed.success) {
    report.addIssues(parsed.error.issues, raw, schema, path)
    return []
  }
  const contradiction = kind.contradiction?.(parsed.data as never)
  if (contradiction !== undefined) report.add(path, contradiction, 'key')
  return [{ name, kindName, kind, options: parsed.data as Record<string, unknown>, common: parsed.data as CommonOptions }]
}

function writePlan ({ kind, kindName, options, common: { on_fail: action } }: Plan): Readonly<Record<string, unknown>> {
  const schema = z.strictObject({ kind: z.literal(kindName), ...kind.options.shape, ...commonOptions })
  return z.encode(schema, { ...options, on_fail: action ?? kind.defaults.onFail } as never) as Readonly<Record<string, unknown>>
}

function toNode (written: ServerFile): Node {
  const { url, ca_file: caFile, server_name: serverName } = typeof written === 'string' ? { url: written } : written
  const address = parseNodeUrl(url) ?? { protocol: 'tcp' as const, host: url, port: 0 } // the schema let only good ones pass
  const key = [`${address.protocol}://${address.host}:${address.port}`, caFile, serverName].filter(part => part !== undefined).join(' ')
  return { key, ...address, ...(caFile === undefined ? {} : { caFile }), ...(serverName === undefined ? {} : { serverName }) }
}

function checkNode (path: readonly string[], node: Node, plans: readonly Plan[], report: Report): void {
  if (node.protocol !== 'tcp') return
  for (const { name, kindName } of plans) {
    if (kindName !== 'tcp' && kindName !== 'latency') report.add(path, `must be an http:// or https:// node: criterion ${name} (${kindName}) asks it over HTTP`)
  }
}

/** Binds the criteria of a backend to one server's node, and collects the polls that needs. */
class Binding {
  readonly polls: Poll[] = []
  readonly #readers: Poll['readers']
  readonly #node: Node
  readonly #policy: BackendFile['policy']

  constructor (backend: string, server: number, node: Node, file: BackendFile) {
    this.#readers = [{ backend, server }]
    this.#node = node
    this.#policy = file.policy
  }

  /** Reach reads the first poll that keeps the backend's pace; with none, it opens a TCP connection. */
  reach (plans: readonly Plan[]): Criterion {
    const { rise, fall } = this.#policy
    return {
      name: REACH, kind: REACH, probe: this.#reachKey(plans), meaning: this.#meaning(REACH, [rise, fall]),
      onFail: { action: 'down' }, rise, fall, judge: judgeReach, ignores: []
    }
  }

  criterion (plan: Plan, plans: readonly Plan[]): Criterion {
    const { name, kindName, kind, options, common: { on_fail: action, rise, fall } } = plan
    const onFailed: OnFail = action ?? kind.defaults.onFail
    const reachKey = this.#reachKey(plans)
    const key = this.#pollKey(plan) ?? reachKey
    const counter = { rise: rise ?? kind.defaults.rise ?? this.#policy.rise, fall: fall ?? kind.defaults.fall ?? this.#policy.fall }
    return {
      name, kind: kindName, probe: key, onFail: onFailed, ...counter,
      meaning: this.#meaning(kindName, [options, counter]),
      judge: kind.judge(options as never),
      ignores: key === reachKey ? ALL_ERRORS : kind.ignores ?? UNREACHABLE
    }
  }

  #reachKey (plans: readonly Plan[]): string {
    const plan = plans.find(({ kind, common: { every } }) => every === undefined && kind.defaults.everyMs === undefined)
    return (plan === undefined ? undefined : this.#pollKey(plan)) ?? this.#poll({ kind: 'tcp', options: {} })
  }

  /** The poll a criterion reads; undefined when it reads what reach reads. */
  #pollKey ({ kind, options, common: { every, within } }: Plan): string | undefined {
    const request = kind.probe(options as never)
    if (request === 'reach') return undefined
    return this.#poll(request, every ?? kind.defaults.everyMs, within ?? kind.defaults.withinMs)
  }

  #poll (request: ProbeRequest, everyMs?: number, withinMs?: number): string {
    const timeoutMs = withinMs ?? this.#policy.timeout
    const key = [this.#node.key, request.kind, stableJson(request.options), timeoutMs].join(' ')
    const intervalMs = everyMs ?? this.#policy.interval
    const fastMs = Math.min(intervalMs, everyMs === undefined ? this.#policy.fast : Math.max(this.#policy.fast, everyMs / FAST_PART))
    this.polls.push({ key, node: this.#node, request, intervalMs, fastMs, timeoutMs, readers: this.#readers })
    return key
  }

  #meaning (kind: string, rest: unknown): string {
    return [this.#node.key, kind, stableJson(rest)].join(' ')
  }
}

/** One poll for each key: the quickest pace, the facts and readers of all. */
export function unitePolls (polls: readonly Poll[]): readonly Poll[] {
  const united = new Map<string, Poll>()
  for (const poll of polls) {
    const other = united.get(poll.key)
    united.set(poll.key, other === undefined ? poll : unite(other, poll))
  }
  return [...united.values()]
}

function unite (a: Poll, b: Poll): Poll {
  const wants = [...new Set([...a.request.wants ?? [], ...b.request.wants ?? []])]
  const readers = [...a.readers, ...b.readers.filter(({ backend, server }) => !a.readers.some(r => r.backend === backend && r.server === server))]
  return {
    ...a,
    request: { ...a.request, ...(wants.length > 0 ? { wants } : {}) },
    intervalMs: Math.min(a.intervalMs, b.intervalMs),
    fastMs: Math.min(a.fastMs, b.fastMs),
    readers
  }
}

/** JSON with sorted keys: the same options give the same text. */
const stableJson = (value: unknown): string => JSON.stringify(value, (_, inner: unknown) =>
  typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
    : inner)
