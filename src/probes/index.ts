/** The registry: one line a kind, and how a poll becomes a probe. */
import type { Poll, Probe, ProbeKind } from '../core/probe.ts'
import type { Deadlines } from './deadline.ts'
import { hedged, type Look } from './hedge.ts'
import { http } from './http.ts'
import { HttpClient } from './http-client.ts'
import type { HttpProbe } from './kind.ts'
import { metrics } from './metrics.ts'
import { sampleOf, type Now } from './run.ts'
import { tahoeCheck } from './tahoe-check.ts'
import { tahoeRead } from './tahoe-read.ts'
import { tahoeStatistics } from './tahoe-statistics.ts'
import { tahoeWelcome } from './tahoe-welcome.ts'
import { tahoeWrite } from './tahoe-write.ts'
import { tcpLook } from './tcp.ts'

const httpProbes = {
  'tahoe-welcome': tahoeWelcome,
  'tahoe-statistics': tahoeStatistics,
  'tahoe-read': tahoeRead,
  'tahoe-check': tahoeCheck,
  'tahoe-write': tahoeWrite,
  http,
  metrics
} satisfies { readonly [K in Exclude<ProbeKind, 'tcp'>]: HttpProbe<K> }

export type WhichLook = 'first' | 'second'
export interface ProbeDeps {
  readonly now: Now
  readonly deadlines: Deadlines
  /** Whether such looks keep their connection for the next one. Absent: all do. */
  readonly keeps?: (which: WhichLook) => boolean
}

export function createProbe (poll: Poll, deps: ProbeDeps): Probe {
  const first = lookOf(poll, deps, 'first')
  const { hedgeMs } = poll
  if (hedgeMs === undefined) return first
  const after = (ms: number, run: () => void): { stop: () => void } => ({ stop: deps.deadlines.after(ms, run) })
  return hedged(first, () => lookOf(poll, deps, 'second'), hedgeMs, { now: deps.now, after })
}

/** A look that begins with some of its time gone has no more than the rest. */
function lookOf ({ node, request, timeoutMs }: Poll, { now, deadlines, keeps }: ProbeDeps, which: WhichLook): Look {
  const left = (spentMs: number): number => Math.max(1, timeoutMs - spentMs)
  if (request.kind === 'tcp') {
    const { options } = request
    return { run: (spentMs = 0) => sampleOf(now, () => tcpLook(node, options, left(spentMs), deadlines)), close: () => undefined }
  }

  const make = httpProbes[request.kind] as HttpProbe<ProbeKind>
  const look = make(request.options, request.wants ?? [], node)
  let client: HttpClient | undefined
  return {
    run: (spentMs = 0) => sampleOf(now, () => {
      const live = client ??= new HttpClient(node, deadlines, () => keeps?.(which) ?? true)
      const endMs = now() + left(spentMs) // a look that asks twice has no more time than one that asks once
      return look(asked => live.ask(asked, Math.max(1, endMs - now())))
    }),
    close: () => { client?.close() }
  }
}
