/** A scenario's criteria and policy as the backend of an hcf.yaml, in its words or in the flat ones of a scenario file. */
import { stringify } from 'yaml'
import { parseConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import type { CriterionFile, PolicyFile } from './scenario-form.ts'
import type { Scenario } from './scenario.ts'

type Tree = Readonly<Record<string, unknown>>
type Value = PolicyFile[string]

/** A node of a scenario can be asked for these, and nothing else. */
const KINDS: Readonly<Record<CriterionFile['name'], Tree>> = {
  http: { kind: 'http', path: '/' },
  storage: { kind: 'tahoe.storage', at_least: 1 },
  introducer: { kind: 'tahoe.introducer', at_least: 1 },
  lame: { kind: 'http', path: '/lame', solo: true }
}

export const DEFAULT_CRITERIA: readonly CriterionFile[] = [
  { name: 'http', on_fail: 'fail' },
  { name: 'storage', on_fail: 'drain' },
  { name: 'introducer', on_fail: 'warn', fall: 5 }
]

export const toBackend = (criteria: readonly CriterionFile[], policy: PolicyFile): Tree => {
  const { mode, ...rest } = toPolicy(policy)
  return {
    ...(mode === undefined ? {} : { mode }),
    criteria: Object.fromEntries(criteria.map(each => [each.name, toCriterion(each)])),
    ...(Object.keys(rest).length === 0 ? {} : { policy: rest })
  }
}

function toCriterion ({ name, on_fail: onFail, ...rest }: CriterionFile): Tree {
  const written = onFail === 'fail' ? 'down' : onFail.replace(/^weight:(\d+)$/, 'weight $1%')
  return { ...KINDS[name], on_fail: written, ...rest }
}

/** The same back, for a file. */
export function toCriteriaFile (backend: Tree): readonly CriterionFile[] {
  const criteria = backend['criteria'] as Readonly<Record<CriterionFile['name'], CriterionFile>>
  return Object.entries(criteria).map(([name, criterion]) => {
    const { on_fail: onFail, fall, rise, solo } = criterion
    return {
      name: name as CriterionFile['name'],
      on_fail: onFail === 'down' ? 'fail' : onFail.replace(/^weight (\d+)%$/, 'weight:$1'),
      ...(fall === undefined ? {} : { fall }),
      ...(rise === undefined ? {} : { rise }),
      ...(solo === undefined ? {} : { solo })
    }
  })
}

const ms = (value: Value): unknown => typeof value === 'number' ? `${value}ms` : value
const percent = (value: Value): unknown => typeof value === 'number' ? `${value}%` : value
const plain = (value: Value): unknown => value

/** Where a flat setting goes, and how its number is written there. */
const FLAT: Readonly<Record<string, readonly [path: string, write: (value: Value) => unknown]>> = {
  interval: ['interval', ms], fast: ['fast', ms], timeout: ['timeout', ms], hedge: ['hedge', ms],
  trip_k: ['window.fails', plain], trip_n: ['window.of', plain],
  hold_base: ['hold.base', ms], hold_max: ['hold.max', ms], flap_window: ['hold.window', ms],
  max_out_pct: ['max_out', percent],
  quorum_pct: ['gate.quorum', percent], settle: ['gate.settle', ms],
  eject_burst_pct: ['burst.share', percent], eject_window: ['burst.within', ms],
  slow_pct: ['strain.slow', percent], strain_pct: ['strain.share', percent], strain_up_ms: ['strain.up', ms],
  strain_down_ms: ['strain.down', ms], strain_step_pct: ['strain.step', percent],
  stale_after: ['stale_after', ms], stale_open: ['stale_open', ms],
  base_weight: ['weight.base', plain], weight_floor: ['weight.floor', percent], weight_quantum: ['weight.quantum', percent],
  weight_period: ['weight.every', ms], dec_mul_pct: ['weight.down', percent], step_up: ['weight.up', percent],
  ramp_ms: ['ramp.for', ms], ramp_start: ['ramp.from', percent], ramp_min_full_pct: ['ramp.full', percent],
  lat_deadband: ['peers.slower', percent], lat_min_ms: ['peers.least', ms], lat_min_peers: ['peers.servers', plain]
}

/** Flat settings that switch something off, with which value; and the value that leaves it as it is. */
const SWITCHES: Readonly<Record<string, { readonly off: Value, readonly on: Value, readonly does: Tree }>> = {
  hedge: { off: 0, on: true, does: { hedge: 'off' } },
  quorum_pct: { off: 0, on: true, does: { gate: 'off' } },
  use_gate: { off: false, on: true, does: { gate: 'off' } },
  use_damp: { off: false, on: true, does: { hold: 'off' } },
  use_ramp: { off: false, on: true, does: { ramp: 'off' } },
  use_window: { off: false, on: true, does: { window: 'off' } },
  use_strain: { off: false, on: true, does: { strain: 'off' } },
  use_burst: { off: false, on: true, does: { burst: 'off' } },
  use_floor: { off: false, on: true, does: { min_up: 0, max_out: '100%' } },
  weight_mode: { off: 'static', on: 'dynamic', does: { weight: 'off' } },
  latency: { off: 'off', on: 'peer', does: { peers: 'off' } }
}

/** What is no setting of hcf.yaml under its flat name passes as it is: the config says what it knows. */
function toPolicy (policy: PolicyFile): Tree {
  const own = Object.create(null) as Record<string, unknown> // a file may call its keys as it likes
  let off: Tree = {}
  for (const [key, value] of Object.entries(policy)) {
    const flat = Object.hasOwn(FLAT, key) ? FLAT[key] : undefined
    const known = Object.hasOwn(SWITCHES, key) ? SWITCHES[key] : undefined
    if (known !== undefined && (value === known.off || value === known.on)) off = value === known.off ? { ...off, ...known.does } : off
    else if (flat === undefined) own[key] = mergedWith(own[key], value)
    else {
      const [group = '', setting] = flat[0].split('.')
      own[group] = setting === undefined ? flat[1](value) : mergedWith(own[group], { [setting]: flat[1](value) })
    }
  }
  return { ...own, ...off }
}

/** A group may be written in both ways at once; `off` has the last word. */
function mergedWith (old: unknown, added: unknown): unknown {
  if (typeof added !== 'object' || old === undefined) return added
  return typeof old === 'object' ? { ...old, ...added } : old
}

export function configText (nodes: number, backend: Tree): string {
  const servers = Object.fromEntries(Array.from({ length: nodes }, (_, i) => [`n${i}`, `http://n${i}.sim:80`]))
  return stringify({ backends: { be: { servers, ...backend } } }, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** Text of a whole hcf.yaml: backend `be`, servers n0 …, and the scenario's criteria and policy. */
export const scenarioConfig = ({ nodes, backend }: Scenario): string => configText(nodes, backend)

export interface Fault { readonly path: string, readonly message: string }

/** What hcf.yaml says against the criteria and the policy, by their places in the scenario. */
export function configFaults (nodes: number, criteria: readonly CriterionFile[], policy: PolicyFile): readonly Fault[] {
  try {
    parseConfig(configText(nodes, toBackend(criteria, policy)), 'scenario', { env: {}, readFile: () => '' })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, message }) => ({ path: toPlace(path, criteria, policy), message }))
  }
}

function toPlace (path: string, criteria: readonly CriterionFile[], policy: PolicyFile): string {
  const [, ofPolicy] = /^backends\.be\.policy\.?(.*)$/.exec(path) ?? []
  if (ofPolicy !== undefined) {
    const flat = Object.entries(FLAT).find(([name, [to]]) => Object.hasOwn(policy, name) && (to === ofPolicy || to.startsWith(`${ofPolicy}.`)))
    return ['policy', flat?.[0] ?? ofPolicy].filter(Boolean).join('.')
  }
  const [, name, key = ''] = /^backends\.be\.criteria\.([^.]+)(.*)$/.exec(path) ?? []
  const index = criteria.findIndex(criterion => criterion.name === name)
  if (index >= 0) return `criteria[${index}]${key}`
  return path === 'backends.be.mode' ? 'policy.mode' : path
}
