/**
 * Farms for the properties. A plan is plain data, which fast-check can draw and make smaller; `build` makes of it what
 * the core decides on.
 */
import fc from 'fast-check'
import type { Backend, Criterion, ErrorClass, GoodSample, OnFail, Server, Verdict } from '../../src/core/model.ts'
import { DEFAULT_POLICY, type Policy } from '../../src/core/policy.ts'
import { judgeReach, REACH } from '../../src/core/reach.ts'
import type { AdminState } from '../../src/core/reply.ts'

/** The poll that shows the node, and most criteria. */
export const PAGE = 'page'
/** A poll at a pace of its own, which one criterion reads. */
export const CANARY = 'canary'
export const TIMEOUT_MS = 2000

type Off = 'window' | 'gate' | 'burst' | 'strain' | 'hold' | 'weight' | 'peers' | 'ramp'
type Setting = 'mode' | 'minUp' | 'maxOutPercent' | 'baseWeight' | 'staleOpenMs'
interface Runs { readonly rise: number, readonly fall: number }

export interface ServerPlan { readonly node: string, readonly share: number }
export interface PoolPlan {
  readonly servers: readonly ServerPlan[]
  readonly off: readonly Off[]
  /** What differs from the defaults. */
  readonly policy: Partial<Pick<Policy, Setting>>
  readonly quorumPercent: number
  readonly strictQuorumPercent: number
  readonly floorPercent: number
  readonly rise: number
  readonly fall: number
  readonly storage: OnFail
  /** Criteria beyond http, storage and introducer. */
  readonly more: ReadonlyArray<'lame' | 'canary' | 'extra'>
  readonly adminState: AdminState
}
/** Backends by name. */
export type FarmPlan = Readonly<Record<string, PoolPlan>>

/** As compile.ts has it: an unreachable node is the business of `reach` alone, as far as its own poll says so. */
const UNANSWERED: readonly ErrorClass[] = ['refused', 'reset', 'noconn', 'timeout', 'tls', 'local']
const UNREACHABLE: readonly ErrorClass[] = ['refused', 'noconn']

/** A criterion passes by its fact: `pass`, or a number, which is the weight it allows. Without the fact it says nothing. */
const judgeFact = (name: string) => ({ facts: { [name]: fact, say = '' } }: GoodSample): Verdict | undefined => {
  if (fact === undefined) return undefined
  const pass = fact === 'pass' || typeof fact === 'number'
  const weight = typeof fact === 'number' ? { weightPercent: fact } : {}
  return { pass, value: String(fact), limit: 'pass', reason: `is ${String(fact)}${String(say)}`, ...weight }
}

const content = (name: string, probe: string, onFail: OnFail, { rise, fall }: Runs, solo = false): Criterion => ({
  name, kind: 'fact', probe, meaning: name, onFail, rise, fall, solo, judge: judgeFact(name),
  ignores: probe === PAGE ? UNANSWERED : UNREACHABLE
})

function criteriaOf ({ storage, more, ...runs }: PoolPlan): readonly Criterion[] {
  return [
    { ...content(REACH, PAGE, { action: 'down' }, runs), kind: REACH, ignores: [], judge: judgeReach },
    content('http', PAGE, { action: 'down' }, runs),
    content('storage', PAGE, storage, runs),
    content('introducer', PAGE, { action: 'warn' }, { ...runs, fall: 5 }),
    ...more.map(name => name === 'lame'
      ? content(name, PAGE, { action: 'drain' }, { rise: 1, fall: 1 }, true)
      : content(name, name, { action: 'down' }, runs))
  ]
}

function policyOf ({ off, policy: { staleOpenMs = 120_000, ...policy }, quorumPercent, strictQuorumPercent, floorPercent }: PoolPlan): Policy {
  const weight = { ...DEFAULT_POLICY.weight!, floorPercent }
  const gate = { ...DEFAULT_POLICY.gate!, quorumPercent, strictQuorumPercent }
  const { staleOpenMs: _, ...all } = { ...DEFAULT_POLICY, ...policy, weight, gate }
  const layers = Object.entries(all).filter(([name]) => !off.some(layer => layer === name))
  return { ...Object.fromEntries(layers) as unknown as Policy, ...(staleOpenMs === Infinity ? {} : { staleOpenMs }) }
}

export function buildPool (name: string, plan: PoolPlan): Backend {
  const servers = plan.servers.map(({ node, share }, i): Server =>
    ({ backend: name, name: `n${i}`, weightPercent: share, node, timeoutMs: TIMEOUT_MS, criteria: criteriaOf(plan) }))
  return { name, policy: policyOf(plan), servers }
}

/** A pool of so many equal servers with all defaults. */
export const plainPool = (count: number, more: Partial<PoolPlan> = {}): PoolPlan => ({
  servers: Array.from({ length: count }, (_, i) => ({ node: `h${i}`, share: 100 })),
  off: [], policy: {}, quorumPercent: 34, strictQuorumPercent: 67, floorPercent: 10, rise: 2, fall: 3,
  storage: { action: 'drain' }, more: [], adminState: 'shared', ...more
})

const OFF: readonly Off[] = ['window', 'gate', 'burst', 'strain', 'hold', 'weight', 'peers', 'ramp']

/** The usual one most of the time, and first when shrinking. */
const mostly = <T> (usual: T, weight: number, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 10 - weight, arbitrary: fc.constantFrom(...others) })

/** Most nodes are one server; some are a server of each backend, some are two servers of one. */
const servers = (pool: string): fc.Arbitrary<readonly ServerPlan[]> => fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 2, max: 5 }) }, { weight: 1, arbitrary: fc.constantFrom(1, 8, 10) }
).chain(count => fc.tuple(...Array.from({ length: count }, (_, i) => fc.record({
  node: mostly(`h${i}`, 7, `${pool}-${i}`, `${pool}-${i}`, `h${Math.max(0, i - 1)}`),
  share: mostly(100, 9, 50, 1)
}))))

const policy: fc.Arbitrary<PoolPlan['policy']> = fc.record({
  mode: mostly<Policy['mode']>('enforce', 8, 'observe'),
  minUp: mostly(1, 7, 0, 2, 3),
  maxOutPercent: mostly(50, 6, 0, 20, 34, 70, 100),
  baseWeight: mostly(100, 7, 3, 10, 1, 256),
  staleOpenMs: mostly(120_000, 9, Infinity)
})

const pool = (name: string): fc.Arbitrary<PoolPlan> => fc.record({
  servers: servers(name),
  off: fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 4, arbitrary: fc.subarray([...OFF], { maxLength: 3 }) }),
  policy,
  quorumPercent: mostly(34, 9, 50),
  strictQuorumPercent: mostly(67, 8, 34),
  floorPercent: mostly(10, 6, 7, 34),
  rise: mostly(2, 8, 1, 3),
  fall: mostly(3, 7, 2, 4),
  storage: fc.constantFrom<OnFail>({ action: 'drain' }, { action: 'down' }, { action: 'weight', percent: 50 }),
  more: fc.subarray<'lame' | 'canary'>(['lame', 'canary']).map(more => more),
  adminState: mostly<AdminState>('shared', 7, 'owned')
})

/** One backend, or two that may share nodes. */
export const anyFarm: fc.Arbitrary<FarmPlan> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ be: pool('be') }) },
  { weight: 1, arbitrary: fc.record({ be: pool('be'), api: pool('api') }) }
)
