/**
 * The policies one would write first, to compare with: small plain code that shares the criteria's judges and the
 * scheduler with the real thing, and no decision. Any failing criterion counts, whatever it is meant to do.
 */
import { serverId, type Backend, type Facts, type ProbeKey, type Sample, type Server } from '../core/model.ts'
import type { Poll } from '../core/probe.ts'
import { Scheduler } from '../runtime/scheduler.ts'
import type { Contender, ContenderDeps } from './contender.ts'

export interface NaiveRule {
  /** Good looks in a row to come back, bad ones to go. */
  readonly rise: number
  readonly fall: number
  /** When more than half are out, all are in. */
  readonly panics: boolean
}

export const NAIVE_RULES = {
  /** The last poll decides. */
  immediate: { rise: 1, fall: 1, panics: false },
  /** HAProxy's own counter. */
  risefall: { rise: 2, fall: 3, panics: false },
  /** As Envoy does. */
  panic: { rise: 2, fall: 3, panics: true }
} as const satisfies Record<string, NaiveRule>

/** Verdicts by looks alone. */
export class NaiveVerdicts {
  readonly #rule: NaiveRule
  readonly #up: boolean[]
  /** Looks in a row that speak against the verdict. */
  readonly #against: number[]

  constructor (rule: NaiveRule, servers: number) {
    this.#rule = rule
    this.#up = Array.from({ length: servers }, () => true)
    this.#against = this.#up.map(() => 0)
  }

  /** Whether this look turned the verdict. */
  see (server: number, passed: boolean): boolean {
    const up = this.#up[server] ?? true
    const against = passed === up ? 0 : (this.#against[server] ?? 0) + 1
    const turns = against >= (up ? this.#rule.fall : this.#rule.rise)
    this.#against[server] = turns ? 0 : against
    if (turns) this.#up[server] = passed
    return turns
  }

  isUp (server: number): boolean {
    const up = this.#up.filter(Boolean).length
    return this.#up[server] === true || (this.#rule.panics && up * 2 < this.#up.length)
  }
}

/** An agent that looks at each node once an interval, and takes all it wants to know from that look. */
export function createNaive (rule: NaiveRule, { setup: { backend, polls }, sight, log }: ContenderDeps): Contender {
  const verdicts = new NaiveVerdicts(rule, backend.servers.length)
  const byKey = new Map(polls.map(poll => [poll.key, poll]))
  const scheduler = new Scheduler({
    clock: sight.clock,
    createProbe: poll => sight.probe(poll),
    onSample: (poll, sample) => { for (const { server } of poll.readers) see(server, poll, sample) },
    isUndecided: () => true,
    isAwaited: () => false,
    wanted: () => []
  })

  const see = (server: number, poll: Poll, sample: Sample): void => {
    const known = backend.servers[server]
    if (known === undefined) return
    const why = complaint(known, sample, key => {
      const other = key === poll.key ? undefined : byKey.get(key)
      return other === undefined ? {} : sight.facts(other)
    })
    if (!verdicts.see(server, why === undefined)) return
    const [id, from, to] = [serverId(known), ...(why === undefined ? ['down', 'up'] : ['up', 'down'])]
    log('server.state', { server: id, from, to }, `${id} ${from} -> ${to}${why === undefined ? '' : `: ${why}`}`)
  }
  scheduler.set(firstPolls(backend, polls))

  return {
    answer: server => verdicts.isUp(server) ? 'up 100%\n' : 'down 100%\n',
    order: () => undefined, // nobody has thought of that
    stop: () => { scheduler.stop() }
  }
}

/**
 * One poll a server: the one that shows it reachable. At one pace always: undecided, so that a look which took its whole
 * interval is followed by the next at once.
 */
function firstPolls ({ servers }: Backend, polls: readonly Poll[]): readonly Poll[] {
  const keys = new Set(servers.map(({ criteria: [first] }) => first?.probe))
  return polls.filter(({ key }) => keys.has(key)).map(poll => ({ ...poll, fastMs: poll.intervalMs }))
}

/** Why a look is bad, if it is. `factsFor`: what the same look shows of another poll. */
function complaint ({ criteria }: Server, sample: Sample, factsFor: (key: ProbeKey) => Facts): string | undefined {
  if (!sample.ok) return sample.error.message
  for (const { name, probe, judge } of criteria) {
    const verdict = judge({ ...sample, facts: { ...sample.facts, ...factsFor(probe) } }, undefined)
    if (verdict?.pass === false) return `${name}: ${verdict.reason}`
  }
  return undefined
}
