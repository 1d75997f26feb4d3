import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import { keep } from '../../src/core/floor.ts'
import type { Backend } from '../../src/core/model.ts'
import { backend, criterion, play, reach, server, type Drawing } from './drawings.ts'

const farm = (minUp: number, names: readonly string[]): Backend => backend(names.map(name => server(name, [
  reach({ fall: 1, rise: 1 }),
  criterion('storage', { onFail: { action: 'drain' }, fall: 1, rise: 1 }),
  criterion('canary', { fall: 1, rise: 1 })
])), minUp)

/** Names of the servers kept in the end. */
function kept (minUp: number, drawing: Drawing): string {
  const names = Object.keys(drawing)
  const of = farm(minUp, names)
  const state = play(of, drawing)
  return keep(of, state.servers).map(index => names[index]).join(' ')
}

const GOOD = { reach: '+', storage: '+', canary: '+' }
const DRAIN = { reach: '+', storage: '-', canary: '+' }
const WRONG = { reach: '+', storage: '+', canary: '-' }
const failing = (mark: string): Drawing[string] => ({ reach: mark })

void t.test('how many are kept', async (t) => {
  const rows: ReadonlyArray<readonly [number, Drawing, string, string]> = [
    [1, { a: GOOD, b: GOOD }, '', 'all are fit'],
    [1, { a: GOOD, b: WRONG }, '', 'one is enough'],
    [2, { a: GOOD, b: WRONG }, 'b', 'one is not'],
    [1, { a: WRONG, b: WRONG }, 'a', 'none is fit'],
    [2, { a: WRONG, b: WRONG }, 'a b', 'both are needed'],
    [0, { a: WRONG, b: WRONG }, '', 'no floor'],
    [5, { a: WRONG, b: WRONG }, 'a b', 'more than there are'],
    [1, { a: {}, b: WRONG }, '', 'one not known yet is taken out by nobody'],
    [2, { a: {}, b: WRONG, c: WRONG }, 'b', 'and counts as up']
  ]
  for (const [minUp, drawing, wanted, why] of rows) t.equal(kept(minUp, drawing), wanted, `min_up ${minUp}: ${why}`)
})

void t.test('the least bad is kept', async (t) => {
  const order: ReadonlyArray<readonly [string, Drawing[string]]> = [
    ['drain: impaired, but able', DRAIN],
    ['a criterion fails, but it answers', WRONG],
    ['no connection', failing('n')],
    ['silent', failing('t')],
    ['refuses', failing('x')]
  ]
  for (const [i, [better, good]] of order.entries()) {
    for (const [worse, bad] of order.slice(i + 1)) {
      t.equal(kept(1, { a: good, b: bad }), 'a', `${better} > ${worse}`)
      t.equal(kept(1, { a: bad, b: good }), 'b', `${better} > ${worse}, whatever the order of the config`)
    }
  }
  t.equal(kept(1, { a: failing('x'), b: failing('r') }), 'a', 'refused and reset are the same')
  t.equal(kept(1, { a: failing('r'), b: failing('x') }), 'a', 'refused and reset are the same, the other way round')
})

void t.test('one that answers again, but is not back yet, is better than a silent one', async (t) => {
  const names = ['a', 'b']
  const of = backend(names.map(name => server(name, [reach({ fall: 1, rise: 3 })])), 1)
  t.strictSame(keep(of, play(of, { a: 't', b: 'x+' }).servers), [1])
})

void t.test('one that was silent once is no silent one', async (t) => {
  const criteria = [reach({ fall: 3 }), criterion('canary', { fall: 1 })]
  const of = backend([server('a', [reach({ fall: 1 })]), server('b', criteria)], 1)
  t.strictSame(keep(of, play(of, { a: '+n', b: { reach: '+t', canary: '-' } }).servers), [1])
})

void t.test('then the one that went out last', async (t) => {
  const rows: ReadonlyArray<readonly [Drawing, string, string]> = [
    [{ a: 'x', b: '+x', c: '+.x' }, 'c', 'the last'],
    [{ a: '+.x', b: '+x', c: 'x' }, 'a', 'the last, first in the config'],
    [{ a: 'x', b: '+xxxxx', c: 'xxxxxxx' }, 'b', 'when it went out, not when it was looked at'],
    [{ a: 'x+x', b: '+x' }, 'a', 'out again later'],
    [{ a: 'x', b: '.t' }, 'b', 'only among equals: silence is better than refusal'],
    [{ a: '.x', b: 't' }, 'b', 'also when it has been longer'],
    [{ a: 'x', b: 'x', c: 'x' }, 'a', 'at the same time: config order']
  ]
  for (const [drawing, wanted, why] of rows) t.equal(kept(1, drawing), wanted, why)
})

void t.test('more than one: as many as needed, in the order of the backend', async (t) => {
  const drawing = { a: failing('x'), b: WRONG, c: failing('t'), d: DRAIN }
  t.equal(kept(1, drawing), 'd')
  t.equal(kept(2, drawing), 'b d')
  t.equal(kept(3, drawing), 'b c d')
  t.equal(kept(4, drawing), 'a b c d')
})

void t.test('a server without reach is judged by what it has', async (t) => {
  const of = backend([server('a', [reach({ fall: 1 })]), server('b', [criterion('c', { fall: 1 })])], 1)
  t.strictSame(keep(of, play(of, { a: 'x', b: '-' }).servers), [1])
})

void t.test('one that was told down counts as out until its first canary, and is the first to be kept', async (t) => {
  const waits = server('a', [reach(), criterion('canary', { ignores: ['refused'] })])
  const of = backend([waits, server('b', [reach({ fall: 1 })])], 1)
  const state = play(of, { a: { reach: 'x++' }, b: '+++x' })
  t.strictSame(state.kept, [0], 'HAProxy has nobody else: b refuses, and a was told down')
  t.match(decide(of, state, 0), { state: 'up', layer: 'floor' })
})
