import fc from 'fast-check'
import t from 'tap'
import { randomFarm } from '../../src/sim/random-farm.ts'
import { parseScenario, type Scenario } from '../../src/sim/scenario.ts'
import { shrink, type Fails } from '../../src/sim/shrink.ts'

const farm = parseScenario({
  nodes: 8, load_rps: 100, duration_s: 300, timeline: [
    { t: 30, nodes: [1, 2, 3, 4], set: { mode: 'hang' } },
    { t: 40, nodes: 'all', set: { storage: false } },
    { t: 50, override: { scope: 'be/n1', action: 'down' } },
    { t: 60, prober: { partition: ['n1', 'n2', 'n5', 'n6'], loss: 0.1 } },
    { t: 70, nodes: [3], set: { mode: 'ok' } },
    { t: 80, load_rps: 200 },
    { t: 200, restart_agent: true }
  ]
}, 'farm')

const hangs = (node: number) => ({ events }: Scenario): boolean =>
  events.some(event => event.kind === 'nodes' && event.set.mode === 'hang' && event.nodes.includes(node))
const has = (kind: string) => ({ events }: Scenario): boolean => events.some(event => event.kind === kind)

/** How often a predicate was asked. */
function counted (fails: Fails): { readonly fails: Fails, readonly tries: () => number } {
  let tries = 0
  return { fails: scenario => { tries += 1; return fails(scenario) }, tries: () => tries }
}

void t.test('only what matters is left', async t => {
  const shortest = await shrink(farm, async scenario => hangs(3)(scenario) && has('override')(scenario) && scenario.durationMs > 77_500)
  t.strictSame(shortest, {
    ...farm,
    durationMs: 78_000,
    events: [
      { atMs: 30_000, kind: 'nodes', nodes: [3], set: { mode: 'hang' } },
      { atMs: 50_000, kind: 'override', scope: 'be/n1', action: 'down', by: 'operator', reason: '' }
    ]
  })
})

void t.test('what is after a new end is gone, and no end is in the warm-up', async t => {
  const shortest = await shrink(farm, () => true)
  t.match(shortest, { events: [], durationMs: 21_000, warmupMs: 20_000 })
  const late = await shrink(farm, has('restart-agent'))
  t.strictSame([late.durationMs, late.events.length], [201_000, 1])
})

void t.test('nodes and names that do not matter are left out, but an event that hits nobody is none', async t => {
  const blind = ({ events }: Scenario): boolean => events.some(event => event.kind === 'prober' && event.set.partition?.includes('n5') === true)
  t.match((await shrink(farm, blind)).events, [{ kind: 'prober', set: { partition: ['n5'], loss: 0.1 } }])
  const { events } = await shrink(farm, ({ events }) => events.some(({ kind }) => kind === 'nodes'))
  t.equal(events.length, 1)
  t.equal(events[0]?.kind === 'nodes' && events[0].nodes.length, 1)
})

void t.test('nothing can be left out, and patience is bounded', async t => {
  t.equal(await shrink(farm, scenario => scenario === farm), farm)
  const never = counted(() => false)
  t.equal(await shrink(farm, never.fails, 10), farm)
  t.ok(never.tries() <= 10, `${never.tries()} tries`)
  const always = counted(() => true)
  await shrink(farm, always.fails, 3)
  t.equal(always.tries(), 3)
})

void t.test('of any history, with any part of it that matters, that part is left', async () => {
  const cases = fc.record({ seed: fc.nat(1000), chosen: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }) })
  await fc.assert(fc.asyncProperty(cases, async ({ seed, chosen }) => {
    const { events, ...rest } = randomFarm(seed)
    if (events.length === 0) return
    const matter = new Set(chosen.map(i => events[i % events.length]))
    // By identity of what they do: an event with fewer nodes is another one.
    const keys = new Set([...matter].map(event => JSON.stringify(event)))
    const shortest = await shrink({ ...rest, events }, scenario => {
      const there = new Set(scenario.events.map(event => JSON.stringify(event)))
      return [...keys].every(key => there.has(key))
    }, 5000)
    const left = shortest.events.map(event => JSON.stringify(event))
    if (left.length !== keys.size || left.some(key => !keys.has(key))) throw new Error(`left ${left.join()}`)
    const endMs = Math.max(...[...matter].map(event => event?.atMs ?? 0))
    if (shortest.durationMs > Math.max(endMs, shortest.warmupMs) + 1000) throw new Error(`ends at ${shortest.durationMs}`)
  }), { numRuns: 60 })
})
