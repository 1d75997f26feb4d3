/** What happens in a scenario, in plain words, for a timeline. */
import { count, showDuration } from '../core/text.ts'
import { nodeName } from './nodes.ts'
import type { NodeTruth, ScenarioEvent } from './scenario.ts'

type Words = { readonly [K in keyof NodeTruth]: (value: NodeTruth[K]) => string }

const MODES: Readonly<Record<NodeTruth['mode'], string>> = {
  ok: 'takes connections and answers',
  refused: 'refuses connections',
  hang: 'takes connections and never answers',
  blackhole: 'is unreachable: packets are dropped'
}

const WORDS: Words = {
  mode: mode => MODES[mode],
  err: err => err === 0 ? 'fails no requests' : `fails ${showShare(err)} of the requests`,
  probeErr: err => err === undefined ? 'looks to a probe as it does to users' : `fails ${showShare(err)} of the probes`,
  introducer: connected => connected ? 'has an introducer' : 'has lost the introducer',
  storage: connected => connected ? 'has its storage servers' : 'has lost its storage servers',
  lame: lame => lame ? 'says it is about to stop' : 'does not say it is about to stop',
  latMult: times => times === 1 ? 'answers in the usual time' : `takes ${times} times the usual time`,
  capMult: times => times === 1 ? 'has its full capacity' : `has ${showShare(times)} of its capacity`,
  probeLoss: loss => loss === 0 ? 'loses no probes' : `loses ${showShare(loss)} of the probes`
}

/** `nodes`: how many there are. */
export function narrate (event: ScenarioEvent, nodes: number): string {
  switch (event.kind) {
    case 'nodes': return `${showNodes(event.nodes, nodes)}: ${narrateTruth(event.set)}`
    case 'prober': return `the agent ${narrateProber(event.set)}`
    case 'load': return `users send ${Math.round(event.loadRps)} requests a second`
    case 'override': {
      const time = event.forMs === undefined ? '' : ` for ${showDuration(event.forMs)}`
      return `${event.by} orders ${event.scope} ${event.action}${time}: ${event.reason}`
    }
    case 'restart-agent': return 'the agent restarts, its memory lost'
  }
}

function narrateTruth (set: Partial<NodeTruth>): string {
  const words = (Object.keys(WORDS) as Array<keyof NodeTruth>).filter(key => key in set).map(key => say(key, set))
  return words.length === 0 ? 'no change' : words.join(', ')
}

const say = <K extends keyof NodeTruth>(key: K, set: Partial<NodeTruth>): string => WORDS[key](set[key] as NodeTruth[K])

function narrateProber ({ partition, stall, loss }: Extract<ScenarioEvent, { kind: 'prober' }>['set']): string {
  const words: string[] = []
  if (partition !== undefined) words.push(narratePartition(partition))
  if (stall !== undefined) words.push(stall ? 'is blocked' : 'runs again')
  if (loss !== undefined) words.push(loss === 0 ? 'loses no probes' : `loses ${showShare(loss)} of its probes`)
  return words.join(', ')
}

function narratePartition (names: readonly string[]): string {
  if (names.includes('all')) return 'loses sight of all nodes'
  return names.length === 0 ? 'sees all nodes again' : `loses sight of ${names.join(', ')}`
}

/** `n3`, `n0, n1, n2`, `6 nodes (n0 to n5)`, `all nodes`. */
function showNodes (nodes: readonly number[], all: number): string {
  const names = nodes.map(nodeName)
  if (nodes.length === all && all > 1) return 'all nodes'
  if (nodes.length <= 3) return names.join(', ')
  const [first, last] = [names[0], names.at(-1)]
  const isRow = nodes.every((node, i) => i === 0 || node === (nodes[i - 1] ?? 0) + 1)
  return `${count(nodes.length, 'node')} (${isRow ? `${first} to ${last}` : names.join(', ')})`
}

const showShare = (share: number): string => `${Math.round(share * 1000) / 10}%`
