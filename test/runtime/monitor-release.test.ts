/** HAProxy keeps a drain until somebody says `ready`: when we do, when we do not, and what survives a restart. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { POLLER_FORGET_MS } from '../../src/runtime/pollers.ts'
import { RELEASE_MS } from '../../src/runtime/said.ts'
import { Bench, GOOD, web, webServer } from './monitor-bench.ts'

const DRAINED = { ...GOOD, storage: '-' }

void t.test('shared: drain, then ready for its time, then no admin word', async (t) => {
  const bench = new Bench(t.testdir(), web())
  await bench.see('a', GOOD)
  t.equal(bench.ask('a'), 'up 100%', 'no admin word before')
  await bench.see('a', { storage: '-' })
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
  await bench.clock.advance(RELEASE_MS * 2)
  t.equal(bench.ask('a'), 'drain up #storage: is not ok', 'for as long as it takes')
  await bench.see('a', { storage: '+' })
  t.equal(bench.ask('a'), 'ready up 100%')
  await bench.clock.advance(RELEASE_MS - 1)
  t.equal(bench.ask('a'), 'ready up 100%')
  await bench.clock.advance(1)
  t.equal(bench.ask('a'), 'up 100%')
  t.equal(bench.ask('b'), '# no verdict yet', 'the other server never had any')
})

void t.test('shared: ready until every HAProxy has heard it', async (t) => {
  const bench = new Bench(t.testdir(), web())
  await bench.see('a', DRAINED)
  for (const from of ['h1', 'h2', 'h3']) bench.ask('a', from)
  await bench.see('a', { storage: '+' })
  bench.ask('a', 'h1')
  await bench.clock.advance(RELEASE_MS + 10)
  bench.ask('a', 'h3')
  t.equal(bench.ask('a', 'h1'), 'ready up 100%', 'h2 has not')
  t.equal(bench.ask('a', 'h2'), 'ready up 100%', 'now it hears it')
  t.equal(bench.ask('a', 'h2'), 'up 100%')
  t.equal(bench.ask('a', 'h1'), 'up 100%')
})

void t.test('shared: an HAProxy that does not come back is not waited for', async (t) => {
  const bench = new Bench(t.testdir(), web())
  await bench.see('a', DRAINED)
  bench.ask('a', 'gone')
  await bench.see('a', { storage: '+' })
  bench.ask('a')
  await bench.clock.advance(POLLER_FORGET_MS - 1001)
  t.equal(bench.ask('a'), 'ready up 100%')
  await bench.clock.advance(1)
  t.equal(bench.ask('a'), 'up 100%')
})

void t.test('shared: people who look do not begin the release', async (t) => {
  const bench = new Bench(t.testdir(), web())
  await bench.see('a', DRAINED)
  t.equal(bench.look('a'), 'drain up #storage: is not ok')
  await bench.see('a', { storage: '+' })
  t.equal(bench.look('a'), 'ready up 100%')
  await bench.clock.advance(RELEASE_MS * 2)
  t.equal(bench.look('a'), 'ready up 100%', 'it waits for who must hear it')
  t.equal(bench.ask('a'), 'ready up 100%')
  await bench.clock.advance(RELEASE_MS)
  t.equal(bench.ask('a'), 'up 100%')
  t.equal(bench.look('a'), 'up 100%')
})

void t.test('shared: down after drain takes the drain back too', async (t) => {
  const bench = new Bench(t.testdir(), web())
  await bench.see('a', DRAINED)
  bench.ask('a')
  await bench.see('a', { reach: 'x' })
  t.equal(bench.ask('a'), 'ready down 100% #reach: refused by the node')
  await bench.clock.advance(RELEASE_MS)
  t.equal(bench.ask('a'), 'down 100% #reach: refused by the node')
})

void t.test('shared: kept by the floor after a drain', async (t) => {
  const bench = new Bench(t.testdir(), web('ab', 1))
  await bench.see('a', DRAINED)
  await bench.see('b', GOOD)
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
  await bench.see('b', { reach: 'x' })
  t.equal(bench.ask('a'), 'ready up 100% #kept up by min_up 1: storage: is not ok')
  await bench.see('b', { reach: '+' })
  t.equal(bench.ask('a'), 'drain up #storage: is not ok', 'and drained again when it is spared')
})

void t.test('shared: a drain within the release begins all over', async (t) => {
  const bench = new Bench(t.testdir(), web())
  await bench.see('a', DRAINED)
  await bench.see('a', { storage: '+' })
  bench.ask('a')
  await bench.clock.advance(RELEASE_MS - 2000)
  await bench.see('a', { storage: '-' })
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
  await bench.see('a', { storage: '+' })
  t.equal(bench.ask('a'), 'ready up 100%')
  await bench.clock.advance(RELEASE_MS - 1)
  t.equal(bench.ask('a'), 'ready up 100%')
  await bench.clock.advance(1)
  t.equal(bench.ask('a'), 'up 100%')
})

void t.test('shared: a restart within the drain takes it back all the same', async (t) => {
  const dir = t.testdir()
  const bench = new Bench(dir, web())
  await bench.see('a', DRAINED)
  t.match(readFileSync(join(dir, 'said.json'), 'utf8'), '"web/a":"drain"', 'on disk before anybody has asked')
  bench.restart()
  t.equal(bench.ask('a'), '# no verdict yet', 'nothing is said before we know')
  await bench.see('a', GOOD)
  t.equal(bench.ask('a'), 'ready up 100%')
  await bench.clock.advance(RELEASE_MS - 1)
  bench.restart()
  await bench.see('a', { ...GOOD, reach: 'x' })
  t.equal(bench.ask('a'), 'ready down 100% #reach: refused by the node', 'and once more within the release')
  await bench.clock.advance(RELEASE_MS)
  t.equal(bench.ask('a'), 'down 100% #reach: refused by the node')
  bench.restart()
  await bench.see('a', GOOD)
  t.equal(bench.ask('a'), 'up 100%', 'what is taken back stays so')
})

void t.test('shared: a reload that ends the drain takes it back', async (t) => {
  const bench = new Bench(t.testdir(), web())
  await bench.see('a', DRAINED)
  bench.ask('a')
  const milder = { ...webServer('a'), criteria: webServer('a').criteria.filter(({ name }) => name !== 'storage') }
  bench.reload({ ...web(), servers: [milder] })
  t.equal(bench.ask('a'), 'ready up 100%')
})

void t.test('shared: a reload that begins a drain says that it is ours', async (t) => {
  const dir = t.testdir()
  const bench = new Bench(dir, web())
  await bench.see('a', { ...GOOD, introducer: '-' })
  const { criteria, ...rest } = webServer('a')
  const drains = criteria.map(each => each.name === 'introducer' ? { ...each, onFail: { action: 'drain' as const } } : each)
  bench.reload({ ...web(), servers: [{ ...rest, criteria: drains }] })
  t.match(readFileSync(join(dir, 'said.json'), 'utf8'), '"web/a":"drain"')
  t.equal(bench.ask('a'), 'drain up #introducer: is not ok')
})

void t.test('owned: an admin word in every answer on which we have an opinion', async (t) => {
  const bench = new Bench(t.testdir(), web(), 'owned')
  t.equal(bench.ask('a'), '# no verdict yet')
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, string]> = [
    [GOOD, 'ready up 100%'],
    [{ latency: '-' }, 'ready up 25% #latency: is not ok'],
    [{ storage: '-' }, 'drain up #storage: is not ok'],
    [{ storage: '+' }, 'ready up 25% #latency: is not ok'],
    [{ reach: 'x' }, 'ready down 25% #reach: refused by the node']
  ]
  for (const [marks, line] of rows) {
    await bench.see('a', marks)
    t.equal(bench.ask('a'), line)
    t.equal(bench.look('a'), line)
    await bench.clock.advance(RELEASE_MS * 2)
    t.equal(bench.ask('a'), line, 'for ever')
  }
})

void t.test('from owned to shared: what was drained then is taken back now', async (t) => {
  const bench = new Bench(t.testdir(), web(), 'owned')
  await bench.see('a', DRAINED)
  bench.ask('a')
  bench.reload(web(), 'shared')
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
  await bench.see('a', { storage: '+' })
  t.equal(bench.ask('a'), 'ready up 100%')
  await bench.clock.advance(RELEASE_MS)
  t.equal(bench.ask('a'), 'up 100%')
})

void t.test('from owned to shared by a restart', async (t) => {
  const bench = new Bench(t.testdir(), web(), 'owned')
  await bench.see('a', DRAINED)
  bench.restart('shared')
  await bench.see('a', GOOD)
  t.equal(bench.ask('a'), 'ready up 100%')
})
