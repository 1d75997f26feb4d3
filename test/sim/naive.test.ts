import t from 'tap'
import { NAIVE_RULES, NaiveVerdicts } from '../../src/sim/naive.ts'
import { parseScenario } from '../../src/sim/scenario.ts'
import { simulate, type RunResult } from '../../src/sim/simulate.ts'

/** The verdict after each look, drawn like the looks: + passed, - failed. */
function verdicts (rule: keyof typeof NAIVE_RULES, looks: string): string {
  const seen = new NaiveVerdicts(NAIVE_RULES[rule], 1)
  return [...looks].map(look => {
    seen.see(0, look === '+')
    return seen.isUp(0) ? '+' : '-'
  }).join('')
}

void t.test('immediate: the last look decides', async (t) => {
  t.equal(verdicts('immediate', '+-+--+-'), '+-+--+-')
})

void t.test('risefall: three failures in a row, two passes in a row', async (t) => {
  t.equal(verdicts('risefall', '--+--+--'), '++++++++', 'never three')
  t.equal(verdicts('risefall', '---+-+-++'), '++------+')
  t.equal(verdicts('risefall', '---++---'), '++--+++-', 'then three again')
})

void t.test('panic: with more than half out, all are in', async (t) => {
  const seen = new NaiveVerdicts(NAIVE_RULES.panic, 4)
  const out = (): string => [0, 1, 2, 3].filter(server => !seen.isUp(server)).join('')
  for (const [server, wanted] of [[0, '0'], [1, '01'], [2, '']] as const) {
    for (let i = 0; i < 3; i += 1) seen.see(server, false)
    t.equal(out(), wanted, `${server + 1} of 4`)
  }
  seen.see(0, true)
  seen.see(0, true)
  t.equal(out(), '12', 'half is not more than half')
})

void t.test('a verdict turns once, and says so', async (t) => {
  const seen = new NaiveVerdicts(NAIVE_RULES.risefall, 1)
  t.strictSame([false, false, false, false].map(look => seen.see(0, look)), [false, false, true, false])
})

const FARM = { name: 'x', why: 'x', nodes: 4, load_rps: 100, duration_s: 60 }

async function play (policy: 'immediate' | 'risefall' | 'panic', timeline: readonly unknown[], more: object = {}): Promise<RunResult> {
  return simulate(parseScenario({ ...FARM, ...more, timeline }, 'x.json'), { policy, seed: 1, timeline: true })
}

const told = ({ timeline }: RunResult): readonly string[] => timeline.map(({ text }) => text).filter(text => text.startsWith('be/'))

void t.test('any failing criterion counts, also one that is only a warning', async (t) => {
  for (const [set, reason] of [
    [{ introducer: false }, 'introducer: 0 of 1 introducers connected, needs 1 (ConnectionRefusedError)'],
    [{ storage: false }, 'storage: 0 of 10 storage servers connected, needs 1 (ConnectionRefusedError)'],
    [{ err: 1 }, 'http: answered 500, needs 200 or 204'],
    [{ mode: 'hang' }, 'no answer in time'],
    [{ mode: 'refused' }, 'connection refused']
  ] as const) {
    const result = await play('immediate', [{ t: 30, nodes: [2], set }])
    t.strictSame(told(result), [`be/n2 up -> down: ${reason}`])
    t.equal(result.inService.at(-1), 3, reason)
  }
})

void t.test('each criterion is judged by what its own poll would show', async (t) => {
  const criteria = [{ name: 'http', on_fail: 'fail' }, { name: 'lame', on_fail: 'drain' }]
  const lame = await play('immediate', [{ t: 30, nodes: [1], set: { lame: true } }], { criteria })
  t.strictSame(told(lame), ['be/n1 up -> down: lame: answered 503, needs 200 or 204'])
})

void t.test('a plain counter takes longer, and both come back', async (t) => {
  const hang = [{ t: 30, nodes: [0], set: { mode: 'refused' } }, { t: 45, nodes: [0], set: { mode: 'ok' } }]
  const options = { haproxy: { own_check: 'none' } }
  const [immediate, risefall] = [await play('immediate', hang, options), await play('risefall', hang, options)]
  t.match(immediate, { flips: 2, missed: 0, falseEjections: 0 })
  t.match(risefall, { flips: 2, missed: 0, falseEjections: 0 })
  t.equal(Math.round(risefall.haltSeconds! - immediate.haltSeconds!), 4, 'two looks more to go')
  t.equal(Math.round(risefall.returnSeconds! - immediate.returnSeconds!), 2, 'one look more to come back')
})

void t.test('panic keeps all in service where the others take out all', async (t) => {
  const lost = [{ t: 30, nodes: 'all', set: { introducer: false } }]
  t.equal((await play('risefall', lost)).minUsable, 0)
  const panic = await play('panic', lost)
  t.equal(panic.inService.at(-1), 4)
  t.equal(panic.availability, 100)
})
