/** From the words of the file to what the program runs on: backends with their criteria, and the polls they need. */
import type { Backend, Criterion, ErrorClass, Server } from '../core/model.ts'
import type { Node, Poll, ProbeRequest } from '../core/probe.ts'
import { judgeReach, REACH } from '../core/reach.ts'
import type { Window } from '../core/window.ts'
import { findContradictions } from './contradictions.ts'
import { onFailOf, planCriteria, writePlan, type Plan } from './criteria.ts'
import { windowsOf } from './maintenance.ts'
import { OFF, toPolicy } from './policy.ts'
import type { Report } from './problems.ts'
import { parseNodeUrl, type BackendFile, type ServerFile } from './schema.ts'

const UNREACHABLE: readonly ErrorClass[] = ['refused', 'noconn']
/** What `reach` alone fails for, of the poll it reads: no answer came. A bad answer is the criteria's own affair. */
const UNANSWERED: readonly ErrorClass[] = ['refused', 'reset', 'noconn', 'timeout', 'tls', 'local']
/** A criterion with a pace of its own is looked at at least this often, as a part of that pace, while undecided. */
const FAST_PART = 10

export interface Compiled {
  readonly backend: Backend
  readonly polls: readonly Poll[]
  readonly windows: readonly Window[]
  /** The criteria as they would be written in full, for `hcf check --effective`. */
  readonly written: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** One backend. What it gives is worth nothing once the report has problems. */
export function compileBackend (name: string, file: BackendFile, report: Report): Compiled {
  const plans = planCriteria(name, file, report)
  const nodes = Object.entries(file.servers).map(([server, written]) => ({ server, written, node: toNode(written) }))
  for (const { server, node } of nodes) checkNode(['backends', name, 'servers', server], node, plans, report)

  const polls: Poll[] = []
  const servers = nodes.map(({ server, written, node }, index): Server => {
    const bind = new Binding(name, index, node, file)
    const reach = bind.reach(plans)
    const criteria = [reach, ...plans.map(plan => bind.criterion(plan, plans))]
    polls.push(...bind.polls)
    const timeoutMs = bind.polls.find(({ key }) => key === reach.probe)?.timeoutMs ?? file.policy.timeout
    const weightPercent = typeof written === 'string' ? 100 : written.weight
    return { backend: name, name: server, weightPercent, node: showNode(node), timeoutMs, criteria }
  })
  const timeoutMs = Math.max(...servers.map(server => server.timeoutMs))
  findContradictions(name, { policy: file.policy, plans, servers: servers.length, timeoutMs }, report)
  const written = Object.fromEntries(plans.map(plan => [plan.name, writePlan(plan)]))
  const windows = windowsOf(name, file, report)
  return { backend: { name, policy: toPolicy(file, timeoutMs), servers }, polls, windows, written }
}

/** A node by its address alone: who is looked at, however. */
const showNode = ({ protocol, host, port }: Pick<Node, 'protocol' | 'host' | 'port'>): string => `${protocol}://${host}:${port}`

function toNode (written: ServerFile): Node {
  const { url, ca_file: caFile, server_name: serverName } = typeof written === 'string' ? { url: written } : written
  const address = parseNodeUrl(url) ?? { protocol: 'tcp' as const, host: url, port: 0 } // the schema let only good ones pass
  const key = [showNode(address), caFile, serverName].filter(part => part !== undefined).join(' ')
  return { key, ...address, ...(caFile === undefined ? {} : { caFile }), ...(serverName === undefined ? {} : { serverName }) }
}

function checkNode (path: readonly string[], node: Node, plans: readonly Plan[], report: Report): void {
  const asks = plans.find(({ kindName }) => kindName !== 'tcp' && kindName !== 'latency')
  if (node.protocol === 'tcp' && asks !== undefined) {
    report.add(path, `must be an http:// or https:// node: criterion ${asks.name} (${asks.kindName}) asks it over HTTP`)
  }
  if (node.protocol === 'https') return
  if (node.caFile !== undefined) report.add([...path, 'ca_file'], 'is only for an https:// node', 'key')
  if (node.serverName !== undefined) report.add([...path, 'server_name'], 'is only for an https:// node', 'key')
}

/** Binds the criteria of a backend to one server's node, and collects the polls that needs. */
class Binding {
  readonly polls: Poll[] = []
  readonly #readers: Poll['readers']
  readonly #node: Node
  readonly #policy: BackendFile['policy']

  constructor (backend: string, server: number, node: Node, file: BackendFile) {
    this.#readers = [{ backend, server }]
    this.#node = node
    this.#policy = file.policy
  }

  /** Reach reads the first poll that shows it (#showsReach); with none, it opens a TCP connection. */
  reach (plans: readonly Plan[]): Criterion {
    const { rise, fall } = this.#policy
    return {
      name: REACH, kind: REACH, probe: this.#reachKey(plans), meaning: this.#meaning(REACH, [rise, fall]),
      onFail: { action: 'down' }, rise, fall, judge: judgeReach, solo: false, ignores: []
    }
  }

  criterion (plan: Plan, plans: readonly Plan[]): Criterion {
    const { name, kindName, kind, options, common: { rise, fall, solo = false } } = plan
    const reachKey = this.#reachKey(plans)
    const key = this.#pollKey(plan) ?? reachKey
    const counter = { rise: rise ?? kind.defaults.rise ?? this.#policy.rise, fall: fall ?? kind.defaults.fall ?? this.#policy.fall }
    return {
      name, kind: kindName, probe: key, onFail: onFailOf(plan), ...counter, solo,
      meaning: this.#meaning(kindName, [options, counter]),
      judge: kind.judge(options as never),
      ignores: key === reachKey ? UNANSWERED : kind.ignores ?? UNREACHABLE
    }
  }

  #reachKey (plans: readonly Plan[]): string {
    const plan = plans.find(each => this.#showsReach(each))
    return (plan === undefined ? undefined : this.#pollKey(plan)) ?? this.#poll({ kind: 'tcp', options: {} })
  }

  /**
   * Whether no answer to this poll means that the node is gone: one at the backend's pace, of the node's own port, whose
   * failure is meant to take it out. A page of metrics that is missing or a side path that is slow is not that.
   */
  #showsReach (plan: Plan): boolean {
    const { kind, options, common: { every } } = plan
    const request = kind.probe(options as never)
    if (request === 'reach' || every !== undefined || kind.defaults.everyMs !== undefined) return false
    if (request.kind === 'tahoe-welcome') return true
    const takesOut = ['down', 'drain'].includes(onFailOf(plan).action)
    if (request.kind === 'tcp') return takesOut && (request.options.port ?? this.#node.port) === this.#node.port
    return takesOut && request.kind === 'http'
  }

  /** The poll a criterion reads; undefined when it reads what reach reads. */
  #pollKey ({ kind, options, common: { every, within } }: Plan): string | undefined {
    const request = kind.probe(options as never)
    if (request === 'reach') return undefined
    return this.#poll(request, every ?? kind.defaults.everyMs, within ?? kind.defaults.withinMs)
  }

  #poll (request: ProbeRequest, everyMs?: number, withinMs?: number): string {
    const timeoutMs = withinMs ?? this.#policy.timeout
    const key = [this.#node.key, request.kind, stableJson(request.options), timeoutMs].join(' ')
    const intervalMs = everyMs ?? this.#policy.interval
    const fastMs = Math.min(intervalMs, everyMs === undefined ? this.#policy.fast : Math.max(this.#policy.fast, everyMs / FAST_PART))
    const lane = request.kind === 'tahoe-write' && request.options.capFile !== undefined ? { lane: request.options.capFile } : {}
    const hedgeMs = everyMs === undefined && isHarmless(request) ? this.#hedgeMs(timeoutMs) : undefined
    const hedge = hedgeMs === undefined ? {} : { hedgeMs }
    this.polls.push({ key, node: this.#node, request, intervalMs, fastMs, timeoutMs, ...hedge, ...lane, readers: this.#readers })
    return key
  }

  #hedgeMs (timeoutMs: number): number | undefined {
    const { hedge } = this.#policy
    return hedge === OFF || hedge >= timeoutMs ? undefined : hedge
  }

  #meaning (kind: string, rest: unknown): string {
    return [this.#node.key, kind, stableJson(rest)].join(' ')
  }
}

/** Whether it may be asked twice at once: it changes nothing, and gives the node no work that counts. */
function isHarmless (request: ProbeRequest): boolean {
  switch (request.kind) {
    case 'tahoe-welcome':
    case 'tahoe-statistics':
    case 'metrics': return true
    case 'http': return ['GET', 'HEAD'].includes(request.options.method)
    case 'tcp': return request.options.send === undefined
    case 'tahoe-read':
    case 'tahoe-check':
    case 'tahoe-write': return false
  }
}

/** One poll for each key: the quickest pace, the facts and readers of all. */
export function unitePolls (polls: readonly Poll[]): readonly Poll[] {
  const united = new Map<string, Poll>()
  for (const poll of polls) {
    const other = united.get(poll.key)
    united.set(poll.key, other === undefined ? poll : unite(other, poll))
  }
  return [...united.values()]
}

function unite (a: Poll, b: Poll): Poll {
  const wants = [...new Set([...a.request.wants ?? [], ...b.request.wants ?? []])]
  const isNew = ({ backend, server }: Poll['readers'][number]): boolean =>
    !a.readers.some(r => r.backend === backend && r.server === server)
  const readers = [...a.readers, ...b.readers.filter(isNew)]
  const hedgeMs = Math.min(a.hedgeMs ?? Infinity, b.hedgeMs ?? Infinity)
  return {
    ...a,
    ...(hedgeMs < Infinity ? { hedgeMs } : {}),
    request: { ...a.request, ...(wants.length > 0 ? { wants } : {}) },
    intervalMs: Math.min(a.intervalMs, b.intervalMs),
    fastMs: Math.min(a.fastMs, b.fastMs),
    readers
  }
}

/** JSON with sorted keys: the same options give the same text. */
const stableJson = (value: unknown): string => JSON.stringify(value, (_, inner: unknown) =>
  typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
    : inner)
