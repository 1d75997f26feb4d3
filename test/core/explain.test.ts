/** The same for people: one sentence, and all the figures. How to read the drawings: drawings.ts. */
import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import { explain, explainBackend, showOnFail, type Story as Told } from '../../src/core/explain.ts'
import type { Backend } from '../../src/core/model.ts'
import { DEFAULT_POLICY, type Policy } from '../../src/core/policy.ts'
import { carryOver } from '../../src/core/reload.ts'
import { BARE, content, criterion, DRAIN, only, play, reach, WARN, web, weight, without, type Story } from './drawings.ts'

const MANY = [reach(), content('http'), content('storage', DRAIN), content('load', { onFail: weight(50) }), content('introducer', WARN)]
const farm = (policy: Policy = DEFAULT_POLICY, names = 'ab'): Backend => web(names, policy, MANY)
const told = ({ backend, state, nowMs }: Story, name = 'a', laterMs = 0): Told =>
  explain(backend, state, backend.servers.findIndex(each => each.name === name), nowMs + laterMs)

/** One server among others that fare well. */
const among = (polls: string, names = 'b'): string =>
  `a ${polls}${Array.from(names).map(name => `\n${name} ${'+'.repeat(polls.length)}`).join('')}`

void t.test('one sentence for a tired person', async (t) => {
  const rows: ReadonlyArray<readonly [Backend, string, string]> = [
    [farm(), 'a .', 'No opinion yet, so HAProxy keeps what it knows: no sample yet of reach, http, storage, load.'],
    [farm(), 'a HS', 'No opinion yet, so HAProxy keeps what it knows: storage: failed 1 of 3 times (is not ok).'],
    [farm(), 'a -',
      'No opinion yet, so HAProxy keeps what it knows: http: failed 1 of 3 times (is not ok); storage: failed 1 of 3 times (is not ok).'],
    [farm(), 'a +', 'Up at 100%: every criterion passes.'],
    [farm(), 'a +IIII', 'Up at 100%: warn: introducer: is not ok.'],
    [farm(), among('+LLL'), 'Up at 80%: load: is not ok.'],
    [farm(only('weight')), 'a +IIILLL', 'Up at 80%: load: is not ok.'],
    [farm(), among('+SSS'), 'Drained by its criteria: storage: is not ok.'],
    [farm(), among('+HHH'), 'Down by its criteria: http: is not ok.'],
    [farm(), among('+---'), 'Down by its criteria: http: is not ok (and 3 more).'],
    [farm(), among('+xxx'), 'Down by its criteria: reach: refused by the node.'],
    [farm(), among('+xxx+'), 'Down by its criteria: reach: passed 1 of 2 times.'],
    [farm(), among('+HHHISS'), 'Down by its criteria: storage: failed 2 of 3 times (is not ok).'],
    [farm(), among('+xxx++'), 'Down for 1s more: passes again, waits: went out 1 time in 10m.'],
    [farm(), among('+xxx++.'), 'Down until it passes once more: passes again, waits: went out 1 time in 10m.'],
    [farm(), among('+IIIxxxII'), 'Down for 1s more: passes again, waits: went out 1 time in 10m (and 1 more).'],
    [farm(), among('+xxx++++'), 'Up at 15%, and more every few seconds, all of it in 28s: it has just come back.'],
    [farm(), among('+IIIxxxIII'),
      'Up at 10%, and more every few seconds, all of it in 30s: it has just come back (warn: introducer: is not ok).'],
    [web('ab', undefined, [...MANY, content('idle', WARN)]), among('+IIIxxxIII'),
      'Up at 10%, and more every few seconds, all of it in 30s: it has just come back (warn: introducer: is not ok; warn: idle: is not ok).'],
    [farm(undefined, 'abc'), among('++yyyyy', 'bc'), 'Up at 60%: slower than its peers: 300ms.'],
    [farm(undefined, 'abc'), among('++yyyyy++', 'bc'), 'Up at 50%: on its way back to its whole weight.'],
    [farm(), 'a +ooo\nb +ooo', 'Up at 100%, in doubt: reach fails, but 1 of 1 peer fails it too: not taken out; reach: timeout by the node.'],
    [farm({ ...DEFAULT_POLICY, minUp: 2 }), among('+HHH'),
      'Up at 10% against its criteria (http: is not ok): only 1 of 2 servers is fit, and the floor wants 2 in service.'],
    [farm({ ...DEFAULT_POLICY, minUp: 3 }, 'abc'), among('+---', 'bc'),
      'Up at 10% against its criteria (http: is not ok (and 3 more)): only 2 of 3 servers are fit, and the floor wants 3 in service.'],
    [farm(undefined, 'abc'), 'a +HHH\nb +xxx\nc ++++',
      'Up at 10% against its criteria (http: is not ok): only 1 of 3 servers is fit, and the floor wants 2 in service.'],
    [farm(undefined, 'a'), 'a +HHH',
      'Up at 100% against its criteria (http: is not ok): none of 1 server is fit, and the floor wants 1 in service.'],
    [farm(without('peers'), 'abc'), 'a +SSSSSSSS\nb +++zzzzzz\nc +++zzzzzz',
      'Up at 100% against its criteria (storage: is not ok): only 2 of 3 servers are fit, and the floor wants 3 in service, for the load.'],
    [farm(without('peers'), 'abc'), 'a +SSSSSSSSSSS\nb +++zzzzzz+++\nc +++zzzzzz+++',
      'Up at 100% against its criteria (storage: is not ok): only 2 of 3 servers are fit, ' +
      'and the floor wants 3 in service, since the load was too much.'],
    [farm(), 'a l~~~~~', 'Up, because what was known of it is too old: no verdict for over 2m, so up.'],
    [farm(), 'a +xxx.~~~~', 'Up, because what was known of it is too old: not seen for over 2m, so up.'],
    [farm(), 'web/a uu\na ++', 'Up at 100% by order: up by al: disk. The polls say up.'],
    [farm(), 'web/a ...u\na +xxx\nb ++++', 'Up at 100% by order: up by al: disk. The polls say down (reach: refused by the node).'],
    [farm(), 'web/a 33\na ++', 'Up at 30% by order: weight 30% by al: disk. The polls say up.'],
    [farm(), 'web/a 00\na ++', 'Up without traffic by order: weight 0% by al: disk. The polls say up.'],
    [farm(), 'web/a dd\na ++', 'Down by order: down by al: disk. The polls say up.'],
    [farm(), 'web/a DD\na ++', 'Drained by order: drain by al: disk. The polls say up.'],
    [farm(), 'web/a mm\na ++', 'In maintenance by order: maint by al: disk. The polls say up.'],
    [farm(), 'web/* mm\na ++', 'In maintenance by order: maint of web/* by al: disk. The polls say up.'],
    [farm(), '*/* dd\na ..', 'Down by order: down of */* by al: disk. The polls say unknown (no verdict yet).'],
    [farm({ ...DEFAULT_POLICY, mode: 'observe' }), among('+HHH'), 'Up, for hcf only watches here: would be down: http: is not ok.'],
    [farm({ ...DEFAULT_POLICY, mode: 'observe' }), among('+---'),
      'Up, for hcf only watches here: would be down: http: is not ok (and 3 more).']
  ]
  for (const [of, drawing, sentence] of rows) {
    const story = play(of, drawing)
    t.equal(told(story).sentence, sentence, drawing)
    t.strictSame(told(story).decision, decide(of, story.state, 0, story.nowMs), 'the decision is the decision')
  }
})

void t.test('how long it will take', async (t) => {
  const held = play(farm(), among('+xxx++'))
  const sentences = (story: Story, ...laterMs: readonly number[]): readonly string[] => laterMs.map(ms => told(story, 'a', ms).sentence)
  t.strictSame(sentences(held, 1, 999, 1000), [
    'Down for 1s more: passes again, waits: went out 1 time in 10m.',
    'Down for 1s more: passes again, waits: went out 1 time in 10m.',
    'Down until it passes once more: passes again, waits: went out 1 time in 10m.'
  ])
  t.strictSame(sentences(play(farm(), among('+xxx+++')), 500, 1000).map(sentence => /all of it in \w+/.exec(sentence)?.[0]), ['all of it in 30s', 'all of it in 29s'])
  const story = play(web('a', BARE, [reach(), criterion('canary')]), 'a +')
  const gone = { ...story, backend: web('a', BARE, [reach()]), state: carryOver(story.backend, story.state, web('a', BARE, [reach()]), story.nowMs) }
  t.equal(told(gone).sentence, 'No opinion yet, so HAProxy keeps what it knows: no verdict yet.')
})

void t.test('every criterion, with its counter, value and limit', async (t) => {
  const { criteria } = told(play(web('ab', only('gate'), MANY), `
    a  ++---
    b  ++HHH`))
  const usual = { kind: 'test', rise: 2, fall: 3 }
  const fails = { health: 0, value: false, limit: 'true', reason: 'is not ok', sinceMs: 10_010 }
  const answered = { health: 4, value: '5ms', limit: 'an answer', reason: 'answered in 5ms', sinceMs: 2010 }
  t.strictSame(criteria, [
    { ...usual, name: 'reach', kind: 'reach', onFail: 'down', status: 'pass', ...answered },
    { ...usual, name: 'http', onFail: 'down', status: 'doubt', ...fails, health: 2 },
    { ...usual, name: 'storage', onFail: 'drain', status: 'fail', ...fails },
    { ...usual, name: 'load', onFail: 'weight 50%', status: 'fail', ...fails },
    { ...usual, name: 'introducer', onFail: 'warn', status: 'fail', ...fails }
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
  t.strictSame(explainBackend(backend, state, nowMs), { servers: 4, fit: 3, need: 2, extra: 2, kept: ['a'], strained: true, outByOrder: [], inService: 4 })
  t.strictSame(told(play(farm(), '')).backend, { servers: 2, fit: 2, need: 1, extra: 0, kept: [], strained: false, outByOrder: [], inService: 2 })
})

void t.test('what a criterion does when it fails', async (t) => {
  t.equal(showOnFail({ action: 'down' }), 'down')
  t.equal(showOnFail({ action: 'drain' }), 'drain')
  t.equal(showOnFail({ action: 'warn' }), 'warn')
  t.equal(showOnFail({ action: 'weight', percent: 40 }), 'weight 40%')
})
