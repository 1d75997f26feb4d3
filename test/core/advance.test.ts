import t from 'tap'
import { advance, carryOver, newBackend } from '../../src/core/advance.ts'
import { decide } from '../../src/core/decide.ts'
import type { Sample } from '../../src/core/model.ts'
import { backend, criterion, play, reach, sampleOf, server } from './drawings.ts'

const at = (mark: string, endMs: number): Sample => sampleOf(mark, endMs)!

void t.test('a sample moves the checks that read its probe on its server, and no other', async (t) => {
  const criteria = [criterion('a', { probe: 'p' }), criterion('b', { probe: 'q' }), criterion('c', { probe: 'p' })]
  const farm = backend([server('one', criteria), server('two', criteria)])
  const before = play(farm, { one: { p: '+', q: '+' }, two: { p: '+', q: '+' } })
  const after = advance(farm, before, { kind: 'sample', server: 0, probe: 'p', sample: at('-', 9000) })
  t.strictSame(after.servers[0]?.checks.map(check => check?.health), [3, 4, 3])
  t.equal(after.servers[0]?.checks[1], before.servers[0]?.checks[1], 'the very same check')
  t.equal(after.servers[1], before.servers[1], 'the very same server')
  t.strictSame(before.servers[0]?.checks.map(check => check?.health), [4, 4, 4], 'and the state before is as it was')
})

void t.test('a sample of nothing we know changes nothing', async (t) => {
  const farm = backend([server('one', [criterion('a')])])
  const state = newBackend(farm)
  t.equal(advance(farm, state, { kind: 'sample', server: 1, probe: 'a', sample: at('-', 1000) }), state, 'no such server')
  const after = advance(farm, state, { kind: 'sample', server: 0, probe: 'other', sample: at('-', 1000) })
  t.strictSame(after.servers[0]?.checks, [undefined], 'no such probe')
})

void t.test('a late answer of an older poll is ignored', async (t) => {
  const farm = backend([server('one', [criterion('a', { fall: 1, rise: 1 })])])
  const rows: ReadonlyArray<readonly [string, string, number, string, string]> = [
    ['+', '-', 999, 'up', 'a failure that ended before a pass'],
    ['+', '-', 1000, 'down', 'at the same time counts'],
    ['+', '-', 1001, 'down', 'later counts'],
    ['-', '+', 999, 'down', 'a pass that ended before a failure'],
    ['x', '+', 999, 'down', 'a pass that ended before an error'],
    ['+x', '+', 1500, 'down', 'between the two'],
    ['x', '+', 1001, 'up', 'a later pass']
  ]
  for (const [run, mark, endMs, wanted, why] of rows) {
    const state = advance(farm, play(farm, { one: run }), { kind: 'sample', server: 0, probe: 'a', sample: at(mark, endMs) })
    t.equal(decide(farm, state, 0).state, wanted, `${run}, then ${mark} of ${endMs}: ${why}`)
  }
})

void t.test('each probe has a time of its own', async (t) => {
  const farm = backend([server('one', [criterion('a'), criterion('b')])])
  const state = advance(farm, play(farm, { one: { a: '....+' } }), { kind: 'sample', server: 0, probe: 'b', sample: at('+', 10) })
  t.equal(decide(farm, state, 0).state, 'up')
})

void t.test('the floor moves with the phases', async (t) => {
  const farm = backend(['a', 'b'].map(name => server(name, [reach({ fall: 1, rise: 1 })])), 1)
  const rows: ReadonlyArray<readonly [string, string, readonly number[], string]> = [
    ['+', '+', [], 'both up'],
    ['+x', '++', [], 'one is left'],
    ['+xx', '++x', [1], 'the last one out is kept'],
    ['+xxx', '++xx', [1], 'and stays so'],
    ['+xxt', '++xx', [0], 'until the other one is less bad'],
    ['+xxx+', '++xxx', [], 'or fit']
  ]
  for (const [a, b, kept, why] of rows) t.strictSame(play(farm, { a, b }).kept, kept, why)
})

void t.test('reload: what means the same keeps its memory', async (t) => {
  const old = backend([server('a', [reach(), criterion('storage', { meaning: 'at least 3' })]), server('b', [reach()])], 1)
  const state = play(old, { a: { reach: '++', storage: '+--' }, b: { reach: 'x' } })
  const [a, b] = state.servers

  t.strictSame(carryOver(old, state, old), state, 'the same farm')

  const turned = backend([server('b', [reach()]), server('a', [criterion('storage', { meaning: 'at least 3' }), reach()])], 1)
  const moved = carryOver(old, state, turned)
  t.equal(moved.servers[0]?.checks[0], b?.checks[0], 'servers by name, not by place')
  t.strictSame(moved.servers[1]?.checks, [a?.checks[1], a?.checks[0]], 'criteria too')

  const other = backend([server('a', [reach(), criterion('storage', { meaning: 'at least 5' })]), server('c', [reach()])], 1)
  const changed = carryOver(old, state, other)
  t.strictSame(changed.servers[0]?.checks, [a?.checks[0], undefined], 'another meaning starts anew')
  t.strictSame(changed.servers[1], { checks: [], probes: {}, known: 'start' }, 'and so does a new server')

  const named = backend([server('a', [reach(), criterion('shares', { meaning: 'at least 3', probe: 'storage' })])], 1)
  t.equal(carryOver(old, state, named).servers[0]?.checks[1], undefined, 'another name is another criterion')
})

void t.test('reload: severities and servers may change under a memory', async (t) => {
  const old = backend([server('a', [reach()]), server('b', [reach()])], 1)
  const state = play(old, { a: 'x', b: '+' })
  const milder = backend([server('a', [reach({ onFail: { action: 'drain' } })]), server('b', [reach()])], 1)
  t.equal(decide(milder, carryOver(old, state, milder), 0).state, 'drain', 'on_fail is no part of the meaning')
  const alone = backend([server('a', [reach()])], 1)
  t.strictSame(carryOver(old, state, alone).kept, [0], 'the floor is that of the new farm')
  t.strictSame(carryOver(alone, play(alone, { a: 'x' }), old).kept, [], 'in both directions: a new server counts as up')
})

void t.test('reload: probes that nobody reads any more are forgotten', async (t) => {
  const old = backend([server('a', [criterion('a', { probe: 'p' }), criterion('b', { probe: 'q' })])])
  const state = play(old, { a: { p: '+', q: '+' } })
  const to = backend([server('a', [criterion('a', { probe: 'p' }), criterion('b', { probe: 'r' })])])
  const after = carryOver(old, state, to)
  t.strictSame(Object.keys(after.servers[0]?.probes ?? {}), ['p'])
  t.equal(after.servers[0]?.checks[1], state.servers[0]?.checks[1], 'the verdict outlives its probe: another deadline, say')
})
