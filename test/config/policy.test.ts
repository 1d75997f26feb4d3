/** `policy:` as it is written, and what the core takes it for. */
import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import { parse as load, stringify } from 'yaml'
import { parseConfig, type Config } from '../../src/config/load.ts'
import { policySchema } from '../../src/config/policy.ts'
import type { Backend } from '../../src/core/model.ts'
import { DEFAULT_POLICY, type Policy } from '../../src/core/policy.ts'

type Tree = Readonly<Record<string, unknown>>
const SERVERS = { a: 'http://10.0.0.1', b: 'http://10.0.0.2', c: 'http://10.0.0.3' }
const read = (text: string): Config => parseConfig(text, 'hcf.yaml', { env: {}, readFile: () => '' })
const parse = (backend: Tree): Config => read(stringify({ backends: { web: { servers: SERVERS, ...backend } } }))
const backendOf = (config: Config): Backend => config.backends[0]!
const policyOf = (policy: Tree, more: Tree = {}): Policy => backendOf(parse({ policy, ...more })).policy

void t.test('a key that is not written has its default, a layer that is off is absent', async (t) => {
  t.same(policyOf({}), DEFAULT_POLICY)
  const groups = ['window', 'gate', 'burst', 'strain', 'hold', 'weight', 'peers', 'ramp'] as const
  for (const group of groups) {
    const { [group]: own, ...rest } = DEFAULT_POLICY
    t.ok(own, `${group} is on by default`)
    for (const off of ['off', false]) {
      const policy = policyOf({ [group]: off })
      t.same(policy, rest, `${group}: ${off}`)
      t.notOk(group in policy, `${group}: ${off}: absent`)
    }
    t.same(policyOf({ [group]: {} }), DEFAULT_POLICY, `${group}: nothing of it is written`)
  }
})

void t.test('every key is the setting of its name', async (t) => {
  const rows: ReadonlyArray<readonly [written: Tree, means: Partial<Policy>]> = [
    [{ window: { fails: 3 } }, { window: { fails: 3, of: 10 } }],
    [{ window: { of: 30 } }, { window: { fails: 4, of: 30 } }],
    [{ gate: { quorum: '50%' } }, { gate: { quorumPercent: 50, strictQuorumPercent: 66, settleMs: 15_000 } }],
    [{ gate: { quorum_strict: '80%' } }, { gate: { quorumPercent: 34, strictQuorumPercent: 80, settleMs: 15_000 } }],
    [{ gate: { settle: '1m' } }, { gate: { quorumPercent: 34, strictQuorumPercent: 66, settleMs: 60_000 } }],
    [{ burst: { share: '50%' } }, { burst: { sharePercent: 50, withinMs: 6000 } }],
    [{ burst: { within: '10s' } }, { burst: { sharePercent: 20, withinMs: 10_000 } }],
    [{ strain: { slow: '30%', share: '40%', up: '3s', down: '2m', step: '10%' } },
      { strain: { slowPercent: 30, sharePercent: 40, upMs: 3000, downMs: 120_000, stepPercent: 10 } }],
    [{ hold: { base: '1s', max: '1m', window: '5m' } }, { hold: { baseMs: 1000, maxMs: 60_000, windowMs: 300_000 } }],
    [{ hold: { base: '1m', max: '1m' } }, { hold: { baseMs: 60_000, maxMs: 60_000, windowMs: 600_000 } }],
    [{ min_up: 3 }, { minUp: 3 }],
    [{ min_up: 0, max_out: '100%' }, { minUp: 0, maxOutPercent: 100 }],
    [{ max_out: '0%' }, { maxOutPercent: 0 }],
    [{ at_most_drained: 1 }, { atMostDrained: 1 }],
    [{ at_most_drained: 2 }, { atMostDrained: 2 }],
    [{ weight: { floor: '20%', quantum: '50%', every: '1s', down: '99%', up: '100%', base: 256 } },
      { weight: { floorPercent: 20, quantumPercent: 50, everyMs: 1000, downPercent: 99, upPercent: 100 }, baseWeight: 256 }],
    [{ weight: { base: 1 } }, { baseWeight: 1 }],
    [{ peers: { slower: '101%', least: '1ms', servers: 2 } }, { peers: { slowerPercent: 101, leastMs: 1, servers: 2 } }],
    [{ peers: { slower: '1000%' } }, { peers: { slowerPercent: 1000, leastMs: 100, servers: 3 } }],
    [{ ramp: { for: '1m', from: '1%', full: '0%' } }, { ramp: { forMs: 60_000, fromPercent: 1, fullPercent: 0 } }],
    [{ stale_after: '4s' }, { staleAfterMs: 4000 }],
    [{ stale_open: '15001ms' }, { staleOpenMs: 15_001 }]
  ]
  for (const [written, means] of rows) t.same(policyOf(written), { ...DEFAULT_POLICY, ...means }, JSON.stringify(written))
  t.notOk('atMostDrained' in policyOf({}), 'no limit: absent')
  t.same(policyOf({}, { mode: 'observe' }), { ...DEFAULT_POLICY, mode: 'observe' }, 'mode, beside the policy')
  t.same(policyOf({}, { mode: 'enforce' }), DEFAULT_POLICY)
})

void t.test('no percentage on the wrong side of its range', async (t) => {
  const ranges: ReadonlyArray<readonly [keys: readonly string[], from: number, to: number]> = [
    [['gate.quorum', 'burst.share', 'strain.slow', 'strain.share', 'strain.step', 'weight.floor', 'weight.up', 'ramp.from'], 1, 100],
    [['max_out', 'ramp.full'], 0, 100], [['weight.down'], 1, 99], [['weight.quantum'], 1, 50], [['peers.slower'], 101, 1000]
  ]
  for (const [keys, from, to] of ranges) {
    for (const key of keys) {
      const [group = '', setting] = key.split('.')
      const taken = Array.from({ length: 1100 }, (_, n) => n).filter(n =>
        policySchema.safeParse({ [group]: setting === undefined ? `${n}%` : { [setting]: `${n}%` } }).success)
      t.same([taken[0], taken.at(-1), taken.length], [from, to, to - from + 1], `${key}: ${from}% to ${to}%, and all between`)
    }
  }
})

void t.test('stale: by what a look may take, unless it is said', async (t) => {
  const HTTP = { criteria: { http: { kind: 'http', within: '20s' } } }
  const rows: ReadonlyArray<readonly [policy: Tree, afterMs: number, openMs: number | undefined, why: string, more?: Tree]> = [
    [{ interval: '1s' }, 15_000, 120_000, 'never less than the defaults'],
    [{ interval: '3s' }, 18_000, 144_000, 'three looks and a margin, and eight times as long'],
    [{ interval: '2s', timeout: '4s' }, 21_000, 168_000, 'slow ones too'],
    [{ stale_after: '1m' }, 60_000, 480_000, 'the second follows the first'],
    [{ stale_after: '4s' }, 4000, 120_000, 'the least that a look may take'],
    [{ interval: '1h', timeout: '1h' }, 21_603_000, 86_400_000, 'a day is long enough'],
    [{ stale_after: '12h' }, 43_200_000, 86_400_000, 'and is always longer'],
    [{ stale: 'open', stale_open: '1h' }, 15_000, 3_600_000, 'open is the default'],
    [{ stale: 'hold' }, 15_000, undefined, 'held: never given up'],
    [{ stale: 'hold', interval: '3s' }, 18_000, undefined, 'but marked'],
    [{}, 69_000, 552_000, 'the poll that shows the node has a timeout of its own', HTTP]
  ]
  for (const [policy, afterMs, openMs, why, more] of rows) {
    const { staleAfterMs, staleOpenMs } = policyOf(policy, more)
    t.same([staleAfterMs, staleOpenMs], [afterMs, openMs], why)
  }
  t.notOk('staleOpenMs' in policyOf({ stale: 'hold' }), 'absent')
  t.throws(() => policyOf({ stale_after: '21s' }, HTTP), /at least interval \+ timeout \(22s\)/, 'and that counts when it is said')
})

void t.test('weights below the least one', async (t) => {
  const check = (onFail: string, weight: unknown): readonly string[] => {
    try {
      parse({ criteria: { x: { kind: 'http', on_fail: onFail } }, policy: { weight } })
      return []
    } catch (error) {
      return String(error).match(/must be at least \d+%/g) ?? [String(error)]
    }
  }
  const rows: ReadonlyArray<readonly [onFail: string, weight: unknown, said: readonly string[]]> = [
    ['weight 10%', {}, []], ['weight 9%', {}, ['must be at least 10%']],
    ['weight 1%', { floor: '1%' }, []],
    ['weight 33%', { base: 3 }, ['must be at least 34%']], ['weight 34%', { base: 3 }, []],
    ['weight 99%', { base: 1 }, ['must be at least 100%']],
    ['weight 49%', { floor: '50%', base: 4 }, ['must be at least 50%']],
    ['weight 1%', 'off', []]
  ]
  for (const [onFail, weight, said] of rows) t.same(check(onFail, weight), said, `${onFail}, ${JSON.stringify(weight)}`)
})

/** Policies of all kinds, as they may be written. */
const policies = (): fc.Arbitrary<Tree> => {
  const percent = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(n => `${n}%`)
  const ms = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(n => `${n}ms`)
  const number = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
  const some = <T extends Record<string, fc.Arbitrary<unknown>>>(keys: T): fc.Arbitrary<Tree> => fc.record(keys, { requiredKeys: [] })
  const off = fc.constant('off')
  const layer = <T extends Record<string, fc.Arbitrary<unknown>>>(keys: T): fc.Arbitrary<unknown> => fc.oneof(off, some(keys))
  const SHORT = ms(1, 90_000)
  return some({
    interval: ms(1, 3_600_000), fast: SHORT, timeout: ms(1, 3_600_000), hedge: fc.oneof(off, SHORT), rise: number(1, 100), fall: number(1, 100),
    window: layer({ fails: number(1, 5), of: number(5, 30) }), gate: layer({ quorum: percent(1, 100), settle: SHORT }),
    burst: layer({ share: percent(1, 100), within: SHORT }),
    strain: layer({ slow: percent(1, 100), share: percent(1, 100), up: SHORT, down: SHORT, step: percent(1, 100) }),
    hold: layer({ base: ms(1, 120_000), max: ms(120_000, 180_000), window: SHORT }),
    min_up: number(0, 3), max_out: percent(0, 100), at_most_drained: number(1, 2),
    weight: layer({
      floor: percent(1, 25), quantum: percent(1, 50), every: SHORT, down: percent(1, 99), up: percent(1, 100), base: number(4, 256)
    }),
    peers: layer({ slower: percent(101, 1000), least: SHORT, servers: number(2, 9) }),
    ramp: layer({ for: SHORT, from: percent(1, 100), full: percent(0, 100) }),
    stale_after: ms(7_200_000, 43_200_000), stale: fc.constantFrom('open', 'hold')
  })
}

void t.test('whatever the policy, the effective config means the same and says all', async () => {
  const plain = ({ effective: _, ...config }: Config): unknown => JSON.parse(JSON.stringify(config))
  fc.assert(fc.property(policies(), fc.constantFrom('enforce', 'observe'), (policy, mode) => {
    const config = parse({ profile: 'tahoe-read', mode, policy })
    const again = read(config.effective)
    assert.deepEqual(plain(again), plain(config), config.effective)
    assert.equal(again.effective, config.effective)
    const { backends } = load(config.effective) as { readonly backends: { readonly web: { readonly policy: Tree } } }
    const written = Object.keys(backends.web.policy)
    const absent = [...policy['stale'] === 'hold' ? ['stale_open'] : [], ...'at_most_drained' in policy ? [] : ['at_most_drained']]
    assert.deepEqual([...written, ...absent].sort(), Object.keys(policySchema.shape).sort())
  }), { numRuns: 150 })
})
