import t from 'tap'
import { LEGEND, bucketSeconds, heading, resultRows, sparkline, timelineLines, toJson, totalsLine } from '../../src/sim/report.ts'
import { parseScenario } from '../../src/sim/scenario.ts'
import type { RunResult } from '../../src/sim/simulate.ts'

const result = (more: Partial<RunResult> = {}): RunResult => ({
  scenario: 'one-hangs', policy: 'hcf', seed: 1, offered: 100_000, failed: 1234.5678, slow: 2500, availability: 98.7654321,
  falseEjections: 1, flips: 4, weightChanges: 12, wronglyOutSeconds: 31.4, wronglyInSeconds: 7.6, haltSeconds: 6.543, returnSeconds: 35.21,
  missed: 0, minUsable: 7, inService: [], timeline: [], ...more
})
const row = (more: Partial<RunResult>): Readonly<Record<string, string>> => {
  const [head = [], cells = []] = resultRows([result(more)])
  return Object.fromEntries(head.map((name, i) => [name, cells[i] ?? '?']))
}

void t.test('a row for each policy, under headings that are explained', async t => {
  t.strictSame(row({}), {
    policy: 'hcf', available: '98.765%', failed: '1235', slow: '2.5%', 'fit out': '31s', 'unfit in': '8s', 'halted in': '6.5s', 'back in': '35.2s',
    'false out': '1', flips: '4', weights: '12'
  })
  const [head = []] = resultRows([])
  t.strictSame(head.slice(1), Object.keys(LEGEND))
  t.strictSame(resultRows([result(), result({ policy: 'none' })]).slice(1).map(([policy]) => policy), ['hcf', 'none'])
})

void t.test('what did not happen is no number, and nearly all is not all', async t => {
  t.equal(row({ haltSeconds: undefined })['halted in'], '-')
  t.equal(row({ haltSeconds: undefined, missed: 2 })['halted in'], 'never')
  t.equal(row({ haltSeconds: 3, missed: 2 })['halted in'], '3.0s, 2 never')
  t.equal(row({ returnSeconds: undefined })['back in'], '-')
  t.equal(row({ availability: 100 })['available'], '100%')
  t.equal(row({ availability: 99.9999 })['available'], '99.999%')
  t.equal(row({ offered: 0, slow: 0 })['slow'], '0.0%')
})

void t.test('a sparkline shows the worst of each stretch', async t => {
  const cases: ReadonlyArray<readonly [readonly number[], nodes: number, width: number, string, string]> = [
    [[], 8, 10, '', 'nothing'],
    [[8, 8, 7, 4, 1, 0, 8], 8, 10, '██▇▅▂▁█', 'a character a second; full is all, the lowest bar is none'],
    [[8, 8, 7, 4, 1, 0, 8], 8, 3, '▇▁█', 'three seconds a character'],
    [[8, 8, 7, 4, 1, 0, 8], 8, 1, '▁', 'all in one'],
    [[1, 0], 1, 10, '█▁', 'one node'],
    [[99, 100, 1], 100, 10, '▇█▂', 'one of a hundred out is seen, and one of a hundred in'],
    [[3], 8, 0, '▄', 'no room at all']
  ]
  for (const [inService, nodes, width, line, why] of cases) t.equal(sparkline(inService, nodes, width), line, why)
  for (let width = 1; width < 200; width += 1) {
    if ([...sparkline(Array.from({ length: 300 }, () => 1), 1, width)].length > width) t.fail(`does not fit ${width}`)
  }
  t.strictSame([bucketSeconds(300, 90), bucketSeconds(300, 300), bucketSeconds(0, 90)], [4, 1, 1])
})

void t.test('a heading says which farm', async t => {
  const scenario = parseScenario({ name: 'x', why: 'one\nhangs', nodes: 8, load_rps: 440, duration_s: 240, balance: 'leastconn' }, '')
  t.strictSame(heading(scenario), ['x: one hangs', '8 nodes at 55% of what they can carry, leastconn, 4m'])
  t.strictSame(heading({ ...scenario, why: '', nodes: 1 }), ['x', '1 node at 440% of what they can carry, leastconn, 4m'])
})

void t.test('a timeline is one line for each entry, whatever is in it', async t => {
  const timeline = [
    { atMs: 50_000, text: 'n2: takes connections and never answers' }, { atMs: 63_540, text: 'be/n2 up -> down: reach: no answer in 2s' },
    { atMs: 1_000_000, text: 'al orders\nready up 100%\u001b[31m' }
  ]
  t.strictSame(timelineLines(result({ timeline })), [
    '   50.0s  n2: takes connections and never answers',
    '   63.5s  be/n2 up -> down: reach: no answer in 2s',
    ' 1000.0s  al orders ready up 100% [31m'
  ])
})

void t.test('the last line is about all scenarios', async t => {
  const results = [
    result({ policy: 'none', availability: 90, falseEjections: 0 }), result({ availability: 99.5 }),
    result({ scenario: 'two', policy: 'none', availability: 95, falseEjections: 0 }), result({ scenario: 'two', availability: 100, falseEjections: 2 })
  ]
  t.equal(totalsLine(results), '2 scenarios, mean availability: none 92.500% (0 false out), hcf 99.750% (3 false out)')
  t.equal(totalsLine([result()]), '1 scenario, mean availability: hcf 98.765% (1 false out)')
})

void t.test('for programs: just these seven, and null for what never was', async t => {
  t.strictSame(toJson(result()), {
    scenario: 'one-hangs', policy: 'hcf', availability: 98.7654, failed: 1235, falseEjections: 1, flips: 4, haltSeconds: 6.54
  })
  t.equal(toJson(result({ haltSeconds: undefined })).haltSeconds, null)
})
