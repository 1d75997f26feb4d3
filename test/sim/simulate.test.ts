import t from 'tap'
import { parseConfig } from '../../src/config/load.ts'
import type { Judge, Sample } from '../../src/core/model.ts'
import type { Poll, ProbeRequest } from '../../src/core/probe.ts'
import { POLICIES, type PolicyName } from '../../src/sim/contender.ts'
import { FarmClock } from '../../src/sim/farm-clock.ts'
import { narrate } from '../../src/sim/narrate.ts'
import { Nodes } from '../../src/sim/nodes.ts'
import { resize, setupFrom } from '../../src/sim/own-config.ts'
import { parseScenario, type NodeTruth, type Scenario, type ScenarioEvent } from '../../src/sim/scenario.ts'
import { Sight } from '../../src/sim/sight.ts'
import { simulate, type RunResult, type SimOptions } from '../../src/sim/simulate.ts'

const FARM = { name: 'x', why: 'x', nodes: 10, load_rps: 500, duration_s: 300 }
const scenario = (timeline: readonly unknown[], more: object = {}): Scenario => parseScenario({ ...FARM, ...more, timeline }, 'x.json')

const play = async (policy: PolicyName, timeline: readonly unknown[], more: object = {}, options: Partial<SimOptions> = {}): Promise<RunResult> =>
  simulate(scenario(timeline, more), { policy, seed: 1, timeline: true, ...options })

const hangs = [{ t: 60, nodes: [3], set: { mode: 'hang' } }, { t: 180, nodes: [3], set: { mode: 'ok' } }]
const dies = [{ t: 60, nodes: [3], set: { mode: 'refused' } }, { t: 180, nodes: [3], set: { mode: 'ok' } }]
const percent = (value: number): number => Math.round(value * 1000) / 1000

void t.test('without an agent: figures one can work out by hand', async (t) => {
  const hung = await play('none', hangs)
  t.equal(percent(hung.availability), percent(100 - 100 * 0.1 * 120 / 280), 'a tenth of the requests of 120 of 280 s')
  t.match(hung, { offered: 140_000, flips: 0, missed: 1, haltSeconds: undefined, minUsable: 10, wronglyOutSeconds: 0 })

  const dead = await play('none', dies)
  t.equal(percent(dead.failed), 230, 'checked at 60.6, 62.6 and 64.6 s')
  t.match(dead, { haltSeconds: 4.6, returnSeconds: 2.6, missed: 0, minUsable: 9 })

  const hole = await play('none', [{ t: 60, nodes: [3], set: { err: 1 } }, { t: 180, nodes: [3], set: { err: 0 } }], { balance: 'leastconn' })
  const share = (1 / 0.002) / (1 / 0.002 + 9 / 0.05)
  t.equal(percent(hole.availability), percent(100 - 100 * share * 120 / 280), 'who fails in 2 ms gets the most')
})

void t.test('with an agent, a hanging node is halted and comes back', async (t) => {
  for (const policy of ['immediate', 'risefall', 'panic', 'hcf'] as const) {
    const result = await play(policy, hangs)
    t.match(result, { missed: 0, falseEjections: 0, minUsable: 9 }, policy)
    t.ok(result.haltSeconds! < 15, `${policy}: ${result.haltSeconds}`)
    t.ok(result.availability > 99.4, `${policy}: ${result.availability}`)
    t.equal(result.inService.length, 300)
    t.strictSame([result.inService[50], result.inService[120], result.inService[290]], [10, 9, 10], policy)
  }
})

void t.test('the same seed gives the same run, another one another', async (t) => {
  const timeline = [{ t: 20, prober: { loss: 0.05 } }, { t: 40, nodes: [3], set: { mode: 'hang' } }]
  const short = { duration_s: 90 }
  for (const policy of POLICIES) {
    const [one, again, two] = [await play(policy, timeline, short), await play(policy, timeline, short), await play(policy, timeline, short, { seed: 2 })]
    t.strictSame(one, again, policy)
    if (policy === 'none') t.strictSame({ ...one, seed: 2 }, two, 'nothing is left to chance')
    else t.notSame({ ...one, seed: 2 }, two, policy)
  }
})

void t.test('no agent answers while it is blocked, and HAProxy keeps what it knows', async (t) => {
  const blocked = [{ t: 61, prober: { stall: true } }, { t: 120, prober: { stall: false } }]
  for (const policy of ['immediate', 'risefall', 'hcf'] as const) {
    const result = await play(policy, [{ t: 60, nodes: [3], set: { mode: 'hang' } }, ...blocked])
    t.equal(result.inService[119], 10, policy)
    t.ok(result.haltSeconds! > 60 && result.haltSeconds! < 80, `${policy}: ${result.haltSeconds}`)
  }
  const answered: number[] = []
  await play('hcf', blocked, {}, { onAnswer: ({ atMs }) => { answered.push(atMs) } })
  t.ok(answered.some(atMs => atMs > 59_000 && atMs <= 61_000))
  t.notOk(answered.some(atMs => atMs > 61_000 && atMs < 120_000))
})

void t.test('what failed while the agent was blocked is its own trouble', async (t) => {
  const { timeline } = await play('hcf', [{ t: 60, prober: { stall: true } }, { t: 63, prober: { stall: false } }], { node: { probe_ms: 600 } })
  const local = timeline.filter(({ text }) => text.startsWith('cannot poll'))
  t.ok(local.length > 0)
  t.ok(local.every(({ atMs }) => atMs === 63_000))
  t.notOk(timeline.some(({ text }) => text.includes('fails')))
})

void t.test('an agent that restarts polls anew', async (t) => {
  for (const policy of ['risefall', 'hcf'] as const) {
    const result = await play(policy, [{ t: 60, nodes: [3], set: { mode: 'hang' } }, { t: 100, restart_agent: true }])
    t.match(result, { missed: 0, falseEjections: 0 }, policy)
    t.equal(result.inService.at(-1), 9, policy)
    t.ok(result.timeline.some(({ atMs, text }) => atMs === 100_000 && text.includes('restarts')))

    const { timeline } = await play(policy, [{ t: 60, restart_agent: true }, { t: 100, nodes: [3], set: { mode: 'hang' } }])
    t.equal(timeline.filter(({ text }) => text.startsWith('be/n3 up -> down')).length, 1, `${policy}: the old one is gone`)
    t.notOk(timeline.some(({ text }) => text.startsWith('cannot poll')), `${policy}: and polls no more`)
  }
})

void t.test('an operator’s order is heard by the real thing', async (t) => {
  const order = { override: { scope: 'be/n3', action: 'drain', ttl_s: 60, author: 'kim', reason: 'disk' } }
  const result = await play('hcf', [{ t: 60, ...order }])
  t.strictSame([50, 70, 118, 130].map(second => result.inService[second]), [10, 9, 9, 10])
  t.equal((await play('risefall', [{ t: 60, ...order }])).flips, 0, 'and by no other')

  const down = { override: { scope: 'be/n3', action: 'down', author: 'kim', reason: 'disk' } }
  const restarted = await play('hcf', [{ t: 60, ...down }, { t: 70, restart_agent: true }])
  t.equal(restarted.inService.at(-1), 9, 'an order outlives the agent')
})

void t.test('after every answer of the real thing one may look inside', async (t) => {
  const seen: Array<readonly [number, number, number, string]> = []
  const small = { duration_s: 30, nodes: 2, load_rps: 50 }
  await play('hcf', [], small, { onAnswer: ({ atMs, server, line, lines }) => { seen.push([atMs, server, lines.length, line]) } })
  t.equal(seen.length, 30)
  t.ok(seen.every(([, server, many], i) => many === 2 && server !== seen[i - 1]?.[1]), 'one server after the other')
  t.match(seen.at(-1)?.[3], /^up 100%/)
  const [first] = seen
  seen.length = 0
  await play('hcf', [], small, { seed: 2, onAnswer: ({ atMs, server }) => { seen.push([atMs, server, 2, '']) } })
  t.notSame(seen[0]?.slice(0, 2), first?.slice(0, 2), 'HAProxy begins at another moment with every seed')
  await play('risefall', [], { duration_s: 30 }, { onAnswer: () => { t.fail('not of another policy') } })
})

void t.test('what happens is told in plain words', async (t) => {
  const event = (kind: string, rest: object): ScenarioEvent => ({ atMs: 0, kind, ...rest }) as ScenarioEvent
  const nodes = (list: readonly number[], set: object): ScenarioEvent => event('nodes', { nodes: list, set })
  const rows: ReadonlyArray<readonly [ScenarioEvent, string]> = [
    [nodes([3], { mode: 'hang' }), 'n3: takes connections and never answers'],
    [nodes([0, 1], { mode: 'refused' }), 'n0, n1: refuses connections'],
    [nodes([2, 3, 4, 5], { mode: 'blackhole' }), '4 nodes (n2 to n5): is unreachable: packets are dropped'],
    [nodes([1, 3, 5, 7], { mode: 'ok' }), '4 nodes (n1, n3, n5, n7): takes connections and answers'],
    [nodes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { storage: false, err: 0.3, probeErr: 0 }),
      'all nodes: fails 30% of the requests, fails 0% of the probes, has lost its storage servers'],
    [nodes([3], { err: 0, probeErr: undefined, storage: true, introducer: true, lame: false, latMult: 1, capMult: 1, probeLoss: 0 }),
      'n3: fails no requests, looks to a probe as it does to users, has an introducer, has its storage servers, ' +
      'does not say it is about to stop, answers in the usual time, has its full capacity, loses no probes'],
    [nodes([3], { latMult: 4, capMult: 0.6, lame: true, introducer: false, probeLoss: 0.05 }),
      'n3: has lost the introducer, says it is about to stop, takes 4 times the usual time, has 60% of its capacity, loses 5% of the probes'],
    [event('prober', { set: { partition: ['all'] } }), 'the agent loses sight of all nodes'],
    [event('prober', { set: { partition: ['n0', 'n1'], loss: 0.01 } }), 'the agent loses sight of n0, n1, loses 1% of its probes'],
    [event('prober', { set: { partition: [] } }), 'the agent sees all nodes again'],
    [event('prober', { set: { stall: true } }), 'the agent is blocked'],
    [event('prober', { set: { stall: false, loss: 0 } }), 'the agent runs again, loses no probes'],
    [event('load', { loadRps: 1040 }), 'users send 1040 requests a second'],
    [event('override', { scope: 'be/n3', action: 'drain', forMs: 60_000, by: 'kim', reason: 'disk' }), 'kim orders be/n3 drain for 1m: disk'],
    [event('restart-agent', {}), 'the agent restarts, its memory lost']
  ]
  for (const [told, wanted] of rows) t.equal(narrate(told, 10), wanted)

  const { timeline, offered } = await play('hcf', [...dies, { t: 100, load_rps: 600 }])
  t.equal(percent(offered), 80 * 500 + 200 * 600)
  const at = (part: string): number | undefined => timeline.find(({ text }) => text.includes(part))?.atMs
  t.equal(at('n3: refuses connections'), 60_000)
  t.equal(at("HAProxy's own check: n3 down"), 64_600)
  t.equal(at('users send 600'), 100_000)
  t.ok(timeline.some(({ text }) => text.startsWith('be/n3 up -> down')))
  t.strictSame(timeline.map(({ atMs }) => atMs), timeline.map(({ atMs }) => atMs).sort((a, b) => a - b))
  t.strictSame((await play('hcf', dies, {}, { timeline: false })).timeline, [], 'only when asked for')
})

const HTTP = (path: string): ProbeRequest => ({ kind: 'http', options: { method: 'GET', path, headers: {}, follow: 0, pointers: [] } })
const poll = (request: ProbeRequest): Poll => ({
  key: 'k', node: { key: 'n', protocol: 'http', host: 'n0.sim', port: 80 }, request,
  intervalMs: 2000, fastMs: 500, timeoutMs: 2000, readers: [{ backend: 'be', server: 0 }]
})

interface View {
  readonly truth?: Partial<NodeTruth>
  readonly waitS?: number
  readonly hidden?: boolean
  readonly loss?: number
  readonly blockedMs?: number
}

/** One look at a node, and how long it took. `blockedMs`: the agent is blocked for so long, 10 ms after the look began. */
async function look (request: ProbeRequest, { truth = {}, waitS = 0, hidden = false, loss = 0, blockedMs = 0 }: View): Promise<Sample> {
  const clock = new FarmClock()
  const nodes = new Nodes(1)
  nodes.set(0, truth)
  nodes.setProber({ partition: hidden ? ['n0'] : [], loss })
  const sample = new Sight({ scenario: scenario([]), seed: 1, nodes, waitS: () => waitS, clock }).probe(poll(request)).run()
  await clock.advance(10)
  clock.blocked = blockedMs > 0
  await clock.advance(10 + blockedMs)
  clock.blocked = false
  await clock.advance(10_000)
  return sample
}

const outcome = (sample: Sample): string => sample.ok ? 'ok' : sample.error.class
const tookMs = ({ startMs, endMs }: Sample): number => endMs - startMs

void t.test('what a probe sees of the truth', async (t) => {
  const rows: ReadonlyArray<readonly [View, string, number]> = [
    [{}, 'ok', 20], [{ truth: { latMult: 30 } }, 'ok', 600], [{ waitS: 1 }, 'ok', 1020], [{ waitS: 2 }, 'timeout', 2000],
    [{ truth: { mode: 'refused' } }, 'refused', 1], [{ truth: { mode: 'hang' } }, 'timeout', 2000], [{ truth: { mode: 'blackhole' } }, 'noconn', 2000],
    [{ hidden: true }, 'noconn', 2000], [{ loss: 1 }, 'noconn', 2000], [{ truth: { probeLoss: 1 } }, 'noconn', 2000],
    [{ blockedMs: 500 }, 'ok', 510], [{ blockedMs: 3000 }, 'timeout', 3010]
  ]
  for (const [view, wanted, ms] of rows) {
    const sample = await look(HTTP('/'), view)
    t.equal(outcome(sample), wanted, JSON.stringify(view))
    t.ok(Math.abs(tookMs(sample) - ms) <= ms * 0.3, `${JSON.stringify(view)}: ${tookMs(sample)}`)
  }
  const tcp: ProbeRequest = { kind: 'tcp', options: {} }
  t.equal(outcome(await look(tcp, { truth: { mode: 'hang' }, waitS: 9 })), 'ok', 'a port is open, however busy its owner')
  t.equal(outcome(await look({ kind: 'tcp', options: { expect: 'hi' } }, { truth: { mode: 'hang' } })), 'timeout')
})

void t.test('what an answer shows', async (t) => {
  const welcome: ProbeRequest = { kind: 'tahoe-welcome', options: {} }
  const rows: ReadonlyArray<readonly [ProbeRequest, Partial<NodeTruth>, object]> = [
    [HTTP('/'), {}, { status: 200 }], [HTTP('/'), { err: 1 }, { status: 500 }], [HTTP('/'), { err: 1, probeErr: 0 }, { status: 200 }],
    [HTTP('/'), { lame: true }, { status: 200 }], [HTTP('/lame'), { lame: true }, { status: 503 }], [HTTP('/lame'), { err: 1 }, { status: 200 }],
    [welcome, { err: 1 }, { storageConnected: 10, storageTotal: 10, introducersConnected: 1, introducersTotal: 1 }],
    [welcome, { storage: false, introducer: false }, { storageConnected: 0, storageTotal: 10, introducersConnected: 0, introducersTotal: 1 }]
  ]
  for (const [request, truth, facts] of rows) {
    const sample = await look(request, { truth })
    t.match(sample, { ok: true, facts: { ...facts, latencyMs: tookMs(sample) } }, JSON.stringify([request, truth]))
  }
})

const OWN = `
backends:
  web:
    servers: { one: "http://10.0.0.1", two: "http://10.0.0.2" }
    criteria:
      front: { kind: http, status: 301, json: { /db: ok } }
      wide: { kind: tahoe.storage, at_least: 50 }
      roomy: { kind: tahoe.space, at_least: 60, free: 1GiB }
      canary: { kind: tahoe.read, cap_file: ./cap }
      quick: { kind: latency, at_most: 1s }
  other:
    servers: { one: "http://10.0.0.1" }
    criteria: { front: { kind: http } }
`

const own = parseConfig(OWN, 'own.yaml', { env: {}, readFile: () => 'URI:CHK:x' })

void t.test('an operator’s own config is played on a farm of its size', async (t) => {
  const fine = await play('hcf', [], {}, { config: own })
  t.match(fine, { offered: 28_000, failed: 0, falseEjections: 0, minUsable: 2 })
  t.equal(fine.inService[0], 2)
  for (const set of [{ err: 1 }, { mode: 'refused' }, { storage: false }] as const) {
    const broken = await play('hcf', [{ t: 60, nodes: [7], set }], { duration_s: 90 }, { config: own })
    t.equal(broken.inService.at(-1), 1, JSON.stringify(set))
    t.ok(broken.timeline.some(({ text }) => text.startsWith('web/two up -> ')), JSON.stringify(set))
  }
  const down = { override: { scope: 'be/n1', action: 'down', author: 'kim', reason: 'x' } }
  t.equal((await play('hcf', [{ t: 60, ...down }], { nodes: 2 }, { config: own })).inService.at(-1), 1, 'its names for the scenario’s')
  t.equal((await play('none', [], {}, { config: own })).inService[0], 2, 'the same farm for all policies')
  t.equal((await play('hcf', [], {}, { config: own, backend: 'other' })).inService[0], 1)
  t.equal(setupFrom(own, 'other').polls.length, 1, 'no more is polled than it needs')
  t.throws(() => setupFrom(own, 'nobody'), /no backend nobody/)
})

void t.test('what must not happen ends the run', async (t) => {
  const [backend] = own.backends
  const judge: Judge = ({ startMs }) => {
    if (startMs > 30_000) throw new Error('a judge broke')
    return { pass: true, value: 1, limit: '1', reason: 'well' }
  }
  const servers = backend!.servers.map(server => ({ ...server, criteria: server.criteria.map(criterion => ({ ...criterion, judge })) }))
  await t.rejects(play('hcf', [], {}, { config: { ...own, backends: [{ ...backend!, servers }] } }), /a judge broke/)
})

void t.test('a scenario in another size', async (t) => {
  const events = [
    { t: 60, nodes: [3, 9], set: { mode: 'hang' } }, { t: 70, nodes: 'all', set: { mode: 'ok' } }, { t: 80, load_rps: 1000 },
    { t: 90, prober: { partition: ['n0', 'n5'] } }, { t: 91, prober: { partition: ['all'] } },
    { t: 95, override: { scope: 'be/n4', action: 'drain', author: 'kim', reason: 'x' } },
    { t: 96, override: { scope: 'be/*', action: 'drain', author: 'kim', reason: 'x' } }
  ]
  const shown = (nodes: number): string => JSON.stringify(resize(scenario(events), nodes).events.map(event =>
    'nodes' in event ? event.nodes : 'loadRps' in event ? event.loadRps : 'scope' in event ? event.scope : 'set' in event ? event.set.partition : ''))
  t.equal(shown(10), '[[3,9],[0,1,2,3,4,5,6,7,8,9],1000,["n0","n5"],["all"],"be/n4","be/*"]')
  t.equal(shown(3), '[[0,2],[0,1,2],300,["n0","n1"],["all"],"be/n1","be/*"]')
  t.equal(shown(20), '[[6,7,18,19],[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19],2000,["n0","n1","n10","n11"],["all"],"be/n8","be/n9","be/*"]')
  t.match(resize(scenario([]), 4), { nodes: 4, loadRps: 200 })
})
