import t from 'tap'
import { criterionKinds, type CriterionKindName } from '../../src/criteria/index.ts'
import { kindOf, problemsOf, type Options } from './judge.ts'

/** The least each kind needs, the probe that gives, what it does on failure, and its pace. */
const least: Readonly<Record<CriterionKindName, readonly [Options, probe: string, onFail: string, pace?: readonly [number, number]]>> = {
  'tahoe.introducer': [{}, 'tahoe-welcome', 'warn'],
  'tahoe.storage': [{ at_least: 1 }, 'tahoe-welcome', 'down'],
  'tahoe.blessed': [{ ids: ['v0-aaaa'] }, 'tahoe-welcome', 'warn'],
  'tahoe.space': [{ at_least: 1 }, 'tahoe-welcome', 'down'],
  'tahoe.fresh': [{ at_least: 1, heard_within: '1m' }, 'tahoe-welcome', 'down'],
  'tahoe.read': [{ cap_file: 'a.cap' }, 'tahoe-read', 'down', [15_000, 5000]],
  'tahoe.check': [{ cap_file: 'a.cap' }, 'tahoe-check', 'down', [30_000, 10_000]],
  'tahoe.write': [{ cap_file: 'a.cap' }, 'tahoe-write', 'down', [60_000, 10_000]],
  'tahoe.statistic': [{ name: 'node.uptime', at_least: 30 }, 'tahoe-statistics', 'down'],
  latency: [{ at_most: '1s' }, 'reach', 'weight'],
  http: [{}, 'http', 'down'],
  tcp: [{}, 'tcp', 'down'],
  metric: [{ metric: 'node_load1', at_most: 8 }, 'metrics', 'down']
}
const names = Object.keys(criterionKinds) as CriterionKindName[]

void t.test('every kind: summary, probe and defaults', async (t) => {
  t.same(Object.keys(least), names, 'this table has them all')
  for (const name of names) {
    const kind = kindOf(name)
    const [options, probe, onFail, pace] = least[name]
    t.match(kind.summary, /^[\x20-\x7e]{10,120}$/, `${name} has a summary, in ASCII for any terminal`)
    t.match(name, /^[a-z]+(?:\.[a-z]+)?$/, `${name} is named plainly`)
    const request = kind.probe(kind.options.parse(options) as never)
    t.equal(request === 'reach' ? request : request.kind, probe, `${name} needs ${probe}`)
    t.equal(kind.defaults.onFail.action, onFail, `${name}: ${onFail}`)
    t.same([kind.defaults.everyMs, kind.defaults.withinMs], pace ?? [undefined, undefined], `${name}: pace`)
  }
  t.equal(kindOf('tahoe.introducer').defaults.fall, 5, 'an introducer is given time')
})

void t.test('every kind: its options', async (t) => {
  for (const name of names) {
    const [options] = least[name]
    t.same(problemsOf(name, options), [], `${name}: the least it needs is enough`)
    const known = ['kind', ...Object.keys(kindOf(name).options.shape), 'on_fail', 'rise', 'fall', 'every', 'within', 'solo'].join(', ')
    t.same(problemsOf(name, { ...options, zzzzzzzzz: 1 }), [`zzzzzzzzz is not a known key (known: ${known})`], `${name}: an unknown key`)
    t.same(problemsOf(name, { ...options, on_fial: 'down' }),
      [`on_fial is not a known key (did you mean on_fail? known: ${known})`], `${name}: a misspelt key`)
  }
})

void t.test('what every criterion may say', async (t) => {
  const LIMIT = 'must be a whole number, at least 1'
  const rows: ReadonlyArray<readonly [Options, readonly string[], string]> = [
    [{ rise: 1, fall: 1 }, [], 'the least'],
    [{ rise: 100, fall: 100 }, [], 'the most'],
    [{ rise: 0, fall: 0 }, [`rise ${LIMIT}, is 0`, `fall ${LIMIT}, is 0`], 'below'],
    [{ rise: 101, fall: 101 }, ['rise must be at most 100, is 101', 'fall must be at most 100, is 101'], 'above'],
    [{ every: '1s', within: '1s', on_fail: 'weight 10%', solo: true }, [], 'a pace of its own'],
    [{ on_fail: 'Down' }, ['on_fail must be down, drain, warn or weight N% (1 to 99), is "Down"'], 'in capitals'],
    [{ on_fail: 'weight 100%' }, ['on_fail must be down, drain, warn or weight N% (1 to 99), is "weight 100%"'], 'changes nothing'],
    [{ every: '0s' }, ['every must be a duration like 500ms, 2s or 5m, is "0s"'], 'without pause'],
    [{ every: '25h' }, ['every must be a duration of at most 24h, is "25h"'], 'longer than a timer should wait'],
    [{ within: '61m' }, ['within must be a duration of at most 1h, is "61m"'], 'nobody waits so long'],
    [{ solo: 'yes' }, ['solo must be true or false, is "yes"'], 'yes is no truth value']
  ]
  for (const [options, problems, why] of rows) t.same(problemsOf('http', options), problems, why)
})
