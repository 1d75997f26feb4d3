/** What the agent knows, in the words of the admin port. */
import t from 'tap'
import { adminDeps, type Agent } from '../../src/app/admin-deps.ts'
import { givenOf, overrideViews, serverOf, statusOf, type Known } from '../../src/app/views.ts'
import type { Window } from '../../src/core/window.ts'
import { EventFeed } from '../../src/runtime/feed.ts'
import { noJournal } from '../../src/runtime/journal.ts'
import { desk, HOUR_MS, request, rules, type Desk } from '../runtime/desk.ts'
import { plain } from '../runtime/monitor-bench.ts'

const window: Window = { scope: 'web/*', at: '03:00', cron: '0 3 * * *', forMs: HOUR_MS, action: 'drain', reason: 'backup' }
const knownOf = ({ bench: { clock, monitor, pollers }, book }: Desk): Known => ({ clock, monitor, pollers, book })
const told = (known: Known): readonly string[] => overrideViews(known).map(({ scope, action, kind, status }) => `${scope} ${action} ${kind} ${status}`)

void t.test('orders and windows, by scope: who has its way', async t => {
  const at = await desk(undefined, { windows: [window] })
  const known = knownOf(at)
  t.strictSame(told(known), ['web/* drain window counts'])
  at.operator.give(request({ scopes: ['web/a'], action: 'up' }))
  t.strictSame(told(known), ['web/* drain window counts', 'web/a up override counts'], 'for the others it counts')
  at.operator.give(request({ scopes: ['web/*'], action: 'maint', force: true }))
  t.strictSame(told(known), ['web/* maint override counts', 'web/* drain window hidden', 'web/a up override counts'], 'one of the same scope hides it')
  t.strictSame(serverOf(known, 'web/b')?.overrides.map(({ kind, status }) => `${kind} ${status}`), ['override counts', 'window hidden'])
  t.strictSame(givenOf(known, ['web/*'], []).overrides.map(({ action, kind }) => `${action} ${kind}`), ['maint override'], 'what was given is no window')
})

void t.test('times', async t => {
  const at = await desk()
  const { clock } = at.bench
  await clock.advance(0.7)
  const untilWallMs = clock.wall() + 60_000
  at.operator.give(request({ untilWallMs }))
  const moments = { from: new Date(untilWallMs - 60_000).toISOString(), until: new Date(untilWallMs).toISOString() }
  t.match(overrideViews(knownOf(at)), [moments], 'as they were given')
  await clock.advance(59_000)
  t.match(overrideViews(knownOf(at)), [{ ...moments, endsInMs: 999 }])
  await clock.advance(1000)
  t.strictSame(overrideViews(knownOf(at)), [], 'what is over is not shown, though nothing has swept it yet')
})

void t.test('a cap that walks', async t => {
  const at = await desk([plain('abc', rules)])
  at.operator.give(request({ action: { weightPercent: 20 }, rampMs: 80_000 }))
  await at.bench.clock.advance(40_000)
  t.match(overrideViews(knownOf(at)), [{ action: 'weight', weightPercent: 20, nowPercent: 60, rampMs: 80_000 }])
})

void t.test('who has heard it', async t => {
  const at = await desk()
  const { bench } = at
  for (const from of ['h1', 'h2']) {
    for (let i = 0; i < 3; i += 1) {
      bench.ask('a', from)
      await bench.clock.advance(1000)
    }
  }
  at.operator.give(request())
  bench.ask('a', 'h2')
  t.match(serverOf(knownOf(at), 'web/a')?.pollers.toSorted((a, b) => a.from < b.from ? -1 : 1), [
    { from: 'h1', told: 'up 100%', heard: false }, { from: 'h2', told: 'drain up #drain by ana: kernel', heard: true }
  ])
})

void t.test('a cap that changed has not been heard either', async t => {
  const at = await desk([plain('abc', rules)])
  at.operator.give(request({ action: { weightPercent: 50 } }))
  for (let i = 0; i < 2; i += 1) {
    at.bench.ask('a')
    await at.bench.clock.advance(1000)
  }
  const heard = (): unknown => serverOf(knownOf(at), 'web/a')?.pollers.map(poller => poller.heard)
  t.strictSame(heard(), [true])
  at.operator.give(request({ action: { weightPercent: 20 } }))
  t.strictSame(heard(), [false])
})

const agentOf = (at: Desk, feed: EventFeed): Agent => ({
  ...knownOf(at), clock: at.bench.clock, version: '1', startedMs: 0, feed, operator: at.operator, journal: () => noJournal, tokens: () => undefined,
  sockets: () => [], isStopping: () => false, reload: async () => ({ ok: false, problems: [] })
})

void t.test('who is waited for, and what happened lately', async t => {
  const at = await desk()
  const { clock } = at.bench
  const feed = new EventFeed({ clock })
  const deps = adminDeps(agentOf(at, feed))
  for (let i = 0; i < 3; i += 1) {
    at.bench.ask('a')
    await clock.advance(1000)
  }
  t.strictSame(await deps.traffic('web/a'), { haproxys: [], waiting: [], heard: 1 }, 'nothing has changed')
  at.operator.give(request())
  t.strictSame(await deps.traffic('web/a'), { haproxys: [], waiting: ['h1'], heard: 0 })
  at.bench.ask('a')
  t.strictSame(await deps.traffic('web/a'), { haproxys: [], waiting: [], heard: 1 })

  const add = (msg: string): unknown => feed.add('override.set', 'info', { scope: 'web/a' }, msg)
  add('old')
  await clock.advance(10_000)
  add('new')
  const list = (query: Parameters<typeof deps.events.list>[0]): readonly string[] => deps.events.list(query).map(({ msg }) => msg)
  t.strictSame(list({}), ['old', 'new'])
  t.strictSame(list({ sinceMs: 10_000 }), ['old', 'new'])
  t.strictSame(list({ sinceMs: 9999 }), ['new'])
  t.strictSame(list({ since: new Date(clock.wall()).toISOString() }), ['new'])
  t.strictSame(list({ limit: 1 }), ['new'])
  t.strictSame(list({ backend: 'app' }), [])
  t.match(statusOf(knownOf(at), { version: '1', uptimeMs: 5, journal: { on: false, dropped: 0 } }), { version: '1', backends: [{ backend: 'web', inService: 2, outByOrder: ['a'] }, { backend: 'app' }] })
})
