/**
 * What holds of the orders, whatever is given, cleared, forgotten, refused by the disk, and however the calendar is set.
 * Each was seen to fail with the book as its comment says. More: HCF_PROPERTY_RUNS=5000, others: HCF_PROPERTY_SEED=7.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { byScope, isInForce, orderFor, ordersOn, scopesOf, type Order, type OrderAction } from '../../src/core/order.ts'
import type { Override } from '../../src/runtime/order-store.ts'
import { BookBench, windowOf } from './order-book-bench.ts'

const { HCF_PROPERTY_RUNS = '300', HCF_PROPERTY_SEED = '1' } = process.env
const SERVERS = ['web/a', 'web/b', 'api/a'].map(id => ({ backend: id.split('/')[0]!, name: id.split('/')[1]! }))
const SCOPES = ['web/a', 'web/b', 'web/*', 'api/a', 'api/*', '*/*']
const WINDOWS = [windowOf('web/a', 3000, 2000, 20_000), windowOf('web/*', 10_000, 5000, 15_000, 'maint'), windowOf('api/*', -1000, 4000)]

interface Given { readonly scope: string, readonly action: OrderAction, readonly forMs: number }
type Command =
  | { readonly do: 'set', readonly orders: readonly Given[] }
  | { readonly do: 'clear', readonly scope: string }
  | { readonly do: 'wait', readonly ms: number, readonly looks: boolean }
  | { readonly do: 'calendar', readonly byMs: number }
  | { readonly do: 'disk', readonly isFull: boolean }
  | { readonly do: 'windows', readonly which: readonly number[] }
  | { readonly do: 'restart', readonly downMs: number }

const of = fc.constantFrom
const given: fc.Arbitrary<Given> = fc.record({
  scope: of(...SCOPES),
  action: of<OrderAction[]>('drain', 'maint', 'ready', 'ready', 'up', 'down', { weightPercent: 25 }, { weightPercent: 0 }),
  forMs: of(Infinity, Infinity, 600, 1000, 4000, 20_000) // longer than a calendar may have drifted
})
const COMMANDS: ReadonlyArray<fc.WeightedArbitrary<Command>> = [
  { weight: 8, arbitrary: fc.array(given, { minLength: 1, maxLength: 3 }).map(orders => ({ do: 'set' as const, orders })) },
  { weight: 3, arbitrary: of(...SCOPES).map(scope => ({ do: 'clear' as const, scope })) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: of(0, 1, 499, 500, 1000, 3000, 10_000), looks: fc.boolean() }) },
  { weight: 2, arbitrary: of(-7200_000, -5000, -501, -300, 300, 501, 5000, 20_000).map(byMs => ({ do: 'calendar' as const, byMs })) },
  { weight: 1, arbitrary: fc.boolean().map(isFull => ({ do: 'disk' as const, isFull })) },
  { weight: 1, arbitrary: fc.subarray([0, 1, 2]).map(which => ({ do: 'windows' as const, which })) },
  { weight: 1, arbitrary: of(0, 700, 5000).map(downMs => ({ do: 'restart' as const, downMs })) }
]
const history: fc.Arbitrary<readonly Command[]> = fc.array(fc.oneof(...COMMANDS), { maxLength: 40, size: 'max' })

function run (bench: BookBench, command: Command, n: number): void {
  const { book } = bench
  switch (command.do) {
    case 'set': {
      // The reason tells one from any other.
      book.set(command.orders.map(({ scope, action, forMs }, i) => bench.override(scope, action, forMs, { reason: `${n}.${i}` })))
      break
    }
    case 'clear': book.clear(command.scope, 'bob'); break
    case 'wait': bench[command.looks ? 'after' : 'unseen'](command.ms); break
    case 'calendar': bench.setCalendar(command.byMs); break
    case 'disk': bench.disk.isFull = command.isFull; break
    case 'windows': book.setWindows(command.which.map(i => WINDOWS[i]!)); break
    case 'restart': bench.restart(command.downMs); break
  }
}

/** Whether the book has looked at the time since. */
const hasLooked = (command: Command): boolean => command.do === 'wait' ? command.looks : !['disk', 'calendar'].includes(command.do)

type Watch = (bench: BookBench, command: Command, before: readonly Order[]) => void
/** Holds after each command of any history. */
function always (name: string, watch: () => Watch): void {
  void t.test(name, async () => {
    fc.assert(fc.property(history, commands => {
      const [bench, look] = [new BookBench({ windows: WINDOWS }), watch()]
      for (const [n, command] of commands.entries()) {
        const before = bench.book.orders
        run(bench, command, n)
        look(bench, command, before)
      }
    }), { seed: Number(HCF_PROPERTY_SEED), numRuns: Number(HCF_PROPERTY_RUNS) })
  })
}

// Fails when the windows come after the overrides.
always('at most one override a scope, at most one order that counts for a server, and it is of the narrowest scope', () => ({ book, nowMs }) => {
  const scopes = book.overrides().map(({ scope }) => scope)
  assert.equal(new Set(scopes).size, scopes.length)
  const orders = byScope(book.orders)
  for (const server of SERVERS) {
    const stories = ordersOn(orders, server, nowMs)
    const [counts, ...more] = stories.filter(({ status }) => status === 'counts')
    assert.deepEqual(more, [])
    const inForce = book.orders.filter(order => isInForce(order, nowMs))
    const narrowest = scopesOf(server).find(scope => inForce.some(order => order.scope === scope))
    // Of the same scope the override wins, then the later window.
    const ofScope = inForce.filter(order => order.scope === narrowest)
    const wanted = ofScope.find(({ by }) => by !== 'maintenance') ?? ofScope.at(-1)
    assert.equal(counts?.order, wanted)
    assert.deepEqual(orderFor(orders, server, nowMs), wanted?.action === 'ready' ? undefined : wanted)
  }
})

// Fails when a calendar that was set is followed before what is over by the old times is dropped.
always('an order that is over never acts again', () => {
  const over = new Set<string>()
  const ends = new Map<string, number>()
  return ({ book, nowMs }, command) => {
    // Another process has another clock, and cannot know that something was over by that of before.
    if (command.do === 'restart') for (const each of [over, ends]) each.clear()
    for (const [reason, untilMs] of ends) if (untilMs <= nowMs && command.do !== 'calendar') over.add(reason)
    for (const order of book.orders) {
      if (order.by === 'maintenance') continue
      if (isInForce(order, nowMs)) assert(!over.has(order.reason), order.reason)
      ends.set(order.reason, order.untilMs ?? Infinity)
    }
  }
})

// Fails when `fromMs` follows the calendar.
always('an override is in force from the moment it is given to its end, whatever the calendar does', () => ({ book, nowMs }) => {
  for (const { by, fromMs, scope } of book.orders) assert(by === 'maintenance' || fromMs <= nowMs, scope)
})

// Fails when an order is published before it is written, or is not written.
always('what is in memory is on disk, in its order, unless the disk refuses; and an order it refused is not in force', () => ({ book, disk }, command, before) => {
  const kept = JSON.stringify(book.overrides())
  if (!disk.isFull && hasLooked(command)) assert.equal(disk.text, kept)
  if (!disk.isFull || command.do === 'restart') return
  const known = new Set(before.map(({ reason }) => reason))
  for (const { by, reason } of book.orders) assert(by === 'maintenance' || known.has(reason), reason)
})

// Fails when a `ready` without an end is kept with nothing to hide.
always('a ready without an end has something to hide, or is not kept', () => ({ book, nowMs }, command) => {
  if (!hasLooked(command)) return
  const inForce = book.orders.filter(order => isInForce(order, nowMs))
  for (const { scope, action, untilWallMs } of book.overrides()) {
    if (action !== 'ready' || untilWallMs !== undefined) continue
    const [backend = '', name = ''] = scope.split('/')
    const hidden = inForce.filter(order => order.action !== 'ready' && scopesOf({ backend, name }).includes(order.scope))
    assert(hidden.length > 0, scope)
  }
})

// Fails when `clear` does not take the order away, or `set` loses another scope.
void t.test('clear restores exactly what was before', async () => {
  fc.assert(fc.property(history, given, (commands, { scope, action, forMs }) => {
    const bench = new BookBench({ windows: WINDOWS })
    for (const [n, command] of commands.entries()) run(bench, command, n)
    bench.disk.isFull = false
    bench.after(0).book.clear(scope, 'bob')
    const before: readonly [readonly Order[], readonly Override[], string] = [bench.book.orders, bench.book.overrides(), bench.disk.text]
    assert.equal(bench.give(scope, action, forMs), 'set')
    const effect = bench.effect('web/a', 'web/b', 'api/a')
    bench.book.clear(scope, 'bob')
    assert.deepEqual([bench.book.orders, bench.book.overrides(), bench.disk.text], before)
    if (action !== 'ready' && scope.endsWith('/a')) assert.notEqual(effect[scope.startsWith('web') ? 0 : 2], '', 'it was in force')
  }), { seed: Number(HCF_PROPERTY_SEED), numRuns: Number(HCF_PROPERTY_RUNS) })
})
