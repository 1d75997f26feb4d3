/** HAProxy keeps a drain until somebody says `ready`: when we do, when we do not, and what survives a restart. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileStore, RELEASE_MS, RESTART_MS } from '../../src/runtime/said.ts'
import { Bench, GOOD, web, webServer } from './monitor-bench.ts'

/** What an HAProxy hears first, at the end of the release, and after it. */
async function released (bench: Bench, from?: string): Promise<readonly string[]> {
  const first = bench.ask('a', from)
  await bench.clock.advance(RELEASE_MS - 1)
  const last = bench.ask('a', from)
  await bench.clock.advance(1)
  return [first, last, bench.ask('a', from)]
}
const freed = (line: string): readonly string[] => [`ready ${line}`, `ready ${line}`, line]

const DRAINED = { ...GOOD, storage: '-' }

void t.test('shared: drain, then ready a few times, then no admin word', async (t) => {
  const bench = new Bench(web())
  await bench.see('a', GOOD)
  t.equal(bench.ask('a'), 'up 100%', 'no admin word before')
  await bench.see('a', { storage: '-' })
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
  await bench.clock.advance(RESTART_MS * 2)
  t.equal(bench.ask('a'), 'drain up #storage: is not ok', 'for as long as it takes')
  await bench.see('a', { storage: '+' })
  t.strictSame(await released(bench), freed('up 100%'))
  t.equal(bench.ask('b'), '# no verdict yet', 'the other server never had any')
})

void t.test('shared: every HAProxy that heard the drain, and no other', async (t) => {
  const bench = new Bench(web())
  await bench.see('a', DRAINED)
  for (const from of ['h1', 'h2']) bench.ask('a', from)
  await bench.see('a', { storage: '+' })
  t.strictSame(await released(bench, 'h1'), freed('up 100%'))
  t.equal(bench.ask('a', 'h3'), 'up 100%', 'a maintenance that is set there is not ours to end')
  await bench.clock.advance(RESTART_MS * 100)
  t.strictSame(await released(bench, 'h2'), freed('up 100%'), 'it was away for long')
})

void t.test('shared: people who look take nothing back', async (t) => {
  const bench = new Bench(web())
  await bench.see('a', DRAINED)
  bench.ask('a')
  t.equal(bench.look('a'), 'drain up #storage: is not ok')
  await bench.see('a', { storage: '+' })
  for (let i = 0; i < 2; i += 1) {
    t.equal(bench.look('a'), 'ready up 100%')
    await bench.clock.advance(RELEASE_MS)
  }
  t.strictSame(await released(bench), freed('up 100%'))
  t.equal(bench.look('a'), 'up 100%')
})

void t.test('shared: down after drain takes the drain back too', async (t) => {
  const bench = new Bench(web())
  await bench.see('a', DRAINED)
  bench.ask('a')
  await bench.see('a', { reach: 'x' })
  t.strictSame(await released(bench), freed('down 100% #reach: refused by the node'))
})

void t.test('shared: kept by the floor after a drain', async (t) => {
  const bench = new Bench(web('ab', 1))
  await bench.see('a', DRAINED)
  await bench.see('b', GOOD)
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
  await bench.see('b', { reach: 'x' })
  t.equal(bench.ask('a'), 'ready up 100% #kept up by the floor: storage: is not ok')
  await bench.see('b', { reach: '+' })
  t.equal(bench.ask('a'), 'drain up #storage: is not ok', 'and drained again when it is spared')
})

void t.test('shared: a restart within the drain takes it back all the same', async (t) => {
  const dir = t.testdir()
  const bench = new Bench(web(), { store: fileStore(dir) })
  await bench.see('a', DRAINED)
  t.match(readFileSync(join(dir, 'said.json'), 'utf8'), '"web/a":{"word":"drain"', 'on disk before anybody has asked')
  bench.restart()
  t.equal(bench.ask('a'), '# no verdict yet', 'nothing is said before we know')
  await bench.see('a', GOOD)
  t.strictSame(await released(bench), freed('up 100%'))
  await bench.clock.advance(RESTART_MS)
  t.equal(bench.ask('a'), 'up 100%')
  bench.restart()
  await bench.see('a', GOOD)
  t.equal(bench.ask('a'), 'up 100%', 'what is taken back stays so')
})

void t.test('shared: a reload that ends the drain takes it back', async (t) => {
  const bench = new Bench(web())
  await bench.see('a', DRAINED)
  bench.ask('a')
  const milder = { ...webServer('a'), criteria: webServer('a').criteria.filter(({ name }) => name !== 'storage') }
  bench.reload({ ...web(), servers: [milder] })
  t.match(bench.ask('a'), /^ready /, 'at once')
  await bench.see('a', { reach: '+' })
  t.equal(bench.ask('a'), 'ready up 100%', 'and it is back with the next look')
})

void t.test('shared: a reload that begins a drain says that it is ours', async (t) => {
  const dir = t.testdir()
  const bench = new Bench(web(), { store: fileStore(dir) })
  await bench.see('a', { ...GOOD, introducer: '-' })
  const { criteria, ...rest } = webServer('a')
  const drains = criteria.map(each => each.name === 'introducer' ? { ...each, onFail: { action: 'drain' as const } } : each)
  bench.reload({ ...web(), servers: [{ ...rest, criteria: drains }] })
  await bench.see('a', { introducer: '-' })
  t.match(readFileSync(join(dir, 'said.json'), 'utf8'), '"web/a":{"word":"drain"')
  t.equal(bench.ask('a'), 'drain up #introducer: is not ok')
})

void t.test('owned: an admin word in every answer on which we have an opinion', async (t) => {
  const bench = new Bench(web(), { adminState: 'owned' })
  t.equal(bench.ask('a'), '# no verdict yet')
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, string]> = [
    [GOOD, 'ready up 100%'],
    [{ latency: '-' }, 'ready up 25% #latency: is not ok'],
    [{ storage: '-' }, 'drain up #storage: is not ok'],
    [{ storage: '+' }, 'ready up 25% #latency: is not ok'],
    [{ reach: 'x' }, 'ready down 100% #reach: refused by the node']
  ]
  for (const [marks, line] of rows) {
    await bench.see('a', marks)
    t.equal(bench.ask('a'), line)
    t.equal(bench.look('a'), line)
    await bench.clock.advance(RESTART_MS * 2)
    t.equal(bench.ask('a'), line, 'for ever')
  }
})

void t.test('from owned to shared: what was drained then is taken back now', async (t) => {
  const bench = new Bench(web(), { adminState: 'owned' })
  await bench.see('a', DRAINED)
  bench.ask('a')
  bench.reload(web(), 'shared')
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
  await bench.see('a', { storage: '+' })
  t.strictSame(await released(bench), freed('up 100%'))
})

void t.test('from owned to shared by a restart', async (t) => {
  const bench = new Bench(web(), { adminState: 'owned' })
  await bench.see('a', DRAINED)
  bench.restart('shared')
  await bench.see('a', GOOD)
  t.equal(bench.ask('a'), 'ready up 100%')
})
