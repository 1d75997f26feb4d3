import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import type { Decision, OnFail } from '../../src/core/model.ts'
import { backend, criterion, play, reach, server } from './drawings.ts'

const weight = (percent: number): OnFail => ({ action: 'weight', percent })

void t.test('one criterion: rise 2, fall 3', async (t) => {
  const farm = backend([server('a', [criterion('c')])])
  const rows: ReadonlyArray<readonly [string, Decision['state'], string]> = [
    ['', 'unknown', 'no sample, no opinion'],
    ['l', 'unknown', 'our own trouble gives none'],
    ['-', 'down', 'the first sample decides alone'],
    ['+', 'up', 'the first sample decides alone'],
    ['+--', 'up', 'two failures are not enough'],
    ['+---', 'down', 'three are'],
    ['+--+--', 'up', 'a pass starts the count again'],
    ['-+', 'down', 'one pass is not enough'],
    ['-++', 'up', 'two are'],
    ['+xxx', 'down', 'an error counts as a failure'],
    ['+---lll', 'down', 'our own trouble is no reason to come back']
  ]
  for (const [run, state, why] of rows) t.equal(decide(farm, play(farm, { a: run }), 0).state, state, `"${run}": ${why}`)
})

void t.test('what each phase becomes', async (t) => {
  const farm = backend([server('a', [
    reach(), criterion('storage', { onFail: { action: 'drain' } }), criterion('latency', { onFail: weight(25) })
  ], 80)])
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, Decision, string]> = [
    [{ reach: '+' }, {
      state: 'unknown', weightPercent: 80, layer: 'start', because: ['no verdict yet', 'no sample yet: storage, latency']
    }, 'no opinion'],
    [{ reach: '+', storage: '+', latency: '+' }, { state: 'up', weightPercent: 80, layer: 'criteria', because: [] }, 'all is well'],
    [{ reach: '+', storage: '+', latency: '-' }, {
      state: 'up', weightPercent: 20, layer: 'criteria', because: ['latency: is not ok']
    }, 'less weight'],
    [{ reach: '+', storage: '-', latency: '-' }, {
      state: 'drain', weightPercent: 20, layer: 'criteria', because: ['storage: is not ok', 'latency: is not ok']
    }, 'drained, with the weight for later'],
    [{ reach: 'x' }, { state: 'down', weightPercent: 80, layer: 'criteria', because: ['reach: refused by the node'] }, 'down']
  ]
  for (const [runs, decision, why] of rows) t.strictSame(decide(farm, play(farm, { a: runs }), 0), decision, why)
})

void t.test('kept by the floor', async (t) => {
  const farm = (minUp: number) => backend(['a', 'b', 'c'].map(name =>
    server(name, [reach({ fall: 1 }), criterion('latency', { onFail: weight(5), probe: 'l' })])), minUp)
  const GOOD = { reach: '+', l: '+' }
  const OUT = { reach: 'x', l: '+' }
  const show = (minUp: number, drawing: Record<string, Readonly<Record<string, string>>>): readonly string[] => {
    const of = farm(minUp)
    const state = play(of, drawing)
    return of.servers.map((_, i) => decide(of, state, i)).map(d => `${d.state} ${d.weightPercent} ${d.layer}`)
  }
  const all = { a: OUT, b: OUT, c: OUT }
  t.strictSame(show(1, all), ['up 100 floor', 'down 100 criteria', 'down 100 criteria'], 'alone: all the weight')
  t.strictSame(show(2, all), ['up 100 floor', 'up 100 floor', 'down 100 criteria'], 'other kept ones are no merit')
  t.strictSame(show(2, { a: OUT, b: OUT, c: GOOD }), ['up 10 floor', 'down 100 criteria', 'up 100 criteria'], 'beside a fit one: a tenth')
  t.strictSame(show(2, { a: OUT, b: OUT, c: {} }), ['up 10 floor', 'down 100 criteria', 'unknown 100 start'], 'beside one not known yet')
  const slow = { reach: 'x', l: '-' }
  t.strictSame(show(2, { ...all, a: slow, c: GOOD }), ['up 5 floor', 'down 100 criteria', 'up 100 criteria'], 'less by its criteria')
  t.strictSame(show(1, { ...all, a: slow }), ['up 5 floor', 'down 100 criteria', 'down 100 criteria'], 'also alone')

  const drained = backend(['a', 'b'].map(name => server(name, [criterion('storage', { onFail: { action: 'drain' } })])), 1)
  t.match(decide(drained, play(drained, { a: '-', b: '-' }), 0), { state: 'up', weightPercent: 100 }, 'a drained one takes no new clients')

  const of = farm(1)
  const state = play(of, all)
  t.strictSame(decide(of, state, 0).because, ['kept up by min_up 1: reach: refused by the node'], 'the reason says so')
})

void t.test('a server that is not there is a bug of ours', async (t) => {
  const farm = backend([server('a', [reach()])])
  for (const index of [-1, 1]) t.throws(() => decide(farm, play(farm, {}), index), { message: `no server ${index} in web` })
})
