/** The shortest timeline that still fails: what is left of a scenario when everything that does not matter is gone. */
import type { Scenario, ScenarioEvent } from './scenario.ts'

export type Fails = (scenario: Scenario) => boolean | Promise<boolean>

const TRIES_MAX = 400
/** A history is cut at whole seconds. */
const CUT_MS = 1000

/** `scenario` fails. So does what is returned; at most `triesMax` others are tried on the way. */
export async function shrink (scenario: Scenario, fails: Fails, triesMax = TRIES_MAX): Promise<Scenario> {
  const shrinker = new Shrinker(scenario, fails, triesMax)
  for (let before; before !== shrinker.best && !shrinker.isTired;) {
    before = shrinker.best
    await shrinker.shorten() // first: all later tries take less time
    await shrinker.dropEvents()
    await shrinker.dropNodes()
  }
  return shrinker.best
}

class Shrinker {
  best: Scenario
  readonly #fails: Fails
  #triesLeft: number

  constructor (scenario: Scenario, fails: Fails, triesMax: number) {
    this.best = scenario
    this.#fails = fails
    this.#triesLeft = triesMax
  }

  get isTired (): boolean {
    return this.#triesLeft <= 0
  }

  /** The earliest end, by halves. */
  async shorten (): Promise<void> {
    let low = Math.floor(this.best.warmupMs / CUT_MS)
    let high = Math.ceil(this.best.durationMs / CUT_MS)
    while (high - low > 1 && !this.isTired) {
      const middle = Math.floor((low + high) / 2)
      if (await this.#try(endingAt(this.best, middle * CUT_MS))) high = middle
      else low = middle
    }
  }

  /** Delta debugging: runs of events of half the timeline are left out, then of a quarter, down to single ones. */
  async dropEvents (): Promise<void> {
    await this.#dropRuns(() => this.best.events, events => ({ ...this.best, events }))
  }

  /** The same with the nodes that an event hits, and with those that the agent cannot see. */
  async dropNodes (): Promise<void> {
    for (const [i] of this.best.events.entries()) {
      const event = (): ScenarioEvent | undefined => this.best.events[i]
      const least = event()?.kind === 'nodes' ? 1 : 0 // one that hits nobody is no event
      const replaced = (by: ScenarioEvent): Scenario => ({ ...this.best, events: this.best.events.with(i, by) })
      await this.#dropRuns(() => namesOf(event()), names => {
        const now = event()
        return now === undefined ? this.best : replaced(withNames(now, names))
      }, least)
    }
  }

  async #dropRuns<T> (items: () => readonly T[], rebuilt: (items: readonly T[]) => Scenario, least = 0): Promise<void> {
    for (let size = Math.ceil(items().length / 2); size > 0 && !this.isTired; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < items().length && !this.isTired;) {
        const kept = [...items().slice(0, from), ...items().slice(from + size)]
        if (kept.length < least || !(await this.#try(rebuilt(kept)))) from += size
      }
    }
  }

  async #try (scenario: Scenario): Promise<boolean> {
    if (this.isTired) return false
    this.#triesLeft -= 1
    const fails = await this.#fails(scenario)
    if (fails) this.best = scenario
    return fails
  }
}

function endingAt (scenario: Scenario, durationMs: number): Scenario {
  return { ...scenario, durationMs, events: scenario.events.filter(({ atMs }) => atMs < durationMs) }
}

/** Whom an event is about, where that is a list. */
function namesOf (event: ScenarioEvent | undefined): ReadonlyArray<number | string> {
  if (event?.kind === 'nodes') return event.nodes
  return event?.kind === 'prober' ? event.set.partition ?? [] : []
}

function withNames (event: ScenarioEvent, names: ReadonlyArray<number | string>): ScenarioEvent {
  if (event.kind === 'nodes') return { ...event, nodes: names.filter(name => typeof name === 'number') }
  if (event.kind === 'prober') return { ...event, set: { ...event.set, partition: names.filter(name => typeof name === 'string') } }
  return event
}
