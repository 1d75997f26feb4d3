/** Never too few in service because of what we think of them. How to read the drawings: drawings.ts. */
import t from 'tap'
import { advance, newBackend } from '../../src/core/advance.ts'
import { floorAt, floorOf, isFit, need } from '../../src/core/floor.ts'
import { byScope, type Orders } from '../../src/core/order.ts'
import { newServer } from '../../src/core/phase.ts'
import type { Policy } from '../../src/core/policy.ts'
import type { ServerState } from '../../src/core/state.ts'
import { BARE, only, order, play, tell, web } from './drawings.ts'

const floor = (minUp: number, maxOutPercent = 100): Policy => ({ ...BARE, minUp, maxOutPercent })

void t.test('how many shall be in service', async (t) => {
  const rows: ReadonlyArray<readonly [servers: number, minUp: number, maxOut: number, need: number, string]> = [
    [4, 0, 100, 0, 'no floor'],
    [4, 1, 100, 1, 'min_up alone'],
    [4, 9, 100, 4, 'more than there are'],
    [4, 0, 50, 2, 'half may be out'],
    [5, 0, 50, 3, 'half, rounded down'],
    [4, 0, 20, 3, 'less than one: one may be'],
    [10, 0, 20, 8, 'two of ten'],
    [4, 0, 1, 3, 'next to nothing: one may be'],
    [4, 0, 0, 4, 'none may be'],
    [1, 1, 50, 1, 'the only one: min_up wins'],
    [1, 0, 50, 0, 'the only one, without min_up'],
    [10, 7, 50, 7, 'the larger of both'],
    [10, 3, 50, 5, 'the larger of both']
  ]
  for (const [servers, minUp, maxOut, wanted, why] of rows) {
    t.equal(need(web('abcdefghij'.slice(0, servers), floor(minUp, maxOut))), wanted, why)
  }
})

void t.test('what may be out at most', async (t) => {
  tell(t, '50%: half of them', web('abcd', floor(0, 50)), `
    a  +xxx  uuud
    b  +xxx  uuud
    c  +xxx  uuuK
    d  +xxx  uuuK  the last to go out`)
  tell(t, '20% of four: one', web('abcd', floor(0, 20)), `
    a  +xxx  uuud
    b  +xxx  uuuK
    c  ++++  uuuu
    d  ++++  uuuu`)
  tell(t, '0: nobody', web('ab', floor(0, 0)), `
    a  +xxx  uuuK
    b  ++++  uuuu`)
  tell(t, '100%: everybody', web('ab', floor(0)), `
    a  +xxx  uuud
    b  +xxx  uuud`)
  tell(t, 'but for min_up', web('ab', floor(1)), `
    a  +xxx  uuud
    b  +xxx  uuuK`)
})

void t.test('the least bad is kept', async (t) => {
  tell(t, 'one that waits out its time, rather than any other', web('ab', { ...only('hold'), minUp: 1 }), `
    a  +xxx++...  uuuddhhhK
    b  ++++++SSS  uuuuuuuuD`)
  const marks = ['S', 'H', 'n', 'o', 'x'] as const
  const kinds = { S: 'drain', H: 'fail', n: 'noconn', o: 'noreply', x: 'dead' }
  for (const [i, good] of marks.entries()) {
    for (const bad of marks.slice(i + 1)) {
      for (const [a, b] of [[good, bad], [bad, good]] as const) {
        const { state } = play(web('ab', floor(1)), `
    a  +${a.repeat(3)}
    b  +${b.repeat(3)}`)
        t.strictSame([...state.floor.kept], [[a === good ? 0 : 1, kinds[good]]], `${kinds[good]}, rather than ${kinds[bad]}`)
      }
    }
  }
})

void t.test('among equals the one that went out last', async (t) => {
  tell(t, 'b', web('abc', floor(1)), `
    a  +xxx.  uuudd
    b  ++xxx  uuuuK
    c  xxxxx  ..ddd`)
  tell(t, 'when it went out, not when it was looked at', web('ab', floor(1)), `
    a  +xxxxx  uuuddd
    b  ++xxx.  uuuuKK`)
  const state = newBackend(web('ab', floor(1)), 0)
  const twins = [...state.servers].map((own): ServerState => ({ ...own, phase: 'out', sinceMs: 7 }))
  t.strictSame([...floorOf(web('ab', floor(1)), { ...state, servers: twins }, 10).kept.keys()], [0], 'at the same time: as in the config')
})

void t.test('as many as are missing, best first', async (t) => {
  for (const [minUp, kept] of [[0, ''], [1, 'd'], [2, 'bd'], [3, 'bcd'], [4, 'abcd']] as const) {
    const farm = web('abcd', floor(minUp))
    const { state } = play(farm, `
    a  +xxx
    b  +HHH
    c  +ooo
    d  +SSS`)
    t.equal(farm.servers.filter((_, i) => state.floor.kept.has(i)).map(({ name }) => name).join(''), kept, `min_up ${minUp}`)
    t.equal(state.floor.fit, 0)
  }
})

void t.test('beyond min_up and max_out strain brings back the able ones only', async (t) => {
  const farm = web('abcdef', floor(0))
  const { state } = play(farm, `
    a  ++++
    b  +SSS
    c  +HHH
    d  +nnn
    e  +ooo
    f  +xxx`)
  const kept = (minUp: number, extra: number): string =>
    [...floorOf(web('abcdef', floor(minUp)), { ...state, extra }, 9000).kept].map(([index, kind]) => `${index} ${kind}`).join(', ')
  t.equal(kept(0, 1), '', 'a is one')
  t.equal(kept(0, 2), '1 drain')
  t.equal(kept(0, 3), '1 drain, 3 noconn', 'not the one that cannot serve')
  t.equal(kept(0, 9), '1 drain, 3 noconn', 'and no more than there are')
  t.equal(kept(3, 1), '1 drain, 2 fail, 3 noconn', 'within what min_up wants, whoever there is')
})

void t.test('a server without a verdict counts as up, for HAProxy has it up', async (t) => {
  tell(t, 'b is not known', web('ab', floor(1)), `
    a  +xxx  uuud
    b  ....  ....`)
})

void t.test('who is fit', async (t) => {
  const rows: ReadonlyArray<readonly [Partial<ServerState>, boolean, string]> = [
    [{ phase: 'in' }, true, 'in'],
    [{ phase: 'in', lastMs: 0 }, true, 'in, and not seen for long'],
    [{ phase: 'start' }, true, 'not known: HAProxy has it up'],
    [{ phase: 'start', toldOut: true }, false, 'not known, and HAProxy was told to have it down'],
    [{ phase: 'start', toldOut: true, bornMs: 79_999 }, true, 'not known for too long'],
    [{ phase: 'out', lastMs: 100_000 }, false, 'out'],
    [{ phase: 'held', lastMs: 100_000 }, false, 'waits'],
    [{ phase: 'out', lastMs: 80_000 }, false, 'out, 120 s ago'],
    [{ phase: 'out', lastMs: 79_999 }, true, 'out, longer ago: given up']
  ]
  for (const [own, fit, why] of rows) t.equal(isFit({ ...newServer(100_000), ...own }, only('staleOpenMs'), 200_000), fit, why)
  t.equal(isFit({ ...newServer(0), phase: 'out', lastMs: 0 }, BARE, 200_000), false, 'never given up')
})

void t.test('whom the operator takes out is out, and is never brought back', async (t) => {
  tell(t, 'b is out; c is kept for it', web('abc', floor(2)), `
    web/b  ..dDm0.
    a      +++++++  uuuuuuu
    b      +++++++  uudDm0u
    c      +xxxxxx  uuuKKKd`)
  tell(t, 'nobody is left to keep: the floor is no match for an operator', web('ab', floor(2)), `
    web/*  ..mmm.
    a      ++++++  uummmu
    b      +xxxxx  uummmK`)
  tell(t, 'whom the operator has up counts as up', web('ab', floor(1)), `
    web/b  ...uu.
    a      +xxxxx  uuuddK
    b      xxxxxx  ..duud`)
  tell(t, 'a cap on the weight takes nobody out', web('ab', floor(1)), `
    web/b  ..33
    a      +xxx  uuud
    b      ++++  uuuu`)
})

void t.test('how long it holds', async (t) => {
  const farm = web('ab', { ...only('staleOpenMs'), minUp: 1 })
  const { state } = play(farm, `
    a  +xxx
    b  +xxx`)
  t.equal(state.floor.untilMs, 8010 + 120_000, 'until the first verdict is given up')
  const orders = (...each: ReadonlyArray<readonly [fromMs: number, untilMs?: number]>): Orders =>
    byScope(each.map(([fromMs, untilMs], i) => order(`web/${i}`, 'down', fromMs, untilMs)))
  const until = (given: Orders): number => floorOf(farm, { ...state, orders: given }, 10_000).untilMs
  t.equal(until(orders([0, 20_000], [0, 30_000])), 20_000, 'until the first order ends')
  t.equal(until(orders([15_000, 20_000])), 15_000, 'until an order begins')
  t.equal(until(orders([0, 10_000], [0])), 128_010, 'what is over, or without an end, does not count')
  t.equal(play(web('ab', floor(1)), `
    a  ++++`).state.floor.untilMs, Infinity, 'for ever, until something happens')

  t.equal(floorAt(farm, state, 128_009), state.floor, 'the one at hand')
  t.equal(floorAt(farm, state, 128_011).fit, 1, 'and then another')
  const ordered = advance(farm, state, { kind: 'orders', orders: byScope([order('web/b', 'down', 0, 20_000)]), atMs: 10_000 })
  t.strictSame([...floorAt(farm, ordered, 19_999).kept.keys()], [0])
  t.strictSame([...floorAt(farm, ordered, 20_000).kept.keys()], [1], 'an end is known without an event')
})
