import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { parseConfig } from '../../src/config/load.ts'
import { writeScenario } from '../../src/sim/scenario-write.ts'
import { ScenarioError, parseScenario, readScenario, scenarioConfig, type Scenario } from '../../src/sim/scenario.ts'
import { root } from '../helpers/paths.ts'

type Tree = Readonly<Record<string, unknown>>

const SMALL = { nodes: 10, load_rps: 500, duration_s: 300 }
const parse = (more: Tree): Scenario => parseScenario({ ...SMALL, ...more }, 'dir/a-farm.json')
const at = (entry: Tree): Tree => ({ timeline: [{ t: 10, ...entry }] })

/** The problems of a scenario, without its file. */
function problems (json: unknown): readonly string[] {
  try {
    parseScenario(json, 'FILE')
    return []
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    return error.message.split('\n').map(line => line.replace(/^FILE: /, ''))
  }
}
const wrong = (more: Tree): readonly string[] => problems({ ...SMALL, ...more })

void t.test('the least there can be, and what is filled in', async t => {
  t.match(parse({}), {
    name: 'a-farm', why: '', nodes: 10, loadRps: 500, durationMs: 300_000, warmupMs: 20_000, balance: 'roundrobin',
    capacityRps: 100, baseMs: 50, probeMs: 20, clientTimeoutMs: 5000, agentInterMs: 2000, ownCheck: 'tcp', events: []
  })
  t.equal(parse({ duration_s: 20 }).warmupMs, 10_000, 'something is counted')
  t.equal(parse({ duration_s: 21 }).warmupMs, 20_000)
  t.equal(parseScenario(SMALL, 'no name for a scenario.json').name, 'scenario')
  t.strictSame(parse({}).backend, {
    criteria: {
      http: { kind: 'http', path: '/', on_fail: 'down' },
      storage: { kind: 'tahoe.storage', at_least: 1, on_fail: 'drain' },
      introducer: { kind: 'tahoe.introducer', at_least: 1, on_fail: 'warn', fall: 5 }
    }
  })
})

void t.test('events come in the order of time, one for each thing that happens', async t => {
  const { events } = parse({
    timeline: [
      { t: 90.5, nodes: 'all', set: { probe_err: null, lat_mult: 2, cap_mult: 0.5, probe_loss: 0.1, lame: true } },
      { t: 30, load_rps: 0, restart_agent: true, nodes: [3, 1, 3], set: { mode: 'hang', err: 1, probe_err: 0 } },
      { t: 30, prober: { partition: ['n0', 'all'], stall: false, loss: 0.5 } },
      { t: 10, override: { scope: 'be/n9', action: 'weight:0', ttl_s: 1.5, author: 'al', reason: 'x\ny' } },
      { t: 0, override: { scope: '*/*', action: 'drain' } }
    ]
  })
  t.strictSame(events, [
    { atMs: 0, kind: 'override', scope: '*/*', action: 'drain', by: 'operator', reason: '' },
    { atMs: 10_000, kind: 'override', scope: 'be/n9', action: 'weight:0', by: 'al', reason: 'x\ny', forMs: 1500 },
    { atMs: 30_000, kind: 'nodes', nodes: [3, 1], set: { mode: 'hang', err: 1, probeErr: 0 } },
    { atMs: 30_000, kind: 'load', loadRps: 0 },
    { atMs: 30_000, kind: 'restart-agent' },
    { atMs: 30_000, kind: 'prober', set: { partition: ['n0', 'all'], stall: false, loss: 0.5 } },
    {
      atMs: 90_500, kind: 'nodes', nodes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      set: { lame: true, latMult: 2, capMult: 0.5, probeLoss: 0.1, probeErr: undefined }
    }
  ])
})

void t.test('every mistake is said at once, with its place and its cure', async t => {
  const TRUTH = 'mode, err, probe_err, introducer, storage, lame, lat_mult, cap_mult, probe_loss'
  const cases: ReadonlyArray<readonly [Tree, string]> = [
    [{ timeline: [0, 0, 0, { t: 1, nodes: [3, 12], set: { err: 1 } }].map(entry => entry === 0 ? { t: 1, load_rps: 1 } : entry) },
      'timeline[3].nodes[1]: must be 0 … 9, is 12'],
    [{ nodes: 0 }, 'nodes: must be a number of nodes, 1 … 1000, is 0'],
    [{ nodes: 1, ...at({ nodes: [1], set: { err: 1 } }) }, 'timeline[0].nodes[0]: must be 0, is 1'],
    [{ nods: 3 }, 'nods: is not a known key (did you mean nodes? known: name, why, nodes, load_rps, duration_s, warmup_s, ' +
      'client_timeout_ms, balance, node, haproxy, criteria, policy, timeline)'],
    [{ load_rps: undefined }, 'load_rps: is missing: it must be requests a second, above 0 … 10000000'],
    [{ duration_s: 'long' }, 'duration_s: must be seconds, 1 … 86400, is "long"'],
    [{ warmup_s: 300 }, 'warmup_s: must be seconds, 0 or more and below duration_s (300), is 300'],
    [{ name: 'a b' }, 'name: must be a name of 1 … 64 printable characters, without blanks, is "a b"'],
    [{ balance: 'source' }, 'balance: must be roundrobin or leastconn, is "source"'],
    [{ node: { capacity: 1 } }, 'node.capacity: is not a known key (did you mean capacity_rps? known: capacity_rps, base_ms, probe_ms)'],
    [{ haproxy: { own_check: 'http' } }, 'haproxy.own_check: must be tcp or none, is "http"'],
    [{ timeline: [{ t: 300, load_rps: 1 }] }, 'timeline[0].t: must be seconds from the start, 0 or more and below duration_s (300), is 300'],
    [{ timeline: [5] }, 'timeline[0]: must be a mapping with t and what happens then, is 5'],
    [at({}), 'timeline[0]: must say what happens: nodes and set, prober, load_rps, override or restart_agent'],
    [at({ nodes: [1] }), 'timeline[0]: must have both nodes and set, or neither'],
    [at({ nodes: 'al', set: { err: 1 } }), 'timeline[0].nodes: must be "all" or a list of node numbers, is "al"'],
    [at({ nodes: [], set: { err: 1 } }), 'timeline[0].nodes: must be "all" or a list of node numbers, is empty'],
    [at({ nodes: [1], set: {} }), 'timeline[0].set: must be a mapping of what becomes of the nodes, like { "mode": "hang" }'],
    [at({ nodes: [1], set: { mod: 'ok' } }), `timeline[0].set.mod: is not a known key (did you mean mode? known: ${TRUTH})`],
    [at({ nodes: [1], set: { err: 1.5 } }), 'timeline[0].set.err: must be a part from 0 to 1, is 1.5'],
    [at({ nodes: [1], set: { cap_mult: 0 } }), 'timeline[0].set.cap_mult: must be a multiple, 0.001 … 1000, is 0'],
    [at({ prober: { partition: ['n1', 'n10'] } }), 'timeline[0].prober.partition[1]: must be n0 … n9 or all, is "n10"'],
    [at({ prober: {} }), 'timeline[0].prober: must say partition, stall or loss'],
    [at({ override: { scope: 'n1', action: 'drain' } }), 'timeline[0].override.scope: must be be/nI (n0 … n9), be/* or */*, is "n1"'],
    [at({ override: { scope: 'bx/n1', action: 'drain' } }), 'timeline[0].override.scope: must be be/nI (n0 … n9), be/* or */*, is "bx/n1"'],
    [at({ override: { scope: 'be/n10', action: 'drain' } }), 'timeline[0].override.scope: must be be/nI (n0 … n9), be/* or */*, is "be/n10"'],
    [at({ override: { scope: 'be/n1', action: 'weight:101' } }),
      'timeline[0].override.action: must be up, down, drain, maint or weight:N (0 … 100), is "weight:101"'],
    [at({ override: { scope: 'be/n1', action: 'up' } }),
      'timeline[0].override.ttl_s: is missing: it must be given: up hides a failure, so it must end by itself'],
    [at({ restart_agent: false }), 'timeline[0].restart_agent: must be true, is false'],
    [{ criteria: [{ name: 'disk', on_fail: 'fail' }] }, 'criteria[0].name: must be one of http, storage, introducer, lame, is "disk"'],
    [{ criteria: [{ name: 'http', on_fail: 'weight:0' }] }, 'criteria[0].on_fail: must be fail, drain, weight:N (1 … 99) or warn, is "weight:0"'],
    [{ criteria: [{ name: 'http', on_fail: 'fail' }, { name: 'http', on_fail: 'warn' }] }, 'criteria: must name each criterion once'],
    [{ criteria: [] }, 'criteria: must list at least one criterion, is empty'],
    [{ policy: { fall: [3] } }, 'policy.fall: must be a number, a text, true, false or a mapping of them, is a list'],
    [{ policy: { '<<': 3 } }, 'policy.<<: must be the name of a setting, is "<<"'],
    [{ policy: { weight: { 'a b': 3 } } }, 'policy.weight.a b: must be the name of a setting, is "a b"'],
    [{ policy: { min_up: 11 } }, 'policy.min_up: must be at most the number of servers (10), is 11'],
    [{ policy: { interval: 'soon' } }, 'policy.interval: must be a duration like 500ms, 2s or 5m, is "soon"']
  ]
  for (const [more, problem] of cases) t.strictSame(wrong(more), [problem], problem)
  t.strictSame(wrong(Object.assign({}, ...cases.slice(1, 2).map(([more]) => more), at({ nodes: [50], set: { err: 1 } }))), [cases[1]?.[1]],
    'nothing follows from a number of nodes that is none')
  t.strictSame(wrong({ nodes: 'x', policy: { min_up: 40 } }), ['nodes: must be a number of nodes, 1 … 1000, is "x"'])
  t.strictSame([...wrong({ node: { probe_ms: 0 }, balance: 1, policy: { rise: 0 } })].length, 3, 'form and config together')
  for (const json of [undefined, null, 3, 'x', []]) t.match(problems(json)[0], /^must be a mapping: a scenario, is |^is missing/)
})

void t.test('a setting in the flat words of older files is complained about in these words', async t => {
  t.strictSame(wrong({ policy: { trip_k: 11, trip_n: 10 } }), ['policy.trip_k: has 11 fails of 10, which cannot be: fails must be at most of'])
  t.match(wrong({ policy: { trip_n: 99 } }), [/^policy\.trip_n: must be /])
  t.match(wrong({ policy: { dec_mul_pct: 0, use_gate: false } }), [/^policy\.dec_mul_pct: must be .*, is "0%"$/])
  t.match(wrong({ policy: { use_gate: 'off' } }), [/^policy\.use_gate: is not a known key/])
  t.match(wrong({ policy: { use_taint: false } }), [/^policy\.use_taint: is not a known key/])
  t.match(wrong({ criteria: [{ name: 'storage', on_fail: 'weight:3' }] }), [/^criteria\[0\]\.on_fail: must be at least 10%/])
})

void t.test('text that is no JSON', async t => {
  t.throws(() => readScenario('{ "nodes": 3,, }', 'x.json'), { name: 'ScenarioError', message: /^x\.json: is not JSON: ./ })
  t.throws(() => readScenario('\n', 'x.json'), { name: 'ScenarioError', message: /^x\.json: is not JSON: [^\n]+$/ })
})

void t.test('criteria and policy in the words of hcf.yaml', async t => {
  const criteria = [
    { name: 'lame', on_fail: 'drain', fall: 1 }, { name: 'http', on_fail: 'fail', rise: 4 }, { name: 'storage', on_fail: 'weight:25', solo: true }
  ]
  t.strictSame(parse({ criteria }).backend, {
    criteria: {
      lame: { kind: 'http', path: '/lame', solo: true, on_fail: 'drain', fall: 1 },
      http: { kind: 'http', path: '/', on_fail: 'down', rise: 4 },
      storage: { kind: 'tahoe.storage', at_least: 1, on_fail: 'weight 25%', solo: true }
    }
  })
  const policies: ReadonlyArray<readonly [flat: Tree, own: Tree]> = [
    [{ interval: 1000, fast: 250, timeout: '3s', hedge: 0, rise: 1, fall: 2 },
      { interval: '1000ms', fast: '250ms', timeout: '3s', hedge: 'off', rise: 1, fall: 2 }],
    [{ quorum_pct: 0, settle: 9000 }, { gate: 'off' }],
    [{ hedge: 900, trip_k: 3, trip_n: 8 }, { hedge: '900ms', window: { fails: 3, of: 8 } }],
    [{ quorum_pct: 50, settle: 9000, eject_burst_pct: 30, eject_window: 4000 },
      { gate: { quorum: '50%', settle: '9000ms' }, burst: { share: '30%', within: '4000ms' } }],
    [{ slow_pct: 30, strain_pct: 40, strain_up_ms: 1000, strain_down_ms: 5000, strain_step_pct: 10 },
      { strain: { slow: '30%', share: '40%', up: '1000ms', down: '5000ms', step: '10%' } }],
    [{ hold_base: 1000, hold_max: 9000, flap_window: 60_000, max_out_pct: 70, min_up: 2 },
      { hold: { base: '1000ms', max: '9000ms', window: '60000ms' }, max_out: '70%', min_up: 2 }],
    [{ base_weight: 50, weight_floor: 5, weight_quantum: 1, weight_period: 2000, dec_mul_pct: 50, step_up: 20 },
      { weight: { base: 50, floor: '5%', quantum: '1%', every: '2000ms', down: '50%', up: '20%' } }],
    [{ lat_deadband: 300, lat_min_ms: 50, lat_min_peers: 2, ramp_ms: 9000, ramp_start: 20, ramp_min_full_pct: 60 },
      { peers: { slower: '300%', least: '50ms', servers: 2 }, ramp: { for: '9000ms', from: '20%', full: '60%' } }],
    [{ stale_after: 9000, stale_open: 60_000 }, { stale_after: '9000ms', stale_open: '60000ms' }],
    [{ use_gate: false, use_damp: false, use_ramp: false, use_window: false, use_strain: false,
      use_burst: false, weight_mode: 'static', latency: 'off' },
      { gate: 'off', hold: 'off', ramp: 'off', window: 'off', strain: 'off', burst: 'off', weight: 'off', peers: 'off' }],
    [{ use_floor: false, use_gate: true, weight_mode: 'dynamic', latency: 'peer' }, { min_up: 0, max_out: '100%' }],
    [{ use_ramp: false, ramp_ms: 9000 }, { ramp: 'off' }],
    [{ ramp: { from: '5%' }, ramp_ms: 9000 }, { ramp: { from: '5%', for: '9000ms' } }],
    [{ ramp: 'off', ramp_ms: 9000 }, { ramp: 'off' }]
  ]
  for (const [flat, own] of policies) t.strictSame(parse({ policy: flat }).backend['policy'], own, JSON.stringify(flat))
  t.match(parse({ policy: { mode: 'observe' } }).backend, { mode: 'observe', policy: undefined })
})

void t.test('every scenario here is good, has a sentence of its own, and is the same when written and read again', async t => {
  const directories = ['scenarios', 'test/sim/scenarios', 'test/sim/asked-for'].map(directory => join(root, directory))
  const files = directories.flatMap(directory => readdirSync(directory).map(name => join(directory, name)))
  t.ok(files.length >= 30)
  const sentences = new Set<string>()
  for (const file of files) {
    const scenario = readScenario(readFileSync(file, 'utf8'), file)
    t.equal(`${scenario.name}.json`, file.split('/').at(-1), file)
    t.match(scenario.why, /^.{20,120}$/, `${scenario.name}: why`)
    sentences.add(scenario.why)
    t.strictSame(readScenario(writeScenario(scenario), file), scenario, `${scenario.name}: written and read again`)
    const { backends } = parseConfig(scenarioConfig(scenario), 'hcf.yaml', { env: {}, readFile: () => '' })
    t.strictSame(backends.map(({ name, servers }) => [name, servers.map(server => server.name)]),
      [['be', Array.from({ length: scenario.nodes }, (_, i) => `n${i}`)]], `${scenario.name}: its config`)
  }
  t.equal(sentences.size, files.length, 'no why is that of another')
})

void t.test('whatever a file holds, nothing but ScenarioError is thrown', async () => {
  const good = { ...SMALL, node: {}, haproxy: {}, criteria: [{ name: 'http', on_fail: 'fail' }], policy: { fall: 2 } }
  const entry = fc.record({
    t: fc.oneof(fc.double(), fc.nat(400)), nodes: fc.oneof(fc.constant('all'), fc.array(fc.nat(12)), fc.jsonValue()),
    set: fc.oneof(fc.dictionary(fc.constantFrom('mode', 'err', 'probe_err', 'lame', 'x'), fc.jsonValue()), fc.jsonValue()),
    prober: fc.oneof(fc.record({ partition: fc.array(fc.string()), loss: fc.double() }, { requiredKeys: [] }), fc.jsonValue()),
    override: fc.oneof(fc.record({ scope: fc.string(), action: fc.constantFrom('up', 'drain'), reason: fc.string() }), fc.jsonValue())
  }, { requiredKeys: [] })
  const key = fc.oneof(fc.constantFrom(...Object.keys(good), 'timeline', 'why', 'name', '__proto__', 'constructor'), fc.string())
  const setting = fc.oneof(fc.constantFrom('fall', 'interval', 'weight', 'mode', '__proto__', 'toString', '<<'), fc.string())
  const policy = fc.dictionary(setting, fc.jsonValue())
  const scenario = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(key, fc.jsonValue()).map(more => ({ ...good, ...more })),
    fc.array(entry).map(timeline => ({ ...good, timeline })),
    policy.map(settings => ({ ...good, policy: settings }))
  )
  fc.assert(fc.property(scenario, json => {
    for (const line of problems(json)) if (line === '' || /[\p{Cc}]/u.test(line)) throw new Error(`no message: ${JSON.stringify(line)}`)
  }), { numRuns: 500 })
  fc.assert(fc.property(fc.string(), text => {
    try {
      readScenario(text, 'x')
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error
    }
  }), { numRuns: 200 })
})
