/** What is worth a quicker look. */
import t from 'tap'
import type { Criterion, Server } from '../../src/core/model.ts'
import { isAwaited, isUndecided, wantedWitnesses } from '../../src/core/pace.ts'
import { carryOver } from '../../src/core/reload.ts'
import type { ServerState } from '../../src/core/state.ts'
import { backend, BARE, content, criterion, DRAIN, only, ownOf, play, reach, server, WARN, web, weight } from './drawings.ts'

const CANARY = criterion('canary', { ignores: ['refused', 'noconn'] })
const MANY = [reach(), content('http'), criterion('storage', DRAIN), criterion('load', { onFail: weight(50) }), criterion('introducer', WARN)]
const GOOD = { reach: '+', storage: '+', load: '+', introducer: '+' }

const after = (polls: Partial<typeof GOOD>): ServerState =>
  ownOf(play(web('a', BARE, MANY), Object.entries({ ...GOOD, ...polls }).map(([probe, run]) => `a.${probe} ${run}`).join('\n')))

void t.test('awaited: nothing can be said without it', async (t) => {
  const rows: ReadonlyArray<readonly [Partial<typeof GOOD>, probe: string, awaited: boolean, string]> = [
    [{ reach: '.', storage: '.' }, 'reach', true, 'no sample'],
    [{ storage: '.' }, 'storage', true, 'the last one'],
    [{ storage: '.' }, 'reach', false, 'it has one'],
    [{ load: '.' }, 'load', true, 'a weight has a say'],
    [{ introducer: '.', load: '.' }, 'introducer', false, 'a warning has none'],
    [{ storage: 'l' }, 'storage', true, 'trouble of our own is no sample'],
    [{ storage: '.', reach: 'xxx' }, 'storage', false, 'out already: it can wait'],
    [{}, 'reach', false, 'all is known'],
    [{ storage: '.' }, 'nobody', false, 'a probe that nobody reads']
  ]
  for (const [polls, probe, awaited, why] of rows) t.equal(isAwaited(server('a', MANY), after(polls), probe), awaited, why)
})

void t.test('undecided: the next look may decide', async (t) => {
  const rows: ReadonlyArray<readonly [Partial<typeof GOOD>, probe: string, undecided: boolean, string]> = [
    [{}, 'reach', false, 'decided'],
    [{ storage: '.' }, 'storage', true, 'no verdict for want of it'],
    [{ storage: '.' }, 'reach', true, 'no verdict: whatever has a say'],
    [{ storage: '.', introducer: '.' }, 'introducer', false, 'a warning has none'],
    [{ storage: '.' }, 'nobody', false, 'a probe that nobody reads'],
    [{ reach: '+-' }, 'reach', true, 'http has failed once'],
    [{ reach: '+-+' }, 'reach', false, 'and passes again'],
    [{ storage: '+-' }, 'storage', true, 'it has failed once'],
    [{ storage: '+-' }, 'reach', false, 'but not this one'],
    [{ storage: '+---' }, 'storage', false, 'decided again'],
    [{ storage: '+---+' }, 'storage', true, 'on its way back'],
    [{ storage: '+---++' }, 'storage', false, 'back'],
    [{ reach: '+xxx+', storage: '+..-+' }, 'storage', true, 'out, and this one must pass once more'],
    [{ reach: '+xxx+', storage: '+..-++' }, 'storage', false, 'proven'],
    [{ reach: '+xxx+', storage: '+....' }, 'storage', false, 'what it did before is proof enough'],
    [{ load: '+-', introducer: '+-' }, 'load', false, 'a weight is in no hurry'],
    [{ load: '+-', introducer: '+-' }, 'introducer', false, 'nor is a warning']
  ]
  for (const [polls, probe, undecided, why] of rows) t.equal(isUndecided(server('a', MANY), after(polls), probe), undecided, why)

  const all = play(web('ab', only('gate')), `
    a  +---
    b  +---`)
  t.equal(isUndecided(server('a'), ownOf(all), 'reach'), false, 'in doubt: only the others can decide')
  const queued = play(web('ab', only('burst')), `
    a  +---
    b  +---`)
  t.equal(isUndecided(server('b'), ownOf(queued, 'b'), 'reach'), true, 'waits for its turn')
})

void t.test('out before it was in: a change of the config may make a failure more than it was', async (t) => {
  const criteria = (first: Partial<Criterion>): readonly Criterion[] => [criterion('load', first), criterion('canary')]
  const story = play(web('a', BARE, criteria({ onFail: weight(50) })), 'a.load ---')
  const to = web('a', BARE, criteria({}))
  const own = carryOver(story.backend, story.state, to, story.nowMs).servers.at(0)!
  t.equal(own.phase, 'start')
  t.equal(isUndecided(to.servers[0]!, own, 'canary'), false, 'nobody waits for the canary of one that is down')
})

void t.test('whose next look would settle a doubt', async (t) => {
  const one = (name: string, probe = `canary-${name}`): Server => server(name, [reach(), { ...CANARY, probe }], { node: probe })
  const farm = backend(['a', 'b', 'c'].map(name => one(name)), only('gate'))
  const wanted = (polls: string, probe = 'canary-a', of = farm, index = 0): readonly string[] =>
    wantedWitnesses(of, play(of, `a ++++++\nb ++++++\nc ++++++\n${polls}`).state, index, probe)
  const rows: ReadonlyArray<readonly [string, readonly string[], string]> = [
    ['a.canary-a +--', [], 'not tripped yet: nobody is asked'],
    ['a.canary-a +---', [], 'nobody has ever looked: nobody to ask, so it is out'],
    ['a.canary-a +---\nb.canary-b +\nc.canary-c +', ['canary-b', 'canary-c'], 'they passed, but have not looked since'],
    ['b.canary-b +\na.canary-a -.---', ['canary-b'], 'c has never looked: it has no voice'],
    ['a.canary-a .---\nb.canary-b +\nc.canary-c -..-', ['canary-b'], 'c fails it, too: it has looked'],
    ['a.canary-a .---\nb.canary-b +\nc.canary-c ...+', ['canary-b'], 'c has looked since, but only just'],
    ['b.canary-b .+\na.canary-a .---\nc.canary-c ++++', [], 'enough have: it is out']
  ]
  for (const [polls, probes, why] of rows) t.strictSame(wanted(polls), probes, why)

  const both = 'a.canary-a +---\nb.canary-b +\nc.canary-c +'
  t.strictSame(wanted(both, 'reach'), [], 'by the poll in doubt, not by another one')
  t.strictSame(wanted(both, 'canary-b', farm, 1), [], 'by the server in doubt')
  t.strictSame(wanted(both, 'canary-b', farm, 9), [], 'no such server')
  const twins = backend([one('a'), one('b'), one('c', 'canary-b')], only('gate'))
  t.strictSame(wanted('a.canary-a +---\nb.canary-b +\nc.canary-b +', 'canary-a', twins), ['canary-b'], 'once, though two servers read it')
  const strained = backend(farm.servers, only('strain'))
  t.strictSame(wantedWitnesses(strained, play(strained, `
    a           ++++++
    a.canary-a  +..---
    b           +zzzzz
    b.canary-b  +
    c           +zzzzz`).state, 0, 'canary-a'), [], 'another doubt is not for them to settle')
})
