/** The operator's word. In the drawings: what comes of it, as long as it is in force. How to read them: drawings.ts. */
import t from 'tap'
import { byScope, nextOrderMs, NO_ORDERS, orderFor, settles, showAction, showOrder, type Order } from '../../src/core/order.ts'
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
