/** Orders of operators: given, replaced, over, cleared, refused. Windows and the calendar: order-book-time.test.ts. */
import { existsSync, rmSync, symlinkSync } from 'node:fs'
import t from 'tap'
import type { OrderAction } from '../../src/core/order.ts'
import { OVERRIDES_MAX } from '../../src/runtime/order-book.ts'
import { fileOrders, type Override } from '../../src/runtime/order-store.ts'
import { BookBench, EPOCH_MS, START_MS } from './order-book-bench.ts'
import { matchLines } from './sink.ts'

void t.test('an order is on disk, then told, then in force', async (t) => {
  const b = new BookBench()
  t.equal(b.give('web/a', 'drain', 60_000), 'set')
  t.strictSame(b.steps, ['disk', 'override.set', 'orders 1'])
  t.strictSame(b.book.orders, [{ scope: 'web/a', action: 'drain', fromMs: START_MS, untilMs: START_MS + 60_000, by: 'ana', reason: 'disk' }])
  t.strictSame(b.book.overrides(), [{ scope: 'web/a', action: 'drain', fromWallMs: EPOCH_MS, untilWallMs: EPOCH_MS + 60_000, by: 'ana', reason: 'disk' }])
  t.strictSame(b.sink.take(), [{
    level: 'info', event: 'override.set', scope: 'web/a', action: 'drain', by: 'ana', reason: 'disk', until: '2026-01-01T00:01:00.000Z',
    msg: 'web/a: drain by ana until 2026-01-01T00:01:00.000Z: disk'
  }])
  b.give('*/*', { weightPercent: 25 }, Infinity, { rampFromPercent: 100, rampMs: 600_000 })
  t.strictSame(b.book.orders[1], {
    scope: '*/*', action: { weightPercent: 25 }, fromMs: START_MS, by: 'ana', reason: 'disk', ramp: { fromPercent: 100, overMs: 600_000 }
  }, 'without an end, and one that walks there')
  t.strictSame(b.sink.take(), [{ level: 'info', event: 'override.set', scope: '*/*', action: 'weight 25%', by: 'ana', reason: 'disk', msg: '*/*: weight 25% by ana: disk' }])
})

void t.test('one for a scope: the newest replaces, and comes last', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', 1000)
  b.give('web/b', 'maint')
  b.after(500).give('web/a', 'up')
  t.strictSame(b.told, ['web/b maint -500..Infinity', 'web/a up 0..Infinity'], 'with nothing of the old one')
  t.strictSame(b.book.set([b.override('web/b', 'down'), b.override('web/c', 'drain'), b.override('web/b', 'drain')]), 'set', 'several at once')
  t.strictSame(b.told, ['web/a up 0..Infinity', 'web/c drain 0..Infinity', 'web/b drain 0..Infinity'], 'the later of two for one scope')
  t.strictSame(b.sink.told().map(line => line.split(' by')[0]), [
    'info override.set: web/a: drain', 'info override.set: web/b: maint', 'info override.set: web/a: up',
    'info override.set: web/c: drain', 'info override.set: web/b: drain'
  ], 'and what never was is not told')
  t.equal(b.book.set([]), 'set', 'nothing at all')
  t.equal(b.steps.filter(step => step === 'disk').length, 4, 'costs nothing')
})

void t.test('what counts for a server is the narrowest, until it is over', async (t) => {
  const b = new BookBench()
  b.give('*/*', 'down', 4000)
  b.give('web/*', 'maint', 3000)
  b.give('web/a', 'up', 2000)
  const all = (): readonly string[] => b.effect('web/a', 'web/b', 'api/a')
  t.strictSame(all(), ['up', 'maint', 'down'])
  t.strictSame(b.after(1999).effect('web/a'), ['up'], '1 ms before its end')
  b.after(1)
  t.strictSame(all(), ['maint', 'maint', 'down'], 'at its end')
  t.strictSame(b.after(1000) && all(), ['down', 'down', 'down'])
  t.strictSame(b.after(1000) && all(), ['', '', ''])
  t.strictSame([b.book.orders, b.book.overrides(), b.disk.text], [[], [], '[]'], 'nothing is kept of them')
})

void t.test('an order is over by comparison, and told by the next look', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', 1000)
  b.give('web/b', 'drain', 1000, { by: 'bob', reason: 'fan' })
  b.give('web/c')
  b.sink.take()
  b.steps.length = 0
  t.strictSame(b.after(999).steps, [], 'a look that finds nothing does nothing')
  b.after(1)
  t.strictSame(b.steps, ['override.expired', 'override.expired', 'orders 1', 'disk'])
  t.strictSame(b.sink.take(), [
    { level: 'info', event: 'override.expired', scope: 'web/a', action: 'drain', by: 'ana', reason: 'disk', msg: 'web/a: drain by ana is over: disk' },
    { level: 'info', event: 'override.expired', scope: 'web/b', action: 'drain', by: 'bob', reason: 'fan', msg: 'web/b: drain by bob is over: fan' }
  ])
  t.strictSame([b.after(60_000).steps.length, b.told.length], [4, 1], 'once')
})

void t.test('an order that is over when the next one comes is not what that one replaces', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', 1000)
  const later = b.override('web/a', 'maint', 9000)
  b.sink.take()
  b.after(999).setCalendar(5000) // it is over, and nobody has looked
  t.equal(b.book.set([later]), 'set')
  matchLines(t, b.sink.take(), [{ event: 'override.expired', action: 'drain' }, { event: 'override.set', action: 'maint' }])
  b.setCalendar(60_000)
  t.equal(b.book.clear('web/a', 'bob'), undefined, 'nor what is cleared')
  matchLines(t, b.sink.take(), [{ event: 'override.expired', action: 'maint' }])
})

void t.test('clear', async (t) => {
  const b = new BookBench()
  b.give('web/*', 'maint')
  b.give('web/a', 'drain')
  b.sink.take()
  b.steps.length = 0
  t.match(b.book.clear('web/a', 'bob'), { scope: 'web/a', action: 'drain', by: 'ana' })
  t.strictSame(b.steps, ['disk', 'override.cleared', 'orders 1'])
  t.strictSame(b.sink.take(), [{
    level: 'info', event: 'override.cleared', scope: 'web/a', action: 'drain', by: 'bob', givenBy: 'ana', reason: 'disk',
    msg: 'web/a: drain by ana cleared by bob: disk'
  }])
  t.strictSame(b.effect('web/a'), ['maint'], 'the wider one holds')
  t.equal(b.book.clear('web/a', 'bob'), undefined, 'there is none')
  t.equal(b.book.clear('web/b', 'bob'), undefined, 'a wider one is another')
  t.strictSame([b.steps.length, b.sink.take()], [3, []], 'and that is no news')
})

void t.test('a restart: orders are as they were, those that are over meanwhile are told', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', 5000)
  b.give('web/b', 'maint')
  b.give('web/c', { weightPercent: 10 }, 60_000, { rampFromPercent: 100, rampMs: 20_000 })
  b.after(1000)
  b.sink.take()
  b.steps.length = 0
  b.restart(1000)
  t.strictSame(b.steps, [], 'nobody is told of what was there')
  t.strictSame(b.told, ['web/a drain -2000..3000', 'web/b maint -2000..Infinity', 'web/c weight 10% -2000..58000'])
  b.restart(3000)
  t.strictSame(b.steps, ['override.expired', 'disk'])
  t.strictSame(b.sink.told(), ['info override.expired: web/a: drain by ana is over: disk'])
  t.strictSame(b.restart().sink.take(), [], 'once')
  t.strictSame(b.told, ['web/b maint -5000..Infinity', 'web/c weight 10% -5000..55000'])
})

/** Orders in their order; what is left of them, and what is told of the last. */
const READY: ReadonlyArray<readonly [given: ReadonlyArray<readonly [string, OrderAction, number?]>, left: readonly string[], told: readonly string[], why: string]> = [
  [[['web/a', 'ready']], [], [], 'nothing to undo'],
  [[['*/*', 'ready']], [], [], 'nothing is wider than all'],
  [[['web/a', 'drain'], ['web/a', 'ready']], [], ['override.cleared by bob'], 'its own: that is a clear'],
  [[['web/*', 'drain'], ['web/a', 'ready']], ['web/* drain', 'web/a ready'], ['override.set by bob'], 'a wider one'],
  [[['*/*', 'drain'], ['web/a', 'ready']], ['*/* drain', 'web/a ready'], ['override.set by bob'], 'the widest'],
  [[['web/*', 'drain'], ['web/a', 'maint'], ['web/a', 'ready']], ['web/* drain', 'web/a ready'], ['override.set by bob'], 'its own and a wider one'],
  [[['*/*', 'drain'], ['web/*', 'ready'], ['web/a', 'ready']], ['*/* drain', 'web/* ready', 'web/a ready'], ['override.set by bob'], 'a wider ready hides it too, as long as it is there'],
  [[['*/*', 'drain'], ['web/*', 'ready', 9000]], ['*/* drain', 'web/* ready'], ['override.set by bob'], 'with an end'],
  [[['web/*', 'ready', 9000]], ['web/* ready'], ['override.set by bob'], 'with an end, it lies in wait'],
  [[['web/*', 'ready', 9000], ['web/a', 'ready']], ['web/* ready'], [], 'a ready is nothing to undo'],
  [[['web/a', 'drain'], ['web/*', 'ready']], ['web/a drain'], [], 'a narrower one is another'],
  [[['api/*', 'drain'], ['web/a', 'ready']], ['api/* drain'], [], 'another backend'],
  [[['web/*', { weightPercent: 50 }], ['web/a', 'ready']], ['web/* weight 50%', 'web/a ready'], ['override.set by bob'], 'a cap']
]

void t.test('ready is kept as long as it has something to hide', async (t) => {
  for (const [given, left, told, why] of READY) {
    const b = new BookBench()
    for (const [i, [scope, action, forMs]] of given.entries()) {
      b.sink.take()
      b.give(scope, action, forMs, { by: i === given.length - 1 ? 'bob' : 'ana' })
    }
    t.strictSame(b.told.map(line => line.replace(/ \S+$/, '')), left, why)
    t.strictSame(b.sink.take().map(({ event, by }) => `${event} by ${String(by)}`), told, `${why}: told`)
    t.strictSame(b.restart().told.map(line => line.replace(/ \S+$/, '')), left, `${why}: on disk`)
  }
})

void t.test('a ready goes with what it hides, whatever ends it', async (t) => {
  const rows: ReadonlyArray<readonly [string, (b: BookBench) => void, event: string]> = [
    ['cleared', b => { b.book.clear('web/*', 'ana') }, 'override.cleared'],
    ['over', b => { b.after(5000) }, 'override.expired'],
    ['over while we were away', b => { b.restart(5000) }, 'override.expired'],
    ['replaced by a ready', b => { b.give('web/*', 'ready', 1000) }, 'override.set']
  ]
  for (const [why, end, event] of rows) {
    const b = new BookBench()
    b.book.set([b.override('web/a', 'ready'), b.override('web/*', 'drain', 5000)])
    t.strictSame(b.effect('web/a', 'web/b'), ['', 'drain'], why)
    b.sink.take()
    end(b)
    matchLines(t, b.sink.take(), [{ event }, { event: 'override.cleared', scope: 'web/a', by: 'hcf', givenBy: 'ana', msg: 'web/a: ready by ana cleared by hcf, there is nothing left for it to hide: disk' }], why)
    t.notOk(b.book.overrides().some(({ scope }) => scope === 'web/a'), why)
    t.notOk(b.disk.text.includes('web/a'), `${why}: on disk`)
  }
})

void t.test(`${OVERRIDES_MAX} orders, and one more`, async (t) => {
  const b = new BookBench()
  const many = Array.from({ length: OVERRIDES_MAX }, (_, i) => b.override(`web/s${i}`, 'drain', 1000))
  t.match(b.book.set([...many, b.override('web/more')]), { why: 'full', detail: /^10000 orders are kept already: clear some of them first/ })
  t.strictSame([b.book.orders, b.steps], [[], []], 'none of them')
  t.equal(b.book.set(many), 'set', 'at the bound')
  t.match(b.give('web/more'), { why: 'full' }, 'one over')
  t.equal(b.give('web/s0', 'maint'), 'set', 'one that replaces another')
  t.equal(b.give('web/more', 'ready'), 'set', 'one that is not kept')
  t.equal(b.book.overrides().length, OVERRIDES_MAX)
  b.book.clear('web/s1', 'ana')
  t.equal(b.give('web/more'), 'set', 'in the place of another')
  b.setCalendar(1000)
  t.equal(b.give('web/again'), 'set', 'what is over takes no place')
  t.strictSame(b.book.overrides().map(({ scope }) => scope), ['web/s0', 'web/more', 'web/again'])
})

void t.test('a disk that refuses: the order is refused, and the old ones hold', { skip: existsSync('/dev/full') ? false : 'no /dev/full' }, async (t) => {
  const store = fileOrders(t.testdir())
  const b = new BookBench({ store })
  b.give('web/a', 'drain')
  const before = [b.book.orders, b.book.overrides()]
  b.sink.take()
  b.steps.length = 0
  symlinkSync('/dev/full', `${store.path}.new`)
  const refused = { why: 'disk', detail: `${store.path} cannot be written (ENOSPC), so it would not outlive a restart and is not done: make room or mend the permissions, then try again` }
  t.strictSame(b.give('web/a', 'up'), refused)
  t.strictSame(b.book.set([b.override('web/b'), b.override('web/c')]), refused)
  t.strictSame(b.book.clear('web/a', 'bob'), refused)
  t.strictSame([b.book.orders, b.book.overrides()], before)
  t.strictSame([b.effect('web/a', 'web/b'), b.steps, b.sink.take()], [['drain', ''], [], []])
  t.strictSame(b.restart().effect('web/a', 'web/b'), ['drain', ''], 'nor after a restart')
  rmSync(`${store.path}.new`)
  t.match(b.book.clear('web/a', 'bob'), { scope: 'web/a' }, 'and when there is room again')
  t.strictSame(b.restart().effect('web/a'), [''])
})

void t.test('a disk that refuses what is over is said once, and tried again at each look', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', 1000)
  b.give('web/b', 'drain', 3000)
  b.sink.take()
  b.disk.isFull = true
  b.after(1000)
  matchLines(t, b.sink.take(), [
    { event: 'override.expired', scope: 'web/a' },
    { level: 'error', event: 'state.write_failed', file: 'orders.json', why: 'ENOSPC', msg: 'cannot write that orders are over: tried again until the disk takes it' }
  ])
  t.strictSame(b.effect('web/a'), [''], 'over is over')
  const { tries } = b.disk
  b.after(1000).after(500).after(500)
  t.strictSame([b.disk.tries - tries, b.sink.told()], [3, ['info override.expired: web/b: drain by ana is over: disk']])
  t.ok(b.disk.text.includes('web/a'))
  b.disk.isFull = false
  b.after(1000)
  t.equal(b.disk.text, '[]', 'until it is there')
  b.after(1000)
  t.equal(b.disk.tries - tries, 4, 'and then no more')
  b.give('web/a', 'drain', 1000)
  b.disk.isFull = true
  b.sink.take()
  matchLines(t, b.after(1000).sink.take(), [{ event: 'override.expired' }, { event: 'state.write_failed' }], 'the next time is said again')
})

void t.test('a file that was not understood', async (t) => {
  const kept = new BookBench().override('web/a')
  const rows: ReadonlyArray<readonly [lost: number | undefined, text: string]> = [
    [undefined, 'a state file was not understood: the orders given before are not in force; give again what is still wanted'],
    [1, 'a state file was not understood: 1 order given before is not in force; give again what is still wanted'],
    [2, 'a state file was not understood: 2 orders given before are not in force; give again what is still wanted']
  ]
  for (const [lost, msg] of rows) {
    const b = new BookBench()
    b.disk.text = JSON.stringify([kept])
    b.disk.problem = { to: 'orders.json.bad-1', why: 'is torn', ...lost === undefined ? {} : { lost } }
    b.restart()
    t.strictSame(b.sink.take(), [{ level: 'warn', event: 'state.set_aside', file: 'orders.json', to: 'orders.json.bad-1', why: 'is torn', msg }])
    t.strictSame(b.effect('web/a'), ['drain'], 'what was understood is in force')
    t.strictSame(b.steps, ['state.set_aside'], 'and the file is left as it is')
  }
})

void t.test('a cap in a reason goes nowhere', async (t) => {
  const b = new BookBench()
  b.give('web/a', 'drain', 1000, { reason: 'cannot read URI:CHK:aaaabbbb:cccc:3:10:99', by: 'URI:CHK:aaaabbbb:cccc:3:10:99' })
  const { book, disk } = b
  for (const [place, text] of [['disk', disk.text], ['orders', JSON.stringify(book.orders)], ['overrides', JSON.stringify(book.overrides())]] as const) {
    t.notMatch(text, /aaaabbbb/, place)
    t.match(text, /"by":"URI:\[redacted\]","reason":"cannot read URI:\[redacted\]"/, place)
  }
})

void t.test('what would not be read back is a bug of who gives it', async (t) => {
  const b = new BookBench()
  for (const wrong of [{ action: { weightPercent: Number.NaN } }, { scope: 'web' }, { untilWallMs: Infinity }, { rampMs: 5 }] as ReadonlyArray<Partial<Override>>) {
    t.throws(() => b.book.set([b.override('web/b'), { ...b.override('web/a'), ...wrong }]), TypeError, JSON.stringify(wrong))
  }
  t.strictSame([b.steps, b.book.orders], [[], []], 'and nothing has changed')
})
