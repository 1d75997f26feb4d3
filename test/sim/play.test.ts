/** Every scenario of ours, played: what must always hold holds, and an agent is no worse than none. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkAnswer, type Seen } from '../../src/sim/invariants.ts'
import { readScenario, type Scenario } from '../../src/sim/scenario.ts'
import { simulate, type RunResult } from '../../src/sim/simulate.ts'
import { root } from '../helpers/paths.ts'

/** Long ones show over and over what is seen in this time. */
const PLAYED_MS = 300_000
/** Points of availability that a wrong guess may cost. */
const TOLERANCE = 0.5

/** Where an agent that does as it is told is worse than none: operators and settings that ask for it. */
const ASKED_FOR = ['everything-in-maintenance', 'layers-off']
/** Nothing is wrong with any node here, or nothing that another one would do better. */
const NOBODY_TO_BLAME = [
  'agent-blind', 'agent-cut-off', 'agent-starved', 'loss-1', 'loss-5', 'loss-10', 'introducer-gone-everywhere', 'storage-gone-everywhere',
  'shared-storage', 'two-gateways-no-storage', 'lone-gateway', 'only-observed', 'rude-reason', 'slow-three-times'
]

const scenarios: readonly Scenario[] = ['scenarios', 'test/sim/scenarios', 'test/sim/asked-for'].flatMap(directory =>
  readdirSync(join(root, directory)).map(file => readScenario(readFileSync(join(root, directory, file), 'utf8'), file)))

const cut = (scenario: Scenario): Scenario => {
  const durationMs = Math.min(scenario.durationMs, PLAYED_MS)
  return { ...scenario, durationMs, events: scenario.events.filter(({ atMs }) => atMs < durationMs) }
}

for (const scenario of scenarios.map(cut)) {
  void t.test(scenario.name, async t => {
    const broken = new Set<string>()
    let previous: Seen | undefined
    const onAnswer = (seen: Seen): void => {
      const wrong = checkAnswer(seen, previous)
      if (wrong !== undefined) broken.add(wrong)
      previous = seen
    }
    const hcf = await simulate(scenario, { policy: 'hcf', seed: 1, onAnswer })
    t.strictSame([...broken].slice(0, 3), [], 'what must always hold')
    t.ok(previous !== undefined, 'there were answers')
    t.ok(isWhole(hcf, scenario), 'every figure is one')

    if (NOBODY_TO_BLAME.includes(scenario.name)) t.equal(hcf.flips, 0, 'nobody is taken out')
    if (ASKED_FOR.includes(scenario.name)) return
    const none = await simulate(scenario, { policy: 'none', seed: 1 })
    t.ok(hcf.availability >= none.availability - TOLERANCE, `${hcf.availability.toFixed(2)}%, without an agent ${none.availability.toFixed(2)}%`)
  })
}

function isWhole (result: RunResult, { nodes, durationMs }: Scenario): boolean {
  const { offered, failed, slow, availability, inService } = result
  return offered > 0 && failed >= 0 && slow >= 0 && failed + slow <= offered * 1.0001 && availability >= 0 && availability <= 100 &&
    inService.length === durationMs / 1000 && inService.every(servers => servers >= 0 && servers <= nodes)
}

void t.test('the names above are names of scenarios', async t => {
  const names = new Set(scenarios.map(({ name }) => name))
  t.strictSame([...ASKED_FOR, ...NOBODY_TO_BLAME].filter(name => !names.has(name)), [])
})
