import t from 'tap'
import { FAULTS } from '../../src/sim/random-faults.ts'
import { randomFarm } from '../../src/sim/random-farm.ts'
import { writeScenario } from '../../src/sim/scenario-write.ts'
import { readScenario, type Scenario } from '../../src/sim/scenario.ts'

const farms: readonly Scenario[] = Array.from({ length: 250 }, (_, i) => randomFarm(i + 1))
const all = <T>(of: (farm: Scenario) => readonly T[] | T): ReadonlySet<T> => new Set(farms.flatMap(of))

void t.test('a seed is a farm: the same every time, and another one for another seed', async t => {
  t.strictSame(randomFarm(7), randomFarm(7))
  t.equal(new Set(farms.map(farm => JSON.stringify({ ...farm, name: '' }))).size, farms.length)
  t.equal(randomFarm(7).name, 'seed-7')
})

void t.test('farms are of the sizes, loads and lengths they are meant to be', async t => {
  const ranges: ReadonlyArray<readonly [what: string, of: (farm: Scenario) => number, min: number, max: number]> = [
    ['nodes', ({ nodes }) => nodes, 2, 16],
    ['load', ({ loadRps, nodes, capacityRps }) => loadRps / (nodes * capacityRps), 0.29, 0.96],
    ['seconds', ({ durationMs }) => durationMs / 1000, 200, 420]
  ]
  for (const [what, of, min, max] of ranges) {
    const values = farms.map(of)
    const [low, high] = [Math.min(...values), Math.max(...values)]
    t.ok(low >= min && high <= max, `${what}: ${low} to ${high}, within ${min} to ${max}`)
    t.ok(high - low > 0.8 * (max - min), `${what}: ${low} to ${high}, all of ${min} to ${max}`)
  }
  for (const { name, durationMs, events } of farms) {
    if (!events.every(({ atMs }) => atMs < durationMs)) t.fail(`${name}: something happens after the end`)
  }
})

void t.test('everything that can go wrong does go wrong somewhere', async t => {
  const missing = (wanted: readonly unknown[], found: ReadonlySet<unknown>): readonly unknown[] => wanted.filter(each => !found.has(each))
  t.strictSame(missing(FAULTS.map(({ name }) => name), all(({ why }) => why.replace(/^[^:]*: /, '').split(', '))), [])
  t.strictSame(missing(['nodes', 'prober', 'load', 'override', 'restart-agent'], all(({ events }) => events.map(({ kind }) => kind))), [])
  const sets = farms.flatMap(({ events }) => events.flatMap(event => event.kind === 'nodes' || event.kind === 'prober' ? [event.set] : []))
  const keys = new Set(sets.flatMap(set => Object.keys(set)))
  t.strictSame(missing(['mode', 'err', 'probeErr', 'introducer', 'storage', 'lame', 'latMult', 'capMult', 'probeLoss', 'partition', 'stall', 'loss'], keys), [])
  t.strictSame(missing(['ok', 'refused', 'hang', 'blackhole'], new Set(sets.map(set => 'mode' in set && set.mode))), [])
  const orders = farms.flatMap(({ events }) => events.flatMap(event => event.kind === 'override' ? [event] : []))
  t.strictSame(missing(['up', 'down', 'drain', 'maint', 'weight:0', 'weight:30', 'weight:100'], new Set(orders.map(({ action }) => action))), [])
  t.ok(orders.some(({ reason }) => reason.includes('\n')), 'a reason that tries to be an answer')
  t.strictSame(missing(['roundrobin', 'leastconn'], all(({ balance }) => balance)), [])
  t.strictSame(missing(['tcp', 'none'], all(({ ownCheck }) => ownCheck)), [])
  t.ok(farms.some(({ backend }) => 'policy' in backend) && farms.some(({ backend }) => !('policy' in backend)), 'with and without a policy')
})

void t.test('faults come together: several at a time, on one node and on many', async t => {
  const hit = farms.flatMap(({ nodes, events }) => events.flatMap(event => event.kind === 'nodes' ? [event.nodes.length / nodes] : []))
  t.ok(hit.some(share => share === 1) && hit.some(share => share > 0.3 && share < 0.7) && hit.some(share => share < 0.15))
  t.ok(farms.some(({ why }) => why.split(',').length >= 3))
})

void t.test('a farm can be written to a file and played again', async t => {
  for (const farm of farms.slice(0, 100)) {
    const again = readScenario(writeScenario(farm), 'x')
    if (JSON.stringify(again) !== JSON.stringify(farm)) t.strictSame(again, farm)
  }
})
