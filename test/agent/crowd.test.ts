/** More connections than there may be: who makes room. */
import t from 'tap'
import { QUIET_MS, TICK_MS } from '../../src/agent/conversation.ts'
import { ANSWER, LINE_TIMEOUT_MS, room, somebody, type Talk } from './room.ts'

const OVER = 'over 3 connections'
const EARLY = `${OVER}, closed early after its answer`
const ASK = 'web/a\n'

const gone = (talks: readonly Talk[]): readonly number[] => talks.flatMap(({ stream }, i) => stream.destroyed ? [i] : [])

void t.test('who makes room for the next: drawn as they came', async t => {
  // A letter is a connection of that address; in capitals one that has its answer. `|`: and then one more comes.
  const rows: ReadonlyArray<readonly [drawing: string, gone: readonly number[], why: string]> = [
    ['aa|b', [], 'there is room'],
    ['aaa|b', [0], 'the one that has been asking longest'],
    ['AAA|b', [0], 'the one that was answered first'],
    ['aAA|b', [1], 'one that has its answer, before one that asks'],
    ['aaB|a', [2], 'whosever it is'],
    ['abb|b', [1], 'of the address with the most that ask'],
    ['abb|a', [1], 'whoever comes'],
    ['abc|d', [0], 'of equals the oldest'],
    ['aaa|bb', [0, 1], 'again and again'],
    ['abb|cc', [0, 1], 'as often as it has the most'],
    ['AbA|cccc', [0, 2, 3, 4], 'and the newcomers are no better']
  ]
  for (const [drawing, wanted, why] of rows) {
    const { come } = room(3)
    const peers = new Map<string, ReturnType<typeof somebody>>()
    const talks: Talk[] = []
    for (const letter of drawing.replace('|', '')) {
      const from = letter.toLowerCase()
      const peer = peers.get(from) ?? somebody(from)
      peers.set(from, peer)
      const talk = come(peer)
      talks.push(talk)
      if (letter !== from) await talk.say(ASK)
      t.ok(talks.length - gone(talks).length <= 3, `${drawing}: never more than there may be`)
    }
    t.strictSame(gone(talks), wanted, `${drawing}: ${why}`)
    const asking = talks.filter(({ stream, peer }) => !stream.destroyed && peer.heard.length === 0).length
    t.equal([...peers.values()].reduce((sum, peer) => sum + peer.asking, 0), asking, `${drawing}: those that ask are counted`)
  }
})

void t.test('it is told, and whether somebody lost an answer by it', async t => {
  const { come, crowded } = room(3)
  const first = come(somebody('a'))
  for (let i = 0; i < 3; i += 1) come(somebody('b'))
  t.strictSame(crowded, [`a: ${OVER}`])
  t.strictSame([first.stream.destroyed, first.peer.heard], [true, []])
  const more = room(3)
  const answered = more.come(somebody('a'))
  await answered.say(ASK)
  for (let i = 0; i < 3; i += 1) more.come(somebody('b'))
  t.strictSame([more.crowded, answered.peer.heard], [[`a: ${EARLY}`], [ANSWER]])
})

void t.test('the bound can be raised and lowered', async t => {
  const { come, conversations } = room(3)
  const limit = (maxConnections: number): void => { conversations.limit({ maxConnections, lineTimeoutMs: LINE_TIMEOUT_MS }) }
  const talks = [come(), come(), come()]
  limit(4)
  talks.push(come())
  t.strictSame(gone(talks), [])
  limit(2)
  talks.push(come())
  t.strictSame(gone(talks), [0, 1, 2], 'at the next that comes')
})

void t.test('one that asks at once is answered, whatever the others do with their places', async t => {
  const idle = async (): Promise<void> => undefined
  const rows: ReadonlyArray<readonly [why: string, does: (talk: Talk, round: number) => Promise<void>]> = [
    ['they say nothing', idle],
    ['they send a byte now and then', async talk => talk.say('a')],
    ['they send a request at once, and stay', async talk => talk.say(ASK)],
    ['some go away, and come again', async (talk, round) => { if (round % 2 === 0) talk.stream.destroy() }]
  ]
  for (const [why, does] of rows) {
    const { come, clock } = room(3)
    const strangers = somebody('stranger')
    const haproxy = somebody('haproxy')
    let others = Array.from({ length: 10 }, () => come(strangers))
    for (let round = 0; round < 10; round += 1) {
      const check = come(haproxy)
      for (let i = 0; i < 10; i += 1) others.push(come(strangers)) // before its request is here
      await check.say(ASK)
      t.strictSame(check.peer.heard, [ANSWER], `${why}: ${round}`)
      check.stream.destroy()
      for (const other of others) await does(other, round)
      others = others.filter(({ stream }) => !stream.destroyed)
      t.ok(others.length <= 3, why)
      await clock.advance(QUIET_MS / 3)
    }
    for (const { stream } of others) stream.destroy()
    await clock.advance(TICK_MS)
    t.strictSame([strangers.asking, haproxy.asking, clock.waiting], [0, 0, 0], `${why}: and then all is as before`)
  }
})
