/** Results of simulations as a person or a program reads them. Pure: rows and lines, no terminal. */
import { oneLine } from '../config/problems.ts'
import { count, showDuration } from '../core/text.ts'
import type { Scenario } from './scenario.ts'
import type { RunResult } from './simulate.ts'

/** What the columns of `resultRows` mean. */
export const LEGEND: Readonly<Record<string, string>> = {
  available: 'share of the requests that did not fail',
  failed: 'requests that failed',
  slow: 'share of the requests that were answered after more than a second',
  'fit out': 'server-seconds that HAProxy left servers unused by the agent’s word, though nothing was wrong with them',
  'unfit in': 'server-seconds, by share of the traffic, that it sent requests to servers that could not serve',
  'halted in': 'time from a fault to the end of its traffic, on average; never: how many faults ended first',
  'back in': 'time from a recovery to full traffic, on average',
  'false out': 'times that the agent took out a server with which nothing was wrong',
  flips: 'times that a server went out or came back by the agent’s word',
  weights: 'changes of a weight'
}

/** Headings, and a row for each result. */
export const resultRows = (results: readonly RunResult[]): ReadonlyArray<readonly string[]> =>
  [['policy', ...Object.keys(LEGEND)], ...results.map(toRow)]

const seconds = (value: number | undefined): string => value === undefined ? '-' : `${value.toFixed(1)}s`
/** Three digits below 100%: what is left is what counts. */
const percent = (value: number): string => value === 100 ? '100%' : `${Math.min(value, 99.999).toFixed(3)}%`

function toRow (result: RunResult): readonly string[] {
  const { offered, slow } = result
  return [
    result.policy,
    percent(result.availability),
    String(Math.round(result.failed)),
    `${(offered === 0 ? 0 : 100 * slow / offered).toFixed(1)}%`,
    `${Math.round(result.wronglyOutSeconds)}s`,
    `${Math.round(result.wronglyInSeconds)}s`,
    halted(result),
    seconds(result.returnSeconds),
    String(result.falseEjections),
    String(result.flips),
    String(result.weightChanges)
  ]
}

function halted ({ haltSeconds, missed }: RunResult): string {
  if (missed === 0) return seconds(haltSeconds)
  return haltSeconds === undefined ? 'never' : `${seconds(haltSeconds)}, ${missed} never`
}

const BARS = [...'▁▂▃▄▅▆▇█']

/** Servers in service over time, in at most `width` characters: the lowest of each stretch. Full is all, the lowest bar none. */
export function sparkline (inService: readonly number[], nodes: number, width: number): string {
  const bucket = bucketSeconds(inService.length, width)
  const lowest = Array.from({ length: Math.ceil(inService.length / bucket) },
    (_, i) => Math.min(...inService.slice(i * bucket, (i + 1) * bucket)))
  return lowest.map(servers => BARS[barOf(servers, nodes)] ?? '?').join('')
}

/** How many seconds a character of a sparkline stands for. */
export const bucketSeconds = (length: number, width: number): number => Math.max(1, Math.ceil(length / Math.max(1, width)))

function barOf (servers: number, nodes: number): number {
  if (servers <= 0) return 0
  return servers >= nodes ? BARS.length - 1 : 1 + Math.floor(servers / nodes * (BARS.length - 2))
}

/** `one-hangs: one of eight …`, and on a second line what farm it is. */
export function heading ({ name, why, nodes, loadRps, capacityRps, durationMs, balance }: Scenario): readonly [string, string] {
  const use = Math.round(100 * loadRps / (nodes * capacityRps))
  const farm = `${count(nodes, 'node')} at ${use}% of what they can carry, ${balance}, ${showDuration(durationMs)}`
  return [why === '' ? name : `${name}: ${oneLine(why)}`, farm]
}

/** `  63.5s  be/n3 up -> down: …`, a line for each entry. */
export const timelineLines = ({ timeline }: RunResult): readonly string[] =>
  timeline.map(({ atMs, text }) => `${(atMs / 1000).toFixed(1).padStart(7)}s  ${oneLine(text)}`)

/** One line over all scenarios: mean availability and false ejections of each policy. */
export function totalsLine (results: readonly RunResult[]): string {
  const policies = [...new Set(results.map(({ policy }) => policy))]
  const scenarios = results.filter(({ policy }) => policy === policies[0]).length
  const shown = policies.map(policy => {
    const own = results.filter(result => result.policy === policy)
    const availability = own.reduce((sum, result) => sum + result.availability, 0) / own.length
    return `${policy} ${percent(availability)} (${own.reduce((sum, { falseEjections }) => sum + falseEjections, 0)} false out)`
  })
  return `${count(scenarios, 'scenario')}, mean availability: ${shown.join(', ')}`
}

/** A result for a program. */
export interface JsonResult {
  readonly scenario: string
  readonly policy: string
  /** Percent. */
  readonly availability: number
  readonly failed: number
  readonly falseEjections: number
  readonly flips: number
  /** Mean; null when nothing was to halt. */
  readonly haltSeconds: number | null
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

export const toJson = ({ scenario, policy, availability, failed, falseEjections, flips, haltSeconds }: RunResult): JsonResult => ({
  scenario,
  policy,
  availability: rounded(availability, 4),
  failed: Math.round(failed),
  falseEjections,
  flips,
  haltSeconds: haltSeconds === undefined ? null : rounded(haltSeconds, 2)
})
