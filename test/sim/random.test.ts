import t from 'tap'
import { Random, uniform } from '../../src/sim/random.ts'

const N = 20_000

/** Of `N` numbers in [0, 1): the largest difference of a tenth's share from a tenth. */
function unevenness (draw: (i: number) => number): number {
  const tenths = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < N; i += 1) {
    const at = Math.floor(draw(i) * 10)
    tenths[at] = (tenths[at] ?? 0) + 1
  }
  return tenths.length > 10 ? 1 : Math.max(...tenths.map(many => Math.abs(many / N - 0.1)))
}

void t.test('a number follows from its keys alone', async (t) => {
  t.equal(uniform(1, 2, 3, 4), uniform(1, 2, 3, 4))
  t.equal(uniform(1, 2, 3, 4), 0.3568090305197984, 'on every machine')
  const keys: ReadonlyArray<[number, number, number, number]> = [
    [1, 2, 3, 4], [2, 2, 3, 4], [1, 3, 3, 4], [1, 2, 4, 4], [1, 2, 3, 5], [2, 1, 3, 4], [1, 2, 4, 3]
  ]
  t.equal(new Set(keys.map(each => uniform(...each))).size, keys.length, 'each key, and their order, matters')
})

void t.test('the numbers are even along every key, and between 0 and 1', async (t) => {
  const rows: ReadonlyArray<readonly [string, (i: number) => number]> = [
    ['seed', i => uniform(i, 0, 0, 0)],
    ['first', i => uniform(1, i, 0, 0)],
    ['second', i => uniform(1, 3, i, 11)],
    ['third', i => uniform(1, 3, 600, i)],
    ['all', i => uniform(i % 7, i % 10, Math.floor(i / 10), i % 3)]
  ]
  for (const [name, draw] of rows) t.ok(unevenness(draw) < 0.01, `${name}: ${unevenness(draw)}`)
})

void t.test('neighbours know nothing of each other', async (t) => {
  const rows: ReadonlyArray<readonly [string, (i: number) => number]> = [
    ['node', i => uniform(1, i + 1, 5, 11)], ['time', i => uniform(1, i, 6, 11)],
    ['draw', i => uniform(1, i, 5, 12)], ['seed', i => uniform(2, i, 5, 11)]
  ]
  for (const [name, neighbour] of rows) {
    let sum = 0
    for (let i = 0; i < N; i += 1) sum += (uniform(1, i, 5, 11) - 0.5) * (neighbour(i) - 0.5)
    t.ok(Math.abs(sum / N * 12) < 0.03, `${name}: correlation ${sum / N * 12}`)
  }
})

void t.test('a row of numbers from a seed', async (t) => {
  const row = (seed: number): readonly number[] => {
    const random = new Random(seed)
    return Array.from({ length: 5 }, () => random.next())
  }
  t.strictSame(row(7), row(7))
  t.notSame(row(7), row(8))

  const random = new Random(1)
  t.ok(unevenness(() => random.next()) < 0.01)
  t.ok(unevenness(() => random.below(10) / 10 + 0.05) < 0.01, 'below: whole numbers from 0')
  t.ok(unevenness(() => (random.between(-2, 3) + 2) / 5) < 0.01)
  t.ok(unevenness(() => random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) / 10 + 0.05) < 0.01)
  const hits = Array.from({ length: N }, () => random.chance(0.2)).filter(Boolean).length
  t.ok(Math.abs(hits / N - 0.2) < 0.01, `${hits} of ${N}`)
})

void t.test('some of a list: different ones, no more than there are', async (t) => {
  const random = new Random(3)
  const seen = new Set<string>()
  for (let i = 0; i < 200; i += 1) {
    const some = random.some(['a', 'b', 'c', 'd'], 2)
    t.equal(new Set(some).size, 2)
    seen.add(some.join(''))
  }
  t.equal(seen.size, 12, 'every pair, in every order')
  t.strictSame([...random.some([1, 2, 3], 9)].toSorted((a, b) => a - b), [1, 2, 3])
})
