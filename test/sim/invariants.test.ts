import t from 'tap'
import type { Backend } from '../../src/core/model.ts'
import type { Order } from '../../src/core/order.ts'
import type { ServerState } from '../../src/core/state.ts'
import { INVARIANTS, checkAnswer, type Seen } from '../../src/sim/invariants.ts'

/** A backend of three; what the invariants do not look at is not there. */
function seen ({ line = 'up 100%', lines = [line, 'up 100%', 'up 100%'], orders = [], servers = [], minUp = 1, baseWeight = 100, atMs = 50_000 }: {
  readonly line?: string, readonly lines?: readonly string[], readonly orders?: ReadonlyArray<Partial<Order>>
  readonly servers?: ReadonlyArray<Partial<ServerState>>, readonly minUp?: number, readonly baseWeight?: number, readonly atMs?: number
}): Seen {
  const backend = { name: 'be', policy: { minUp, baseWeight }, servers: ['n0', 'n1', 'n2'].map(name => ({ backend: 'be', name })) }
  const known = new Map(orders.map(order => [order.scope, { fromMs: 0, ...order }]))
  return { atMs, server: 0, line, lines, backend: backend as unknown as Backend, state: { orders: known, servers } as unknown as Seen['state'] }
}

const isGood = (line: string): string | undefined => checkAnswer(seen({ line, lines: ['up 100%', 'up 100%', 'up 100%'] }))

void t.test('good answers', async t => {
  const lines = [
    'up 100%', 'ready up 100% #ok', 'up 10% #panic, kept: reach: no answer', 'down 100% #reach: no answer', 'ready down 100% #x', 'drain up #storage',
    'drain up 100% #x', 'maint up #by al: disk', '# no verdict yet', '# unknown be/x', 'up 65%', 'stopped 100% #held'
  ]
  for (const line of lines) t.equal(isGood(line), undefined, line)
})

void t.test('bad answers, and which of the invariants says so', async t => {
  const cases: ReadonlyArray<readonly [string, Seen]> = [
    ['grammar', seen({ line: '' })],
    ['grammar', seen({ line: 'up 100% #a\nmaint' })],
    ['grammar', seen({ line: 'up 100% #caf\u00e9' })],
    ['grammar', seen({ line: 'up 100% maint' })],
    ['grammar', seen({ line: 'UP 100%' })],
    ['grammar', seen({ line: 'up 100%#ok' })],
    ['grammar', seen({ line: 'ready 100%' })],
    ['length', seen({ line: `up 100% #${'x'.repeat(119)}` })],
    ['one restriction', seen({ line: 'down 50%' })],
    ['one restriction', seen({ line: 'drain down #x' })],
    ['one restriction', seen({ line: 'maint up 10%' })],
    ['weight', seen({ line: 'up 101%' })],
    ['weight', seen({ line: 'up 0% #x' })],
    ['weight', seen({ line: 'up 10% #x', baseWeight: 9 })],
    ['min_up', seen({ lines: ['down 100%', 'drain up #x', 'maint up #x'] })],
    ['min_up', seen({ lines: ['down 100%', 'up 10%', '# no verdict yet'], minUp: 3 })],
    ['min_up', seen({ lines: ['up 100%', 'down 100%', 'down 100%'], minUp: 2, orders: [{ scope: 'be/n1', action: 'down' }] })]
  ]
  for (const [name, bad] of cases) {
    t.match(checkAnswer(bad), new RegExp(`^${name}: be/n0 at 50s `), `${name}: ${bad.line} of ${bad.lines.join(', ')}`)
  }
  const said = new Set(cases.map(([name]) => name))
  t.strictSame(Object.keys(INVARIANTS).filter(name => !said.has(name)), ['phases are their own'], 'each of them can say so')
  t.equal(checkAnswer(seen({ line: `up 100% #${'x'.repeat(118)}` })), undefined, '128 bytes with the line feed')
})

void t.test('what an operator takes out is not missing', async t => {
  const outOf = (order: Partial<Order>): string | undefined =>
    checkAnswer(seen({ line: 'up 100%', lines: ['up 100%', 'down 100%', 'maint up'], minUp: 3, orders: [order] }))
  t.match(outOf({ scope: 'be/n1', action: 'down' }), /^min_up: .* leaves 1 servers in service, must leave 2/)
  t.equal(outOf({ scope: 'be/*', action: 'maint' }), undefined)
  t.equal(outOf({ scope: '*/*', action: { weightPercent: 0 } }), undefined)
  t.match(outOf({ scope: '*/*', action: { weightPercent: 50 } }), /^min_up/, 'a cap takes nobody out')
  t.match(outOf({ scope: '*/*', action: 'up' }), /^min_up/)
  t.match(outOf({ scope: 'be/*', action: 'maint', untilMs: 49_999 }), /^min_up/, 'an order that has ended is none')

  const zero = { line: 'up 0% #order', orders: [{ scope: 'be/n0', action: { weightPercent: 0 } }] }
  t.equal(checkAnswer(seen(zero)), undefined, 'a weight of 0 by order')
})

void t.test('a phase changes by a poll of the server’s own', async t => {
  const before = { bornMs: 1, phase: 'in', lastMs: 1000 } as const
  const moved = (server: Partial<ServerState>): string | undefined =>
    checkAnswer(seen({ servers: [before, { ...before, ...server }] }), seen({ servers: [before, before] }))
  t.equal(moved({}), undefined)
  t.match(moved({ phase: 'out' }), /^phases are their own: be\/n0 at 50s server 1 went from in to out without a poll of its own$/)
  t.equal(moved({ phase: 'out', lastMs: 2000 }), undefined)
  t.equal(moved({ phase: 'start', bornMs: 2 }), undefined, 'another agent process')
})
