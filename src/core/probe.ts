/** What is polled, and how: the contract between criteria, which need facts, and probes/, which fetch them. */
import type { ProbeKey, Sample } from './model.ts'

/** A node by address. `tls` nodes are polled over HTTPS. `key` tells two nodes apart. */
export interface Node {
  readonly key: string
  readonly protocol: 'http' | 'https' | 'tcp'
  readonly host: string
  readonly port: number
  /** PEM file of the authorities to trust instead of the system's. */
  readonly caFile?: string
  /** Of what the file held when the config was read: another one is another connection. */
  readonly caDigest?: string
  /** Name to expect in the certificate, and to send (SNI), instead of `host`. */
  readonly serverName?: string
}

/** Every kind of probe and the options it takes. */
export interface ProbeOptions {
  'tahoe-welcome': Record<string, never>
  'tahoe-statistics': Record<string, never>
  'tahoe-read': { readonly capFile: string }
  'tahoe-check': { readonly capFile: string }
  /** Overwrites the mutable file of `capFile`, or uploads a new one of `bytes` bytes. */
  'tahoe-write': { readonly capFile?: string, readonly bytes: number }
  http: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    /** Redirects to follow on the same node. */
    readonly follow: number
    readonly contains?: string
    readonly matches?: string
    readonly pointers: readonly string[]
  }
  metrics: { readonly path: string }
  tcp: { readonly port?: number, readonly send?: string, readonly expect?: string }
}
export type ProbeKind = keyof ProbeOptions

/** One way to look at a node. `wants`: which of many facts to keep; those of all criteria of one poll are united. */
export type ProbeRequest = { readonly [K in ProbeKind]: {
  readonly kind: K
  readonly options: ProbeOptions[K]
  readonly wants?: readonly string[]
} }[ProbeKind]

/** A node, looked at one way, again and again: once for all servers and criteria that read it. */
export interface Poll {
  readonly key: ProbeKey
  readonly node: Node
  readonly request: ProbeRequest
  readonly intervalMs: number
  /** The pace while a verdict is undecided. */
  readonly fastMs: number
  /** From the start of the connection to the last byte. */
  readonly timeoutMs: number
  /**
   * After so long without an answer a second look goes out, on a connection of its own, and the first good answer counts:
   * one lost packet is not a silent node. Absent: the poll has side effects, or may be slow.
   */
  readonly hedgeMs?: number
  /** Polls with the same one never run at once: two writers of one mutable file would hurt each other [webapi]. */
  readonly lane?: string
  /** The servers whose criteria read it. */
  readonly readers: ReadonlyArray<{ readonly backend: string, readonly server: number }>
}

/** One poll's I/O. Never rejects: what goes wrong is in the sample. */
export interface Probe {
  run: () => Promise<Sample>
  close: () => void
}
