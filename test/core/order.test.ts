/** The operator's word. In the drawings: what comes of it, as long as it is in force. How to read them: drawings.ts. */
import t from 'tap'
import { byScope, capOf, nextOrderMs, NO_ORDERS, orderFor, ordersOn, settles, showAction, showOrder, type Order } from '../../src/core/order.ts'
import { BARE, only, order, server, tell, web, without } from './drawings.ts'

void t.test('up, down, drain, maint, no weight, and back to what the polls say', async (t) => {
  tell(t, 'of a server that is fine', web('ab', BARE), `
    web/a  .uudDm0.
    a      ++++++++  uuudDm0u
    b      ++++++++  uuuuuuuu`)
  tell(t, 'of one that is not', web('ab', BARE), `
    web/a  ...uudDm0.
    a      +xxxxxxxxx  uuuuudDm0d
    b      ++++++++++  uuuuuuuuuu`)
  tell(t, 'polling goes on: it is as it is when the order ends', web('ab', only('hold')), `
    web/a  ..mmmmmmm..
    a      ++xxxx+++++  uummmmmmmuu
    b      +++++++++++  uuuuuuuuuuu`)
  tell(t, 'of one of which nothing is known', web('a', BARE), `
    web/a  .uudDm0.
    a      ........  .uudDm0.`)
})

void t.test('a weight only caps', async (t) => {
  tell(t, 'one that is fine', web('ab', without('ramp')), `
    web/a  .33.
    a      ++++  u33u
    b      ++++  uuuu`)
  tell(t, 'never raises: it sheds more by itself', web('ab', only('weight')), `
    web/a  .....33333333..
    a      +11111111111111  u88663333332222
    b      +++++++++++++++  uuuuuuuuuuuuuuu`)
  tell(t, 'never brings anybody in', web('ab', BARE), `
    web/a  ...33
    a      +xxxx  uuudd
    b      +++++  uuuuu`)
  tell(t, 'with static weights there is nothing to cap, but nothing is nothing', web('ab', BARE), `
    web/a  .330.
    a      +++++  uuu0u
    b      +++++  uuuuu`)
})

void t.test('the narrowest scope wins', async (t) => {
  tell(t, 'server, backend, all', web('ab', BARE), `
    web/a  ...uu...
    web/*  ..mmmm..
    */*    .dddddd.
    a      ++++++++  udmuumdu
    b      ++++++++  udmmmmdu`)
})

void t.test('which order counts', async (t) => {
  const all = order('*/*', 'down')
  const backend = order('web/*', 'drain')
  const own = order('web/a', 'up')
  const rows: ReadonlyArray<readonly [readonly Order[], Order | undefined, string]> = [
    [[], undefined, 'none'],
    [[all], all, 'for all'],
    [[all, backend], backend, 'for the backend'],
    [[own, backend, all], own, 'for the server'],
    [[order('web/b', 'up'), order('api/*', 'up'), order('api/a', 'up')], undefined, 'for others'],
    [[{ ...own, fromMs: 101 }, backend], backend, 'one that has not begun'],
    [[{ ...own, fromMs: 100 }, backend], { ...own, fromMs: 100 }, 'one that begins'],
    [[{ ...own, untilMs: 100 }, backend], backend, 'one that is over'],
    [[{ ...own, untilMs: 101 }, backend], { ...own, untilMs: 101 }, 'one that is not'],
    [[{ ...own, untilMs: 100 }, { ...backend, untilMs: 50 }, all], all, 'two that are over'],
    [[own, order('web/a', 'maint')], order('web/a', 'maint'), 'the newest of one scope']
  ]
  for (const [orders, wanted, why] of rows) t.strictSame(orderFor(byScope(orders), { backend: 'web', name: 'a' }, 100), wanted, why)
  t.equal(orderFor(NO_ORDERS, server('a'), 100), undefined)
})

void t.test('what it decides by itself', async (t) => {
  for (const action of ['up', 'down', 'drain', 'maint', { weightPercent: 0 }] as const) {
    t.equal(settles({ action }), true, showAction(action))
  }
  t.equal(settles({ action: { weightPercent: 1 } }), false, 'a cap decides nothing')
  t.equal(showAction({ weightPercent: 30 }), 'weight 30%')
  t.equal(showAction('maint'), 'maint')
  t.equal(showOrder(order('web/a', { weightPercent: 30 })), 'weight 30% by al: disk')
  t.equal(showOrder(order('web/*', 'maint')), 'maint of web/* by al: disk')
  t.equal(showOrder({ ...order('web/a', 'up'), by: '日本', reason: 'ディスク' }), 'up by an operator', 'of letters that HAProxy does not show')
  t.equal(showOrder({ ...order('*/*', 'up'), by: 'x'.repeat(41), reason: 'a\n"b"' }), `up of */* by ${'x'.repeat(37)}...: a 'b'`, 'fit to show')
})

void t.test('when an order begins or ends next', async (t) => {
  const next = (...orders: ReadonlyArray<readonly [fromMs: number, untilMs?: number]>): number =>
    nextOrderMs(byScope(orders.map(([fromMs, untilMs], i) => order(`web/${i}`, 'up', fromMs, untilMs))), 100)
  const rows: ReadonlyArray<readonly [number, number, string]> = [
    [next(), Infinity, 'none'],
    [next([0]), Infinity, 'one without an end'],
    [next([0, 200]), 200, 'an end'],
    [next([150, 200]), 150, 'a beginning'],
    [next([0, 300], [0, 200], [250]), 200, 'the first of them'],
    [next([0, 100], [100]), Infinity, 'what is now is past'],
    [next([0, 101], [102]), 101, 'what is next is not']
  ]
  for (const [ms, wanted, why] of rows) t.equal(ms, wanted, why)
})

void t.test('ready: as if nobody had ordered anything', async (t) => {
  tell(t, 'it hides what is wider, and nothing else', web('ab', BARE), `
    web/a  ..rrrr...
    web/*  .mmmm....
    */*    ...DDDD..
    a      ++++++++++  umuuuuDuuu
    b      ++++++++++  ummmmDDuuu`)
  tell(t, 'the polls decide', web('ab', BARE), `
    web/a  ....rr
    web/*  mmmmmm
    a      +xxxxx  mmmmdd
    b      ++++++  mmmmmm`)
  t.equal(orderFor(byScope([order('web/*', 'drain'), order('web/a', 'ready')]), { backend: 'web', name: 'a' }, 0), undefined)
  t.equal(showAction('ready'), 'ready')
})

void t.test('of two for one scope the later in the list counts, as long as it is in force', async (t) => {
  const window = order('web/a', 'maint', 0, 200)
  const own = order('web/a', 'up', 50, 100)
  const orders = byScope([window, own])
  const rows: ReadonlyArray<readonly [number, string | undefined]> = [[0, 'maint'], [50, 'up'], [99, 'up'], [100, 'maint'], [199, 'maint'], [200, undefined]]
  for (const [ms, action] of rows) t.equal(orderFor(orders, server('a'), ms)?.action, action, `at ${ms}`)
})

void t.test('a weight walks there in steps, and back before its end', async (t) => {
  const walk = (fromPercent: number, weightPercent: number, untilMs?: number): Order =>
    ({ ...order('web/a', { weightPercent }, 1000, untilMs), ramp: { fromPercent, overMs: 1000 } })
  const capsOf = (given: Order, ...times: readonly number[]): readonly unknown[] =>
    times.map(ms => (orderFor(byScope([given]), server('a'), ms)?.action as { weightPercent: number } | undefined)?.weightPercent)
  const rows: ReadonlyArray<readonly [Order, readonly number[], readonly unknown[], string]> = [
    [walk(100, 25), [999, 1000, 1066, 1067, 1500, 1999, 2000, 9999], [undefined, 100, 100, 95, 65, 30, 25, 25], 'down'],
    [walk(25, 100), [1000, 1500, 1999, 2000], [25, 60, 95, 100], 'up'],
    [walk(25, 30), [1000, 1999, 2000], [25, 25, 30], 'one step'],
    [walk(50, 48), [1000, 1999, 2000], [50, 50, 48], 'less than a step'],
    [walk(50, 50), [1000, 1500, 2000], [50, 50, 50], 'nowhere'],
    [walk(100, 0, 9000), [1000, 1999, 2000, 7999, 8049, 8050, 8999, 9000], [100, 5, 0, 0, 0, 5, 95, undefined], 'to nothing, and back'],
    [walk(100, 25, 3000), [1500, 2000, 2500, 2999, 3000], [65, 25, 60, 95, undefined], 'there and back without a stay']
  ]
  for (const [given, times, wanted, why] of rows) t.strictSame(capsOf(given, ...times), wanted, why)

  const next = (given: Order, nowMs: number): number => Math.round(nextOrderMs(byScope([given]), nowMs))
  t.strictSame([500, 1000, 1070, 1950].map(ms => next(walk(100, 25), ms)), [1000, 1067, 1133, 2000], 'when it moves next')
  t.equal(next(walk(100, 25), 2000), Infinity, 'there')
  t.strictSame([walk(50, 50), walk(50, 48)].map(each => next(each, 1000)), [2000, 2000], 'with less than a step to go')
  t.strictSame([2000, 8000, 8960].map(ms => next(walk(100, 0, 9000), ms)), [8000, 8050, 9000], 'on the way back')
})

void t.test('a walk to 0% takes the server out when it is there, and not before', async (t) => {
  const given = { ...order('web/a', { weightPercent: 0 }, 0), ramp: { fromPercent: 100, overMs: 1000 } }
  const at = (ms: number): unknown => orderFor(byScope([given]), server('a'), ms)
  t.equal(settles(at(999) as never), false)
  t.equal(settles(at(1000) as never), true)
})

void t.test('where a walk sets out from', async (t) => {
  const orders = byScope([order('*/*', { weightPercent: 80 }), order('web/*', { weightPercent: 60 }), order('web/a', { weightPercent: 40 }), order('web/b', 'drain'), order('web/c', 'ready')])
  const rows: ReadonlyArray<readonly [string, number]> = [['web/a', 40], ['web/d', 60], ['web/*', 60], ['app/a', 80], ['*/*', 80], ['web/b', 0], ['web/c', 100]]
  for (const [scope, percent] of rows) t.equal(capOf(orders, scope, 0), percent, scope)
  t.equal(capOf(NO_ORDERS, 'web/a', 0), 100)
  for (const [action, percent] of [['up', 100], ['down', 0], ['maint', 0]] as const) t.equal(capOf(byScope([order('web/a', action)]), 'web/a', 0), percent, action)
})

void t.test('all orders on a server', async (t) => {
  const told = (orders: readonly Order[]): readonly string[] =>
    ordersOn(byScope(orders), server('a'), 100).map(({ order: { scope, action }, status }) => `${showAction(action)} of ${scope} ${status}`)
  t.strictSame(told([]), [])
  t.strictSame(told([order('*/*', 'down'), order('web/*', 'drain'), order('web/a', 'ready'), order('web/b', 'up'), order('app/*', 'up')]),
    ['ready of web/a counts', 'drain of web/* hidden', 'down of */* hidden'], 'the narrowest counts, a ready too')
  t.strictSame(told([order('web/a', 'maint', 101), order('web/*', 'drain')]), ['maint of web/a coming', 'drain of web/* counts'], 'what comes hides nothing')
  t.strictSame(told([order('web/a', 'maint', 0, 100), order('web/*', 'drain', 0, 101)]), ['drain of web/* counts'], 'what is over is gone')
  t.strictSame(told([order('web/a', 'maint', 0), order('web/a', 'up', 0)]), ['up of web/a counts', 'maint of web/a hidden'], 'an override before a window')
})
