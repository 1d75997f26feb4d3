/** The same for people: one sentence, and all the figures. How to read the drawings: drawings.ts. */
import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import { explain, explainBackend, showOnFail, type Story as Told } from '../../src/core/explain.ts'
import type { Backend } from '../../src/core/model.ts'
import { DEFAULT_POLICY, type Policy } from '../../src/core/policy.ts'
import { BARE, content, criterion, DRAIN, only, play, reach, WARN, web, weight, without, type Story } from './drawings.ts'

const MANY = [reach(), content('http'), content('storage', DRAIN), content('load', { onFail: weight(50) }), content('introducer', WARN)]
const farm = (policy: Policy = DEFAULT_POLICY, names = 'ab'): Backend => web(names, policy, MANY)
const told = ({ backend, state, nowMs }: Story, name = 'a', laterMs = 0): Told =>
  explain(backend, state, backend.servers.findIndex(each => each.name === name), nowMs + laterMs)

/** One server among others that fare well. */
const among = (polls: string, names = 'b'): string => [`a ${polls}`, ...Array.from(names).map(name => `${name} ${'+'.repeat(polls.length)}`)].join('\n')

void t.test('one sentence for a tired person', async (t) => {
  const rows: ReadonlyArray<readonly [Backend, string, string]> = [
    [farm(), 'a .', 'No opinion yet, so HAProxy keeps what it knows: no sample yet: reach; no sample yet: http; no sample yet: storage; no sample yet: load.'],
    [farm(), 'a -', 'No opinion yet, so HAProxy keeps what it knows: no verdict yet.'],
    [web('a', undefined, [reach(), criterion('canary')]), 'a +', 'No opinion yet, so HAProxy keeps what it knows: no sample yet: canary.'],
    [farm(), 'a +', 'Up at 100%: every criterion passes.'],
    [farm(), 'a +IIII', 'Up at 100%: warn: introducer: is not ok.'],
    [farm(), among('+LLL'), 'Up at 80%: load: is not ok.'],
    [farm(only('weight')), 'a +BLLLLIII', 'Up at 60%: load: is not ok (and 1 more).'],
    [farm(), among('+SSS'), 'Drained by its criteria: storage: is not ok.'],
    [farm(), among('+HHH'), 'Down by its criteria: http: is not ok.'],
    [farm(), among('+---'), 'Down by its criteria: http: is not ok (and 3 more).'],
    [farm(), among('+xxx'), 'Down by its criteria: reach: refused by the node.'],
    [farm(), among('+xxx+'), 'Down by its criteria: reach: recovering 1/2.'],
    [farm(), among('+xxx++'), 'Down, though its criteria pass: passes again, waits: out 1 time in 10m.'],
    [farm(), among('+IIIxxxII'), 'Down, though its criteria pass: passes again, waits: out 1 time in 10m (and 1 more).'],
    [farm(), among('+xxx++++'), 'Up at 15%: coming back step by step.'],
    [farm(undefined, 'abc'), among('++yyyyy', 'bc'), 'Up at 60%: slower than its peers: 300ms.'],
    [farm(), 'a +ooo\nb +ooo', 'Up at 100%, in doubt: reach fails, but 1 of 1 peer fails it too: not taken out; reach: timeout by the node.'],
    [farm({ ...DEFAULT_POLICY, minUp: 2 }), among('+HHH'),
      'Up against its criteria, at 10%, because the floor wants 2 servers of 2 in service and 1 is fit: kept up by the floor: http: is not ok.'],
    [farm(undefined, 'a'), 'a +SSS',
      'Up against its criteria, at 100%, because the floor wants 1 server of 1 in service and 0 are fit: kept up by the floor: storage: is not ok.'],
    [farm(without('peers'), 'abc'), 'a +SSSSSSSS\nb +++zzzzzz\nc +++zzzzzz',
      'Up against its criteria, at 100%, because the floor wants 3 servers of 3 in service under strain and 2 are fit: kept up by the floor: storage: is not ok.'],
    [farm(without('peers'), 'abc'), 'a +SSSSSSSSSSS\nb +++zzzzzz+++\nc +++zzzzzz+++',
      'Up against its criteria, at 100%, because the floor wants 3 servers of 3 in service after strain and 2 are fit: kept up by the floor: storage: is not ok.'],
    [farm(), 'a l~~~~~', 'Up, because nothing is known any more: stale: no verdict for over 2m, so up.'],
    [farm(), 'a +xxx.~~~~', 'Up, because nothing is known any more: stale: no look for over 2m, so up.'],
    [farm(), 'web/a uu\na ++', 'Up at 100% by order: up by al: disk.'],
    [farm(), 'web/a 33\na ++', 'Up at 30% by order: weight 30% by al: disk.'],
    [farm(), 'web/a 00\na ++', 'Up at 0% by order: weight 0% by al: disk.'],
    [farm(), 'web/a dd\na ++', 'Down by order: down by al: disk.'],
    [farm(), 'web/a DD\na ++', 'Drain by order: drain by al: disk.'],
    [farm(), 'web/a mm\na ++', 'Maint by order: maint by al: disk.'],
    [farm(), 'web/* mm\na ++', 'Maint by order: maint by al: disk (and 1 more).'],
    [farm({ ...DEFAULT_POLICY, mode: 'observe' }), among('+HHH'), 'Up, only watching: observe, would be down: http: is not ok.'],
    [farm({ ...DEFAULT_POLICY, mode: 'observe' }), among('+---'), 'Up, only watching: observe, would be down: http: is not ok (and 3 more).']
  ]
  for (const [of, drawing, sentence] of rows) {
    const story = play(of, drawing)
    t.equal(told(story).sentence, sentence, drawing)
    t.strictSame(told(story).decision, decide(of, story.state, 0, story.nowMs), 'the decision is the decision')
  }
})

void t.test('every criterion, with its counter, value and limit', async (t) => {
  const { criteria } = told(play(web('ab', only('gate'), MANY), `
    a  ++---
    b  ++HHH`))
  t.strictSame(criteria, [
    { name: 'reach', kind: 'reach', onFail: 'down', rise: 2, fall: 3, status: 'pass', health: 4, value: '5ms', limit: 'an answer', reason: 'answered in 5ms', sinceMs: 2010 },
    { name: 'http', kind: 'test', onFail: 'down', rise: 2, fall: 3, status: 'doubt', health: 2, value: false, limit: 'true', reason: 'is not ok', sinceMs: 10_010 },
    { name: 'storage', kind: 'test', onFail: 'drain', rise: 2, fall: 3, status: 'fail', health: 0, value: false, limit: 'true', reason: 'is not ok', sinceMs: 10_010 },
    { name: 'load', kind: 'test', onFail: 'weight 50%', rise: 2, fall: 3, status: 'fail', health: 0, value: false, limit: 'true', reason: 'is not ok', sinceMs: 10_010 },
    { name: 'introducer', kind: 'test', onFail: 'warn', rise: 2, fall: 3, status: 'fail', health: 0, value: false, limit: 'true', reason: 'is not ok', sinceMs: 10_010 }
  ])
  const [first, canary] = told(play(web('a', BARE, [reach(), criterion('canary')]), 'a +xx')).criteria
  t.match(first, { status: 'pass', health: 2, reason: 'refused by the node' }, 'passing by its counter, though the last sample did not')
  t.strictSame(canary, { name: 'canary', kind: 'test', onFail: 'down', rise: 2, fall: 3, status: 'no sample' })
})

void t.test('the backend as a whole', async (t) => {
  const { backend, state, nowMs } = play(web('abcd', without('peers', 'gate')), `
    a  +SSSSSSSS
    b  +++zzzzzz
    c  +++zzzzzz
    d  +++++++++`)
  t.strictSame(explainBackend(backend, state, nowMs), { servers: 4, fit: 3, need: 2, extra: 2, kept: ['a'], strained: true })
  t.strictSame(told(play(farm(), '')).backend, { servers: 2, fit: 2, need: 1, extra: 0, kept: [], strained: false })
})

void t.test('what a criterion does when it fails', async (t) => {
  t.equal(showOnFail({ action: 'down' }), 'down')
  t.equal(showOnFail({ action: 'drain' }), 'drain')
  t.equal(showOnFail({ action: 'warn' }), 'warn')
  t.equal(showOnFail({ action: 'weight', percent: 40 }), 'weight 40%')
})
