/** What the admin port may ask of the agent and have it do. */
import type { AdminDeps, Given, Reloaded } from '../admin/deps.ts'
import type { OrderBody } from '../admin/api.ts'
import type { Tokens } from '../admin/tokens.ts'
import { TrafficWatch } from '../haproxy/traffic.ts'
import type { RuntimeSocket } from '../haproxy/runtime.ts'
import type { Clock } from '../runtime/clock.ts'
import { concerns, type EventFeed } from '../runtime/feed.ts'
import type { Chronicle } from '../runtime/journal.ts'
import type { Given as OrderGiven, Operator } from '../runtime/operator.ts'
import { givenOf, overrideViews, pollersOf, serverOf, statusOf, type Known } from './views.ts'

export interface Agent extends Known {
  readonly clock: Clock
  readonly version: string
  readonly startedMs: number
  readonly feed: EventFeed
  readonly operator: Operator
  /** These change with the config. */
  readonly journal: () => Chronicle
  readonly tokens: () => Tokens | undefined
  readonly sockets: () => ReadonlyArray<RuntimeSocket & { readonly name: string }>
  readonly isStopping: () => boolean
  readonly reload: () => Promise<Reloaded>
}

export function adminDeps (agent: Agent): AdminDeps {
  const { clock, version, monitor, pollers, operator, feed } = agent
  const watch = new TrafficWatch(() => clock.now())
  const uptimeMs = (): number => Math.round(clock.now() - agent.startedMs)
  const given = (answer: OrderGiven): Given => answer.ok ? { ok: true, body: givenOf(agent, answer.scopes, answer.notes) } : answer
  return {
    version,
    clock,
    uptimeMs,
    isStopping: agent.isStopping,
    nearest: id => monitor.nearest(id),
    status: () => statusOf(agent, { version, uptimeMs: uptimeMs(), journal: { on: agent.journal().isOn, dropped: agent.journal().dropped } }),
    server: id => serverOf(agent, id),
    isFit: id => monitor.takesTraffic(id),
    pollers: () => pollersOf(agent),
    overrides: () => overrideViews(agent),
    traffic: async id => {
      const haproxys = [...await watch.on(id, agent.sockets())]
      const sinceMs = monitor.view(id)?.sinceMs ?? 0
      return {
        haproxys,
        waiting: [...pollers.unheard(id, sinceMs, clock.now())],
        heard: pollers.of(id).filter(({ lastMs }) => lastMs >= sinceMs).length
      }
    },
    give: (order, by) => given(operator.give(requestOf(order, by, clock.wall()))),
    clear: (scope, by, force) => given(operator.clear(scope, by, force)),
    reload: agent.reload,
    events: {
      list: ({ since, sinceMs, after, backend, limit = 1000 }) => feed.list({
        ...(since === undefined ? {} : { sinceWallMs: Date.parse(since) }),
        ...(sinceMs === undefined ? {} : { sinceWallMs: clock.wall() - sinceMs }),
        ...(after === undefined ? {} : { afterId: after }),
        ...(backend === undefined ? {} : { backend }),
        limit
      }),
      subscribe: listener => feed.subscribe(listener)
    },
    concerns,
    tokens: agent.tokens
  }
}

function requestOf (order: OrderBody, by: string, wallMs: number): Parameters<Operator['give']>[0] {
  const { targets, action, weightPercent = 0, reason, forMs, until, rampMs, force = false, atMost } = order
  const untilWallMs = forMs === undefined ? until === undefined ? undefined : Date.parse(until) : wallMs + forMs
  return {
    scopes: targets, action: action === 'weight' ? { weightPercent } : action, by, reason, force,
    ...(untilWallMs === undefined ? {} : { untilWallMs }),
    ...(rampMs === undefined ? {} : { rampMs }),
    ...(atMost === undefined ? {} : { atMost })
  }
}
