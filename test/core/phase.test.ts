import t from 'tap'
import type { Criterion, OnFail, Phase, Server } from '../../src/core/model.ts'
import { isAwaited, isInService, isUndecided, outSinceMs, standing } from '../../src/core/phase.ts'
import { criterion, playOne, reach, server } from './drawings.ts'

const weight = (percent: number): OnFail => ({ action: 'weight', percent })
const web: Server = server('a', [
  reach(),
  criterion('introducer', { onFail: { action: 'warn' } }),
  criterion('latency', { onFail: weight(25) }),
  criterion('load', { onFail: weight(60) }),
  criterion('storage', { onFail: { action: 'drain' } }),
  criterion('canary')
])
const GOOD = { reach: '+', introducer: '+', latency: '+', load: '+', storage: '+', canary: '+' }

void t.test('the worst severity wins, and is named first', async (t) => {
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, Phase, number, readonly string[], string]> = [
    [{}, 'in', 100, [], 'all is well'],
    [{ introducer: '-' }, 'in', 100, ['warn: introducer: is not ok'], 'warn only says so'],
    [{ load: '-' }, 'in', 60, ['load: is not ok'], 'weight stays in, with less'],
    [{ load: '-', latency: '-' }, 'in', 25, ['latency: is not ok', 'load: is not ok'], 'the smallest weight, and its reason first'],
    [{ load: '-', introducer: '-' }, 'in', 60, ['load: is not ok', 'warn: introducer: is not ok'], 'a weight before a warning'],
    [{ load: '3', latency: '-' }, 'in', 25, ['latency: is not ok', 'load: is ok'], 'a ramp that allows more is named later'],
    [{ load: '1', latency: '-' }, 'in', 10, ['load: is ok', 'latency: is not ok'], 'a ramp that allows less is named first'],
    [{ storage: '-' }, 'drain', 100, ['storage: is not ok'], 'drain'],
    [{ storage: '-', latency: '-', introducer: '-' }, 'drain', 25,
      ['storage: is not ok', 'latency: is not ok', 'warn: introducer: is not ok'], 'drain before weight before warn'],
    [{ canary: '-', storage: '-' }, 'down', 100, ['canary: is not ok', 'storage: is not ok'], 'down before drain'],
    [{ canary: '-', reach: 'x' }, 'down', 100, ['reach: refused by the node', 'canary: is not ok'], 'config order within one severity']
  ]
  for (const [runs, phase, weightPercent, because, why] of rows) {
    t.strictSame(standing(web, playOne(web, { ...GOOD, ...runs })), { phase, weightPercent, because }, why)
  }
})

void t.test('not known until every criterion that has a say has a sample', async (t) => {
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, Phase, readonly string[], string]> = [
    [{ reach: '', introducer: '', latency: '', load: '', storage: '', canary: '' }, 'start',
      ['no sample yet: reach, latency, load, storage, canary'], 'nothing at all'],
    [{ storage: '' }, 'start', ['no sample yet: storage'], 'one is missing'],
    [{ storage: 'l' }, 'start', ['no sample yet: storage'], 'our own trouble is no sample'],
    [{ latency: '' }, 'start', ['no sample yet: latency'], 'a weight has a say'],
    [{ introducer: '' }, 'in', [], 'a warning has none'],
    [{ storage: '', canary: '-' }, 'down', ['canary: is not ok'], 'a failing down needs no second opinion'],
    [{ storage: '-', canary: '' }, 'start', ['no sample yet: canary'], 'a failing drain does: it may be down']
  ]
  for (const [runs, phase, because, why] of rows) {
    const said = standing(web, playOne(web, { ...GOOD, ...runs }))
    t.strictSame([said.phase, said.because], [phase, because], why)
  }
})

void t.test('the reason of a failing criterion', async (t) => {
  const one = server('a', [criterion('c')])
  const rows: ReadonlyArray<readonly [string, readonly string[], string]> = [
    ['-', ['c: is not ok'], 'what was measured'],
    ['-t', ['c: timeout by the node'], 'the newest failure'],
    ['-+', ['c: recovering 1/2'], 'how far it has come back'],
    ['-+-', ['c: is not ok'], 'back to the start'],
    ['-++', [], 'nothing to say'],
    ['+--', [], 'not decided yet: nothing to say'],
    ['4', ['c: is ok'], 'a ramp says why it sheds'],
    ['4-', ['c: is ok'], 'and goes on to, while one failure changes nothing']
  ]
  for (const [run, because, why] of rows) t.strictSame(standing(one, playOne(one, run)).because, because, `"${run}": ${why}`)
})

void t.test('names that objects have by nature are names like others', async (t) => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const one = server('a', [reach(), criterion(name, { probe: 'p' })])
    t.equal(standing(one, playOne(one, { reach: '+' })).phase, 'start', `${name}: no sample yet`)
    t.equal(standing(one, playOne(one, { reach: '+', p: '-' })).phase, 'down', `${name}: failing`)
  }
})

void t.test('since when a server is out', async (t) => {
  const warn = criterion('warn', { onFail: { action: 'warn' } })
  const two = server('a', [criterion('c'), criterion('d', { onFail: { action: 'drain' } }), warn, criterion('w', { onFail: weight(10) })])
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, number | undefined, string]> = [
    [{ c: '+', d: '+' }, undefined, 'in'],
    [{ c: '+', d: '+', warn: '-', w: '-' }, undefined, 'less weight is not out'],
    [{ c: '+---', d: '+' }, 4000, 'when its run was complete'],
    [{ c: '+---', d: '++-----' }, 4000, 'the first of two'],
    [{ c: '+---++', d: '++----' }, 5000, 'the one that is left']
  ]
  for (const [runs, sinceMs, why] of rows) t.equal(outSinceMs(two, playOne(two, runs)), sinceMs, why)
})

void t.test('when to look again soon', async (t) => {
  const storage = criterion('storage', { onFail: { action: 'drain' }, ignores: ['refused'] })
  const introducer = criterion('introducer', { onFail: { action: 'warn' } })
  const two: Server = server('a', [reach(), storage, introducer])
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, string, boolean, string]> = [
    [{}, 'reach', true, 'no sample'],
    [{ reach: '+' }, 'reach', false, 'the other one is missing, this one is not'],
    [{ reach: '+' }, 'storage', true, 'missing, and nothing can be said without it'],
    [{ reach: '+', storage: '+' }, 'storage', false, 'decided'],
    [{ reach: '+', storage: '+-' }, 'storage', true, 'in the middle of a run'],
    [{ reach: '+', storage: '+-' }, 'reach', false, 'but not of this one'],
    [{ reach: '+', storage: '+---' }, 'storage', false, 'decided again'],
    [{ reach: '+', storage: '+---+' }, 'storage', true, 'on its way back'],
    [{ reach: 'x', storage: 'x' }, 'storage', false, 'down already: what it has not met can wait'],
    [{ reach: 'x+', storage: 'x' }, 'reach', true, 'coming back'],
    [{ reach: 'x++', storage: 'x' }, 'storage', true, 'back, and now it is missed'],
    [{ reach: '+', storage: '+', introducer: '+-' }, 'introducer', false, 'a warning is in no hurry'],
    [{ reach: '+', storage: '+' }, 'introducer', false, 'not even for its first sample'],
    [{ reach: '+', storage: '+' }, 'nobody', false, 'a probe that nobody reads']
  ]
  for (const [runs, probe, wanted, why] of rows) t.equal(isUndecided(two, playOne(two, runs), probe), wanted, why)
})

void t.test('one probe read by two criteria', async (t) => {
  const judge = criterion('x').judge
  const big: Criterion = criterion('big', { probe: 'p', fall: 1 })
  const small: Criterion = criterion('small', { probe: 'p', fall: 2, judge, onFail: { action: 'drain' } })
  const both = server('a', [big, small])
  t.equal(standing(both, playOne(both, { p: '+-' })).phase, 'down', 'each counts for itself')
  t.strictSame(standing(both, playOne(both, { p: '+--' })).because, ['big: is not ok', 'small: is not ok'])
})

void t.test('no opinion after one: HAProxy keeps what it was told', async (t) => {
  const two = server('a', [reach(), criterion('canary', { ignores: ['refused'] })])
  const rows: ReadonlyArray<readonly [string, string, Phase, Phase, boolean, boolean, string]> = [
    ['', '', 'start', 'start', true, true, 'nothing yet: HAProxy has everybody up'],
    ['x', '', 'down', 'down', false, false, 'down already: no hurry for the canary'],
    ['x++', '', 'start', 'down', false, true, 'it answers again, and was told to be down: now the canary is awaited'],
    ['x++', '+', 'in', 'in', true, false, 'until it has sung']
  ]
  for (const [run, canary, phase, known, inService, awaited, why] of rows) {
    const state = playOne(two, { reach: run, canary: `${'.'.repeat(run.length)}${canary}` })
    t.equal(standing(two, state).phase, phase, why)
    t.equal(state.known, known, `${why}: known`)
    t.equal(isInService(two, state), inService, `${why}: in service`)
    t.equal(isAwaited(two, state, 'canary'), awaited, `${why}: awaited`)
  }
})

void t.test('a bad answer is an answer: reach passes, and what needed it fails as it is meant to', async (t) => {
  const one = server('a', [reach(), criterion('metric', { probe: 'reach', ignores: ['refused'], onFail: { action: 'warn' } })])
  const state = playOne(one, { reach: 'pppp' })
  t.match(standing(one, state), { phase: 'in', because: ['warn: metric: protocol by the node'] })
  t.match(state.checks[0]?.verdict, { pass: true, reason: 'answered, badly: protocol by the node' })
})
