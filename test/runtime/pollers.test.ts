/** Who asks for what. How often, who is silent, and who asks for what is not there: pollers-pace.test.ts. */
import t from 'tap'
import type { Reply } from '../../src/core/reply.ts'
import { POLLER_SILENT_MS, Pollers, POLLERS_MAX } from '../../src/runtime/pollers.ts'

const silent = (): Pollers => new Pollers(() => undefined)
const UP: Reply = { health: 'up', weightPercent: 100 }
const DRAIN: Reply = { admin: 'drain', health: 'up' }

void t.test('who asks, how often, when last, and what it was told', async (t) => {
  const first: string[] = []
  const pollers = new Pollers((from, id) => { first.push(`${from} ${id}`) })
  pollers.told('web/a', '10.0.0.1', 100, UP)
  pollers.told('web/b', '10.0.0.1', 150, UP)
  pollers.told('web/a', '10.0.0.2', 200, UP)
  pollers.told('web/a', '10.0.0.1', 300, DRAIN)
  t.strictSame(pollers.of('web/a'), [
    { from: '10.0.0.2', lastMs: 200, times: 1, reply: UP },
    { from: '10.0.0.1', lastMs: 300, times: 2, intervalMs: 200, reply: DRAIN }
  ], 'the longest silent one first')
  t.strictSame(pollers.of('web/b'), [{ from: '10.0.0.1', lastMs: 150, times: 1, reply: UP }])
  t.strictSame(pollers.of('web/c'), [])
  t.strictSame(first, ['10.0.0.1 web/a', '10.0.0.2 web/a'], 'each is new once, whatever it asks for')
})

void t.test('whether all have been told about everything', async (t) => {
  const pollers = silent()
  t.equal(pollers.everyoneToldSince(0, 0), true, 'nobody asks')
  pollers.told('web/a', 'somebody', 900, UP)
  t.equal(pollers.everyoneToldSince(1000, 1000), true, 'who asked once is nobody to wait for')
  for (const id of ['web/a', 'web/b']) pollers.told(id, '10.0.0.1', 950, UP)
  pollers.told('web/a', '10.0.0.1', 1000, UP)
  pollers.told('web/b', '10.0.0.1', 1100, UP)
  t.equal(pollers.everyoneToldSince(1050, 1200), false, 'not about web/a')
  pollers.told('web/a', '10.0.0.1', 1150, UP)
  t.equal(pollers.everyoneToldSince(1050, 1200), true)
  t.equal(pollers.everyoneToldSince(2000, 1100 + POLLER_SILENT_MS), false, 'web/a was asked for within the time')
  t.equal(pollers.everyoneToldSince(2000, 1150 + POLLER_SILENT_MS), true, 'a silent one is not waited for')
})

void t.test('who is still to hear of a server', async (t) => {
  const pollers = silent()
  const ask = (from: string, ...atMs: readonly number[]): void => { for (const ms of atMs) pollers.told('web/a', from, ms, UP) }
  ask('quick', 100, 2100, 4100)
  ask('late', 150, 2150)
  ask('tried', 200)
  ask('slow', -90_000, -30_000)
  t.strictSame(pollers.unheard('web/a', 3000, 5000), ['slow', 'late'], 'not who has asked since, nor who asked once')
  t.strictSame(pollers.unheard('web/a', 2150, 5000), ['slow'], 'asked at that very moment: it has heard')
  t.strictSame(pollers.unheard('web/b', 3000, 5000), [], 'nobody asks for it')
  t.strictSame(pollers.unheard('web/a', 5000, 2149 + POLLER_SILENT_MS), ['slow', 'late', 'quick'], 'within the time')
  t.strictSame(pollers.unheard('web/a', 5000, 2150 + POLLER_SILENT_MS), ['slow', 'quick'], 'one that does not ask any more')
  t.strictSame(pollers.unheard('web/a', 1e6, 149_999), ['slow'], 'a slow one has three of its intervals')
  t.strictSame(pollers.unheard('web/a', 1e6, 150_000), [])
})

void t.test('whether anyone asks for a server', async (t) => {
  const pollers = silent()
  t.equal(pollers.asks('web/a', 0), false)
  pollers.told('web/a', '10.0.0.1', 0, UP)
  t.strictSame([pollers.asks('web/a', 0), pollers.asks('web/b', 0)], [true, false], 'from the first time on')
  t.strictSame([POLLER_SILENT_MS - 1, POLLER_SILENT_MS].map(ms => pollers.asks('web/a', ms)), [true, false], 'until it no longer does')
  pollers.told('web/a', '10.0.0.1', 50_000, UP)
  t.strictSame([199_999, 200_000].map(ms => pollers.asks('web/a', ms)), [true, false], 'longer when it is slow')
})

void t.test('addresses at the bound and one over', async (t) => {
  const pollers = silent()
  const froms = (id: string): readonly string[] => pollers.of(id).map(({ from }) => from)
  for (let i = 0; i < POLLERS_MAX; i += 1) for (const id of ['web/a', `web/${i}`]) pollers.told(id, `10.0.0.${i}`, i, UP)
  t.equal(froms('web/a').length, POLLERS_MAX, 'at the bound')
  pollers.told('web/a', '10.0.0.0', 1000, UP)
  pollers.told('web/new', '10.0.0.2', 1001, UP)
  t.equal(froms('web/a').length, POLLERS_MAX, 'one that is known makes nobody go')
  pollers.told('web/a', '10.0.1.1', 1002, UP)
  t.strictSame([froms('web/a').length, pollers.all(1002).length], [POLLERS_MAX, POLLERS_MAX], 'one over')
  t.strictSame(['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.1.1'].map(from => froms('web/a').includes(from)), [true, false, true, true],
    'the longest silent one has made room, not the first that came')
  t.strictSame(froms('web/1'), [], 'wherever it asked')
  t.notOk(pollers.all(1002).some(({ from }) => from === '10.0.0.1'))
  for (let i = 0; i < 2 * POLLERS_MAX; i += 1) pollers.told(`api/${i}`, `10.0.2.${i}`, 2000 + i, UP)
  t.strictSame([pollers.all(3000).length, froms('web/a')], [POLLERS_MAX, []], 'however many servers they ask for')
})

void t.test('addresses that were new once, at the bound and one over', async (t) => {
  const first: string[] = []
  const pollers = new Pollers(from => { first.push(from) })
  for (let i = 0; i <= POLLERS_MAX; i += 1) pollers.told(`web/${i}`, `10.0.0.${i}`, i, UP)
  t.equal(first.length, POLLERS_MAX)
  pollers.told('web/0', '10.0.0.0', 1000, UP)
  t.equal(first.length, POLLERS_MAX, 'one that made room and comes back is not new')
})

void t.test('servers that are gone are forgotten', async (t) => {
  const pollers = silent()
  for (const id of ['web/a', 'web/b']) pollers.told(id, '10.0.0.1', 1, UP)
  pollers.forget(new Set(['web/b', 'web/c']))
  t.strictSame(pollers.of('web/a'), [])
  t.equal(pollers.of('web/b').length, 1)
  t.match(pollers.all(2), [{ from: '10.0.0.1', servers: 1 }])
})
