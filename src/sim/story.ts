/** The demo's story as data: who is wounded how, and what HAProxy should come to believe. */
import type { GatewayName } from './balancer.ts'
import type { Wounds } from './gateway.ts'

/** What HAProxy shows of a server: one of these, and a weight if it matters. */
export interface Expectation { readonly status: readonly string[], readonly weight?: number }

export interface Act {
  readonly title: string
  readonly gateway: GatewayName
  readonly wounds: Partial<Wounds>
  /** By pool; a pool that is not named must not change. */
  readonly expect: Readonly<Partial<Record<'tahoe_read' | 'tahoe_write', Expectation>>>
}

const OUT: Expectation = { status: ['DOWN (agent)'] }
/** Drained for its storage servers, or down because the canary has noticed first. */
const HALTED: Expectation = { status: ['DRAIN (agent)', 'DOWN (agent)'] }
const EASED: Expectation = { status: ['UP'], weight: 25 }

export const STORY: readonly Act[] = [
  {
    title: 'webapi1 hangs: it accepts connections and never answers',
    gateway: 'webapi1', wounds: { mode: 'hang' }, expect: { tahoe_read: OUT, tahoe_write: OUT }
  },
  {
    title: 'webapi2 loses all but two of its storage servers, and still answers 200',
    gateway: 'webapi2', wounds: { storageConnected: 2 }, expect: { tahoe_read: HALTED, tahoe_write: OUT }
  },
  {
    title: 'webapi3 keeps three storage servers: it can read, but no longer write',
    gateway: 'webapi3', wounds: { storageConnected: 3 }, expect: { tahoe_write: OUT }
  },
  {
    title: 'webapi1 answers slowly',
    gateway: 'webapi1', wounds: { delayMs: 1700 }, expect: { tahoe_read: EASED, tahoe_write: EASED }
  },
  {
    title: 'webapi2 is gone: connections are refused',
    gateway: 'webapi2', wounds: { mode: 'refused' }, expect: { tahoe_read: OUT, tahoe_write: OUT }
  },
  {
    title: 'webapi3 says 5 storage servers are connected, but every file operation hangs',
    gateway: 'webapi3', wounds: { threadsExhausted: true }, expect: { tahoe_read: OUT, tahoe_write: OUT }
  }
]
