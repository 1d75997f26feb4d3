import t from 'tap'
import { createServer, hearLine, operate, type HaproxyServer } from '../../src/sim/haproxy.ts'
import { Measures } from '../../src/sim/measures.ts'
import { HEALTHY_NODE } from '../../src/sim/nodes.ts'
import { Pool } from '../../src/sim/pool.ts'
import { parseScenario, type NodeTruth, type Scenario } from '../../src/sim/scenario.ts'
import { STEP_MS, Traffic } from '../../src/sim/traffic.ts'

const FARM = { nodes: 2, balance: 'roundrobin', capacityRps: 100, baseMs: 50, clientTimeoutMs: 5000 } as const

function farm (truths: ReadonlyArray<Partial<NodeTruth>>, options: { readonly balance?: Scenario['balance'] } = {}): Traffic {
  return new Traffic({ ...FARM, nodes: truths.length, ...options }, truths.map(truth => ({ ...HEALTHY_NODE, ...truth })))
}

interface Sum { readonly offered: number, readonly failed: number, readonly slow: number }

function run (traffic: Traffic, weights: readonly number[], loadRps: number, seconds: number): Sum {
  const sum = { offered: 0, failed: 0, slow: 0 }
  for (let i = 0; i < seconds * 10; i += 1) {
    traffic.step(Float64Array.from(weights), loadRps)
    for (const key of ['offered', 'failed', 'slow'] as const) sum[key] += traffic[key]
  }
  return { offered: near(sum.offered), failed: near(sum.failed), slow: near(sum.slow) }
}

const near = (value: number): number => Math.round(value * 1e6) / 1e6

void t.test('what each node gets and what becomes of it', async (t) => {
  const rows: ReadonlyArray<readonly [string, ReadonlyArray<Partial<NodeTruth>>, readonly number[], Sum]> = [
    ['all is well', [{}, {}], [100, 100], { offered: 100, failed: 0, slow: 0 }],
    ['one hangs: its half fails', [{ mode: 'hang' }, {}], [100, 100], { offered: 100, failed: 50, slow: 0 }],
    ['one refuses', [{ mode: 'refused' }, {}], [100, 100], { offered: 100, failed: 50, slow: 0 }],
    ['one is unreachable', [{ mode: 'blackhole' }, {}], [100, 100], { offered: 100, failed: 50, slow: 0 }],
    ['out, it harms nobody', [{ mode: 'hang' }, {}], [0, 100], { offered: 100, failed: 0, slow: 0 }],
    ['in proportion to the weights', [{ mode: 'hang' }, {}], [25, 100], { offered: 100, failed: 20, slow: 0 }],
    ['a share of errors', [{ err: 0.4 }, {}], [100, 100], { offered: 100, failed: 20, slow: 0 }],
    ['slow answers are served, slowly', [{ latMult: 21 }, {}], [100, 100], { offered: 100, failed: 0, slow: 50 }],
    ['one second is not slow', [{ latMult: 20 }, {}], [100, 100], { offered: 100, failed: 0, slow: 0 }],
    ['nobody is there: all fail', [{}, {}], [0, 0], { offered: 100, failed: 100, slow: 0 }]
  ]
  for (const [name, truths, weights, wanted] of rows) t.strictSame(run(farm(truths), weights, 100, 1), wanted, name)
})

void t.test('a queue: first come, first served, and 5 seconds at most', async (t) => {
  const traffic = farm([{}])
  t.strictSame(run(traffic, [100], 120, 5), { offered: 600, failed: 0, slow: 3 * 12 }, 'it grows by 20 a second; only then are answers slow')
  t.equal(near(traffic.waitS(0)), 1, 'a second behind')
  run(traffic, [100], 0, 0.5)
  t.equal(near(traffic.waitS(0)), 0.5, 'and works it off at its capacity')

  run(traffic, [100], 1000, 10)
  t.equal(near(traffic.waitS(0)), 4, 'five seconds at the pace of a deep queue, which wastes a fifth of the work')
  t.strictSame(run(traffic, [100], 180, 1), { offered: 180, failed: 100, slow: 80 }, 'more than it works off finds no place')
  run(traffic, [0], 0, 2)
  t.equal(near(traffic.waitS(0)), 2, 'without any clients it works on')
  traffic.clear(0)
  t.equal(traffic.waitS(0), 0)
})

void t.test('a node that dies forgets its queue', async (t) => {
  const truths = [HEALTHY_NODE]
  const traffic = new Traffic({ ...FARM, nodes: 1 }, truths)
  run(traffic, [100], 200, 1)
  t.equal(near(traffic.waitS(0)), 1)
  truths[0] = { ...HEALTHY_NODE, mode: 'hang' }
  run(traffic, [100], 200, 0.1)
  t.equal(traffic.waitS(0), 0)
})

void t.test('leastconn feeds whoever keeps its clients the shortest', async (t) => {
  const leastconn = { balance: 'leastconn' } as const
  const rows: ReadonlyArray<readonly [string, Partial<NodeTruth>, number]> = [
    ['the same', {}, 0.05],
    ['twice as slow', { latMult: 2 }, 0.1],
    ['fails at once', { err: 1 }, 0.002],
    ['refuses', { mode: 'refused' }, 0.001],
    ['hangs until clients give up', { mode: 'hang' }, 5],
    ['half fails', { err: 0.5 }, 0.026]
  ]
  for (const [name, truth, sessionS] of rows) {
    const traffic = farm([truth, {}], leastconn)
    traffic.step(Float64Array.of(100, 100), 10)
    t.equal(near(traffic.shares[0]! / traffic.total), near((1 / sessionS) / (1 / sessionS + 1 / 0.05)), name)
  }
  const traffic = farm([{}, {}], leastconn)
  traffic.step(Float64Array.of(50, 100), 10)
  t.equal(near(traffic.shares[0]! / traffic.total), near(1 / 3), 'by weight too')
})

interface Watched {
  readonly nodes?: number
  readonly ownCheck?: Scenario['ownCheck']
  /** When the ports take no connections. */
  readonly down?: ReadonlyArray<readonly [fromMs: number, toMs: number]>
  readonly answer?: (nowMs: number) => string | undefined
}

/** A pool, what it asked and what its own check said when, until `ms`. */
function watch (ms: number, { nodes = 1, ownCheck = 'tcp', down = [], answer = () => undefined }: Watched): {
  readonly asked: ReadonlyArray<readonly [number, number]>
  readonly checks: ReadonlyArray<readonly [number, string]>
  readonly weights: Float64Array
} {
  const asked: Array<readonly [number, number]> = []
  const checks: Array<readonly [number, string]> = []
  let nowMs = 0
  const pool = new Pool({ nodes, agentInterMs: 2000, ownCheck }, 0, {
    answer: server => {
      asked.push([nowMs, server])
      return answer(nowMs)
    },
    accepts: () => !down.some(([from, to]) => nowMs >= from && nowMs < to),
    onAnswer: () => undefined,
    onCheck: (_, result) => { checks.push([nowMs, result]) }
  })
  for (; nowMs <= ms; nowMs += STEP_MS) pool.check(nowMs)
  return { asked, checks, weights: pool.weights }
}

void t.test('HAProxy asks about one server after the other, each once an interval', async (t) => {
  t.strictSame(watch(3900, { nodes: 2 }).asked, [[0, 0], [1000, 1], [2000, 0], [3000, 1]])
})

void t.test('its own check: three failures take out, two successes bring back', async (t) => {
  const { checks, weights } = watch(30_000, { down: [[5000, 20_000]] })
  t.strictSame(checks, [[10_000, 'down'], [22_000, 'up']])
  t.equal(weights[0], 100)
  t.strictSame(watch(30_000, { down: [[5000, 9900]] }).checks, [], 'two failures do not')
  t.strictSame(watch(30_000, { down: [[5000, 13_900], [15_900, 17_900]] }).checks, [[10_000, 'down'], [20_000, 'up']], 'in a row')
  t.strictSame(watch(30_000, { down: [[5000, 20_000]], ownCheck: 'none' }).checks, [])
})

void t.test('agent and own check must both agree', async (t) => {
  const says = (line: string): { answer: () => string } => ({ answer: () => line })
  t.equal(watch(12_000, { down: [[0, 90_000]], ...says('up 100%\n') }).weights[0], 0, 'the port is closed')
  t.equal(watch(12_000, says('down 100%\n')).weights[0], 0, 'the agent says down')
  t.equal(watch(12_000, says('up 40%\n')).weights[0], 40)
  t.equal(watch(12_000, { answer: now => now < 5000 ? 'down 100%\n' : undefined }).weights[0], 0, 'silence: HAProxy keeps what it knows')
  t.equal(watch(12_000, { answer: now => now < 5000 ? 'drain up\n' : 'ready up 100%\n' }).weights[0], 100)
})

const SCENARIO = parseScenario({ name: 'x', why: 'x', nodes: 2, load_rps: 100, duration_s: 60, timeline: [] }, 'x.json')
const UP = createServer()
const OUT = hearLine(UP, 'down 100%\n')
const HANGS: NodeTruth = { ...HEALTHY_NODE, mode: 'hang' }

void t.test('what a run is judged by', async (t) => {
  const measures = new Measures(SCENARIO)
  const step = (truths: readonly NodeTruth[], servers: readonly HaproxyServer[], nowMs: number): void => {
    const traffic = new Traffic(SCENARIO, truths)
    traffic.step(Float64Array.from(servers, server => server === OUT ? 0 : server.uweight), 100)
    measures.step(truths, servers, traffic, nowMs)
  }
  step([HANGS, HEALTHY_NODE], [UP, UP], 19_900)
  t.equal(measures.figures.offered, 0, 'nothing counts in the warm-up')

  measures.turned(0, HEALTHY_NODE, HANGS, 20_000)
  step([HANGS, HEALTHY_NODE], [UP, UP], 20_000)
  t.match(measures.figures, { offered: 10, failed: 5, availability: 50, wronglyInSeconds: 0.1, missed: 1, haltSeconds: undefined, minUsable: 2 })
  measures.heard(0, UP, OUT, HANGS, 23_000)
  step([HANGS, HEALTHY_NODE], [OUT, UP], 23_000)
  t.match(measures.figures, { failed: 5, flips: 1, falseEjections: 0, wronglyInSeconds: 0.1, haltSeconds: 3, missed: 0, minUsable: 1 })

  measures.turned(0, HANGS, HEALTHY_NODE, 30_000)
  step([HEALTHY_NODE, HEALTHY_NODE], [OUT, UP], 30_000)
  t.match(measures.figures, { wronglyOutSeconds: 0.1, returnSeconds: undefined })
  const half = hearLine(UP, 'up 50%\n')
  measures.heard(0, OUT, half, HEALTHY_NODE, 32_000)
  step([HEALTHY_NODE, HEALTHY_NODE], [half, UP], 32_000)
  t.match(measures.figures, { flips: 2, weightChanges: 1, returnSeconds: undefined }, 'half its weight is not yet back')
  measures.heard(0, half, UP, HEALTHY_NODE, 34_000)
  step([HEALTHY_NODE, HEALTHY_NODE], [UP, UP], 34_000)
  t.match(measures.figures, { flips: 2, weightChanges: 2, returnSeconds: 4 })

  measures.heard(0, UP, OUT, HEALTHY_NODE, 37_900)
  t.equal(measures.figures.falseEjections, 0, 'it has been well for less than 8 s: the news is on its way')
  measures.heard(1, UP, OUT, HEALTHY_NODE, 37_900)
  t.equal(measures.figures.falseEjections, 1)
})

void t.test('a node that gets a little of its share is halted; one that breaks twice unnoticed is missed twice', async (t) => {
  const measures = new Measures(SCENARIO)
  const some = operate(UP, 'weight 8%')
  measures.turned(0, HEALTHY_NODE, HANGS, 30_000)
  const traffic = new Traffic(SCENARIO, [HANGS, HEALTHY_NODE])
  traffic.step(Float64Array.of(8, 100), 100)
  measures.step([HANGS, HEALTHY_NODE], [some, UP], traffic, 31_000)
  t.equal(measures.figures.haltSeconds, 1)
  for (const atMs of [40_000, 50_000]) {
    measures.turned(1, HEALTHY_NODE, HANGS, atMs)
    measures.turned(1, HANGS, HEALTHY_NODE, atMs + 1000)
  }
  t.equal(measures.figures.missed, 2)
})
