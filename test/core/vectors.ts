/**
 * Recorded decisions of an executable model in another language, and how they are replayed. A file of
 * test/fixtures/vectors holds histories, in lines (times in ms):
 *
 *     farm {…}                         a new history: backends with their servers (name: node), criteria and policy
 *     1200 be/n0 ok 30/5               a look that ended at 1200, after 30, with a latency of 5 where that is another; all
 *                                      passed. For `ok`: the criterion that failed, or why no answer came; `~ok`: while we
 *                                      were not ourselves
 *     1200 order be/* drain 5000       an operator's order, for 5000 ms; without a time until it is cleared
 *     1200 clear be/*
 *     1200 stranger ok 5               a look at somebody outside, for our own network
 *     1200 be/n0 = 100                 what is decided of a server now: a weight of one that is up, or what else it is
 *     … > be/n0=100 be/n1=down         after a step: what is decided from now on of servers for which that has changed
 *
 * `100~down`: the model says 100, and we mean to say down. Why is told at the top of the file.
 */
import { count } from '../../src/core/check.ts'
import type { Voice } from '../../src/core/gate.ts'
import type { OnFail, Sample } from '../../src/core/model.ts'
import type { Order, OrderAction } from '../../src/core/order.ts'
import type { CheckState } from '../../src/core/state.ts'
import { buildPool, PAGE, plainPool, type FarmPlan, type PoolPlan } from './properties-farm.ts'
import { begin, decideAt, places, take, type Place, type World } from './properties-history.ts'
import { factsOf, seen, TRUTHS } from './properties-sight.ts'

interface PoolLine extends Partial<Pick<PoolPlan, 'off' | 'policy' | 'quorumPercent' | 'fall'>> {
  readonly servers: Readonly<Record<string, string>>
  readonly criteria: Readonly<Record<string, string>>
}
interface FarmLine { readonly stranger?: true, readonly backends: Readonly<Record<string, PoolLine>> }

/** `down`, `drain`, `weight 50%`. */
function onFail (text: string): OnFail {
  const [action, percent = ''] = text.split(' ')
  return action === 'weight' ? { action, percent: Number.parseInt(percent, 10) } : { action: action as 'down' | 'drain' }
}

const planOf = ({ servers, criteria, ...rest }: PoolLine): PoolPlan => ({
  ...plainPool(0), ...rest,
  strictQuorumPercent: rest.quorumPercent ?? 34, // the model knows only one
  servers: Object.values(servers).map(node => ({ node, share: 100 })),
  storage: onFail(criteria['storage'] ?? ''),
  more: 'lame' in criteria ? ['lame'] : []
})

const REACH = buildPool('outside', plainPool(1)).servers[0]!.criteria[0]!

/** Somebody outside, after one more look. The core never judges a stranger: it only asks when it last passed. */
function looked (before: CheckState | undefined, what: string, atMs: number, took: number): Voice {
  const sample = { ok: true, startMs: atMs - took, endMs: atMs, facts: {} } as const
  const verdict = { pass: what === 'ok', value: what, limit: 'ok', reason: what }
  return { node: 'stranger', check: count(REACH, before, verdict, sample, undefined) }
}

function start (line: string): World {
  const { stranger = false, backends } = JSON.parse(line.slice('farm '.length)) as FarmLine
  const farm: FarmPlan = Object.fromEntries(Object.entries(backends).map(([name, pool]) => [name, planOf(pool)]))
  return { ...begin(farm, 0), strangers: stranger ? [looked(undefined, 'not yet', 0, 0)] : [] }
}

/** `30`, `30/5`: how long it took, and the latency where that is something else. */
function sampleOf (what: string, times: string, endMs: number): Sample {
  const [took = 0, latencyMs = took] = times.split('/').map(Number)
  const startMs = endMs - took
  const truth = TRUTHS.find(each => each === what.replace('~ok', 'ok').replace('ok', 'good'))
  if (truth === undefined) throw new TypeError(`what is ${what}?`)
  const sample = seen(truth, PAGE, endMs, 0)
  if (!sample.ok) return { ...sample, startMs }
  return { ok: true, startMs, endMs, facts: { ...factsOf(truth, PAGE), latencyMs }, ...(what.startsWith('~') ? { tainted: true } : {}) }
}

/** The farm after a line. */
function follow (world: World, line: string): World {
  const [at = '', who = '', what = '', last = '', forMs] = line.split(' ')
  const atMs = Number(at)
  switch (who) {
    case 'order': return take(world, { kind: 'orders', atMs, orders: [...cleared(world, what), orderOf(what, last, atMs, forMs)] })
    case 'clear': return take(world, { kind: 'orders', atMs, orders: cleared(world, what) })
    case 'stranger':
      return { ...world, nowMs: atMs, strangers: world.strangers.map(({ check }) => looked(check, what, atMs, Number(last))) }
    default: {
      if (what === '=') return take(world, { kind: 'ask', atMs })
      const { pool, server } = placeOf(world, who)
      return take(world, { kind: 'look', atMs, pool, server, probe: PAGE, sample: sampleOf(what, last, atMs) })
    }
  }
}

const cleared = ({ orders }: World, scope: string): readonly Order[] => orders.filter(order => order.scope !== scope)
function orderOf (scope: string, what: string, fromMs: number, forMs: string | undefined): Order {
  const action = what.endsWith('%') ? { weightPercent: Number.parseInt(what, 10) } : what as Extract<OrderAction, string>
  return { scope, action, fromMs, ...(forMs === undefined ? {} : { untilMs: fromMs + Number(forMs) }), by: 'al', reason: 'test' }
}

function placeOf (world: World, id: string): Place {
  const place = places(world).find(each => each.id === id)
  if (place === undefined) throw new TypeError(`no server ${id}`)
  return place
}

function shown (world: World, place: Place): string {
  const { state, weightPercent } = decideAt(world, place)
  return state === 'up' ? `${weightPercent}` : state
}

interface Wrong { readonly line: number, readonly id: string, readonly is: string, readonly wanted: string }
export interface Replay {
  /** How many decisions were compared. */
  readonly compared: number
  /** How many of them are meant to be others than the model's. */
  readonly meant: number
  /** Those that are others than they should be. */
  readonly wrong: readonly Wrong[]
}

export function replay (text: string): Replay {
  let world = begin({})
  let recorded = new Map<string, string>()
  let [compared, meant] = [0, 0]
  const wrong: Wrong[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('farm ')) {
      world = start(line)
      recorded = new Map()
      continue
    }
    const [step = '', changed] = line.split(' > ')
    world = follow(world, step)
    if (changed !== undefined) recorded = new Map([...recorded, ...pairs(changed)])
    for (const [id, value] of step.includes(' = ') ? pairs(step.replace(/^\d+ /, '').replace(' = ', '=')) : recorded) {
      compared += 1
      const [model = '', ours = model] = value.split('~')
      if (ours !== model) meant += 1
      const is = shown(world, placeOf(world, id))
      if (is !== ours) wrong.push({ line: i + 1, id, is, wanted: ours })
    }
  }
  return { compared, meant, wrong }
}

const pairs = (text: string): ReadonlyArray<readonly [string, string]> => text.split(' ').map(pair => {
  const [id = '', value = ''] = pair.split('=')
  return [id, value]
})
