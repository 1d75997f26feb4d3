/**
 * What each policy is worth: every scenario and many made-up farms, played against each. Gives the part of
 * docs/decision.md that is generated, and fails where we claim more than that shows.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { POLICIES, type PolicyName } from '../../src/sim/contender.ts'
import { plainFarm } from '../../src/sim/random-farm.ts'
import { readScenario, type Scenario } from '../../src/sim/scenario.ts'
import { simulate } from '../../src/sim/simulate.ts'
import { root } from '../helpers/paths.ts'

export const SEEDS = [1, 2, 3] as const
export const FARMS = 300
/** The farms before this one were looked at while the settings were chosen: these are strangers. */
const FIRST_FARM = 5001
/** Of availability: more than this below no agent at all is too much, in any scenario. */
const LOSS_MAX = 0.3
/** Scenarios in which nothing is wrong with any node: the agent's own trouble, or a fault that all share. */
const NOBODY_TO_BLAME = [
  'agent-blind', 'agent-cut-off', 'agent-half-blind', 'agent-starved', 'introducer-gone-everywhere', 'loss-1', 'loss-5', 'shared-storage',
  'storage-gone-everywhere', 'two-gateways-no-storage'
]

/** One thing to play: a scenario of a file by its name, or a made-up farm by its number. */
export type Task = { readonly kind: 'scenario', readonly name: string } | { readonly kind: 'farm', readonly seed: number }

export interface Score { readonly offered: number, readonly failed: number, readonly falseEjections: number, readonly flips: number }
export interface Played { readonly task: Task, readonly scores: Readonly<Record<PolicyName, Score>> }

const scenarios: ReadonlyMap<string, Scenario> = new Map(['scenarios', 'test/sim/scenarios'].flatMap(directory =>
  readdirSync(join(root, directory)).toSorted().map(file => {
    const scenario = readScenario(readFileSync(join(root, directory, file), 'utf8'), file)
    return [scenario.name, scenario] as const
  })))

export const tasks: readonly Task[] = [
  ...[...scenarios.keys()].map((name): Task => ({ kind: 'scenario', name })),
  ...Array.from({ length: FARMS }, (_, i): Task => ({ kind: 'farm', seed: FIRST_FARM + i }))
]

/** One task against every policy, over a few seeds where the farm itself is given. */
export async function play (task: Task): Promise<Played> {
  const scenario = task.kind === 'farm' ? plainFarm(task.seed) : scenarios.get(task.name)
  if (scenario === undefined) throw new RangeError('no such scenario')
  const seeds = task.kind === 'farm' ? [task.seed] : SEEDS
  const scores = {} as Record<PolicyName, Score>
  for (const policy of POLICIES) {
    let sum: Score = { offered: 0, failed: 0, falseEjections: 0, flips: 0 }
    for (const seed of seeds) sum = plus(sum, await simulate(scenario, { policy, seed }))
    scores[policy] = sum
  }
  return { task, scores }
}

const plus = (a: Score, b: Score): Score => ({
  offered: a.offered + b.offered, failed: a.failed + b.failed, falseEjections: a.falseEjections + b.falseEjections, flips: a.flips + b.flips
})

/** Percent of the requests that failed. */
const lost = ({ offered, failed }: Score): number => 100 * failed / offered
const isScenario = ({ task }: Played): boolean => task.kind === 'scenario'
const nameOf = ({ task }: Played): string => task.kind === 'scenario' ? task.name : `farm ${task.seed}`
const sum = (played: readonly Played[], policy: PolicyName, of: (score: Score) => number): number =>
  played.reduce((total, { scores }) => total + of(scores[policy]), 0)
/** In points of availability: less is a draw. */
const DRAW = 0.1
const lostTo = ({ scores }: Played): number => lost(scores.hcf) - lost(scores.none)
const isWorse = (played: Played): boolean => lostTo(played) > DRAW
const NAIVE = POLICIES.filter(policy => policy !== 'hcf')

/** Where the results say less than we claim. */
export function shortfalls (played: readonly Played[]): readonly string[] {
  const [known, made] = [played.filter(isScenario), played.filter(each => !isScenario(each))]
  const found: string[] = []
  for (const policy of NAIVE) {
    if (sum(known, 'hcf', ({ failed }) => failed) >= sum(known, policy, ({ failed }) => failed)) found.push(`all scenarios: no fewer failed requests than ${policy}`)
    if (sum(made, 'hcf', lost) >= sum(made, policy, lost)) found.push(`made-up farms: no lower mean than ${policy}`)
  }
  for (const each of known) {
    const { hcf, none } = each.scores
    if (lost(hcf) > lost(none) + LOSS_MAX) found.push(`${nameOf(each)}: ${(lost(hcf) - lost(none)).toFixed(2)} points below no agent`)
    if (NOBODY_TO_BLAME.includes(nameOf(each)) && hcf.falseEjections > 0) found.push(`${nameOf(each)}: takes out ${hcf.falseEjections} healthy servers`)
  }
  const worse = made.filter(isWorse).length
  if (worse * 10 >= made.length) found.push(`made-up farms: worse than no agent in ${worse} of ${made.length}`)
  return [...found, ...NOBODY_TO_BLAME.filter(name => !known.some(each => nameOf(each) === name)).map(name => `no scenario ${name}`)]
}

const TITLES: Readonly<Record<PolicyName, string>> = {
  none: 'no agent', immediate: 'last poll decides', risefall: 'rise 2 / fall 3', panic: 'the same, panic at 50%', hcf: 'hcf'
}

/** The generated part of docs/decision.md. */
export function report (played: readonly Played[]): string {
  const [known, made] = [played.filter(isScenario), played.filter(each => !isScenario(each))]
  const worse = made.filter(isWorse).length
  const atAll = made.filter(each => lostTo(each) > 0.001).length
  const total = (title: string, cell: (policy: PolicyName) => string): string => `| ${title} | ${POLICIES.map(cell).join(' | ')} |`
  const head = `| | ${POLICIES.map(policy => TITLES[policy]).join(' | ')} |\n|---|${POLICIES.map(() => '---:').join('|')}|`
  const mean = (of: readonly Played[], policy: PolicyName): string => `${(sum(of, policy, lost) / of.length).toFixed(2)}%`
  return [
    `${known.length} scenarios, each with seeds ${SEEDS.join(', ')}, and ${made.length} made-up farms with made-up faults (seeds from ${FIRST_FARM}) that no setting was chosen by.`,
    'Written by `npm run decision`; CI writes it again and compares.',
    '',
    head,
    total('requests failed, mean of the scenarios', policy => mean(known, policy)),
    total('requests failed, all scenarios together', policy => String(Math.round(sum(known, policy, ({ failed }) => failed)))),
    total('healthy servers taken out', policy => String(sum(known, policy, score => score.falseEjections))),
    total('times a server went out or came back', policy => String(sum(known, policy, score => score.flips))),
    total('requests failed, mean of the made-up farms', policy => mean(made, policy)),
    '',
    `On the made-up farms hcf is worse than no agent by more than ${DRAW} points in ${worse} of ${made.length} (by anything at all in ${atAll}), by ${worst(made)} points at most.`,
    '',
    'Requests failed, scenario by scenario:',
    '',
    head.replace('| |', '| scenario |'),
    ...known.map(each => total(nameOf(each), policy => `${lost(each.scores[policy]).toFixed(2)}%`))
  ].join('\n')
}

const worst = (played: readonly Played[]): string => Math.max(0, ...played.map(lostTo)).toFixed(2)
