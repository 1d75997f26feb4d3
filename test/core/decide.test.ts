/** What HAProxy shall do, and the reason given: the first rule that matches answers. How to read the drawings: drawings.ts. */
import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import type { Decision } from '../../src/core/model.ts'
import type { OrderAction } from '../../src/core/order.ts'
import type { Policy } from '../../src/core/policy.ts'
import {
  backend, BARE, content, criterion, CRITERIA, decided, DRAIN, only, order, ordered, play, reach, server, tell, WARN, web, weight, without, type Story
} from './drawings.ts'

const MANY = [reach(), content('http'), content('storage', DRAIN), content('load', { onFail: weight(50) }), content('introducer', WARN)]
const show = ({ state, weightPercent, layer, because }: Decision): string => `${state} ${weightPercent} ${layer}: ${because.join(' | ')}`
const said = (story: Story, name = 'a', laterMs = 0): string => show(decided(story, name, laterMs))

void t.test('a server that is not there is a bug of ours', async (t) => {
  const { backend: farm, state } = play(web('a'), '')
  for (const index of [-1, 1]) t.throws(() => decide(farm, state, index, 0), { message: `no server ${index} in web` })
})

void t.test('no verdict yet', async (t) => {
  t.equal(said(play(web('a', BARE, MANY), '')), 'unknown 100 start: no verdict yet | no sample yet of reach, http, storage, load')
  t.equal(said(play(web('a', BARE, [...CRITERIA, criterion('canary')]), 'a +')),
    'unknown 100 start: no verdict yet | no sample yet of canary')
  t.equal(said(play(web('a', BARE), 'a --')),
    'unknown 100 start: no verdict yet | http: failed 2 of 3 times (is not ok) | storage: failed 2 of 3 times (is not ok)', 'not failed often enough')
  t.equal(said(play(web('a', BARE, MANY), 'a -')),
    'unknown 100 start: no verdict yet | http: failed 1 of 3 times (is not ok) | storage: failed 1 of 3 times (is not ok)', 'what could take it out')
})

void t.test('in service, by its criteria', async (t) => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['+', 'up 100 criteria: '],
    ['+--', 'up 100 criteria: '],
    ['+IIII', 'up 100 criteria: warn: introducer: is not ok'],
    ['+LLL', 'up 80 criteria: load: is not ok'],
    ['+LLLLLLLLL', 'up 50 criteria: load: is not ok']
  ]
  for (const [polls, wanted] of rows) t.equal(said(play(web('a', only('weight'), MANY), `a ${polls}`)), wanted, polls)
  const half = backend([server('a', MANY, { weightPercent: 40 })], only('weight'))
  t.equal(said(play(half, 'a +LLL')), 'up 32 criteria: load: is not ok', 'of its own share')
})

void t.test('out of service, by its criteria', async (t) => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['+SSS', 'drain 100 criteria: storage: is not ok'],
    ['+HHH', 'down 100 criteria: http: is not ok'],
    ['+---', 'down 100 criteria: http: is not ok | storage: is not ok | load: is not ok | warn: introducer: is not ok'],
    ['+xxx', 'down 100 criteria: reach: refused by the node'],
    ['+xxx+', 'down 100 criteria: reach: passed 1 of 2 times'],
    ['+xxx+S', 'down 100 criteria: storage: failed 1 of 3 times (is not ok)'],
    ['+xxxSH', 'down 100 criteria: http: failed 1 of 3 times (is not ok) | storage: passed 1 of 2 times'],
    ['+HHH++', 'up 100 criteria: '],
    ['+SSSooo', 'down 100 criteria: reach: timeout by the node | storage: is not ok']
  ]
  for (const [polls, wanted] of rows) t.equal(said(play(web('a', BARE, MANY), `a ${polls}`)), wanted, polls)
  t.equal(said(play(web('a', BARE, [...MANY, criterion('canary')]), 'a xxx+S')),
    'down 100 criteria: storage: failed 1 of 3 times (is not ok)', 'what was never seen is not named')
  const half = backend([server('a', MANY, { weightPercent: 40 })], only('weight'))
  t.equal(said(play(half, 'a +HHH')), 'down 40 criteria: http: is not ok', 'what it shall have when it is back')
})

void t.test('passes again, and waits', async (t) => {
  t.equal(said(play(web('a', only('hold')), 'a +xxx++')), 'down 100 hold: passes again, waits: went out 1 time in 10m')
  t.equal(said(play(web('a', only('hold')), 'a +xxx+++xxx++')), 'down 100 hold: passes again, waits: went out 2 times in 10m')
  t.equal(said(play(web('a', only('hold'), MANY), 'a +IIIxxxII')),
    'down 100 hold: passes again, waits: went out 1 time in 10m | warn: introducer: is not ok')
})

void t.test('in doubt', async (t) => {
  const doubt = (policy: Policy, drawing: string, name = 'a'): string => said(play(web('abcd', policy), drawing), name)
  t.equal(doubt(only('gate'), `
    a  +HHH
    b  +HHH
    c  +HHH
    d  ++++`), 'up 100 gate: http fails, but 2 of 3 peers fail it too: not taken out | http: is not ok')
  t.equal(said(play(web('ab', only('gate')), `
    a  +HHH
    b  +HHH`)), 'up 100 gate: http fails, but 1 of 1 peer fails it too: not taken out | http: is not ok')
  t.equal(said(play(web('ab', only('gate')), `
    a  +HHH
    b  +...`)), 'up 100 gate: http fails, but none of 1 peer has passed it since: not taken out | http: is not ok')
  const since = (names: string, passing: number): string => said(play(web(`a${names}`, only('gate')),
    `a ++HHH\n${Array.from(names).map((name, i) => `${name} ++${i < passing ? '+++' : '...'}`).join('\n')}`))
  t.equal(since('bcd', 1), 'up 100 gate: http fails, but only 1 of 3 peers has passed it since: not taken out | http: is not ok')
  t.equal(since('bcdefg', 2), 'up 100 gate: http fails, but only 2 of 6 peers have passed it since: not taken out | http: is not ok')
  t.equal(said(play(web('ab', only('gate')), `
    a  ++++ooo
    b  xxxxxxx`)), 'up 100 gate: reach fails, but no other has carried traffic long enough to compare: not taken out | reach: timeout by the node')
  t.equal(doubt(only('strain'), `
    a  +++SSS
    b  +zzzzz
    c  +zzzzz
    d  ++++++`), 'up 100 gate: storage fails, but the others are strained: not taken out | storage: is not ok')
  t.equal(doubt(only('burst'), `
    a  +HHH
    b  +HHH
    c  ++++`, 'b'), 'up 100 gate: http fails, but others have only just gone out: not taken out yet | http: is not ok')
  t.equal(said(play(web('ab', only('gate', 'weight'), MANY), `
    a  +LLLBBB---
    b  +LLLBBB---`)),
  'up 80 gate: http fails, but 1 of 1 peer fails it too: not taken out | http: is not ok | ' +
    'storage fails, but 1 of 1 peer fails it too: not taken out | storage: is not ok | ' +
    'load: is not ok | warn: introducer: is not ok', 'with all there is to say')
})

void t.test('less weight, and why', async (t) => {
  t.equal(said(play(web('abc', only('weight', 'peers')), `
    a  +yyyyy
    b  ++++++
    c  ++++++`)), 'up 60 weight: slower than its peers: 300ms')
  t.equal(said(play(web('ab', only('hold', 'ramp', 'weight')), `
    a  +xxx++++
    b  ++++++++`)), 'up 15 ramp: coming back step by step')
  t.equal(said(play(web('a', only('weight'), MANY), 'a 55+++')), 'up 90 weight: on its way back to its whole weight')
})

void t.test('kept by the floor', async (t) => {
  const farm = (minUp: number) => web('abc', { ...only('weight', 'hold'), minUp }, MANY)
  t.equal(said(play(farm(1), `
    a  +xxx
    b  +xxx
    c  +xxxx`), 'c'), 'up 100 floor: kept up by the floor: reach: refused by the node', 'alone')
  t.equal(said(play(farm(3), `
    a  +HHH`)), 'up 10 floor: kept up by the floor: http: is not ok', 'beside others')
  t.equal(said(play(farm(3), `
    a  +III---`)),
  'up 10 floor: kept up by the floor: http: is not ok | storage: is not ok | load: is not ok | warn: introducer: is not ok', 'with all there is to say')
  t.equal(said(play(farm(3), `
    a  +xxx++.
    b  xxxxxxx
    c  +++++++`)), 'up 100 criteria: ', 'one that passes again is back')
  t.equal(said(play(web('ab', { ...only('weight', 'hold'), minUp: 1 }, MANY), `
    a  +xxx++..
    b  +++++xxx`)), 'up 100 floor: kept up by the floor: passes again, waits: went out 1 time in 10m')
  t.equal(said(play(backend([server('a', MANY, { weightPercent: 50 })], { ...BARE, minUp: 1 }), 'a +SSS')),
    'up 50 floor: kept up by the floor: storage: is not ok')
})

void t.test('the operator, then what is too old, then observe, then the rest', async (t) => {
  const policy: Policy = { ...only('staleOpenMs', 'weight'), mode: 'observe' }
  const story = play(web('a', policy), 'a +xxx')
  const maint = (untilMs?: number): Story => ordered(story, [order('web/a', 'maint', 0, untilMs)])
  t.equal(said(story), 'up 100 observe: observe, would be down: reach: refused by the node')
  t.equal(said(story, 'a', 20_000), 'up 100 observe: observe, would be down: stale, not seen for over 15s: reach: refused by the node')
  t.equal(said(story, 'a', 121_000), 'up 100 stale: stale: not seen for over 2m, so up')
  t.equal(said(maint(), 'a', 121_000), 'maint 100 order: maint by al: disk')
  t.equal(said(maint(9000), 'a', 1000), 'up 100 observe: observe, would be down: reach: refused by the node', 'an order that is over')
})

void t.test('what an order says', async (t) => {
  const story = play(web('ab', only('weight')), `
    a  +33333333333333
    b  +xxxxxxxxxxxxxx`)
  const by = (scope: string, action: OrderAction, name = 'a'): string => said(ordered(story, [order(scope, action)]), name)
  t.equal(said(story), 'up 30 criteria: http: is ok | storage: is ok')
  for (const state of ['up', 'down', 'drain', 'maint'] as const) t.equal(by('web/a', state), `${state} 100 order: ${state} by al: disk`)
  t.equal(by('web/*', 'down'), 'down 100 order: down of web/* by al: disk', 'for whom, if not for it alone')
  t.equal(by('*/*', 'down'), 'down 100 order: down of */* by al: disk')
  t.equal(by('web/a', { weightPercent: 0 }), 'up 0 order: weight 0% by al: disk')
  t.equal(by('web/a', { weightPercent: 20 }), 'up 20 order: weight 20% by al: disk | http: is ok | storage: is ok')
  t.equal(by('web/a', { weightPercent: 1 }).slice(0, 22), 'up 1 order: weight 1% ')
  t.equal(by('web/a', { weightPercent: 30 }), 'up 30 criteria: http: is ok | storage: is ok', 'no less than it has')
  t.equal(by('web/a', { weightPercent: 29 }), 'up 29 order: weight 29% by al: disk | http: is ok | storage: is ok')
  t.equal(by('web/b', { weightPercent: 20 }, 'b'), 'down 100 criteria: reach: refused by the node', 'and nobody in')
})

void t.test('an order up or down leaves a server its own share of the weight', async (t) => {
  const farm = web('ab', BARE)
  const half = { ...farm, servers: farm.servers.map(each => ({ ...each, weightPercent: 50 })) }
  const story = play(half, `
    a  +
    b  +`)
  for (const action of ['up', 'down'] as const) t.match(decided(ordered(story, [order('web/a', action)])), { state: action, weightPercent: 50 })
})

void t.test('a cap never goes below what HAProxy counts as traffic: only 0 takes out', async (t) => {
  const story = play(web('ab', { ...only('weight'), baseWeight: 3 }), `
    a  +
    b  +`)
  t.match(decided(ordered(story, [order('web/*', { weightPercent: 5 })])), { state: 'up', weightPercent: 34 })
})

void t.test('old, but not too old: the verdict stands, and says how old it is', async (t) => {
  const story = play(web('ab', only('staleOpenMs'), MANY), `
    a  +SSS
    b  +III`)
  t.equal(said(story, 'a', 20_000), 'drain 100 criteria: stale, not seen for over 15s: storage: is not ok')
  t.equal(said(story, 'b', 20_000), 'up 100 criteria: stale, not seen for over 15s: warn: introducer: is not ok')
})

void t.test('observe: up with all, and what it would have been', async (t) => {
  const observe = (policy: Policy): Policy => ({ ...policy, mode: 'observe' })
  tell(t, 'only what would be something else is told', web('abc', observe(without('ramp'))), `
    a  ++xxx++++  uuuuwwwuu
    b  ++SSSooo+  uuuuqqqww
    c  +++++++++  uuuuuuuuu`)
  t.equal(said(play(web('a', observe(only('weight')), MANY), 'a +LLL')), 'up 100 observe: observe, would be 80%: load: is not ok')
  t.equal(said(play(web('a', observe(BARE), MANY), 'a +SSS')), 'up 100 observe: observe, would be drain: storage: is not ok')
  t.equal(said(play(backend([server('a', MANY, { weightPercent: 50 })], observe(BARE)), 'a +')), 'up 100 observe: observe, would be 50%: ok')
  t.equal(said(play(web('a', observe(BARE)), '')).slice(0, 17), 'unknown 100 start')
})
