/** Farms and faults that nobody thought of. All chance comes from one seed, so that a number is a whole scenario. */
import { Random } from './random.ts'
import { FAULTS, ORDER } from './random-faults.ts'
import { parseScenario, type Scenario } from './scenario.ts'

const DURATION_S = { min: 200, max: 420 } as const
const NODES = { min: 2, max: 16 } as const
const LOAD = { min: 0.3, max: 0.95 } as const
const FAULTS_MAX = 4

/** Any farm that can be: operators and odd settings among what may happen to it. Of two of the same seed, one is the other. */
export const randomFarm = (seed: number): Scenario => makeFarm(seed, true)

/** Nodes, load, faults and the agent's own troubles, with all settings as they are by default: for comparing policies. */
export const plainFarm = (seed: number): Scenario => makeFarm(seed, false)

function makeFarm (seed: number, isOdd: boolean): Scenario {
  const random = new Random(seed)
  const nodes = NODES.min + random.below(NODES.max - NODES.min + 1)
  const capacity = random.pick([50, 100, 100, 400])
  const load = random.between(LOAD.min, LOAD.max)
  const durationS = DURATION_S.min + random.below(DURATION_S.max - DURATION_S.min + 1)
  const shape = {
    name: `seed-${seed}`,
    nodes,
    load_rps: Math.round(nodes * capacity * load),
    duration_s: durationS,
    balance: random.pick(['roundrobin', 'leastconn']),
    node: { capacity_rps: capacity, base_ms: random.pick([10, 50, 50, 200]), probe_ms: random.pick([5, 20, 20, 100]) },
    haproxy: { agent_inter_ms: random.pick([1000, 2000, 2000, 2000, 5000]), own_check: random.chance(0.85) ? 'tcp' : 'none' },
    ...(isOdd && random.chance(0.4) ? { criteria: randomCriteria(random) } : {}),
    ...(isOdd && random.chance(0.3) ? { policy: randomPolicy(random, nodes) } : {})
  }
  const [first, ...others] = FAULTS
  const known = isOdd ? FAULTS : [first, ...others.filter(({ name }) => name !== ORDER)] as const
  const faults = Array.from({ length: 1 + random.below(FAULTS_MAX) }, () => random.pick(known))
  const timeline = faults.flatMap(({ happen }) => happen({ random, nodes, durationS, loadRps: shape.load_rps }))
  const what = [...new Set(faults.map(({ name }) => name))].join(', ')
  const why = `${nodes} nodes at ${Math.round(100 * load)} % load: ${what}`
  return parseScenario({ ...shape, why, timeline: timeline.filter(({ t }) => t < durationS) }, shape.name)
}

function randomCriteria (random: Random): readonly object[] {
  const severity = (): string => random.pick(['fail', 'fail', 'drain', 'drain', 'warn', 'weight:50', 'weight:10'])
  const counter = (): object => random.chance(0.3) ? { fall: 1 + random.below(5), rise: 1 + random.below(4) } : {}
  return [
    { name: 'http', on_fail: random.pick(['fail', 'fail', 'drain', 'weight:25']), ...counter() },
    { name: 'storage', on_fail: severity(), ...counter() },
    { name: 'introducer', on_fail: random.chance(0.7) ? 'warn' : severity(), fall: 5 },
    ...(random.chance(0.5) ? [{ name: 'lame', on_fail: random.pick(['drain', 'fail']), fall: 1, solo: true }] : [])
  ]
}

/** Switched-off layers and odd numbers: what must always hold must hold with these too. */
function randomPolicy (random: Random, nodes: number): object {
  const layers = ['window', 'gate', 'burst', 'strain', 'hold', 'weight', 'peers', 'ramp', 'hedge'] as const
  const off = random.some(layers, random.below(4)).map(layer => [layer, 'off'])
  return {
    ...Object.fromEntries(off),
    ...(random.chance(0.5) ? { min_up: random.below(nodes + 1) } : {}),
    ...(random.chance(0.5) ? { max_out: `${1 + random.below(100)}%` } : {}),
    ...(random.chance(0.3) ? { rise: 1 + random.below(4), fall: 1 + random.below(5) } : {}),
    ...(random.chance(0.1) ? { mode: 'observe' } : {})
  }
}
