/** An order book whose calendar can be set, and whose disk can be full. */
import { orderFor, byScope, showAction, type Order, type OrderAction } from '../../src/core/order.ts'
import type { Occurrence, Window } from '../../src/core/window.ts'
import { OrderBook, type BookRefusal } from '../../src/runtime/order-book.ts'
import type { OrderStore, Override, StoredOrders } from '../../src/runtime/order-store.ts'
import { Sink } from './sink.ts'

/** When the calendar of these tests begins. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)
/** Where the monotonic clock stands then: another agent of this machine ran before. */
export const START_MS = 7000

/** What a disk holds is text. */
export class Disk implements OrderStore {
  readonly path = 'orders.json'
  text = '[]'
  problem: StoredOrders['problem']
  isFull = false
  tries = 0

  read (): StoredOrders {
    const overrides = JSON.parse(this.text) as readonly Override[]
    return this.problem === undefined ? { overrides } : { overrides, problem: this.problem }
  }

  write (overrides: readonly Override[]): void {
    this.tries += 1
    if (this.isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    this.text = JSON.stringify(overrides)
  }
}

/** From `firstMs` of the calendar on, every `everyMs`, for so long. */
export function windowOf (scope: string, firstMs: number, forMs: number, everyMs = Infinity, action: Window['action'] = 'drain'): Window {
  return { scope, at: `at ${firstMs}`, cron: `${firstMs}/${everyMs}`, forMs, action, reason: 'patches' }
}

function occurrence ({ cron, forMs }: Window, nowWallMs: number): Occurrence | undefined {
  const [firstMs = 0, everyMs = Infinity] = cron.split('/').map(Number)
  const sinceMs = nowWallMs - EPOCH_MS - firstMs
  const times = everyMs === Infinity ? 0 : Math.max(0, Math.floor(sinceMs / everyMs))
  const isOver = sinceMs - (times > 0 ? times * everyMs : 0) >= forMs
  if (isOver && everyMs === Infinity) return undefined
  const from = (times + (isOver ? 1 : 0)) * (everyMs === Infinity ? 0 : everyMs)
  return { fromWallMs: EPOCH_MS + firstMs + from, untilWallMs: EPOCH_MS + firstMs + from + forMs }
}

interface BenchOptions { readonly store?: OrderStore, readonly windows?: readonly Window[] }

export class BookBench {
  readonly sink = new Sink()
  readonly disk = new Disk()
  /** What happened to the outside, in its order. */
  readonly steps: string[] = []
  readonly #store: OrderStore
  #windows: readonly Window[]
  #nowMs = START_MS
  #wallMs = EPOCH_MS
  book: OrderBook

  constructor ({ store, windows = [] }: BenchOptions = {}) {
    this.#store = store ?? this.disk
    this.#windows = windows
    this.book = this.#open()
  }

  /** Ms since the beginning, on the clock of the samples. */
  get nowMs (): number {
    return this.#nowMs
  }

  get wallMs (): number {
    return this.#wallMs
  }

  #open (): OrderBook {
    return new OrderBook({
      clock: { now: () => this.#nowMs, wall: () => this.#wallMs },
      log: (event, fields, message, level) => {
        this.steps.push(event)
        this.sink.log.event(event, fields, message, level)
      },
      store: { path: this.#store.path, read: () => this.#store.read(), write: overrides => {
        this.#store.write(overrides)
        this.steps.push('disk')
      } },
      onChange: orders => {
        this.steps.push(`orders ${orders.length}`)
        if (this.book.orders !== orders) throw new Error('what is published is not what the book says')
      },
      windows: this.#windows,
      occurrence
    })
  }

  /** Lets time pass, and looks. */
  after (ms: number): this {
    this.unseen(ms)
    this.book.tick()
    return this
  }

  /** Lets time pass, and nobody looks. */
  unseen (ms: number): this {
    this.#nowMs += ms
    this.#wallMs += ms
    return this
  }

  /** Somebody sets the calendar. Nobody looks. */
  setCalendar (byMs: number): this {
    this.#wallMs += byMs
    return this
  }

  /** A new process on the same machine, or after a boot. */
  restart (downMs = 0, windows = this.#windows): this {
    this.#nowMs = START_MS / 2
    this.#wallMs += downMs
    this.#windows = windows
    this.book = this.#open()
    return this
  }

  override (scope: string, action: OrderAction = 'drain', forMs = Infinity, more: Partial<Override> = {}): Override {
    const until = forMs === Infinity ? {} : { untilWallMs: this.#wallMs + forMs }
    return { scope, action, fromWallMs: this.#wallMs, ...until, by: 'ana', reason: 'disk', ...more }
  }

  give (scope: string, action: OrderAction = 'drain', forMs = Infinity, more: Partial<Override> = {}): 'set' | BookRefusal {
    return this.book.set([this.override(scope, action, forMs, more)])
  }

  /** The orders as the core gets them, in short: `web/a drain 0..1000`, in ms from now. */
  get told (): readonly string[] {
    return this.book.orders.map(order => this.short(order))
  }

  short ({ scope, action, fromMs, untilMs = Infinity }: Order): string {
    return `${scope} ${showAction(action)} ${fromMs - this.#nowMs}..${untilMs - this.#nowMs}`
  }

  /** What counts for servers now, as the core reads it: `drain`, `maint by maintenance`, or nothing. */
  effect (...names: readonly string[]): readonly string[] {
    const orders = byScope(this.book.orders)
    return names.map(id => {
      const [backend = '', name = ''] = id.split('/')
      const order = orderFor(orders, { backend, name }, this.#nowMs)
      if (order === undefined) return ''
      return order.by === 'maintenance' ? `${showAction(order.action)} by maintenance` : showAction(order.action)
    })
  }
}
