/** The form of a scenario file: snake_case, times in seconds. Its schema knows the farm, so that every range is checked at once. */
import { z } from 'zod'

export const NODES_MAX = 1000
/** A day. */
export const DURATION_S_MAX = 86_400
const RPS_MAX = 1e7
const MULTIPLE_MAX = 1000
const TEXT_CHARS_MAX = 500

export const MODES = ['ok', 'refused', 'hang', 'blackhole'] as const
/** What a node can be asked for: each is a criterion of hcf.yaml. */
export const CRITERIA = ['http', 'storage', 'introducer', 'lame'] as const

export const NAME = /^[\x21-\x7e]{1,64}$/

/** What the ranges of a scenario depend on. */
export interface Limits { readonly nodes: number, readonly durationS: number }

const between = (error: string, min: number, max: number): z.ZodNumber => z.number({ error }).min(min, { error }).max(max, { error })
const whole = (error: string, min: number, max: number): z.ZodNumber => z.int({ error }).min(min, { error }).max(max, { error })
const flag = z.boolean({ error: 'must be true or false' })
const text = z.string({ error: 'must be a text' }).max(TEXT_CHARS_MAX, { error: `must be a text of at most ${TEXT_CHARS_MAX} characters` })

const rps = (min: number): z.ZodNumber => between(`must be requests a second, ${min === 0 ? '0' : 'above 0'} … ${RPS_MAX}`, min, RPS_MAX)
const seconds = (min: number): z.ZodNumber => between(`must be seconds, ${min} … ${DURATION_S_MAX}`, min, DURATION_S_MAX)
const milliseconds = whole('must be whole milliseconds, 1 … 600000', 1, 600_000)
const part = between('must be a part from 0 to 1', 0, 1)
const multiple = between(`must be a multiple, 0.001 … ${MULTIPLE_MAX}`, 0.001, MULTIPLE_MAX)

export const nodesForm = whole(`must be a number of nodes, 1 … ${NODES_MAX}`, 1, NODES_MAX)
export const durationForm = seconds(1)

const COUNT = 'must be a whole number, 1 … 100'
const ON_FAIL = 'must be fail, drain, weight:N (1 … 99) or warn'
const SET = 'must be a mapping of what becomes of the nodes, like { "mode": "hang" }'

const truth = z.strictObject({
  mode: z.enum(MODES, { error: `must be one of ${MODES.join(', ')}` }).optional(),
  err: part.optional(),
  probe_err: part.nullable().optional(),
  introducer: flag.optional(),
  storage: flag.optional(),
  lame: flag.optional(),
  lat_mult: multiple.optional(),
  cap_mult: multiple.optional(),
  probe_loss: part.optional()
}, { error: SET }).refine(isFilled, { error: SET })

const criterion = z.strictObject({
  name: z.enum(CRITERIA, { error: `must be one of ${CRITERIA.join(', ')}` }),
  on_fail: z.string({ error: ON_FAIL }).regex(/^(?:fail|down|drain|warn|weight:[1-9]\d?)$/, { error: ON_FAIL }),
  fall: whole(COUNT, 1, 100).optional(),
  rise: whole(COUNT, 1, 100).optional(),
  solo: flag.optional()
}, { error: 'must be a mapping like { "name": "storage", "on_fail": "drain" }' })

const SETTING = 'must be a number, a text, true, false or a mapping of them'
const KEY = 'must be the name of a setting'
const key = z.string({ error: KEY }).regex(/^[a-z]\w{0,63}$/, { error: KEY })
const setting = z.union([z.number(), z.string(), z.boolean()], { error: SETTING })

function timelineEntry ({ nodes, durationS }: Limits) {
  const node = whole(nodes === 1 ? 'must be 0' : `must be 0 … ${nodes - 1}`, 0, nodes - 1)
  const NODE_NAME = `${nodeNames(nodes)} or all`
  const nodeName = z.string({ error: NODE_NAME }).refine(name => name === 'all' || isNodeName(nodes)(name), { error: NODE_NAME })
  const SCOPE = `must be be/nI (${nodeNames(nodes).replace(/^must be /, '')}), be/* or */*`
  const NODES = 'must be "all" or a list of node numbers'
  const ACTION = 'must be up, down, drain, maint or weight:N (0 … 100)'
  return z.strictObject({
    t: between(`must be seconds from the start, 0 or more and below duration_s (${durationS})`, 0, durationS - 0.001),
    nodes: z.union([z.literal('all'), z.array(node).min(1, { error: NODES })], { error: NODES }).optional(),
    set: truth.optional(),
    prober: z.strictObject({
      partition: z.array(nodeName, { error: 'must be a list of node names, or ["all"]' }).optional(),
      stall: flag.optional(),
      loss: part.optional()
    }, { error: 'must be a mapping of what happens to the agent' }).refine(isFilled, { error: 'must say partition, stall or loss' }).optional(),
    load_rps: rps(0).optional(),
    override: z.strictObject({
      scope: z.string({ error: SCOPE }).refine(isScope(nodes), { error: SCOPE }),
      action: z.string({ error: ACTION }).regex(/^(?:up|down|drain|maint|weight:(?:\d\d?|100))$/, { error: ACTION }),
      ttl_s: seconds(1).optional(),
      author: text.optional(),
      reason: text.optional()
    }, { error: 'must be a mapping of scope, action, ttl_s, author, reason' })
      .refine(({ action, ttl_s: ttl }) => action !== 'up' || ttl !== undefined,
        { path: ['ttl_s'], error: 'must be given: up hides a failure, so it must end by itself' })
      .optional(),
    restart_agent: z.literal(true, { error: 'must be true' }).optional()
  }, { error: 'must be a mapping with t and what happens then' })
    .refine(({ nodes: whose, set }) => (whose === undefined) === (set === undefined), { error: 'must have both nodes and set, or neither' })
    .refine(({ t: _, ...rest }) => isFilled(rest),
      { error: 'must say what happens: nodes and set, prober, load_rps, override or restart_agent' })
}

const nodeNames = (nodes: number): string => `must be ${nodes === 1 ? 'n0' : `n0 … n${nodes - 1}`}`
const isNodeName = (nodes: number) => (name: string): boolean => /^n(?:0|[1-9]\d{0,3})$/.test(name) && Number(name.slice(1)) < nodes
const isScope = (nodes: number) => (scope: string): boolean =>
  scope === '*/*' || scope === 'be/*' || (scope.startsWith('be/') && isNodeName(nodes)(scope.slice('be/'.length)))

function isFilled (mapping: object): boolean {
  return Object.keys(mapping).length > 0
}

export function scenarioForm (limits: Limits) {
  const NAMED = 'must be a name of 1 … 64 printable characters, without blanks'
  return z.strictObject({
    name: z.string({ error: NAMED }).regex(NAME, { error: NAMED }).optional(),
    why: text.default(''),
    nodes: nodesForm,
    load_rps: rps(0.001),
    duration_s: durationForm,
    warmup_s: between(`must be seconds, 0 or more and below duration_s (${limits.durationS})`, 0, limits.durationS - 0.001).optional(),
    client_timeout_ms: milliseconds.default(5000),
    balance: z.enum(['roundrobin', 'leastconn'], { error: 'must be roundrobin or leastconn' }).default('roundrobin'),
    node: z.strictObject({
      capacity_rps: rps(0.001).default(100),
      base_ms: milliseconds.default(50),
      probe_ms: milliseconds.default(20)
    }, { error: 'must be a mapping of capacity_rps, base_ms, probe_ms' }).prefault({}),
    haproxy: z.strictObject({
      agent_inter_ms: milliseconds.default(2000),
      own_check: z.enum(['tcp', 'none'], { error: 'must be tcp or none' }).default('tcp')
    }, { error: 'must be a mapping of agent_inter_ms, own_check' }).prefault({}),
    criteria: z.array(criterion, { error: 'must be a list of criteria' }).min(1, { error: 'must list at least one criterion' })
      .refine(list => new Set(list.map(({ name }) => name)).size === list.length, { error: 'must name each criterion once' }).optional(),
    policy: z.record(key, z.union([setting, z.record(key, setting)], { error: SETTING }),
      { error: 'must be a mapping of policy settings' }).default({}),
    timeline: z.array(timelineEntry(limits), { error: 'must be a list of what happens when' }).default([])
  }, { error: 'must be a mapping: a scenario' })
}

export type ScenarioFile = z.output<ReturnType<typeof scenarioForm>>
export type CriterionFile = NonNullable<ScenarioFile['criteria']>[number]
export type EntryFile = ScenarioFile['timeline'][number]
export type TruthFile = NonNullable<EntryFile['set']>
export type PolicyFile = ScenarioFile['policy']
