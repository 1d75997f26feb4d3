/** Why a server is what it is, as data: one wording for the CLI, the API and the page. */
import { healthOf, isFailing } from './check.ts'
import { decide, decidePolled } from './decide.ts'
import { floorAt, need } from './floor.ts'
import type { Backend, Decision, OnFail, Scalar } from './model.ts'
import { ordersOn, type OrderStory } from './order.ts'
import { outlook } from './outlook.ts'
import { serviceOf } from './safety.ts'
import type { Policy } from './policy.ts'
import type { BackendState, ServerState } from './state.ts'
import { isStrained } from './strain.ts'
import { count, showDuration } from './text.ts'

export interface CriterionStory {
  readonly name: string
  readonly kind: string
  readonly onFail: string
  /** `doubt`: it fails, and may not act on that now. */
  readonly status: 'pass' | 'fail' | 'doubt' | 'no sample'
  /** HAProxy's counter: passing while `health` >= `rise`. Absent without a sample. */
  readonly health?: number
  readonly rise: number
  readonly fall: number
  readonly value?: Scalar
  readonly limit?: string
  readonly reason?: string
  /** Monotonic ms when it last began to pass or to fail. */
  readonly sinceMs?: number
}

/** What the backend as a whole can afford, for the layers that look at all servers. */
export interface BackendStory {
  readonly servers: number
  /** In service by their own verdict, or for want of a recent one. */
  readonly fit: number
  /** What the floor wants in service: by `min_up` and `max_out`, and under strain. */
  readonly need: number
  readonly extra: number
  readonly kept: readonly string[]
  readonly strained: boolean
  /** Out because of an order. */
  readonly outByOrder: readonly string[]
  /** Take traffic, as far as we say it. */
  readonly inService: number
}

/** A server at a glance. */
export interface Summary {
  readonly decision: Decision
  /** One sentence for a tired person. */
  readonly sentence: string
  /** What will happen next by itself. */
  readonly next?: string
}

export interface Story extends Summary {
  readonly criteria: readonly CriterionStory[]
  readonly backend: BackendStory
  /** All that concern it, narrowest first. */
  readonly orders: readonly OrderStory[]
}

export function explain (backend: Backend, state: BackendState, index: number, nowMs: number): Story {
  const around = explainBackend(backend, state, nowMs)
  const server = backend.servers[index]
  return {
    ...summarize(backend, state, index, nowMs, around),
    criteria: criteriaOf(backend, state, index),
    backend: around,
    orders: server === undefined ? [] : ordersOn(state.orders, server, nowMs)
  }
}

/** `around`: the same backend at the same moment. */
export function summarize (backend: Backend, state: BackendState, index: number, nowMs: number, around: BackendStory): Summary {
  const decision = decide(backend, state, index, nowMs)
  const own = state.servers.at(index)
  const told = decision.layer === 'order' ? decidePolled(backend, state, index, nowMs) : undefined
  const next = outlook(backend, state, index, decision, nowMs)
  return {
    decision,
    sentence: sentence(decision, { around, own, policy: backend.policy, told, nowMs }),
    ...(next === undefined ? {} : { next })
  }
}

function criteriaOf (backend: Backend, state: BackendState, index: number): readonly CriterionStory[] {
  const checks = state.servers.at(index)?.checks ?? []
  return (backend.servers[index]?.criteria ?? []).map((criterion, i) => {
    const { name, kind, rise, fall } = criterion
    const check = checks[i]
    const known = { name, kind, onFail: showOnFail(criterion.onFail), rise, fall }
    if (check === undefined) return { ...known, status: 'no sample' as const }
    const { value, limit, reason } = check.verdict
    const status = check.doubt !== undefined ? 'doubt' : isFailing(check) ? 'fail' : 'pass'
    return { ...known, status, health: healthOf(criterion, check), value, limit, reason, sinceMs: check.sinceMs }
  })
}

export function explainBackend (backend: Backend, state: BackendState, nowMs: number): BackendStory {
  const { kept, fit } = floorAt(backend, state, nowMs)
  const { serving, ordered } = serviceOf(backend, state, nowMs)
  return {
    servers: backend.servers.length,
    fit,
    need: need(backend),
    extra: state.extra,
    kept: backend.servers.filter((_, i) => kept.has(i)).map(({ name }) => name),
    strained: isStrained(backend.policy, state.tally),
    outByOrder: ordered,
    inService: serving.length
  }
}

export const showOnFail = (onFail: OnFail): string => onFail.action === 'weight' ? `weight ${onFail.percent}%` : onFail.action

interface Context {
  readonly around: BackendStory
  readonly own: ServerState | undefined
  readonly policy: Policy
  /** What the polls say, where an order has the last word. */
  readonly told: Decision | undefined
  readonly nowMs: number
}

function sentence ({ state, layer, weightPercent, because }: Decision, { around, own, policy, told, nowMs }: Context): string {
  const [first = '', ...rest] = because
  const more = rest.length > 0 ? ` (and ${rest.length} more)` : ''
  const up = `Up at ${weightPercent}%`
  switch (layer) {
    case 'start': return `No opinion yet, so HAProxy keeps what it knows: ${rest.length > 0 ? rest.join('; ') : first}.`
    case 'floor': return `${up} against its criteria (${first.replace('kept up by the floor: ', '')}${more}): ${shortage(around)}.`
    case 'gate': return `${up}, in doubt: ${because.join('; ')}.`
    case 'hold': return `Down ${holdLeft(own, nowMs)}: ${first}${more}.`
    case 'weight': return `${up}: ${first}${more}.`
    case 'ramp': return `${up}, and more every few seconds${rampLeft(own, policy, nowMs)}: it has just come back${rest.length > 0 ? ` (${rest.join('; ')})` : ''}.`
    case 'stale': return `Up, because what was known of it is too old: ${first.replace('stale: ', '')}.`
    case 'order': return `${byOrder(state, weightPercent)} by order: ${first}. ${told === undefined ? '' : `The polls say ${showTold(told)}.`}`.trim()
    case 'observe': return `Up, for hcf only watches here: ${first.replace('observe, ', '')}${more}.`
    case 'criteria':
      if (state === 'up' && first === '') return `${up}: every criterion passes.`
      if (state === 'up') return `${up}: ${first}${more}.`
      return `${state === 'drain' ? 'Drained' : 'Down'} by its criteria: ${first}${more}.`
  }
}

function byOrder (state: Decision['state'], weightPercent: number): string {
  switch (state) {
    case 'drain': return 'Drained'
    case 'maint': return 'In maintenance'
    case 'up': return weightPercent === 0 ? 'Up without traffic' : `Up at ${weightPercent}%`
    case 'down':
    case 'unknown': return 'Down'
  }
}

const showTold = ({ state, because: [first] }: Decision): string => `${state}${first === undefined ? '' : ` (${first})`}`

const holdLeft = (own: ServerState | undefined, nowMs: number): string =>
  own === undefined || own.holdUntilMs <= nowMs ? 'until it passes once more' : `for ${showDuration(Math.ceil((own.holdUntilMs - nowMs) / 1000) * 1000)} more`

function rampLeft (own: ServerState | undefined, { ramp }: Policy, nowMs: number): string {
  if (own?.rampFromMs === undefined || ramp === undefined) return ''
  return `, all of it in ${showDuration(Math.ceil(Math.max(0, own.rampFromMs + ramp.forMs - nowMs) / 1000) * 1000)}`
}

function shortage ({ servers, fit, need: least, extra, strained }: BackendStory): string {
  const wants = Math.min(servers, least + extra)
  const under = extra > 0 ? strained ? ', for the load' : ', since the load was too much' : ''
  const few = fit === 0 ? `none of ${count(servers, 'server')} is fit` : `only ${fit} of ${count(servers, 'server')} ${fit === 1 ? 'is' : 'are'} fit`
  return `${few}, and the floor wants ${wants} in service${under}`
}
