/** The write path. What each layer makes of it has a file of its own; here is how they are put together. */
import t, { type Test } from 'tap'
import { advance, newBackend, rebuilt } from '../../src/core/advance.ts'
import type { BackendState } from '../../src/core/state.ts'
import { byScope } from '../../src/core/order.ts'
import { BARE, content, criterion, order, only, ownOf, play, reach, sampleOf, web, without, type Story } from './drawings.ts'

const sample = (mark: string, endMs: number, index = 0, probe = 'reach') =>
  ({ kind: 'sample', server: index, probe, sample: sampleOf(mark, endMs)! } as const)

void t.test('a new backend: nothing is known', async (t) => {
  const state = newBackend(web('ab'), 7)
  t.match([...state.servers], [{ phase: 'start', bornMs: 7 }, { phase: 'start', bornMs: 7 }])
  t.match(state, { ejectsMs: [], extra: 0, tally: { in: 0, troubled: 0 } })
  t.equal(state.floor.fit, 2, 'HAProxy has them up')
  t.equal(state.orders.size, 0)
})

void t.test('what says nothing leaves the very same state', async (t) => {
  const { backend, state } = play(web('ab'), `
    a  ++
    b  ++`)
  t.equal(advance(backend, state, sample('l', 9000)), state, 'our own trouble')
  t.equal(advance(backend, state, sample('-', 1)), state, 'a late answer')
  t.equal(advance(backend, state, sample('-', 9000, 2)), state, 'no such server')
})

void t.test('a sample moves its own server, and no other', async (t) => {
  const story = play(web('abc', BARE), `
    a  +--
    b  +--
    c  ++.`)
  const after = advance(story.backend, story.state, sample('-', 9000))
  t.not(after.servers.at(0), story.state.servers.at(0))
  t.equal(after.servers.at(1), story.state.servers.at(1), 'the very same server')
  t.equal(story.state.servers.at(0)?.phase, 'in', 'and the state before is as it was')
  t.equal(after.servers.at(0)?.phase, 'out')
})

/** What is counted along against what is counted anew. */
function isWhole (t: Test, { backend, state, nowMs }: Story): void {
  const anew = rebuilt(backend, state, nowMs)
  t.strictSame(state.tally, anew.tally)
  t.strictSame([...state.floor.kept], [...anew.floor.kept])
  t.equal(state.floor.fit, anew.floor.fit)
}

void t.test('what is derived is counted along', async (t) => {
  const drawing = `
    a  ++ooo+++SSS++xxxx+++++
    b  ++zzzzzzzzzz++----++++
    c  ++zzzzzzzzzzxxxxxx++++
    d  ooooooSSSSSSSSS+++xx++
    e  l.++-----+-+-+-+--++--`
  for (const policy of [undefined, BARE, without('gate'), without('strain'), { ...only('hold'), minUp: 3 }]) {
    for (let columns = 1; columns <= 22; columns += 1) {
      isWhole(t, play(web('abcde', policy), drawing.split('\n').map(line => line.slice(0, 7 + columns)).join('\n')))
    }
  }
})

void t.test('who has gone out lately', async (t) => {
  const ejects = (drawing: string, policy = only('burst')): readonly number[] => play(web('abcde', policy), drawing).state.ejectsMs
  t.strictSame(ejects('a ++---\nb +++---'), [10_000], 'one, and one that waits for its turn')
  t.strictSame(ejects('a ++---\nb +++-----'), [16_010], 'within six seconds, as long as they count')
  t.strictSame(ejects('a ---'), [], 'one that was never in has not gone out')
  t.strictSame(ejects('a ++---ooo'), [10_000], 'and goes out only once')
  t.strictSame(ejects('a ++---\nb ++---', BARE), [10_010], 'switched off: no more than the last')
})

void t.test('orders reach the floor at once, and change no server', async (t) => {
  const { backend, state } = play(web('ab', { ...BARE, minUp: 1 }), `
    a  +xxx
    b  ++++`)
  const ordered = advance(backend, state, { kind: 'orders', orders: byScope([order('web/b', 'down', 0, 20_000)]), atMs: 9000 })
  t.equal(ordered.servers, state.servers)
  t.strictSame([...ordered.floor.kept.keys()], [0])
  t.strictSame([...advance(backend, ordered, sample('+', 19_999, 1)).floor.kept.keys()], [0], 'while the order lasts')
  t.strictSame([...advance(backend, ordered, sample('+', 20_000, 1)).floor.kept.keys()], [], 'and its end is seen with the next sample')
})

void t.test('the floor moves with the servers', async (t) => {
  const rows: ReadonlyArray<readonly [string, readonly number[], string]> = [
    ['a +\nb +', [], 'both up'],
    ['a +xxx\nb ++++', [], 'one is left'],
    ['a +xxx.\nb ++xxx', [1], 'the last one out is kept'],
    ['a +xxxxx\nb ++xxxx', [1], 'and stays so'],
    ['a +xxxxo\nb ++xxxx', [0], 'until the other one is less bad'],
    ['a +xxx.++\nb ++xxxxx', [], 'or fit']
  ]
  for (const [drawing, kept, why] of rows) {
    t.strictSame([...play(web('ab', { ...BARE, minUp: 1 }), drawing).state.floor.kept.keys()], kept, why)
  }
})

void t.test('phase first, then weight: the first weight of one that comes back is that of now', async (t) => {
  const criteria = [reach(), content('http'), criterion('load', { onFail: { action: 'weight', percent: 50 } })]
  const story = play(web('a', only('weight'), criteria), `
    a.load  +---...
    a       ++xxx++`)
  t.match(ownOf(story), { phase: 'in', weightPercent: 80 }, 'all, and one step down')
})

void t.test('a journal played twice gives the same', async (t) => {
  const once = (): BackendState => play(web('abc'), `
    a  ++ooo+++SSS++xxxx+++++
    b  ++zzzzzzzzzz++----++++
    c  ++zzzzzzzzzzxxxxxx++++`).state
  t.strictSame(once(), once())
})
