/** Made-up farms against what must always hold, and the shortest history that breaks it. */
import { checkAnswer, type Seen } from './invariants.ts'
import { randomFarm } from './random-farm.ts'
import { writeScenario } from './scenario-write.ts'
import type { Scenario } from './scenario.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulate.ts'

export interface Failure {
  readonly seed: number
  /** The invariant that broke, and how. */
  readonly wrong: string
  /** The shortest history found that breaks the same one: the text of a scenario file. */
  readonly scenario: string
}

export interface Soaked { readonly answers: number, readonly failure?: Failure }

type Check = typeof checkAnswer

/** Plays the farm of one seed. */
export async function soak (seed: number, check: Check = checkAnswer): Promise<Soaked> {
  const farm = randomFarm(seed)
  const { answers, wrong } = await play(farm, seed, check)
  if (wrong === undefined) return { answers }

  const shortest = await shrink(farm, async scenario => nameOf((await play(scenario, seed, check)).wrong) === nameOf(wrong))
  const { wrong: still = wrong } = await play(shortest, seed, check)
  return { answers, failure: { seed, wrong: still, scenario: writeScenario({ ...shortest, why: still.slice(0, 300) }) } }
}

/** Of `name: what happened`: shrinking must not run after another mistake. */
const nameOf = (wrong: string | undefined): string | undefined => wrong?.split(':')[0]

class Broken extends Error {}

async function play (scenario: Scenario, seed: number, check: Check): Promise<{ readonly answers: number, readonly wrong?: string }> {
  let answers = 0
  let previous: Seen | undefined
  const onAnswer = (seen: Seen): void => {
    answers += 1
    const wrong = check(seen, previous)
    if (wrong !== undefined) throw new Broken(wrong)
    previous = seen
  }
  try {
    await simulate(scenario, { policy: 'hcf', seed, onAnswer })
    return { answers }
  } catch (error) {
    if (error instanceof Broken) return { answers, wrong: error.message }
    return { answers, wrong: `crash: ${error instanceof Error ? error.stack ?? error.message : String(error)}` }
  }
}
