import t from 'tap'
import type { GoodSample } from '../../src/core/model.ts'
import { metricsFacts } from '../../src/probes/metrics.ts'
import { statisticsFacts } from '../../src/probes/tahoe-statistics.ts'
import { statistics } from '../fixtures/tahoe.ts'
import { judge, judgeRows, kindOf, refusals, sample, says, showsValueAndLimit, type Options, type Row } from './judge.ts'

void t.test('tahoe.statistic', async (t) => {
  const UPTIME = { name: 'node.uptime', at_least: 30 }
  const rows: readonly Row[] = [
    [{ 'node.uptime': 30 }, UPTIME, true, 'node.uptime 30, needs at least 30', 'at the bound'],
    [{ 'node.uptime': 31 }, UPTIME, true, 'node.uptime 31, needs at least 30', 'bound + 1'],
    [{ 'node.uptime': 29 }, UPTIME, false, 'node.uptime 29, needs at least 30', 'bound - 1'],
    [{ x: 4 }, { name: 'x', at_most: 4 }, true, 'x 4, needs at most 4', 'at the upper bound'],
    [{ x: 5 }, { name: 'x', at_most: 4 }, false, 'x 5, needs at most 4', 'upper bound + 1'],
    [{ x: 3 }, { name: 'x', at_least: 3, at_most: 3 }, true, 'x 3, needs at least 3, at most 3', 'both bounds'],
    [{ x: 2 }, { name: 'x', at_least: 3, at_most: 3 }, false, 'x 2, needs at least 3, at most 3', 'below both'],
    [{ x: -1.5 }, { name: 'x', at_least: -1 }, false, 'x -1.5, needs at least -1', 'negative'],
    [{ x: 20_000_001 }, { name: 'x', at_most: 20_000_000 }, false, 'x 20000001, needs at most 20000000', 'large whole numbers in full'],
    [{ x: 4.0000001 }, { name: 'x', at_most: 4 }, false, 'x 4.0000001, needs at most 4', 'not rounded to its own limit'],
    [{ x: 2.69629807 }, { name: 'x', at_most: 4 }, true, 'x 2.6963, needs at most 4', 'rounded otherwise'],
    [{}, UPTIME, false, 'node.uptime was not reported, needs at least 30', 'missing: silence is not idleness'],
    [{}, { name: 'x', at_most: 4 }, false, 'x was not reported, needs at most 4', 'missing, with an upper bound'],
    [{ x: null }, { name: 'x', at_most: 4 }, false, 'x was not reported, needs at most 4', 'null'],
    [{ x: '3' }, { name: 'x', at_most: 4 }, false, 'x was not reported, needs at most 4', 'a text'],
    [{ x: true }, { name: 'x', at_most: 4 }, false, 'x was not reported, needs at most 4', 'a truth value'],
    [{ x: Number.NaN }, { name: 'x', at_most: 4 }, false, 'x was not reported, needs at most 4', 'NaN'],
    [statisticsFacts(statistics('foolscap/healthy'), ['node.uptime']), UPTIME, true, 'node.uptime 42.4512, needs at least 30', 'recorded'],
    [statisticsFacts(statistics('foolscap/gw-threads'), ['node.uptime']), UPTIME, false,
      'node.uptime 21.0907, needs at least 30', 'recorded, just started'],
    [statisticsFacts(statistics('http/healthy'), ['uploader.files_uploaded']), { name: 'uploader.files_uploaded', at_least: 3 }, true,
      'uploader.files_uploaded 3, needs at least 3', 'a counter'],
    [statisticsFacts(statistics('foolscap/healthy'), ['uploader.files_uploaded']), { name: 'uploader.files_uploaded', at_least: 1 }, false,
      'uploader.files_uploaded was not reported, needs at least 1', 'a fresh gateway has no counters']
  ]
  judgeRows(t, 'tahoe.statistic', rows)
  refusals(t, 'tahoe.statistic', [
    [{ at_least: 1 }, ['name is missing: it must be the name of a statistic like node.uptime'], 'missing'],
    [{ name: '', at_least: 1 }, ['name must be the name of a statistic like node.uptime, is empty'], 'empty'],
    [{ name: 'x' }, ['needs at_least or at_most'], 'no limit'],
    [{ name: 'x', at_least: 2, at_most: 1 }, ['at_least 2 is above at_most 1'], 'nothing fits'],
    [{ name: 'x', at_least: 1, at_most: 1 }, [], 'one number fits'],
    [{ name: 'x', at_least: '1' }, ['at_least must be a number, is "1"'], 'a text'],
    [{ name: 'x', at_least: 1, rate: 'yes' }, ['rate must be true or false, is "yes"'], 'yes is no truth value']
  ])
})

void t.test('tahoe.statistic: the rate of change', async (t) => {
  const CPU = { name: 'cpu', rate: true, at_most: 1 }
  const at = (endMs: number, cpu?: number | string | null): GoodSample => sample(cpu === undefined ? {} : { cpu }, 20, endMs)
  const WAIT = 'rate of cpu not known yet, needs two samples'
  const GONE = 'cpu per second was not reported, needs at most 1'
  const rows: ReadonlyArray<readonly [GoodSample | undefined, GoodSample, Options, boolean, string, string]> = [
    [undefined, at(1000, 5), CPU, true, WAIT, 'one sample is no evidence'],
    [at(1000, 5), at(3000, 7), CPU, true, 'cpu per second 1, needs at most 1', 'at the bound'],
    [at(1000, 5), at(3000, 7.2), CPU, false, 'cpu per second 1.1, needs at most 1', 'over it'],
    [at(1000, 5), at(3000, 5), { ...CPU, at_most: undefined, at_least: 1 }, false, 'cpu per second 0, needs at least 1', 'stands still'],
    [at(1000), at(3000, 9), CPU, true, WAIT, 'not reported before'],
    [at(1000, null), at(3000, 9), CPU, true, WAIT, 'null before'],
    [at(1000, 5), at(3000), CPU, false, GONE, 'not reported any more: that is evidence'],
    [at(1000, 5), at(3000, '7'), CPU, false, GONE, 'a text now'],
    [undefined, at(3000), CPU, false, GONE, 'never reported']
  ]
  for (const [previous, now, options, pass, reason, why] of rows) {
    const verdict = judge('tahoe.statistic', options, now, previous)
    t.equal(verdict.pass, pass, why)
    t.equal(verdict.reason, reason, why)
  }
  const nothing: ReadonlyArray<readonly [GoodSample, GoodSample, string]> = [
    [at(1000, 5), at(3000, 4), 'went back: restarted'],
    [at(1000, 5), at(3000, 0), 'restarted at 0'],
    [at(3000, 5), at(3000, 9), 'no time between'],
    [at(4000, 5), at(3000, 9), 'time went back']
  ]
  for (const [previous, now, why] of nothing) t.equal(says('tahoe.statistic', CPU, now, previous), undefined, `${why}: says nothing, neither way`)
})

void t.test('latency', async (t) => {
  const rows: ReadonlyArray<readonly [tookMs: number, atMost: string, pass: boolean, reason: string, why: string]> = [
    [800, '800ms', true, 'answered in 800ms, at most 800ms', 'at the bound'],
    [801, '800ms', false, 'answered in 801ms, at most 800ms', 'bound + 1'],
    [799, '800ms', true, 'answered in 799ms, at most 800ms', 'bound - 1'],
    [1500, '1500ms', true, 'answered in 1.5s, at most 1.5s', 'in seconds'],
    [1501, '1500ms', false, 'answered in 1501ms, at most 1.5s', 'not "1.5s, at most 1.5s"'],
    [800.4, '800ms', true, 'answered in 800ms, at most 800ms', 'whole milliseconds'],
    [0, '1ms', true, 'answered in 0ms, at most 1ms', 'at once'],
    [65_000, '1m', false, 'answered in 65s, at most 1m', 'minutes']
  ]
  for (const [tookMs, atMost, pass, reason, why] of rows) {
    const verdict = judge('latency', { at_most: atMost }, sample({}, tookMs))
    t.equal(verdict.pass, pass, why)
    t.equal(verdict.reason, reason, why)
    showsValueAndLimit(t, verdict, why)
  }
  t.match(judge('latency', { at_most: '800ms' }, sample({ latencyMs: 90 }, 2000)), { pass: true, reason: 'answered in 90ms, at most 800ms' },
    'what a second look took: that the first was lost is no slowness of the node')
  t.equal(kindOf('latency').probe({} as never), 'reach', 'it reads what shows the node reachable')
  const reachReads = 'has no meaning for latency, which reads the poll that shows the node reachable'
  refusals(t, 'latency', [
    [{}, ['at_most is missing: it must be a duration like 500ms, 2s or 5m'], 'missing'],
    [{ at_most: 800 }, ['at_most must be a duration like 500ms, 2s or 5m, is 800'], 'without a unit'],
    [{ at_most: '0ms' }, ['at_most must be a duration like 500ms, 2s or 5m, is "0ms"'], 'nothing is that quick'],
    [{ at_most: '1s', every: '5s', within: '1s' }, [`every ${reachReads}`, `within ${reachReads}`], 'a pace of its own']
  ])
})

void t.test('metric: limits', async (t) => {
  const LOAD = { metric: 'node_load1', at_most: 8 }
  const page = '# TYPE node_load1 gauge\nnode_load1 8\nup{job="a"} 0\nup{job="b"} 1\nnode_nan NaN\nnode_inf +Inf\n'
  const facts = metricsFacts(page, ['node_load1', 'up{job="b"}', 'node_nan', 'node_inf'])
  const rows: readonly Row[] = [
    [facts, LOAD, true, 'node_load1 8, needs at most 8', 'at the bound'],
    [facts, { metric: 'node_load1', at_most: 7 }, false, 'node_load1 8, needs at most 7', 'one over'],
    [facts, { metric: 'up{job="b"}', at_least: 1 }, true, 'up{job="b"} 1, needs at least 1', 'by label'],
    [facts, { metric: 'node_nan', at_most: 8 }, false, 'node_nan was not reported, needs at most 8', 'NaN is no number'],
    [facts, { metric: 'node_inf', at_least: 1 }, false, 'node_inf was not reported, needs at least 1', 'nor is infinity'],
    [{}, LOAD, false, 'node_load1 was not reported, needs at most 8', 'missing'],
    [{ node_load1: null }, LOAD, false, 'node_load1 was not reported, needs at most 8', 'null'],
    [{ node_load1: '3' }, LOAD, false, 'node_load1 was not reported, needs at most 8', 'a text']
  ]
  judgeRows(t, 'metric', rows)
  const SAMPLE = 'must be a sample like node_load1 or up{job="x"}'
  refusals(t, 'metric', [
    [LOAD, [], 'right'],
    [{ metric: 'x' }, ['needs at_least, at_most or ramp'], 'no limit'],
    [{ at_most: 8 }, [`metric is missing: it ${SAMPLE}`], 'missing'],
    [{ metric: '1x', at_most: 8 }, [`metric ${SAMPLE}, is "1x"`], 'not a name'],
    [{ ...LOAD, path: 'metrics' }, ['path must be a path that begins with /, is "metrics"'], 'path'],
    [{ ...LOAD, at_least: 9 }, ['at_least 9 is above at_most 8'], 'nothing fits'],
    [{ ...LOAD, at_least: 9, ramp: { low: 1, high: 2 } }, ['at_least 9 is above at_most 8'], 'nothing fits, with a ramp']
  ])
})

void t.test('metric: ramp', async (t) => {
  const RAMP = { metric: 'load', ramp: { low: 4, high: 8 } }
  const weights: ReadonlyArray<readonly [number, Options, number, string]> = [
    [0, RAMP, 100, 'far below'], [4, RAMP, 100, 'at low'], [5, RAMP, 80, 'low + 1, in steps of 5'], [6, RAMP, 55, 'half way'],
    [7, RAMP, 35, 'high - 1'], [8, RAMP, 10, 'at high'],
    [9, RAMP, 10, 'high + 1'], [1e9, RAMP, 10, 'far above'], [-5, RAMP, 100, 'negative'],
    [8, { metric: 'load', ramp: { low: 4, high: 8, floor: '50%' } }, 50, 'another floor'],
    [8, { metric: 'load', ramp: { low: 4, high: 8, floor: '100%' } }, 100, 'a floor of all']
  ]
  for (const [load, options, weight, why] of weights) {
    const verdict = judge('metric', options, sample({ load }))
    t.equal(verdict.pass, true, `${why}: a ramp never fails`)
    t.equal(verdict.weightPercent, weight, why)
    showsValueAndLimit(t, verdict, why)
  }
  t.equal(judge('metric', RAMP, sample({ load: 6 })).reason, 'load 6, weight 100% at 4, 10% at 8')

  const LIMITED = { ...RAMP, at_most: 20 }
  const rows: readonly Row[] = [
    [{ load: 20 }, LIMITED, true, 'load 20, weight 100% at 4, 10% at 8', 'a limit beside the ramp, at the bound'],
    [{ load: 21 }, LIMITED, false, 'load 21, needs at most 20', 'and one over'],
    [{}, RAMP, false, 'load was not reported, needs 100% at 4, 10% at 8', 'missing: silence is not idleness'],
    [{ load: Number.NaN }, RAMP, false, 'load was not reported, needs 100% at 4, 10% at 8', 'NaN weighs nothing'],
    [{ load: Infinity }, RAMP, false, 'load was not reported, needs 100% at 4, 10% at 8', 'nor does infinity'],
    [{ load: null }, RAMP, false, 'load was not reported, needs 100% at 4, 10% at 8', 'null']
  ]
  judgeRows(t, 'metric', rows)
  refusals(t, 'metric', [
    [{ metric: 'load', ramp: { low: 4, high: 4 } }, ['ramp.high 4 must be above ramp.low 4'], 'no way from low to high'],
    [{ metric: 'load', ramp: { low: 8, high: 4 } }, ['ramp.high 4 must be above ramp.low 8'], 'upside down'],
    [{ metric: 'load', ramp: { low: 4 } }, ['ramp.high is missing: it must be a number'], 'half a ramp'],
    [{ metric: 'load', ramp: 8 }, ['ramp must be a mapping of low, high and floor, is 8'], 'not a ramp'],
    [{ metric: 'load', ramp: { low: 4, high: 8, floor: '0%' } },
      ['ramp.floor must be a percentage from 1% to 100%, is "0%"'], 'a weight of 0 would be a drain'],
    [{ metric: 'load', ramp: { low: 4, high: 8, flor: '5%' } },
      ['ramp.flor is not a known key (did you mean floor? known: low, high, floor)'], 'misspelt']
  ])
})
