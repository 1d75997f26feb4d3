/** How much of what the admin port takes. Apart from the server, which is loaded only when it is opened. */

/** Who is slower, larger or more than this is cut off: the port must answer this machine while somebody elsewhere lays siege to it. */
export const LIMITS = {
  bodyBytes: 64 * 1024,
  headerBytes: 8 * 1024,
  headersMs: 5000,
  requestMs: 10_000,
  /** How often node looks for those that are too slow. */
  lookMs: 1000,
  connections: 256,
  /** Of those, for this machine alone. What a proxy on it lets in counts as this machine: bounding that is the proxy's to do. */
  reserved: 32,
  /** Of one address elsewhere. */
  perAddress: 32,
  /** Without a byte either way: a client that does not read its answer. Longer than the heartbeat of a stream. */
  silentMs: 60_000
} as const
export type AdminLimits = { readonly [name in keyof typeof LIMITS]: number }

/** The same with room for no more than `connections`: half of a few are still this machine's. */
export const limitsOf = (connections: number): AdminLimits => ({ ...LIMITS, connections, reserved: Math.min(LIMITS.reserved, connections >> 1) })
