/** A farm as the admin port sees it: fixed answers, and a note of what was asked for. */
import type { EventsQuery, EventView, GivenBody, OrderBody, ServerBody, StatusBody } from '../../src/admin/api.ts'
import type { AdminDeps, Given } from '../../src/admin/deps.ts'
import { parseTokens, Tokens } from '../../src/admin/tokens.ts'
import { SimClock } from '../../src/sim/clock.ts'

export const SERVER: ServerBody = {
  server: 'web/a',
  state: 'down',
  weightPercent: 100,
  layer: 'criteria',
  because: ['storage: 2 of 5 servers, needs 3'],
  sentence: 'down: storage: 2 of 5 servers, needs 3',
  reply: 'down 100% #storage: 2 of 5 servers, needs 3',
  forMs: 4200,
  asked: true,
  backend: { servers: 3, fit: 2, need: 2, extra: 0, kept: [], strained: false, outByOrder: ['b'], inService: 2 },
  criteria: [
    { name: 'storage', kind: 'tahoe.storage', onFail: 'down', status: 'fail', health: 0, rise: 2, fall: 3, value: 2, limit: 'at least 3' }
  ],
  overrides: [{ scope: 'web/*', action: 'drain', by: 'ana', reason: 'disk', kind: 'override', status: 'counts', from: '2026-01-01T00:00:00.000Z', ageMs: 1000 }],
  pollers: [{ from: '10.0.0.1', agoMs: 900, times: 7, told: 'down 100%', heard: true }]
}

const { backend, criteria, overrides, pollers, ...LINE } = SERVER
export const STATUS: StatusBody = {
  version: '1.2.3',
  uptimeMs: 12_345,
  backends: [{ backend: 'web', mode: 'enforce', ...backend }],
  servers: [LINE],
  overrides,
  pollers: [{ from: '10.0.0.1', servers: 1, intervalMs: 2000, agoMs: 900, silent: false }],
  unasked: ['web/b'],
  unknown: [{ asked: 'wbe/a', from: '10.0.0.2', near: ['web/a'], times: 3, agoMs: 10 }],
  journal: { on: true, dropped: 0 }
}

export const GIVEN: GivenBody = { overrides, servers: [LINE], backends: [{ backend: 'web', inService: 2, servers: 3 }], notes: [] }

export const eventAt = (id: number, more: Readonly<Record<string, unknown>> = {}): EventView =>
  ({ id, at: '2026-01-01T00:00:00.000Z', event: 'server.state', level: 'info', msg: `event ${id}`, server: 'web/a', ...more })

export class Farm implements AdminDeps {
  readonly version = '1.2.3'
  readonly clock = new SimClock()
  readonly orders: Array<readonly [order: OrderBody, by: string]> = []
  readonly cleared: Array<readonly [scope: string, by: string]> = []
  readonly queries: EventsQuery[] = []
  readonly listeners = new Set<(event: EventView) => void>()
  readonly past: EventView[] = []
  file: Tokens | undefined
  answer: Given = { ok: true, body: GIVEN }
  stopping = false
  fit: boolean | undefined = true

  readonly events = {
    /** Of the query only what a stream needs: the app's own feed has its tests. */
    list: (query: EventsQuery): readonly EventView[] => {
      this.queries.push(query)
      return this.past.filter(({ id }) => id > (query.after ?? 0))
    },
    subscribe: (listener: (event: EventView) => void) => {
      this.listeners.add(listener)
      return () => { this.listeners.delete(listener) }
    }
  }

  readonly uptimeMs = (): number => 12_345
  readonly isStopping = (): boolean => this.stopping
  readonly nearest = (id: string): readonly string[] => id.startsWith('web/') ? ['web/a', 'web/b'] : []
  readonly status = (): StatusBody => STATUS
  readonly server = (id: string): ServerBody | undefined => id === SERVER.server ? SERVER : undefined
  readonly isFit = (id: string): boolean | undefined => id === SERVER.server ? this.fit : undefined
  readonly pollers = (): Pick<StatusBody, 'pollers' | 'unasked' | 'unknown'> => ({ pollers: STATUS.pollers, unasked: STATUS.unasked, unknown: STATUS.unknown })
  readonly overrides = (): StatusBody['overrides'] => overrides
  readonly traffic: AdminDeps['traffic'] = async () => ({ haproxys: [{ socket: 'unix:/run/haproxy/admin.sock', status: 'DRAIN', sessions: 3 }], waiting: ['10.0.0.1'], heard: 1 })
  readonly reload: AdminDeps['reload'] = async () => ({ ok: true, config: '/etc/hcf/hcf.yaml', backends: 1, servers: 3 })
  readonly concerns = (event: EventView, name: string): boolean => String(event['server']).startsWith(`${name}/`)
  readonly tokens = (): Tokens | undefined => this.file

  readonly give = (order: OrderBody, by: string): Given => {
    this.orders.push([order, by])
    return this.answer
  }

  readonly clear = (scope: string, by: string): Given => {
    this.cleared.push([scope, by])
    return this.answer
  }

  /** The event happens. */
  say (event: EventView): void {
    this.past.push(event)
    for (const listener of this.listeners) listener(event)
  }
}

/** A token_file. */
export function tokensOf (...lines: readonly string[]): Tokens {
  const parsed = parseTokens(lines.join('\n'))
  return parsed.ok ? parsed.tokens : new Tokens([])
}

export const problem = (status: number, title: string, detail: string | RegExp, more: object = {}): object => ({ type: 'about:blank', title, status, detail, ...more })
