/** What may go wrong with a made-up farm: nodes, what they share, the agent itself, and its operators. */
import type { Random } from './random.ts'

export interface Farm { readonly random: Random, readonly nodes: number, readonly durationS: number, readonly loadRps: number }

/** Of a scenario file's timeline. */
export interface Entry { readonly t: number, readonly [key: string]: unknown }

export interface Fault { readonly name: string, readonly happen: (farm: Farm) => readonly Entry[] }

type Set = Readonly<Record<string, unknown>>

const FIRST_S = 25
const tenth = (seconds: number): number => Math.round(seconds * 10) / 10
const hundredth = (value: number): number => Math.round(value * 100) / 100

interface Span { readonly fromS: number, readonly toS: number }

/** Where a fault begins and ends; one in eight never ends. */
function span ({ random, durationS }: Farm): Span {
  const fromS = tenth(random.between(FIRST_S, durationS * 0.7))
  return { fromS, toS: random.chance(0.125) ? durationS : tenth(fromS + random.between(5, 150)) }
}

const indexes = (nodes: number): readonly number[] => Array.from({ length: nodes }, (_, i) => i)
const one = ({ random, nodes }: Farm): readonly number[] => [random.below(nodes)]
/** Neighbours fail together: from a few to all but one, in a row. */
function rack ({ random, nodes }: Farm): readonly number[] {
  const size = Math.max(1, Math.min(nodes - 1, Math.round(nodes * random.between(0.2, 0.8))))
  const first = random.below(nodes - size + 1)
  return indexes(nodes).slice(first, first + size)
}
const few = (farm: Farm): readonly number[] => farm.random.some(indexes(farm.nodes), 1 + farm.random.below(3))
const everyone = ({ nodes }: Farm): readonly number[] => indexes(nodes)
const victims = (farm: Farm): readonly number[] => farm.random.pick([one, one, few, rack])(farm)

const during = ({ fromS, toS }: Span, nodes: readonly number[], set: Set, cure: Set): readonly Entry[] =>
  [{ t: fromS, nodes, set }, { t: toS, nodes, set: cure }]

const proberDuring = ({ fromS, toS }: Span, set: Set, cure: Set): readonly Entry[] => [{ t: fromS, prober: set }, { t: toS, prober: cure }]

/** A process that has just started is slow. */
function coldStart ({ random }: Farm, t: number, nodes: readonly number[]): readonly Entry[] {
  const cold = { mode: 'ok', cap_mult: hundredth(random.between(0.1, 0.6)), lat_mult: random.pick([2, 3, 8]) }
  return [{ t, nodes, set: cold }, { t: t + 5 + random.below(40), nodes, set: { cap_mult: 1, lat_mult: 1 } }]
}

const mode = (farm: Farm): string => farm.random.pick(['refused', 'hang', 'hang', 'blackhole'])

function gone (farm: Farm): readonly Entry[] {
  const when = span(farm)
  const nodes = victims(farm)
  const [went, back] = during(when, nodes, { mode: mode(farm) }, { mode: 'ok' })
  if (went === undefined || back === undefined) return []
  return [went, ...(farm.random.chance(0.5) ? coldStart(farm, back.t, nodes) : [back])]
}

function gray (farm: Farm): readonly Entry[] {
  const err = hundredth(farm.random.between(0.05, 1))
  const unseen = farm.random.chance(0.3) ? { probe_err: 0 } : {}
  return during(span(farm), victims(farm), { err, ...unseen }, { err: 0, probe_err: null })
}

function slow (farm: Farm): readonly Entry[] {
  const { random } = farm
  const set = { lat_mult: random.pick([2, 3, 8, 20, 60]), cap_mult: hundredth(random.between(0.05, 0.9)) }
  return during(span(farm), victims(farm), set, { lat_mult: 1, cap_mult: 1 })
}

function flapping (farm: Farm): readonly Entry[] {
  const { random, durationS } = farm
  const nodes = random.chance(0.7) ? one(farm) : rack(farm)
  const set: Set = random.chance(0.5) ? { mode: mode(farm) } : { err: hundredth(random.between(0.3, 1)) }
  const [badS, goodS] = [1 + random.below(25), 1 + random.below(25)]
  const rounds = Math.min(10, Math.floor((durationS - FIRST_S) / (badS + goodS)))
  return indexes(rounds).flatMap(i => {
    const fromS = FIRST_S + i * (badS + goodS)
    return during({ fromS, toS: fromS + badS }, nodes, set, { mode: 'ok', err: 0 })
  })
}

function oneByOne (farm: Farm): readonly Entry[] {
  const { random, nodes } = farm
  const [startS, everyS] = [FIRST_S + random.below(60), 10 + random.below(50)]
  const set = random.pick<Set>([{ mode: mode(farm) }, { lat_mult: 30, cap_mult: 0.2 }, { err: 0.6 }])
  return random.some(indexes(nodes), nodes).map((node, i) => ({ t: startS + i * everyS, nodes: [node], set }))
}

function rolling (farm: Farm): readonly Entry[] {
  const { random, nodes } = farm
  const [startS, everyS, downS] = [FIRST_S + random.below(40), 15 + random.below(20), 2 + random.below(10)]
  return indexes(nodes).flatMap(node => {
    const t = startS + node * everyS
    return [{ t, nodes: [node], set: { mode: 'refused' } }, ...coldStart(farm, t + downS, [node])]
  })
}

const shared = (farm: Farm): readonly number[] => farm.random.pick([everyone, everyone, rack, one])(farm)

function storage (farm: Farm): readonly Entry[] {
  const err = farm.random.chance(0.5) ? { err: 0.3, probe_err: 0 } : {}
  return during(span(farm), shared(farm), { storage: false, ...err }, { storage: true, err: 0, probe_err: null })
}

const lossOf = ({ random }: Farm): number => random.pick([0.01, 0.05, 0.1, 0.3])

function stalls (farm: Farm): readonly Entry[] {
  const { random } = farm
  const { fromS } = span(farm)
  const [blockedS, freeS] = [tenth(random.between(0.2, 8)), tenth(random.between(0.1, 5))]
  return indexes(1 + random.below(8)).flatMap(i => {
    const t = tenth(fromS + i * (blockedS + freeS))
    return proberDuring({ fromS: t, toS: tenth(t + blockedS) }, { stall: true }, { stall: false })
  })
}

/** What a tired or a hostile operator may write. */
const REASONS = ['disk', '', 'ready up 100%\nmaint', '#up 100%, "quoted" <b>', '\u0000\u001b[31mred', 'très longue raison '.repeat(20)] as const

function order (farm: Farm): readonly Entry[] {
  const { random, nodes } = farm
  const scope = random.pick([`be/n${random.below(nodes)}`, `be/n${random.below(nodes)}`, 'be/*', '*/*'])
  const action = random.pick(['up', 'down', 'drain', 'maint', 'weight:0', 'weight:30', 'weight:100'])
  const ttl = action === 'up' || random.chance(0.7) ? { ttl_s: 5 + random.below(120) } : {}
  return [{ t: span(farm).fromS, override: { scope, action, ...ttl, author: 'al', reason: random.pick(REASONS) } }]
}

/** What no node and no network does, but a person. */
export const ORDER = 'order'

export const FAULTS: readonly [Fault, ...Fault[]] = [
  { name: 'gone', happen: gone },
  { name: 'gone', happen: gone },
  { name: 'gray', happen: gray },
  { name: 'slow', happen: slow },
  { name: 'flapping', happen: flapping },
  { name: 'one by one', happen: oneByOne },
  { name: 'rolling restart', happen: rolling },
  { name: 'storage lost', happen: storage },
  { name: 'introducer lost', happen: farm => during(span(farm), shared(farm), { introducer: false }, { introducer: true }) },
  { name: 'lame', happen: farm => during(span(farm), victims(farm), { lame: true }, { lame: false }) },
  { name: 'lossy nodes', happen: farm => during(span(farm), victims(farm), { probe_loss: lossOf(farm) }, { probe_loss: 0 }) },
  {
    name: 'load',
    happen: farm => {
      const { fromS, toS } = span(farm)
      const load = Math.round(farm.loadRps * farm.random.between(0.2, 2))
      return [{ t: fromS, load_rps: load }, { t: toS, load_rps: farm.loadRps }]
    }
  },
  { name: 'agent cut off', happen: farm => proberDuring(span(farm), { partition: ['all'] }, { partition: [] }) },
  {
    name: 'agent half blind',
    happen: farm => proberDuring(span(farm), { partition: rack(farm).map(node => `n${node}`) }, { partition: [] })
  },
  { name: 'agent on a bad line', happen: farm => proberDuring(span(farm), { loss: lossOf(farm) }, { loss: 0 }) },
  { name: 'agent starved', happen: stalls },
  { name: 'agent restarted', happen: farm => [{ t: span(farm).fromS, restart_agent: true }] },
  { name: ORDER, happen: order },
  { name: ORDER, happen: order }
]
