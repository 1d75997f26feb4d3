/** A config, a scenario's or an operator's own, as what a simulation can poll; and a scenario cut to the size of a config. */
import { parseConfig, type Config } from '../config/load.ts'
import type { Criterion, Facts, Judge, Server } from '../core/model.ts'
import type { Poll, ProbeRequest } from '../core/probe.ts'
import { REACH } from '../core/reach.ts'
import type { Setup } from './contender.ts'
import { HEALTHY_NODE, nodeName } from './nodes.ts'
import { scenarioConfig, type Scenario, type ScenarioEvent } from './scenario.ts'
import { ERRED, factsOf } from './sight.ts'

const NO_FILES = { env: {}, readFile: (path: string): string => { throw new Error(`a scenario refers to no file, but to ${path}`) } }
/** By the backend and the number of nodes, on which alone a scenario's config depends: many runs share one. */
const setups = new WeakMap<Scenario['backend'], Map<number, Setup>>()

/** What a scenario itself asks for. */
export function setupOf (scenario: Scenario): Setup {
  const { backend, nodes } = scenario
  const known = setups.get(backend) ?? new Map<number, Setup>()
  setups.set(backend, known)
  const setup = known.get(nodes) ?? setupFrom(parseConfig(scenarioConfig(scenario), `${scenario.name}.yaml`, NO_FILES))
  known.set(nodes, setup)
  return setup
}

/** One backend of a config: the one named, or the first. Its judges are such that simulated answers mean something to them. */
export function setupFrom (config: Config, name?: string): Setup {
  const backend = name === undefined ? config.backends[0] : config.backends.find(each => each.name === name)
  if (backend === undefined) throw new RangeError(`the config has no backend ${name ?? 'at all'}`)
  const polls = config.polls.flatMap((poll): readonly Poll[] => {
    const readers = poll.readers.filter(reader => reader.backend === backend.name)
    return readers.length === 0 ? [] : [{ ...poll, readers }]
  })
  const requests = new Map(polls.map(poll => [poll.key, poll.request]))
  const servers = backend.servers.map((server): Server =>
    ({ ...server, criteria: server.criteria.map(criterion => playable(criterion, requests.get(criterion.probe))) }))
  return { backend: { ...backend, servers }, polls, adminState: config.adminStates[backend.name] ?? 'shared' }
}

/** Kinds that can read simulated answers. */
const READERS: ReadonlySet<string> = new Set<string>([REACH, 'latency', 'tcp', 'http', 'tahoe.storage', 'tahoe.introducer'])

/** Simulated nodes know what is wrong with them, but not what an operator's own criteria would like to read. */
function playable (criterion: Criterion, request: ProbeRequest | undefined): Criterion {
  if (request === undefined) return criterion
  const healthy = { ok: true, startMs: 0, endMs: 1, facts: factsOf(request, HEALTHY_NODE, false) } as const
  if (READERS.has(criterion.kind) && criterion.judge(healthy, undefined)?.pass === true) return criterion
  return { ...criterion, judge: judgeTruth(STAND_INS[criterion.kind] ?? (facts => facts[ERRED] !== true)) }
}

/** For a criterion that wants more than any simulated node has. */
const STAND_INS: Readonly<Record<string, (facts: Facts) => boolean>> = {
  'tahoe.storage': facts => facts['storageConnected'] !== 0,
  'tahoe.introducer': facts => facts['introducersConnected'] !== 0
}

const judgeTruth = (isFine: (facts: Facts) => boolean): Judge => ({ facts }) => isFine(facts)
  ? { pass: true, value: 'fine', limit: 'fine', reason: 'the simulated node is fine' }
  : { pass: false, value: 'not fine', limit: 'fine', reason: 'the simulated node is not fine' }

/**
 * A scenario for so many nodes, in proportion: one node stands for several, or several for one, and the load is that of
 * the same use. For configs of another size than the scenario's.
 */
export function resize (scenario: Scenario, nodes: number): Scenario {
  const { nodes: before } = scenario
  if (nodes === before) return scenario
  const images = (node: number): readonly number[] => {
    const first = Math.floor(node * nodes / before)
    const next = Math.max(first + 1, Math.floor((node + 1) * nodes / before))
    return Array.from({ length: next - first }, (_, i) => first + i)
  }
  const load = (rps: number): number => rps * nodes / before
  const events = scenario.events.flatMap(event => resizeEvent(event, images, load))
  return { ...scenario, nodes, loadRps: load(scenario.loadRps), events }
}

function resizeEvent (
  event: ScenarioEvent, images: (node: number) => readonly number[], load: (rps: number) => number
): readonly ScenarioEvent[] {
  switch (event.kind) {
    case 'nodes': return [{ ...event, nodes: [...new Set(event.nodes.flatMap(images))] }]
    case 'load': return [{ ...event, loadRps: load(event.loadRps) }]
    case 'prober': {
      const { partition } = event.set
      if (partition === undefined) return [event]
      return [{ ...event, set: { ...event.set, partition: partition.flatMap(name => namesOf(name, images)) } }]
    }
    case 'override': {
      const [backend = '', server = ''] = event.scope.split('/')
      return namesOf(server, images).map(name => ({ ...event, scope: `${backend}/${name}` }))
    }
    case 'restart-agent': return [event]
  }
}

/** What is no node's name (`all`, a star) stays what it is. */
const namesOf = (name: string, images: (node: number) => readonly number[]): readonly string[] =>
  /^n\d+$/.test(name) ? images(Number(name.slice(1))).map(nodeName) : [name]
