/** An operator's desk: a monitor whose servers are fine and asked for, with orders over it. */
import type { Backend } from '../../src/core/model.ts'
import type { Order } from '../../src/core/order.ts'
import type { Window } from '../../src/core/window.ts'
import { Operator, type OrderRequest } from '../../src/runtime/operator.ts'
import { OrderBook } from '../../src/runtime/order-book.ts'
import { memoryOrders, type OrderStore } from '../../src/runtime/order-store.ts'
import { Bench, plain } from './monitor-bench.ts'
import { BARE } from './samples.ts'

export interface Desk { readonly bench: Bench, readonly book: OrderBook, readonly operator: Operator }

export const HOUR_MS = 3_600_000
export const rules = { ...BARE, minUp: 1 }

export async function desk (backends: readonly Backend[] = [plain('abc', rules), plain('a', rules, 'app')], { store = memoryOrders(), windows = [], beginInMs = 0 }: { store?: OrderStore, windows?: readonly Window[], beginInMs?: number } = {}): Promise<Desk> {
  const bench = new Bench(backends)
  const { clock, sink: { log: { event: log } }, pollers, monitor } = bench
  const onChange = (orders: readonly Order[]): void => { monitor.order(orders) }
  const occurrence = (_: Window, nowWallMs: number): { fromWallMs: number, untilWallMs: number } => ({ fromWallMs: nowWallMs + beginInMs, untilWallMs: nowWallMs + beginInMs + HOUR_MS })
  const book = new OrderBook({ clock, log, store, onChange, windows, occurrence })
  monitor.order(book.orders)
  for (const name of 'abc') await bench.round({ [name]: '+' })
  bench.seeNow('a', { reach: '+' }, 'app')
  for (const id of ['web/a', 'web/b', 'web/c', 'app/a']) bench.ask(id)
  return { bench, book, operator: new Operator({ clock, log, monitor, book, pollers }) }
}

export const request = (more: Partial<OrderRequest> = {}): OrderRequest => ({ scopes: ['web/a'], action: 'drain', by: 'ana', reason: 'kernel', force: false, ...more })
