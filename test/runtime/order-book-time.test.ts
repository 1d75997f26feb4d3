/** Maintenance windows as orders, and a calendar that somebody sets. */
import t from 'tap'
import type { Window } from '../../src/core/window.ts'
import { CLOCK_SET_MS } from '../../src/runtime/order-book.ts'
import { BookBench, windowOf } from './order-book-bench.ts'
import { matchLines } from './sink.ts'

const HOUR_MS = 3_600_000

void t.test('a window is an order that comes by itself, again and again', async (t) => {
  const b = new BookBench({ windows: [windowOf('web/*', 2000, 1000, 10_000)] })
  t.strictSame(b.told, ['web/* drain 2000..3000'], 'before it begins, so that one can see it come')
  t.strictSame(b.book.orders.map(({ by, reason }) => [by, reason]), [['maintenance', 'patches']])
  t.strictSame([b.after(1999).effect('web/a'), b.steps], [[''], []])
  t.strictSame(b.after(1).effect('web/a'), ['drain by maintenance'])
  t.strictSame(b.sink.take(), [{
    level: 'info', event: 'window.begin', scope: 'web/*', action: 'drain', reason: 'patches', until: '2026-01-01T00:00:03.000Z',
    msg: 'web/*: maintenance (at 2000) begins: drain until 2026-01-01T00:00:03.000Z: patches'
  }])
  t.strictSame(b.after(999).effect('web/a'), ['drain by maintenance'])
  b.steps.length = 0
  t.strictSame(b.after(1).effect('web/a'), [''])
  t.strictSame(b.steps, ['window.end', 'orders 1'], 'nothing of it is on disk')
  t.strictSame(b.sink.take(), [{
    level: 'info', event: 'window.end', scope: 'web/*', action: 'drain', reason: 'patches', until: '2026-01-01T00:00:03.000Z',
    msg: 'web/*: maintenance (at 2000) is over: drain: patches'
  }])
  t.strictSame(b.told, ['web/* drain 9000..10000'], 'and the next')
  matchLines(t, b.after(9000).sink.take(), [{ event: 'window.begin', until: '2026-01-01T00:00:13.000Z' }])
})

void t.test('an override of the same scope wins over a window, a wider one does not', async (t) => {
  const b = new BookBench({ windows: [windowOf('web/a', 0, HOUR_MS), windowOf('web/*', 0, HOUR_MS, Infinity, 'maint')] })
  t.strictSame(b.effect('web/a', 'web/b'), ['drain by maintenance', 'maint by maintenance'])
  b.give('*/*', 'down')
  t.strictSame(b.effect('web/a', 'web/b', 'api/a'), ['drain by maintenance', 'maint by maintenance', 'down'])
  b.give('web/a', 'up')
  t.strictSame(b.told.map(line => line.split(' ', 2).join(' ')), ['web/a drain', 'web/* maint', '*/* down', 'web/a up'], 'windows first')
  t.strictSame(b.effect('web/a', 'web/b'), ['up', 'maint by maintenance'])
  b.book.clear('web/a', 'ana')
  t.strictSame(b.effect('web/a'), ['drain by maintenance'])
})

void t.test('ready ends a window for this time, and does not lie in wait for the next', async (t) => {
  const windows = [windowOf('web/a', 1000, 1000, 10_000), windowOf('web/*', 1500, 1000, 10_000)]
  const b = new BookBench({ windows })
  b.give('web/a', 'ready')
  t.strictSame([b.book.overrides(), b.after(1000).effect('web/a')], [[], ['drain by maintenance']], 'given before it begins: nothing to undo')
  b.give('web/a', 'ready')
  t.strictSame([b.effect('web/a'), b.after(600).effect('web/a', 'web/b')], [[''], ['', 'drain by maintenance']])
  b.sink.take()
  t.strictSame(b.after(500).effect('web/a'), [''], 'its own is over, that of its backend is not')
  matchLines(t, b.sink.take(), [{ event: 'window.end', scope: 'web/a' }])
  b.after(400)
  matchLines(t, b.sink.take(), [{ event: 'window.end', scope: 'web/*' }, { event: 'override.cleared', scope: 'web/a', by: 'hcf', action: 'ready' }])
  t.strictSame([b.book.overrides(), b.disk.text], [[], '[]'])
  t.strictSame(b.after(8500).effect('web/a'), ['drain by maintenance'], 'the next')
})

void t.test('a new config', async (t) => {
  const one = windowOf('web/a', 0, HOUR_MS)
  const b = new BookBench({ windows: [one] })
  matchLines(t, b.sink.take(), [{ event: 'window.begin', scope: 'web/a' }], 'one that is on at the start begins now')
  b.give('web/b', 'drain')
  b.sink.take()
  b.steps.length = 0
  b.book.setWindows([{ ...one }])
  t.strictSame([b.steps, b.sink.take()], [['orders 2'], []], 'the same goes on')
  b.book.setWindows([{ ...one, action: 'maint' }])
  matchLines(t, b.sink.take(), [{ event: 'window.end', action: 'drain' }, { event: 'window.begin', action: 'maint' }], 'another of the same name')
  t.strictSame(b.effect('web/a', 'web/b'), ['maint by maintenance', 'drain'])
  b.give('web/a', 'ready')
  b.sink.take()
  b.book.setWindows([])
  t.strictSame([b.effect('web/a', 'web/b'), b.told.length], [['', 'drain'], 1])
  matchLines(t, b.sink.take(), [{ event: 'window.end', action: 'maint' }, { event: 'override.cleared', scope: 'web/a', by: 'hcf' }])
  t.notOk(b.disk.text.includes('web/a'), 'also on disk')
  b.book.setWindows([windowOf('web/a', -10, 1)])
  t.strictSame([b.book.windowsNow().length, b.told.length], [0, 1], 'one that never comes')
})

void t.test('windows that are on or come', async (t) => {
  const [now, later] = [windowOf('web/a', 0, 1000, 5000), windowOf('web/b', 2000, 500)]
  const b = new BookBench({ windows: [now, later] })
  const shown = (): readonly unknown[] => b.book.windowsNow().map(({ window, fromWallMs, untilWallMs }) => [window, fromWallMs - b.wallMs, untilWallMs - b.wallMs])
  t.strictSame(shown(), [[now, 0, 1000], [later, 2000, 2500]])
  b.after(1000)
  t.strictSame(shown(), [[now, 4000, 5000], [later, 1000, 1500]])
  b.after(2000)
  t.strictSame(shown(), [[now, 2000, 3000]], 'one that comes no more')
  t.strictSame(b.after(3600).sink.take().map(({ event, scope }) => `${event} ${String(scope)}`),
    ['window.begin web/a', 'window.end web/a'], 'what came and went unseen is not told')
})

/** The calendar is set by so much, when an order of an hour is half an hour old and a window of an hour begins in half an hour. */
const SET: ReadonlyArray<readonly [byMs: number, order: string, window: string, events: readonly string[], why: string]> = [
  [0, 'web/a drain -1800000..1800000', 'web/* drain 1800000..5400000', [], 'not at all'],
  [CLOCK_SET_MS, 'web/a drain -1800000..1800000', 'web/* drain 1800000..5400000', [], 'as far as a clock may drift'],
  [-CLOCK_SET_MS, 'web/a drain -1800000..1800000', 'web/* drain 1800000..5400000', [], 'the same, back'],
  [CLOCK_SET_MS + 1, 'web/a drain -1800000..1799499', 'web/* drain 1799499..5399499', [], 'a little more'],
  [-CLOCK_SET_MS - 1, 'web/a drain -1800000..1800501', 'web/* drain 1800501..5400501', [], 'the same, back'],
  [-2 * HOUR_MS, 'web/a drain -1800000..9000000', 'web/* drain 9000000..12600000', [], 'to before it was given: it holds, and until the time it was given for'],
  [HOUR_MS / 2, '', 'web/* drain 0..3600000', ['override.expired', 'window.begin'], 'to its end'],
  [2 * HOUR_MS, '', 'web/* drain 30600000..34200000', ['override.expired'], 'over the window']
]

void t.test('a calendar that is set', async (t) => {
  for (const [byMs, order, window, events, why] of SET) {
    const b = new BookBench({ windows: [windowOf('web/*', HOUR_MS, HOUR_MS, 10 * HOUR_MS)] })
    b.give('web/a', 'drain', HOUR_MS)
    b.after(HOUR_MS / 2).sink.take()
    b.setCalendar(byMs).after(0)
    t.strictSame(b.told, [window, order].filter(line => line !== ''), why)
    t.strictSame(b.sink.take().map(({ event }) => event), events, why)
  }
})

void t.test('a calendar that is set back to before a window: it comes again', async (t) => {
  const b = new BookBench({ windows: [windowOf('web/*', HOUR_MS, HOUR_MS, 10 * HOUR_MS)] })
  b.after(HOUR_MS).after(1.5 * HOUR_MS)
  t.strictSame(b.told, ['web/* drain 30600000..34200000'])
  t.strictSame(b.setCalendar(-2 * HOUR_MS).after(0).told, ['web/* drain 1800000..5400000'])
  b.sink.take()
  t.strictSame(b.after(HOUR_MS / 2).sink.take().map(({ event }) => event), ['window.begin'])
})

void t.test('a window that is over ends once, though the calendar is a little behind', async (t) => {
  const b = new BookBench({ windows: [windowOf('web/*', 2000, 1000, 10_000)] })
  const events = (ms: number): readonly string[] => b.after(ms).sink.take().map(({ event }) => event)
  t.strictSame(events(2500), ['window.begin'])
  b.setCalendar(-300)
  t.strictSame([events(500), b.effect('web/a')], [['window.end'], ['']], 'as the core sees it')
  t.strictSame([events(299), events(1), events(1000)], [[], [], []])
  t.strictSame(b.told, ['web/* drain 7700..8700'])
})

void t.test('a calendar that drifts is followed', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', HOUR_MS)
  for (let i = 0; i < 10; i += 1) b.setCalendar(300).after(0)
  const [left = ''] = b.told
  t.match(left, /^web\/a drain 0\.\.359\d{4}$/)
  t.ok(Math.abs(Number(left.split('..')[1]) - (HOUR_MS - 3000)) <= CLOCK_SET_MS, left)
})

void t.test('what is over does not come back with a calendar that is set back', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', 1000)
  b.give('web/b', 'drain', 2000)
  b.after(1000).setCalendar(-HOUR_MS).after(500)
  t.strictSame(b.effect('web/a', 'web/b'), ['', 'drain'], 'seen to be over')
  const c = new BookBench()
  c.give('web/a', 'drain', 1000)
  c.unseen(1500).setCalendar(-HOUR_MS)
  t.strictSame(c.after(0).effect('web/a'), [''], 'over by comparison, when nobody looked')
})

void t.test('a ramp does not begin anew', async (t) => {
  const b = new BookBench()
  b.give('web/a', { weightPercent: 20 }, Infinity, { rampFromPercent: 100, rampMs: 10_000 })
  t.strictSame(b.after(5000).effect('web/a'), ['weight 60%'])
  t.strictSame(b.setCalendar(-HOUR_MS).after(0).effect('web/a'), ['weight 60%'], 'when the calendar is set back')
  t.strictSame(b.setCalendar(9 * HOUR_MS).after(0).effect('web/a'), ['weight 60%'], 'nor is it there at once when it is set on')
  t.strictSame(b.after(5000).effect('web/a'), ['weight 20%'])
})

void t.test('a calendar that was set back while we were away suspends no order', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', HOUR_MS)
  b.restart(-2 * HOUR_MS)
  t.strictSame([b.effect('web/a'), b.told], [['drain'], ['web/a drain 0..10800000']])
})

void t.test('windows of one name', async (t) => {
  const twice: readonly Window[] = [windowOf('web/a', 0, 1000, 5000), windowOf('web/a', 500, 1000, 5000, 'maint')]
  const b = new BookBench({ windows: twice })
  t.strictSame([b.effect('web/a'), b.after(500).effect('web/a'), b.after(500).effect('web/a')],
    [['drain by maintenance'], ['maint by maintenance'], ['maint by maintenance']], 'the later in the list, as long as it is on')
  t.strictSame(b.sink.take().map(({ event, action }) => `${event} ${String(action)}`), ['window.begin drain', 'window.begin maint', 'window.end drain'])
})
