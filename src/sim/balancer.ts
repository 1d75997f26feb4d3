/** What the demo and the end-to-end test need of a balancer, be it HAProxy itself or its model. */
import type { ServerStat } from '../haproxy/runtime.ts'

export interface Balancer {
  readonly kind: 'HAProxy' | 'model of HAProxy'
  readonly version: string
  /** The public port: reads and writes of clients. */
  readonly publicUrl: string
  /** Reaches every gateway by name. */
  readonly diagnosticsUrl: string
  readonly statsUrl?: string
  stat: () => Promise<readonly ServerStat[]>
  stop: () => Promise<void>
}

/** The names of haproxy/haproxy.cfg. */
export const POOLS = ['tahoe_read', 'tahoe_write'] as const
export const GATEWAYS = ['webapi1', 'webapi2', 'webapi3'] as const
export type GatewayName = typeof GATEWAYS[number]
