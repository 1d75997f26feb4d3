/** The way of a server between in and out, transition by transition. How to read the drawings: drawings.ts. */
import t from 'tap'
import { missing, move, newServer } from '../../src/core/phase.ts'
import type { Phase } from '../../src/core/state.ts'
import {
  backend, BARE, content, criterion, CRITERIA, decided, DRAIN, order, ordered, ownOf, play, reach, server, tell, WARN, web, weight, without
} from './drawings.ts'

void t.test('a single failure is nothing, and neither are two; three in a row are a verdict', async (t) => {
  tell(t, 'of any kind', web('ab'), `
    a  ++-++ox+n+---  uuuuuuuuuuuud
    b  +++++++++++++  uuuuuuuuuuuuu`)
})

void t.test('T1: never seen in service, and failing: out, and back without a wait', async (t) => {
  const story = tell(t, 'little by little, for HAProxy may have it up', web('ab'), `
    a  xxx++  ..dd1
    b  +++++  uuuuu`)
  t.match(ownOf(story), { flapsMs: [], holdUntilMs: 6010 }, 'it has not gone out, it never was in')
})

void t.test('T2: the first verdict', async (t) => {
  tell(t, 'one clean poll is enough, and all the weight is given at once', web('ab'), `
    a  .+  .u
    b  +.  uu`)
  tell(t, 'a failure must be repeated like any other', web('ab'), `
    a  --+  ..u
    b  +++  uuu`)
  tell(t, 'failing what all fail: in, for we may not act on it', web('ab'), `
    a  ---  ..?
    b  ---  ..?`)
  tell(t, 'trouble of our own is no verdict', web('ab'), `
    a  lll+  ...u
    b  ++++  uuuu`)
})

void t.test('T2: with every criterion that has a say', async (t) => {
  const canary = criterion('canary', { ignores: ['refused', 'noconn'] })
  tell(t, 'what needs a probe of its own is waited for', web('ab', BARE, [...CRITERIA, canary]), `
    a         ++++  ...u
    a.canary  ...+
    b         ++++  ....
    b.canary  .x..  nobody there: no evidence`)
  tell(t, 'failing is a verdict without the rest', web('ab', BARE, [...CRITERIA, canary]), `
    a         xxx  ..d
    b         ---  ..d`)
  tell(t, 'and so is a doubt', web('ab', without('ramp'), [...CRITERIA, canary]), `
    a         ---  ..?
    b         ---  ..?`)
  tell(t, 'after two minutes a look at the rest is enough', web('a', BARE, [...CRITERIA, canary]), `
    a         +~~~~  ....u`)
  tell(t, 'but not one for want of anybody to ask: HAProxy may know better', web('ab', without('ramp'), [...CRITERIA, canary]), `
    a         ooo  ...
    b         ooo  ...`)
  tell(t, 'a warning has no say', web('a', BARE, [...CRITERIA, criterion('introducer', WARN)]), `
    a             +    u`)

  const share = criterion('share', { onFail: weight(50) })
  const criteria = [reach(), share, criterion('storage', DRAIN), criterion('introducer', WARN), criterion('http')]
  const state = play(web('a', BARE, criteria), `
    a       +
    a.http  +`)
  t.strictSame(missing(server('a', criteria), ownOf(state)), ['share', 'storage'], 'what is missing, for people')
})

void t.test('T3: out, for at least 5 s', async (t) => {
  const story = tell(t, 'alone with its trouble', web('ab'), `
    a  ++---  uuuud
    b  +++++  uuuuu`)
  t.match(ownOf(story), { phase: 'out', sinceMs: 10_010, holdUntilMs: 15_010, flapsMs: [10_010] })
  t.strictSame(story.state.ejectsMs, [10_010], 'counted, so that not all go at once')
})

void t.test('T3: one that is still coming back starts all over', async (t) => {
  const story = tell(t, 'it refuses with half of its load', web('abc'), `
    a  ++xxx+++++++xxx  uuuuddh1122344d
    b  +++++++++++++++  uuuuuuuuuuuuuuu
    c  +++++++++++++++  uuuuuuuuuuuuuuu`)
  t.notHas(ownOf(story), { rampFromMs: Number })
})

void t.test('T4: tripped, and not alone with it: in, and in doubt', async (t) => {
  tell(t, 'both silent: our own eyes, or the load', web('ab'), `
    a  ++ooooo++  uuuu???uu
    b  ++ooooo++  uuuu???uu`)
})

void t.test('T5: out for one reason, then for another', async (t) => {
  const story = tell(t, 'drained, then silent', web('ab'), `
    a  ++SSSooo  uuuuDDDd
    b  ++++++++  uuuuuuuu`)
  t.match(ownOf(story), { sinceMs: 10_010 }, 'out since it was drained')
})

void t.test('T6: kept by the floor: back at once, with all its weight, for it carries already', async (t) => {
  tell(t, 'both refuse; then a answers, which is less bad', web('ab'), `
    a  ++xxxxx++  uuuudddKu
    b  +++xxxxxx  uuuuuKKdd`)
})

void t.test('T7: back when its time is over, little by little', async (t) => {
  const story = tell(t, '5 s are not over after two polls', web('ab'), `
    a  ++xxx++++  uuuuddh11
    b  +++++++++  uuuuuuuuu`)
  t.match(ownOf(story), { phase: 'in', sinceMs: 16_010, rampFromMs: 16_010, weightPercent: 100 })
  const bare = tell(t, 'no ramp', web('ab', without('ramp')), `
    a  ++xxx+++  uuuuddhu
    b  ++++++++  uuuuuuuu`)
  t.notHas(ownOf(bare), { rampFromMs: Number })
})

void t.test('T7: back before its time when the others are strained', async (t) => {
  tell(t, 'b and c sleep: the 10 s of its second time out are cut short', web('abc', without('peers')), `
    a  ++xxx+++xxx+++  uuuuddh112ddhu
    b  +++++++++++zzz  uuuuuuuuuuuuuu
    c  +++++++++++zzz  uuuuuuuuuuuuuu`)
})

void t.test('T8: passes again, and waits', async (t) => {
  const story = tell(t, 'two passes after 4 s', web('ab'), `
    a  ++xxx++  uuuuddh
    b  +++++++  uuuuuuu`)
  t.match(ownOf(story), { phase: 'held', sinceMs: 14_010, holdUntilMs: 15_010 })
})

void t.test('T9: failing again while it waits: out, and that is no new offence', async (t) => {
  const story = tell(t, 'it has to wait no longer for it', web('ab'), `
    a  ++---++---++  uuuuddhhhdd1
    b  ++++++++++++  uuuuuuuuuuuu`)
  t.equal(ownOf(story).flapsMs.length, 1)
})

void t.test('T10: a single failure while it waits: it must pass twice again', async (t) => {
  tell(t, 'the time is over at the failure', web('ab'), `
    a  ++---++-++  uuuuddhhh1
    b  ++++++++++  uuuuuuuuuu`)
})

void t.test('it comes back when every criterion that could take it out is proven', async (t) => {
  const criteria = [reach(), criterion('canary', { ignores: ['refused', 'noconn'] })]
  tell(t, 'a canary of a slow pace has passed once, before all this: nothing against it', web('a', BARE, criteria), `
    a.canary  +......
    a         ++xxx++  uuuuddu`)
  tell(t, 'the canary fails once, and must pass twice again', web('ab', BARE, criteria), `
    a.canary  +..-..+..+
    a         +xxx++++++  uuuddddddu
    b.canary  +
    b         +           uuuuuuuuuu`)
})

void t.test('what all fail keeps nobody in service out, and so nobody from coming back', async (t) => {
  tell(t, 'a refuses, and answers again when the storage of all is gone', web('abc', without('ramp')), `
    a  ++xxxSSSSSS  uuuuddd????
    b  ++SSSSSSSSS  uuuu???????
    c  ++SSSSSSSSS  uuuu???????`)
})

void t.test('nothing but its own polls moves a server', async (t) => {
  const before = play(web('abc'), `
    a  ++xxx++
    b  +++++++
    c  +++++++`)
  t.equal(ordered(before, [order('*/*', 'down')]).state.servers, before.state.servers, 'an order')
  tell(t, 'time', before.backend, `
    a  .~~~~~  hhhhss
    b  .~~~~~  uuuuss
    c  .~~~~~  uuuuss`, before)
  tell(t, 'the others: a is needed now, and is as it was', before.backend, `
    a  ....  hhKK
    b  xxxx  uudd
    c  ++++  uuuu`, before)
})

void t.test('what is no server does not move', async (t) => {
  const { backend: farm, state } = play(web('a'), '')
  t.equal(move(farm, state, 1, 0, true), undefined)
  t.match(newServer(7), { checks: [], phase: 'start', bornMs: 7, sinceMs: 7, flapsMs: [], weightPercent: 100, toldOut: false })
})

void t.test('a failing drain is a verdict, a failing weight or warning is none', async (t) => {
  const rows: ReadonlyArray<readonly [Parameters<typeof content>[1], Phase, string]> = [
    [{ onFail: { action: 'down' } }, 'out', 'down'],
    [DRAIN, 'out', 'drain'],
    [{ onFail: weight(10) }, 'in', 'weight'],
    [WARN, 'in', 'warn']
  ]
  for (const [options, phase, why] of rows) {
    const story = play(backend([server('a', [reach(), content('it', { fall: 1, ...options })])], BARE), `
      a  +-`)
    t.equal(ownOf(story).phase, phase, why)
    t.equal(decided(story).state, phase === 'in' ? 'up' : why, why)
  }
})
