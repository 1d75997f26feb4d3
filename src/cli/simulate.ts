/** `hcf simulate`: a farm, its traffic and its faults, played against our decisions and against simpler ones. */
import { loadConfig, type Config } from '../config/load.ts'
import { count } from '../core/text.ts'
import { POLICIES, type PolicyName } from '../sim/contender.ts'
import { LEGEND, bucketSeconds, heading, resultRows, sparkline, timelineLines, toJson, totalsLine } from '../sim/report.ts'
import type { Scenario } from '../sim/scenario.ts'
import { simulate, type RunResult } from '../sim/simulate.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT, painter, table, useColor, type Io } from './io.ts'
import { loadScenarios } from './scenario-files.ts'

interface Options {
  readonly config?: string
  readonly backend?: string
  readonly policy?: readonly string[]
  readonly seed?: string
  readonly json?: true
  readonly timeline?: true
}

const DEFAULT_POLICIES: readonly PolicyName[] = ['none', 'immediate', 'risefall', 'hcf']
const COLUMNS = 100

export const define: Define = (command, io, end) => {
  const again = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]
  command.argument('[scenarios...]', 'scenario files, or directories of them (default: the built-in ones)')
  command.option('-c, --config <file>', 'play a backend of this config as hcf, instead of the defaults')
  command.option('--backend <name>', 'which backend of the config (default: the only one)')
  command.option('--policy <name>', `${POLICIES.join(', ')}; may be repeated (default: ${DEFAULT_POLICIES.join(', ')})`, again)
  command.option('--seed <number>', 'of all chance in it (default: 1)')
  command.option('--json', 'print JSON')
  command.option('--timeline', 'print what happened when, with hcf or the policies named')
  command.addHelpText('after', `\nColumns:\n${table(Object.entries(LEGEND).map(([name, what]) => [`  ${name}`, what]))}`)
  command.action(async (paths: readonly string[], options: Options) => {
    if (options.json && options.timeline) throw new CommandError('--json has no timeline: leave out one of the two', EXIT.usage)
    const play = { policies: policiesOf(options), seed: seedOf(options), own: ownOf(options, io) }
    const scenarios = loadScenarios(paths)
    if (options.json) io.stdout.write(`${JSON.stringify(await playAll(scenarios, play), undefined, 2)}\n`)
    else await show(scenarios, play, options, io)
    end(EXIT.ok)
  })
}

/** An operator's own config, and its backend to play. */
interface Own { readonly config: Config, readonly backend: string, readonly servers: number, readonly file: string }
interface Play { readonly policies: readonly PolicyName[], readonly seed: number, readonly own: Own | undefined }

function policiesOf ({ policy: names = DEFAULT_POLICIES }: Options): readonly PolicyName[] {
  return [...new Set(names)].map(name => {
    const known = POLICIES.find(policy => policy === name)
    if (known === undefined) throw new CommandError(`--policy must be one of ${POLICIES.join(', ')}, is ${name}`, EXIT.usage)
    return known
  })
}

function seedOf ({ seed = '1' }: Options): number {
  if (!/^\d{1,9}$/.test(seed)) throw new CommandError(`--seed must be a whole number of at most 9 digits, is ${seed}`, EXIT.usage)
  return Number(seed)
}

function ownOf ({ config: file, backend: wanted }: Options, io: Io): Own | undefined {
  if (file === undefined) {
    if (wanted === undefined) return undefined
    throw new CommandError('--backend is one of a config: name its file with -c', EXIT.usage)
  }
  const config = loadConfig(file, io.env)
  const names = config.backends.map(({ name }) => name)
  if (wanted === undefined && names.length > 1) {
    throw new CommandError(`${file} has ${names.join(', ')}: choose one with --backend`, EXIT.usage)
  }
  const backend = config.backends.find(({ name }) => name === (wanted ?? names[0]))
  if (backend === undefined) throw new CommandError(`no backend ${wanted} in ${file}; it has ${names.join(', ')}`, EXIT.usage)
  return { config, backend: backend.name, servers: backend.servers.length, file }
}

async function playOne (scenario: Scenario, { policies, seed, own }: Play, timeline = false): Promise<readonly RunResult[]> {
  const results: RunResult[] = []
  for (const policy of policies) {
    const theirs = own === undefined ? {} : { config: own.config, backend: own.backend }
    results.push(await simulate(scenario, { policy, seed, timeline, ...theirs }))
  }
  return results
}

async function playAll (scenarios: readonly Scenario[], play: Play): Promise<readonly object[]> {
  const all: object[] = []
  for (const scenario of scenarios) all.push(...(await playOne(scenario, play)).map(toJson))
  return all
}

async function show (scenarios: readonly Scenario[], play: Play, options: Options, io: Io): Promise<void> {
  const { own } = play
  if (own !== undefined) io.stdout.write(`hcf is ${own.backend} of ${own.file}: ${count(own.servers, 'server')}\n\n`)
  const shown: RunResult[] = []
  for (const scenario of scenarios) {
    const results = await playOne(scenario, play, options.timeline)
    shown.push(...results)
    io.stdout.write(`${render(scenario, results, own, io)}\n\n`)
    if (options.timeline) io.stdout.write(timelines(results, options))
  }
  io.stdout.write(`${totalsLine(shown)}\n`)
}

function render (scenario: Scenario, results: readonly RunResult[], own: Own | undefined, io: Io): string {
  const paint = painter(useColor(io))
  const [title, farm] = heading(scenario)
  const nodes = own?.servers ?? scenario.nodes
  const scaled = nodes === scenario.nodes ? '' : `; played with the ${count(nodes, 'server')} of the config, faults and load in proportion`
  const indent = Math.max(...results.map(({ policy }) => policy.length)) + 2
  const width = (io.stdout.columns ?? COLUMNS) - indent
  const lines = results.map(({ policy, inService }) => `${policy.padEnd(indent)}${sparkline(inService, nodes, width)}`)
  const each = bucketSeconds(results[0]?.inService.length ?? 0, width)
  return [
    paint('bold', title), `${farm}${scaled}`, '', table(resultRows(results)), '',
    paint('dim', `servers in service, the least of each ${each === 1 ? 'second' : `${each} seconds`} (▁ none, █ all)`), ...lines
  ].join('\n')
}

/** Of hcf, or of the policies that were asked for by name. */
function timelines (results: readonly RunResult[], { policy }: Options): string {
  const wanted = results.filter(result => policy !== undefined || result.policy === 'hcf')
  return wanted.map(result => `what happened, with ${result.policy}\n${timelineLines(result).join('\n')}\n\n`).join('')
}
