/** Those in service cannot carry the load: how that is noticed, and what it brings. How to read the drawings: drawings.ts. */
import t from 'tap'
import { adapt } from '../../src/core/floor.ts'
import { newServer } from '../../src/core/phase.ts'
import type { CheckState, Doubt, ServerState } from '../../src/core/state.ts'
import { isStrained, share, tallyOf } from '../../src/core/strain.ts'
import { BARE, checkOf, criterion, only, play, server, tell, web } from './drawings.ts'

const STRAIN = only('strain')
/** No more than one is out by itself. */
const WEAK = { ...only('strain', 'weight', 'hold'), minUp: 0 }

void t.test('34% of those in service, and one at least', async (t) => {
  const rows: ReadonlyArray<readonly [all: number, troubled: number, strained: boolean]> = [
    [0, 0, false], [1, 0, false], [1, 1, true], [2, 1, true], [3, 1, false], [3, 2, true], [4, 1, false], [4, 2, true],
    [300, 101, false], [300, 102, true]
  ]
  for (const [all, troubled, strained] of rows) {
    t.equal(isStrained(STRAIN, { in: all, troubled }), strained, `${troubled} of ${all}`)
    t.equal(isStrained(BARE, { in: all, troubled }), false, 'switched off')
  }
})

void t.test('who is in trouble, and who is doubted', async (t) => {
  const checked = (doubt?: Doubt): CheckState => ({ ...checkOf(play(web('a'), 'a oo')), doubt })
  const peers = checked({ why: 'peers', asked: 1, passing: 0, failing: 1 })
  const rows: ReadonlyArray<readonly [Partial<ServerState>, troubled: number, doubted: number, string]> = [
    [{}, 0, 0, 'no trouble'],
    [{ latenciesMs: [500, 500, 500] }, 1, 0, 'slow: a quarter of the deadline'],
    [{ latenciesMs: [499, 499, 2000] }, 0, 0, 'one slow answer'],
    [{ latenciesMs: [2000, 499, 500] }, 1, 0, 'two'],
    [{ latenciesMs: [2000, 2000] }, 0, 0, 'too few to say'],
    [{ checks: [checked()] }, 0, 0, 'silent, but that may be itself'],
    [{ checks: [peers] }, 1, 1, 'silent, and so are the others'],
    [{ checks: [checked({ why: 'queue' })] }, 0, 0, 'silent, and only waits for its turn'],
    [{ checks: [undefined, peers] }, 0, 1, 'what it says is no matter of load']
  ]
  for (const [state, troubled, doubted, why] of rows) {
    const own: ServerState = { ...newServer(0), phase: 'in', ...state }
    t.match(share(server('a'), own, STRAIN), { in: 1, troubled, doubted }, why)
    t.match(share(server('a'), { ...own, phase: 'out' }, STRAIN), { in: 0, troubled: 0, doubted: 0 }, `${why}, but out of service`)
  }
  const slow: ServerState = { ...newServer(0), phase: 'in', latenciesMs: [900, 900, 900] }
  t.match(share(server('a'), slow, BARE), { in: 1, troubled: 0 }, 'switched off, nobody is slow')
  const mute = server('a', [criterion('http')])
  t.match(share(mute, { ...slow, checks: [peers] }, BARE), { in: 1, troubled: 0, doubted: 1 }, 'no reach, no silence')
})

void t.test('the tally of all', async (t) => {
  const slow: ServerState = { ...newServer(0), phase: 'in', latenciesMs: [900, 900, 900] }
  t.match(tallyOf(web('abc', STRAIN), [slow, newServer(0), slow]), { in: 2, troubled: 2 })
  t.match(tallyOf(web('abc', STRAIN), [slow]), { in: 1, troubled: 1 }, 'of servers that are there')

  const { state } = play(web('abcd', BARE), `
    a  +++xxx
    b  +++--+
    c  ---+..
    d  SSSS++`)
  t.match(state.tally, { known: [4, 4, 4], passing: [3, 3, 3] }, 'by criterion: looked at, and passing')
  t.match(tallyOf(web('abcd', BARE), state.servers), state.tally, 'counted along and counted anew')
})

void t.test('under strain the able ones come back, a fifth of the servers every two seconds', async (t) => {
  tell(t, 'those who may be able: c, then b, then d, for HAProxy itself sees whether it can be reached', web('abcdef', WEAK), `
    b  ++SSSSSSSSS  uuuuDDDDKKK
    c  ++SSSSSSSSS  uuuuDDDKKKK
    d  ++nnnnnnnnn  uuuudddddKK
    e  ++---------  uuuuddddddd
    f  ++xxxxxxxxx  uuuuddddddd
    a  +++++zzzzzz  uuuuuuuuuuu`)
})

void t.test('one that is silent comes back, too, while all in service are in trouble', async (t) => {
  tell(t, 'when b is well again, a goes', web('abc', WEAK), `
    a  +ooooooooooooo  uuuddKKKKKdddd
    b  +++zzzzzz+++++  uuuuuuuuuuuuuu
    c  +++zzzzzzzzzzz  uuuuuuuuuuuuuu`)
})

void t.test('and go again one by one, a minute after the strain, and then every minute', async (t) => {
  const story = tell(t, 'the one that has been out longest goes first', web('abc', WEAK), `
    a  +++++zzzzz++++~~~~~~~  uuuuuuuuuuuuuuuuuuuuu
    b  ++SSSSSSSSSSSS~~~~~~~  uuuuDDDDKKKKKKKDDDDDD
    c  ++SSSSSSSSSSSS~~~~~~~  uuuuDDDKKKKKKKKKKDDDD`)
  t.notHas(story.state, { strainSinceMs: Number }, 'and the next strain begins anew')
})

void t.test('how many more are wanted', async (t) => {
  const farm = web('abcde', WEAK)
  const { state } = play(farm, `
    a  ++++
    b  +SSS
    c  +SSS
    d  +SSS
    e  +---`)
  type More = readonly [extra: number, strainSinceMs: number | undefined, extraAtMs: number]
  const more = (...args: Parameters<typeof adapt>): More => {
    const { extra, strainSinceMs, extraAtMs } = adapt(...args)
    return [extra, strainSinceMs, extraAtMs]
  }
  const rows: ReadonlyArray<readonly [Partial<typeof state>, strained: boolean, nowMs: number, More, string]> = [
    [{}, true, 50_000, [0, 50_000, -1], 'strain begins'],
    [{ strainSinceMs: 48_001 }, true, 50_000, [0, 48_001, -1], 'less than 2 s'],
    [{ strainSinceMs: 48_000 }, true, 50_000, [2, 48_000, 50_000], '2 s: one is in service, two shall be'],
    [{ strainSinceMs: 0, extraAtMs: 48_001, extra: 1 }, true, 50_000, [1, 0, 48_001], 'the last step is seen first'],
    [{ strainSinceMs: 0, extraAtMs: 48_000, extra: 4 }, true, 50_000, [4, 0, 50_000], 'never fewer'],
    [{ extra: 4, extraAtMs: 0 }, false, 59_999, [4, undefined, 0], 'not yet a minute'],
    [{ extra: 4, extraAtMs: 0 }, false, 60_000, [3, undefined, 60_000], 'a minute'],
    [{ extra: 1, extraAtMs: 0 }, false, 60_000, [0, undefined, 60_000], 'the last one'],
    [{ extra: 0, extraAtMs: 0 }, false, 60_000, [0, undefined, 0], 'none left'],
    [{ strainSinceMs: 0, extraAtMs: 0 }, false, 60_000, [0, undefined, 0], 'strain is over']
  ]
  for (const [over, strained, nowMs, wanted, why] of rows) t.strictSame(more(farm, { ...state, ...over }, strained, nowMs), wanted, why)
  const large = web('abcdefghij', WEAK)
  const one = play(large, ['a +', ...Array.from('bcdefghij').map(name => `${name} xxx`)].join('\n'))
  t.strictSame(more(large, { ...one.state, strainSinceMs: 0 }, true, 50_000), [3, 0, 50_000], 'a fifth of ten')
  t.strictSame(more(web('abcde'), { ...state, strainSinceMs: 0 }, true, 50_000), [0, 0, 50_000], 'beyond what max_out wants')
  t.strictSame(more(web('abcde', BARE), { ...state, extra: 3 }, true, 50_000), [0, undefined, -1], 'switched off')
})
