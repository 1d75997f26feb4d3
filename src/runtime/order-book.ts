/**
 * The operators' orders and the maintenance windows, as times on the clock of the samples. What is accepted is on disk
 * before it is in force; what is over is dropped. It knows no backends: a scope is a text, and the narrowest wins.
 */
import { scopesOf, type Order } from '../core/order.ts'
import { clean, redact } from '../core/text.ts'
import type { Occurrence, Window } from '../core/window.ts'
import type { Clock } from './clock.ts'
import type { LogEvent } from './log.ts'
import { tellCleared, tellExpired, tellLost, tellSet, tellUnwritten, tellWindow } from './order-changes.ts'
import { isOverride, type OrderStore, type Override } from './order-store.ts'

export const OVERRIDES_MAX = 10_000
/** Author of the orders that windows give. */
export const WINDOW_AUTHOR = 'maintenance'
/** A calendar that has moved by more than this against the monotonic clock has been set. */
export const CLOCK_SET_MS = 500

/** A window with the time at which it is on now, or else the next. */
export interface WindowTime extends Occurrence { readonly window: Window }
/** Nothing has changed. */
export interface BookRefusal { readonly why: 'full' | 'disk', readonly detail: string }

export interface OrderBookDeps {
  readonly clock: Pick<Clock, 'now' | 'wall'>
  readonly log: LogEvent
  readonly store: OrderStore
  /** Not called for what is there at the start: that is in `orders`. */
  readonly onChange: (orders: readonly Order[]) => void
  readonly windows: readonly Window[]
  /** The one that is on at that moment, else the next; undefined when it never comes again. */
  readonly occurrence: (window: Window, nowWallMs: number) => Occurrence | undefined
}

/**
 * How long an order has been in force is a matter of the monotonic clock, once it is: a calendar that is set suspends no
 * order, and no ramp begins anew. When it ends is one of the calendar.
 */
interface Kept { readonly override: Override, readonly fromMs: number }
type KeptOrders = ReadonlyMap<string, Kept>

export class OrderBook {
  readonly #deps: OrderBookDeps
  /** By scope, the one given last at the end: as on disk. */
  #kept: KeptOrders = new Map()
  #windows: readonly Window[] = []
  #times: readonly WindowTime[] = []
  /** Windows whose beginning was told. */
  #begun = new Map<string, WindowTime>()
  #orders: readonly Order[] = []
  /** What the calendar is ahead of the monotonic clock. */
  #aheadMs: number
  /** What is over is still on disk. */
  #isBehind = false
  #hasFailed = false

  constructor (deps: OrderBookDeps) {
    this.#deps = deps
    this.#aheadMs = deps.clock.wall() - deps.clock.now()
    this.#read()
    this.#look(deps.windows)
    this.#sweep()
    this.#derive()
    if (this.#isBehind) this.#catchUp()
  }

  /** For the core: windows first, then overrides, of which one of the same scope wins. */
  get orders (): readonly Order[] {
    return this.#orders
  }

  /** The one given last at the end. */
  overrides (): readonly Override[] {
    return overridesOf(this.#kept)
  }

  /** A time of an order, as Unix ms. */
  wallMs (ms: number): number {
    return Math.round(ms + this.#aheadMs)
  }

  /** Every window that is on, or comes. */
  windowsNow (): readonly WindowTime[] {
    return this.#times
  }

  /** All or none. A `ready` without an end that has nothing to hide only clears what its scope had. */
  set (list: readonly Override[]): 'set' | BookRefusal {
    const wrong = list.find(each => !isOverride(each))
    if (wrong !== undefined) throw new TypeError(`not an order that would be read back: ${clean(JSON.stringify(wrong), 400)}`)
    this.tick()
    const before = this.#kept
    const given = list.map((each): Override => ({ ...each, by: redact(each.by), reason: redact(each.reason) }))
    const wanted = new Map(before)
    for (const override of given) {
      wanted.delete(override.scope) // the newest replaces, and is the last
      wanted.set(override.scope, { override, fromMs: this.#fromMs(override) })
    }
    const next = this.#withoutIdle(wanted)
    if (next.size > OVERRIDES_MAX) return { why: 'full', detail: `${OVERRIDES_MAX} orders are kept already: clear some of them first (hcf status lists them)` }
    const ended = new Map(given.map(({ scope, by, reason }) => [scope, { by, why: reason }]))
    return this.#replace(next, () => {
      for (const override of given) if (next.get(override.scope)?.override === override) tellSet(this.#deps.log, override)
      this.#tellCleared(before, next, scope => ended.get(scope))
    }) ?? 'set'
  }

  /** The order that was there; undefined when there was none. */
  clear (scope: string, by: string): Override | BookRefusal | undefined {
    this.tick()
    const before = this.#kept
    const cleared = before.get(scope)?.override
    if (cleared === undefined) return undefined
    const wanted = new Map(before)
    wanted.delete(scope)
    const next = this.#withoutIdle(wanted)
    return this.#replace(next, () => { this.#tellCleared(before, next, each => each === scope ? { by } : undefined) }) ?? cleared
  }

  /** Those of a new config. One that means the same and is on goes on. */
  setWindows (windows: readonly Window[]): void {
    this.#look(windows)
    this.#sweep()
    this.#publish()
  }

  /** What time alone changes. Asked for often: it costs little while nothing does. */
  tick (): void {
    if (this.#sweep()) this.#publish()
    else if (this.#isBehind) this.#catchUp()
  }

  #read (): void {
    const { log, store } = this.#deps
    const { overrides, problem } = store.read()
    this.#kept = new Map(overrides.map(override => [override.scope, { override, fromMs: this.#fromMs(override) }]))
    if (problem !== undefined) tellLost(log, store.path, problem)
  }

  /** Whether anything is otherwise now. */
  #sweep (): boolean {
    const before = this.#kept
    this.#expire() // by the times as they were: an order that is over does not come back with a calendar that is set back
    const { clock } = this.#deps
    const aheadMs = clock.wall() - clock.now()
    const isSet = Math.abs(aheadMs - this.#aheadMs) > CLOCK_SET_MS
    if (isSet) {
      this.#aheadMs = aheadMs
      this.#expire()
    }
    const isOver = this.#times.some(({ untilWallMs }) => untilWallMs <= Math.min(clock.wall(), this.#calendarMs()))
    if (isSet || isOver) this.#look(this.#windows)
    this.#tellWindows()
    const settled = this.#withoutIdle(this.#kept)
    if (settled !== this.#kept) this.#tellCleared(this.#kept, settled, () => undefined)
    this.#kept = settled
    this.#isBehind ||= settled !== before
    return isSet || isOver || settled !== before
  }

  #expire (): void {
    const nowMs = this.#calendarMs()
    const over = this.overrides().filter(({ untilWallMs = Infinity }) => untilWallMs <= nowMs)
    if (over.length === 0) return
    const scopes = new Set(over.map(({ scope }) => scope))
    this.#kept = new Map([...this.#kept].filter(([scope]) => !scopes.has(scope)))
    for (const override of over) tellExpired(this.#deps.log, override)
  }

  /** Without each `ready` that has no end of its own and nothing to hide: it would lie in wait for an order to come. */
  #withoutIdle (kept: KeptOrders): KeptOrders {
    const idle = [...kept.values()].filter(({ override }) => override.action === 'ready' && override.untilWallMs === undefined && !this.#hides(kept, override.scope))
    if (idle.length === 0) return kept
    const scopes = new Set(idle.map(({ override }) => override.scope))
    return new Map([...kept].filter(([scope]) => !scopes.has(scope)))
  }

  #hides (kept: KeptOrders, scope: string): boolean {
    const [backend = '', name = ''] = scope.split('/')
    const scopes = scopesOf({ backend, name })
    if (this.#times.some(time => scopes.includes(time.window.scope) && this.#isOn(time))) return true
    return scopes.some(each => kept.has(each) && kept.get(each)?.override.action !== 'ready')
  }

  /** The calendar as the core sees it: the monotonic clock, and what the calendar was ahead of it when we last looked. */
  #calendarMs (): number {
    return this.#deps.clock.now() + this.#aheadMs
  }

  #isOn ({ fromWallMs, untilWallMs }: Occurrence): boolean {
    const nowMs = this.#calendarMs()
    return fromWallMs <= nowMs && nowMs < untilWallMs
  }

  /** Never to come: a calendar that was set back while we were away suspends no order. */
  #fromMs ({ fromWallMs }: Override): number {
    return Math.min(fromWallMs - this.#aheadMs, this.#deps.clock.now())
  }

  #look (windows: readonly Window[]): void {
    const { clock, occurrence } = this.#deps
    this.#windows = windows
    this.#times = windows.flatMap(window => {
      const time = occurrence(window, clock.wall())
      return time === undefined ? [] : [{ window, fromWallMs: time.fromWallMs, untilWallMs: time.untilWallMs }]
    })
  }

  /** On disk first, then told, then in force: the log has the order before what comes of it. */
  #replace (next: KeptOrders, tell: () => void): BookRefusal | undefined {
    if (next.size === this.#kept.size && [...next].every(([scope, each]) => this.#kept.get(scope) === each)) return undefined
    try {
      this.#write(next)
    } catch (error) {
      const { path } = this.#deps.store
      return { why: 'disk', detail: `${path} cannot be written (${codeOf(error)}), so it would not outlive a restart and is not done: make room or mend the permissions, then try again` }
    }
    this.#kept = next
    tell()
    this.#publish()
    return undefined
  }

  #write (kept: KeptOrders): void {
    this.#deps.store.write(overridesOf(kept))
    this.#isBehind = false
    this.#hasFailed = false
  }

  /** What is over is gone from the disk too, sooner or later: what is left there is over by its own time. */
  #catchUp (): void {
    try {
      this.#write(this.#kept)
    } catch (error) {
      if (this.#hasFailed) return
      this.#hasFailed = true
      const { log, store } = this.#deps
      tellUnwritten(log, store.path, codeOf(error))
    }
  }

  #publish (): void {
    this.#derive()
    this.#deps.onChange(this.#orders)
    if (this.#isBehind) this.#catchUp()
  }

  #derive (): void {
    const windows = this.#times.map(time => windowOrder(time, this.#aheadMs))
    this.#orders = [...windows, ...[...this.#kept.values()].map(kept => orderOf(kept, this.#aheadMs))]
  }

  /** What is gone without being over: by an author, and then what that leaves with nothing to hide. */
  #tellCleared (before: KeptOrders, after: KeptOrders, author: (scope: string) => { readonly by: string, readonly why?: string } | undefined): void {
    const gone = overridesOf(before).filter(({ scope }) => !after.has(scope))
    for (const override of gone) if (author(override.scope) !== undefined) tellCleared(this.#deps.log, override, author(override.scope))
    for (const override of gone) if (author(override.scope) === undefined) tellCleared(this.#deps.log, override)
  }

  #tellWindows (): void {
    const on = new Map(this.#times.filter(time => this.#isOn(time)).map(time => [`${time.fromWallMs} ${JSON.stringify(time.window)}`, time]))
    for (const [key, time] of this.#begun) if (!on.has(key)) tellWindow(this.#deps.log, 'window.end', time)
    for (const [key, time] of on) if (!this.#begun.has(key)) tellWindow(this.#deps.log, 'window.begin', time)
    this.#begun = on
  }
}

const overridesOf = (kept: KeptOrders): readonly Override[] => [...kept.values()].map(({ override }) => override)
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'error'

function windowOrder ({ window, fromWallMs, untilWallMs }: WindowTime, aheadMs: number): Order {
  const { scope, action, reason } = window
  return { scope, action, fromMs: fromWallMs - aheadMs, untilMs: untilWallMs - aheadMs, by: WINDOW_AUTHOR, reason }
}

function orderOf ({ override, fromMs }: Kept, aheadMs: number): Order {
  const { scope, action, untilWallMs, by, reason, rampFromPercent, rampMs } = override
  const until = untilWallMs === undefined ? {} : { untilMs: untilWallMs - aheadMs }
  const ramp = rampFromPercent === undefined || rampMs === undefined ? {} : { ramp: { fromPercent: rampFromPercent, overMs: rampMs } }
  return { scope, action, fromMs, ...until, by, reason, ...ramp }
}
