import t from 'tap'
import type { Seen } from '../../src/sim/invariants.ts'
import { randomFarm } from '../../src/sim/random-farm.ts'
import { readScenario } from '../../src/sim/scenario.ts'
import { soak } from '../../src/sim/soak.ts'

void t.test('made-up farms: what must always hold holds', async t => {
  for (let seed = 1; seed <= 6; seed += 1) {
    const { answers, failure } = await soak(seed)
    t.ok(answers > 100, `seed ${seed}: ${answers} answers`)
    t.equal(failure, undefined, `seed ${seed}`)
  }
})

/** A mistake that is none: at a minute and twenty somebody is out; and that nobody is, is another one. */
const complain = ({ atMs, lines }: Seen): string | undefined => {
  if (atMs < 80_000) return undefined
  return lines.some(line => line.startsWith('down')) ? `out: at ${atMs}` : `fine: at ${atMs}`
}

void t.test('a mistake: the shortest history that shows the same one, as a file', async t => {
  const seed = 10
  const { answers, failure } = await soak(seed, complain)
  t.ok(answers > 0 && failure?.seed === seed)
  t.match(failure?.wrong, /^out: at 8/)
  const shortest = readScenario(failure?.scenario ?? '', 'x')
  const farm = randomFarm(seed)
  t.ok(shortest.events.length > 0 && shortest.events.length < farm.events.length, `${shortest.events.length} of ${farm.events.length} events`)
  t.ok(shortest.durationMs > 80_000 && shortest.durationMs <= 83_000, `${shortest.durationMs} ms`)
  t.equal(shortest.why, failure?.wrong)
})

void t.test('what crashes is a mistake too', async t => {
  const { failure } = await soak(1, () => { throw new TypeError('no such thing') })
  t.match(failure?.wrong, /^crash: TypeError: no such thing\n/)
  t.match(readScenario(failure?.scenario ?? '', 'x').events, [])
})
