import t from 'tap'
import { POLLER_SILENT_MS, Pollers, POLLERS_MAX } from '../../src/runtime/pollers.ts'

const silent = (): Pollers => new Pollers(() => undefined)

void t.test('who asks, and when last', async (t) => {
  const first: string[] = []
  const pollers = new Pollers((from, id) => { first.push(`${from} ${id}`) })
  pollers.told('web/a', '10.0.0.1', 100)
  pollers.told('web/b', '10.0.0.1', 150)
  pollers.told('web/a', '10.0.0.2', 200)
  pollers.told('web/a', '10.0.0.1', 300)
  t.strictSame(pollers.of('web/a'), [{ from: '10.0.0.2', lastMs: 200 }, { from: '10.0.0.1', lastMs: 300 }])
  t.strictSame(pollers.of('web/b'), [{ from: '10.0.0.1', lastMs: 150 }])
  t.strictSame(pollers.of('web/c'), [])
  t.strictSame(first, ['10.0.0.1 web/a', '10.0.0.2 web/a'], 'each is new once, whatever it asks for')
})

void t.test('whether all have been told about everything', async (t) => {
  const pollers = silent()
  t.equal(pollers.everyoneToldSince(0, 0), true, 'nobody asks')
  pollers.told('web/a', 'somebody', 900)
  t.equal(pollers.everyoneToldSince(1000, 1000), true, 'who asked once is nobody to wait for')
  for (const id of ['web/a', 'web/b']) pollers.told(id, '10.0.0.1', 950)
  pollers.told('web/a', '10.0.0.1', 1000)
  pollers.told('web/b', '10.0.0.1', 1100)
  t.equal(pollers.everyoneToldSince(1050, 1200), false, 'not about web/a')
  pollers.told('web/a', '10.0.0.1', 1150)
  t.equal(pollers.everyoneToldSince(1050, 1200), true)
  t.equal(pollers.everyoneToldSince(2000, 1100 + POLLER_SILENT_MS), false, 'web/a was asked for within the time')
  t.equal(pollers.everyoneToldSince(2000, 1150 + POLLER_SILENT_MS), true, 'a silent one is not waited for')
})

void t.test('addresses of one server, at the bound and one over', async (t) => {
  const pollers = silent()
  const froms = (): readonly string[] => pollers.of('web/a').map(({ from }) => from)
  for (let i = 0; i < POLLERS_MAX; i += 1) pollers.told('web/a', `10.0.0.${i}`, i)
  t.equal(froms().length, POLLERS_MAX, 'at the bound')
  pollers.told('web/a', '10.0.0.0', 1000)
  t.equal(froms().length, POLLERS_MAX, 'one that is known makes nobody go')
  pollers.told('web/a', '10.0.1.1', 1001)
  t.equal(froms().length, POLLERS_MAX, 'one over')
  t.notOk(froms().includes('10.0.0.1'), 'the longest silent one has made room')
  t.ok(froms().includes('10.0.0.0'), 'not the first that came')
  t.ok(froms().includes('10.0.1.1'))
})

void t.test('addresses that were new once, at the bound and one over', async (t) => {
  const first: string[] = []
  const pollers = new Pollers(from => { first.push(from) })
  for (let i = 0; i <= POLLERS_MAX; i += 1) pollers.told(`web/${i}`, `10.0.0.${i}`, i)
  t.equal(first.length, POLLERS_MAX)
})

void t.test('servers that are gone are forgotten', async (t) => {
  const pollers = silent()
  pollers.told('web/a', '10.0.0.1', 1)
  pollers.told('web/b', '10.0.0.1', 1)
  pollers.forget(new Set(['web/b', 'web/c']))
  t.strictSame(pollers.of('web/a'), [])
  t.equal(pollers.of('web/b').length, 1)
})
