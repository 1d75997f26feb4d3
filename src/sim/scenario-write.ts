/** A scenario as the text of a file: what chance made up and what was cut short can be kept, and played again. */
import { toCriteriaFile } from './scenario-policy.ts'
import type { Scenario, ScenarioEvent } from './scenario.ts'

type Tree = Readonly<Record<string, unknown>>

/** A line for each key, and for each event of the timeline. */
export function writeScenario (scenario: Scenario): string {
  const { timeline, ...head } = toFile(scenario)
  const lines = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${spaced(value)}`)
  const entries = timeline.map(entry => `    ${spaced(entry)}`)
  const list = entries.length === 0 ? '[]' : `[\n${entries.join(',\n')}\n  ]`
  return `{\n${[...lines, `  "timeline": ${list}`].join(',\n')}\n}\n`
}

/** JSON on one line, with blanks where a person puts them. */
export function spaced (value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pairs = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${spaced(inner)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

function toFile (scenario: Scenario): Tree & { readonly timeline: readonly Tree[] } {
  const { policy = {}, mode } = scenario.backend as { readonly policy?: Tree, readonly mode?: string }
  const settings = mode === undefined ? policy : { mode, ...policy }
  return {
    name: scenario.name,
    why: scenario.why,
    nodes: scenario.nodes,
    load_rps: scenario.loadRps,
    duration_s: scenario.durationMs / 1000,
    warmup_s: scenario.warmupMs / 1000,
    client_timeout_ms: scenario.clientTimeoutMs,
    balance: scenario.balance,
    node: { capacity_rps: scenario.capacityRps, base_ms: scenario.baseMs, probe_ms: scenario.probeMs },
    haproxy: { agent_inter_ms: scenario.agentInterMs, own_check: scenario.ownCheck },
    criteria: toCriteriaFile(scenario.backend),
    ...(Object.keys(settings).length === 0 ? {} : { policy: settings }),
    timeline: scenario.events.map(event => toEntry(event, scenario.nodes))
  }
}

export function toEntry (event: ScenarioEvent, nodes: number): Tree {
  const t = event.atMs / 1000
  switch (event.kind) {
    case 'nodes': {
      const { probeErr, latMult, capMult, probeLoss, ...same } = event.set
      const set = {
        ...same,
        ...('probeErr' in event.set ? { probe_err: probeErr ?? null } : {}),
        ...(latMult === undefined ? {} : { lat_mult: latMult }),
        ...(capMult === undefined ? {} : { cap_mult: capMult }),
        ...(probeLoss === undefined ? {} : { probe_loss: probeLoss })
      }
      return { t, nodes: event.nodes.length === nodes ? 'all' : event.nodes, set }
    }
    case 'prober': return { t, prober: event.set }
    case 'load': return { t, load_rps: event.loadRps }
    case 'override': {
      const { scope, action, forMs, by, reason } = event
      return { t, override: { scope, action, ...(forMs === undefined ? {} : { ttl_s: forMs / 1000 }), author: by, reason } }
    }
    case 'restart-agent': return { t, restart_agent: true }
  }
}
