/** A scenario: a farm, its traffic, and what goes wrong when. Data only; simulate.ts plays it. */
import type { z } from 'zod'
import { keysAt, mustBe, unknownKey, wording } from '../config/wording.ts'
import { oneLine } from '../config/problems.ts'
import {
  DURATION_S_MAX, NAME, NODES_MAX, durationForm, nodesForm, scenarioForm, type EntryFile, type ScenarioFile, type TruthFile
} from './scenario-form.ts'
import { DEFAULT_CRITERIA, configFaults, toBackend, type Fault } from './scenario-policy.ts'

export { scenarioConfig } from './scenario-policy.ts'

/** How a node really is. Shares are parts of 1. */
export interface NodeTruth {
  /** `hang`: accepts connections, never answers. `blackhole`: drops packets. */
  readonly mode: 'ok' | 'refused' | 'hang' | 'blackhole'
  /** Share of the users' requests that fail at once. */
  readonly err: number
  /** The same as a poll sees it; undefined: as users do. */
  readonly probeErr: number | undefined
  readonly introducer: boolean
  readonly storage: boolean
  /** It asks to be left alone. */
  readonly lame: boolean
  readonly latMult: number
  readonly capMult: number
  /** Share of single polls whose packets are lost. */
  readonly probeLoss: number
}

/** What happens to the agent itself. */
export interface ProberTruth {
  /** Nodes it cannot reach, by name, or `all`. */
  readonly partition?: readonly string[]
  /** Its event loop is blocked. */
  readonly stall?: boolean
  readonly loss?: number
}

export type ScenarioEvent = { readonly atMs: number } & (
  | { readonly kind: 'nodes', readonly nodes: readonly number[], readonly set: Partial<NodeTruth> }
  | { readonly kind: 'prober', readonly set: ProberTruth }
  | { readonly kind: 'load', readonly loadRps: number }
  | {
    readonly kind: 'override'
    /** `be/n3`, `be/*` or `*` + `/*`. */
    readonly scope: string
    /** up, down, drain, maint or weight:N. */
    readonly action: string
    readonly forMs?: number
    readonly by: string
    readonly reason: string
  }
  | { readonly kind: 'restart-agent' }
)

export interface Scenario {
  readonly name: string
  /** What it is about, in a sentence. */
  readonly why: string
  readonly nodes: number
  readonly loadRps: number
  readonly durationMs: number
  /** Before this nothing is counted. */
  readonly warmupMs: number
  readonly balance: 'roundrobin' | 'leastconn'
  /** Of one node. */
  readonly capacityRps: number
  readonly baseMs: number
  readonly probeMs: number
  readonly clientTimeoutMs: number
  readonly agentInterMs: number
  /** HAProxy's own health check. */
  readonly ownCheck: 'tcp' | 'none'
  /** Of an hcf.yaml backend: its `criteria`, and `policy` and `mode` if the scenario has any. */
  readonly backend: Readonly<Record<string, unknown>>
  /** In the order of time. */
  readonly events: readonly ScenarioEvent[]
}

/** Everything that is wrong with a scenario file: `FILE: path: message`, a line each. */
export class ScenarioError extends Error {
  constructor (file: string, faults: readonly Fault[]) {
    super(faults.map(({ path, message }) => [file, path, oneLine(message)].filter(Boolean).join(': ')).join('\n'))
    this.name = 'ScenarioError'
  }
}

/** The text of a file. Throws ScenarioError. */
export function readScenario (text: string, file: string): Scenario {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new ScenarioError(file, [{ path: '', message: `is not JSON: ${(error as Error).message}` }])
  }
  return parseScenario(json, file)
}

const WARMUP_S = 20

/** Throws ScenarioError, and nothing else. */
export function parseScenario (json: unknown, file: string): Scenario {
  const form = scenarioForm(limitsOf(json))
  const parsed = form.safeParse(json)
  const faults = [
    ...parsed.success ? [] : withoutEchoes(parsed.error.issues).flatMap(issue => faultsOf(issue, json, form)),
    ...backendFaults(json, form)
  ]
  if (!parsed.success || faults.length > 0) throw new ScenarioError(file, faults)
  return toScenario(parsed.data, file)
}

/** What is wrong with size and length is said of them, not of all that depends on them. */
function limitsOf (json: unknown): { readonly nodes: number, readonly durationS: number } {
  const { nodes, duration_s: durationS } = isMapping(json) ? json : {}
  return { nodes: nodesForm.safeParse(nodes).data ?? NODES_MAX, durationS: durationForm.safeParse(durationS).data ?? DURATION_S_MAX }
}

/** What the config says of criteria and policy, if their form is right. */
function backendFaults (json: unknown, { shape }: ReturnType<typeof scenarioForm>): readonly Fault[] {
  const read = isMapping(json) ? json : {}
  const criteria = shape.criteria.safeParse(read['criteria'])
  const policy = shape.policy.safeParse(read['policy'])
  if (!policy.success) return []
  const { min_up: wanted } = policy.data
  const enough = typeof wanted === 'number' && wanted <= NODES_MAX ? Math.max(1, Math.ceil(wanted)) : 1
  const nodes = nodesForm.safeParse(read['nodes']).data ?? enough // a number that is wrong is said to be; nothing more
  return configFaults(nodes, criteria.data ?? DEFAULT_CRITERIA, policy.data)
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a mapping as a whole lacks follows, as often as not, from a key in it that was misspelt. */
function withoutEchoes (issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const misspelt = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => showPath(path)))
  return issues.filter(({ code, path }) => code !== 'custom' || !misspelt.has(showPath(path)))
}

/** Of a union's branches, the one that fits the kind of value that stands there. */
function faultsOf (issue: z.core.$ZodIssue, json: unknown, form: z.core.$ZodType): readonly Fault[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({ path: showPath([...path, key]), message: unknownKey(key, keysAt(form, path)) }))
  }
  if (issue.code === 'invalid_key') {
    return [{ path: showPath(path), message: mustBe(issue.issues[0]?.message ?? issue.message, path.at(-1), path) }]
  }
  const value = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key], json)
  const deeper = issue.code === 'invalid_union' && typeof value === 'object' && value !== null
    ? issue.errors.find(errors => errors.length > 0 && errors.every(error => error.path.length > 0))
    : undefined
  if (deeper === undefined) {
    const isWhole = issue.code === 'custom' && typeof value === 'object' // what it is, is said in what it must be
    return [{ path: showPath(path), message: isWhole ? issue.message : wording(issue, value, path) }]
  }
  return deeper.flatMap(inner => faultsOf({ ...inner, path: [...path, ...inner.path] }, json, form))
}

const showPath = (path: readonly PropertyKey[]): string =>
  oneLine(path.map(key => typeof key === 'number' ? `[${key}]` : `.${String(key)}`).join('').replace(/^\./, ''))

const toMs = (seconds: number): number => Math.round(seconds * 1000)

function toScenario (file: ScenarioFile, path: string): Scenario {
  const { node, haproxy } = file
  return {
    name: file.name ?? nameFrom(path),
    why: file.why,
    nodes: file.nodes,
    loadRps: file.load_rps,
    durationMs: toMs(file.duration_s),
    warmupMs: toMs(file.warmup_s ?? (file.duration_s > WARMUP_S ? WARMUP_S : file.duration_s / 2)),
    balance: file.balance,
    capacityRps: node.capacity_rps,
    baseMs: node.base_ms,
    probeMs: node.probe_ms,
    clientTimeoutMs: file.client_timeout_ms,
    agentInterMs: haproxy.agent_inter_ms,
    ownCheck: haproxy.own_check,
    backend: toBackend(file.criteria ?? DEFAULT_CRITERIA, file.policy),
    events: file.timeline.flatMap(entry => toEvents(entry, file.nodes)).sort((a, b) => a.atMs - b.atMs)
  }
}

function nameFrom (path: string): string {
  const base = (path.split(/[/\\]/).at(-1) ?? '').replace(/\.json$/, '')
  return NAME.test(base) ? base : 'scenario'
}

function toEvents (entry: EntryFile, nodes: number): readonly ScenarioEvent[] {
  const { t, nodes: whose = [], set, prober, load_rps: loadRps, override, restart_agent: restart } = entry
  const atMs = toMs(t)
  const events: ScenarioEvent[] = []
  if (set !== undefined) {
    const indexes = whose === 'all' ? Array.from({ length: nodes }, (_, i) => i) : [...new Set(whose)]
    events.push({ atMs, kind: 'nodes', nodes: indexes, set: toTruth(set) })
  }
  if (prober !== undefined) events.push({ atMs, kind: 'prober', set: withoutHoles(prober) })
  if (loadRps !== undefined) events.push({ atMs, kind: 'load', loadRps })
  if (override !== undefined) {
    const { scope, action, ttl_s: ttl, author = 'operator', reason = '' } = override
    events.push({ atMs, kind: 'override', scope, action, by: author, reason, ...(ttl === undefined ? {} : { forMs: toMs(ttl) }) })
  }
  if (restart === true) events.push({ atMs, kind: 'restart-agent' })
  return events
}

function toTruth (set: TruthFile): Partial<NodeTruth> {
  const { probe_err: probeErr, lat_mult: latMult, cap_mult: capMult, probe_loss: probeLoss, ...same } = set
  return {
    ...withoutHoles({ ...same, latMult, capMult, probeLoss }),
    ...(probeErr === undefined ? {} : { probeErr: probeErr ?? undefined })
  }
}

type Whole<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> }

const withoutHoles = <T extends object>(mapping: T): Whole<T> =>
  Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== undefined)) as Whole<T>
