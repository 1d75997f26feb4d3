/** How the properties are run: always the same histories, unless asked for others or for more. */
import fc from 'fast-check'
import t from 'tap'
import type { OrderAction } from '../../src/core/order.ts'
import { anyFarm, CANARY, PAGE, type FarmPlan } from './properties-farm.ts'
import { play, RELOADS, type Command, type Moment } from './properties-history.ts'
import { TRUTHS, type Truth } from './properties-sight.ts'

const { HCF_PROPERTY_RUNS = '100', HCF_PROPERTY_SEED = '1' } = process.env
const RUNS = Number(HCF_PROPERTY_RUNS)
const COMMANDS_MAX = 30

/** Holds for all that is drawn. `part` of the usual runs, for one that is slow. */
export function check<T> (property: fc.IProperty<T>, part = 1): void {
  fc.assert(property, { seed: Number(HCF_PROPERTY_SEED), numRuns: Math.ceil(RUNS * part) })
}

/** Holds at every moment of every history of every farm. `watch` begins anew with each of them. */
export function always (name: string, watch: () => (moment: Moment) => void, farms: fc.Arbitrary<FarmPlan> = anyFarm): void {
  void t.test(name, async () => {
    check(fc.property(farms, anyHistory, (farm, history) => {
      const look = watch()
      for (const moment of play(farm, history)) look(moment)
    }))
  })
}

const someone = fc.nat(11)
const some: fc.Arbitrary<'all' | readonly number[]> = fc.oneof(
  { weight: 4, arbitrary: fc.uniqueArray(someone, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constant('all' as const) }
)
/** One kind of command; `parts` are its fields. */
type Parts<T> = { [K in keyof T]: fc.Arbitrary<T[K]> }
const command = <D extends Command['do'], T>(name: D, parts: Parts<T>): fc.Arbitrary<{ readonly do: D } & T> =>
  fc.record<T>(parts).map(fields => ({ do: name, ...fields as T }))
const of = fc.constantFrom

const TRUTH: fc.Arbitrary<Truth> = fc.oneof({ weight: 3, arbitrary: of<Truth[]>('good') }, { weight: 7, arbitrary: of(...TRUTHS, 'slow', 'shed') })
const ACTION = of<OrderAction[]>('up', 'down', 'drain', 'maint', ...[30, 0, 100, 3].map(weightPercent => ({ weightPercent })))

const COMMANDS: ReadonlyArray<fc.WeightedArbitrary<Command>> = [
  { weight: 8, arbitrary: command('rounds', {
    times: fc.integer({ min: 1, max: 4 }), stepMs: of(100, 20, 400), restMs: of(0, 500, 500, 2000, 5000)
  }) },
  { weight: 2, arbitrary: command('outage', { who: some, as: of(...TRUTHS), restMs: of(2000, 500, 5000) }) },
  { weight: 1, arbitrary: command('eclipse', { who: some }) },
  { weight: 6, arbitrary: command('turn', { who: some, to: TRUTH }) },
  { weight: 4, arbitrary: command('look', { who: someone, probe: of(PAGE, PAGE, CANARY, 'extra'), afterMs: of(0, 50, 200, 800, 2000) }) },
  { weight: 1, arbitrary: command('late', { who: someone }) },
  { weight: 1, arbitrary: command('wait', { ms: of(20_000, 5000, 70_000, 130_000) }) },
  { weight: 3, arbitrary: command('order', {
    scope: fc.nat(14), action: ACTION, inMs: of(0, 0, 0, 300), forMs: of(Infinity, 1, 1000, 5000, 60_000)
  }) },
  { weight: 1, arbitrary: command('clear', { scope: fc.nat(14) }) },
  { weight: 2, arbitrary: command('reload', { what: of(...RELOADS), who: someone }) },
  { weight: 1, arbitrary: command('restart', { downMs: of(0, 5000, 20_000) }) }
]
export const anyHistory: fc.Arbitrary<readonly Command[]> = fc.array(fc.oneof(...COMMANDS), { maxLength: COMMANDS_MAX, size: 'max' })
