/** What survives a change of the config, and a restart. How to read the drawings: drawings.ts. */
import t from 'tap'
import { advance } from '../../src/core/advance.ts'
import type { Backend } from '../../src/core/model.ts'
import { carryOver, revive, snapshot, type Snapshot } from '../../src/core/reload.ts'
import {
  backend, BARE, checkOf, content, criterion, CRITERIA, decided, DRAIN, only, order, ordered, ownOf, play, reach, sampleOf, server, tell, WARN, web,
  weight, without, type Story
} from './drawings.ts'

const reloaded = (story: Story, to: Backend): Story =>
  ({ ...story, backend: to, state: carryOver(story.backend, story.state, to, story.nowMs) })
/** Over a file, and on another clock. */
const throughFile = (kept: Snapshot): Snapshot => JSON.parse(JSON.stringify(kept)) as Snapshot
function restarted (story: Story, { awayMs = 0, clockMs = 0, to = story.backend, via = throughFile } = {}): Story {
  const nowMs = story.nowMs + awayMs + clockMs
  return { ...story, backend: to, nowMs, state: revive(to, via(snapshot(story.backend, story.state)), clockMs, nowMs) }
}

const STORY = `
    a  ++ooo+++SSS++xx
    b  ++zzzzzzzzzz++-
    c  ++zzzzzzzzzzxxx
    d  ooooooSSSSSSSSS`

void t.test('the same config changes nothing', async (t) => {
  const story = play(web('abcd'), STORY)
  const { floor, ...state } = story.state
  const { floor: anew, ...after } = reloaded(story, web('abcd')).state
  t.strictSame(after, state)
  t.strictSame([[...anew.kept], anew.fit], [[...floor.kept], floor.fit])
})

void t.test('servers by name and criteria by name, wherever they stand', async (t) => {
  const story = play(web('ab', BARE), `
    a  +SSS
    b  +xxx`)
  const turned = backend([server('b', [content('storage', DRAIN), reach()]), server('a', [content('storage', DRAIN), reach()])], BARE)
  const after = reloaded(story, turned)
  t.equal(after.state.servers.at(0)?.checks[1], checkOf(story, 0, 'b'))
  t.strictSame(ownOf(after).checks, [checkOf(story, 2), checkOf(story, 0)])
  t.strictSame([decided(after).state, decided(after, 'b').state], ['drain', 'down'])
})

void t.test('a criterion that means something else begins anew', async (t) => {
  const story = play(web('a', BARE), 'a +SSS')
  const other = reloaded(story, web('a', BARE, [reach(), content('http'), content('storage', { ...DRAIN, meaning: 'at least 5' })]))
  t.equal(ownOf(other).checks[2], undefined)
  t.equal(ownOf(other).checks[1], checkOf(story, 1))
  const named = reloaded(story, web('a', BARE, [reach(), content('http'), content('shares', { ...DRAIN, meaning: 'storage' })]))
  t.equal(ownOf(named).checks[2], undefined, 'by another name it is another one')
})

void t.test('a new criterion changes nothing until it has failed often enough', async (t) => {
  const story = play(web('ab', without('ramp')), `
    a  ++++
    b  ++++`)
  const to = web('ab', without('ramp'), [...CRITERIA, criterion('canary', { fall: 2 })])
  tell(t, 'its first sample is not awaited', to, `
    b.canary  .+++
    a.canary  .---
    a         ....  uudd
    b         ....  uuuu`, reloaded(story, to))
})

void t.test('a criterion that is gone holds nobody out', async (t) => {
  const story = play(web('ab', only('hold')), `
    a  +HHH
    b  ++++`)
  const to = web('ab', only('hold'), [reach(), content('storage', DRAIN)])
  tell(t, 'but its time must be over', to, `
    a  HHHH  hhuu
    b  ++++  uuuu`, reloaded(story, to))
  t.strictSame(decided(reloaded(story, to)).because, ['nothing fails any more, waits for its next look'])
})

void t.test('what a failure does may change under it', async (t) => {
  const story = play(web('a', BARE), 'a +HHH')
  const to = (options: Parameters<typeof content>[1]): Backend => web('a', BARE, [reach(), content('http', options)])
  t.equal(decided(reloaded(story, to(DRAIN))).state, 'drain')
  tell(t, 'a warning takes nobody out: back with the next pass of all the rest', to(WARN), `
    a  HH  uu`, { ...reloaded(story, to(WARN)) })
  const mild = play(web('a', only('weight'), [reach(), content('http', { onFail: weight(50) })]), 'a +HHH')
  tell(t, 'nor does a change put anybody out before the next poll', web('a', BARE, [reach(), content('http')]), `
    a  .HH  udd`, reloaded(mild, web('a', BARE, [reach(), content('http')])))
  const shared = play(web('ab', only('gate'), [reach(), content('http', WARN)]), `
    a  +HHH
    b  +HHH`)
  tell(t, 'and then not for what all fail', web('ab', only('gate'), [reach(), content('http')]), `
    a  .HH  u??
    b  .HH  u??`, reloaded(shared, web('ab', only('gate'), [reach(), content('http')])))
})

void t.test('layers may come and go', async (t) => {
  const story = play(web('ab', only('hold', 'ramp', 'weight')), `
    a  +xxx++
    b  ++++++`)
  t.strictSame(decided(reloaded(story, web('ab', BARE))).because, ['passes again'])
  tell(t, 'a hold that is gone: its end still counts', web('ab', BARE), `
    a  ++  uu
    b  ++  uu`, reloaded(story, web('ab', BARE)))
  const strained = play(web('ab', { ...only('strain', 'weight') }), `
    a  +++zzzzz
    b  +SSSSSSS`)
  t.equal(strained.state.extra, 2)
  const calm = reloaded(strained, web('ab', BARE))
  const sample = sampleOf('+', 99_000)!
  t.equal(advance(calm.backend, calm.state, { kind: 'sample', server: 0, probe: 'reach', sample }).extra, 0)
})

void t.test('another node: another server, of which HAProxy knows what we said of the one before', async (t) => {
  const moved = (name: string, farm: Backend): Backend =>
    backend(farm.servers.map(each => each.name === name ? { ...each, node: 'http://elsewhere' } : each), farm.policy)
  const story = play(web('abc', { ...only('hold', 'staleOpenMs'), minUp: 1 }), `
    a  +xxx++
    b  ++++++
    c  ++oooo`)
  tell(t, 'out: no opinion leaves it out, until the new node has passed', moved('a', story.backend), `
    a  .+  .u
    b  ++  uu
    c  oo  dd`, reloaded(story, moved('a', story.backend)))
  tell(t, 'out, and out again', moved('c', story.backend), `
    a  ...  hhh
    b  +++  uuu
    c  ooo  ..d`, reloaded(story, moved('c', story.backend)))
  tell(t, 'in: no opinion leaves it in', moved('b', story.backend), `
    a  ...  hhh
    b  .x+  ..u
    c  ...  ddd`, reloaded(story, moved('b', story.backend)))

  const out = reloaded(story, moved('a', story.backend))
  t.equal(ownOf(out).toldOut, true)
  t.match(ownOf(out), { phase: 'start', checks: [], bornMs: story.nowMs })
  t.equal(ownOf(reloaded(story, moved('b', story.backend)), 'b').toldOut, false)
  t.equal(ownOf(reloaded(out, moved('a', moved('a', web('abc'))))).toldOut, true, 'the same once more')
  const twice = backend(out.backend.servers.map(each => each.name === 'a' ? { ...each, node: 'http://somewhere' } : each), out.backend.policy)
  t.equal(ownOf(reloaded(out, twice)).toldOut, true, 'moved once more before anything was known')

  tell(t, 'it counts as out: kept up when nobody else is left', out.backend, `
    a  ...  ..K
    b  xxx  uud
    c  ooo  ddd`, out)
  const kept = play(out.backend, 'b xxx', out)
  t.strictSame(decided(kept), { state: 'up', weightPercent: 100, layer: 'floor', because: ['kept up by the floor: no verdict yet'] })
  tell(t, 'and is given up like any other', out.backend, `
    a  .~~~~  ....s
    b  .~~~~  uuuus
    c  .~~~~  dddds`, out)
})

void t.test('servers come and go, and the floor with them', async (t) => {
  const story = play(web('ab', { ...BARE, minUp: 1 }), `
    a  +xxx
    b  ++++`)
  const alone = reloaded(story, web('a', { ...BARE, minUp: 1 }))
  t.match(decided(alone), { state: 'up', layer: 'floor' })
  const more = reloaded(alone, web('abc', { ...BARE, minUp: 1 }))
  t.equal(decided(more).state, 'down')
  t.strictSame(['b', 'c'].map(name => decided(more, name).state), ['unknown', 'unknown'])
})

void t.test('probes that nobody reads any more are forgotten', async (t) => {
  const story = play(web('a', BARE, [criterion('a', { probe: 'p' }), criterion('b', { probe: 'q' })]), `
    a.p  +
    a.q  +`)
  const after = ownOf(reloaded(story, web('a', BARE, [criterion('a', { probe: 'p' }), criterion('b', { probe: 'r' })])))
  t.strictSame(Object.keys(after.probes), ['p'])
  t.equal(after.checks[1], ownOf(story).checks[1], 'a verdict outlives its probe: another deadline, say')
})

void t.test('a restart goes on as if nothing had been', async (t) => {
  const rest = `
    a  xoo+++++++---++  dddduuuuuuuuddu
    b  xxx++yyyyyyyyyy  uudduu886655443
    c  +++++++++++++++  duuuuuuuuuuuuuu
    d  SSS++++++++++++  KKKKuuuuuuuuuuu`
  for (const via of [throughFile, (kept: Snapshot) => kept]) {
    for (const clockMs of [0, 50_000, -20_000]) {
      const story = play(web('abcd'), STORY)
      const expected = tell(t, 'without it', story.backend, rest, story)
      const after = tell(t, `with it, the clock off by ${clockMs} ms`, story.backend, rest, restarted(story, { clockMs, via }))
      for (const name of 'abcd') t.strictSame(decided(after, name), decided(expected, name))
    }
  }
})

void t.test('every time in it is of the new clock, and nothing else is', async (t) => {
  const story = play(web('ab', undefined, [...CRITERIA, criterion('SizeMs')]), `
    a         ++xxx+++
    a.SizeMs  ++++++++
    b         ++++++++`)
  const before = ownOf(story)
  const after = ownOf(restarted(story, { clockMs: 1000 }))
  for (const key of ['bornMs', 'sinceMs', 'holdUntilMs', 'lastMs', 'weightAtMs', 'rampFromMs'] as const) {
    t.equal(after[key], before[key] === undefined ? undefined : before[key] + 1000, key)
  }
  t.strictSame(after.flapsMs, before.flapsMs.map(ms => ms + 1000))
  t.strictSame(after.latenciesMs, before.latenciesMs, 'latencies are no times')
  t.match(after.checks[0], {
    goodSinceMs: Number(before.checks[0]?.goodSinceMs) + 1000, lastGoodMs: Number(before.checks[0]?.lastGoodMs) + 1000, good: 3
  })
  t.equal(after.probes['SizeMs']?.endMs, Number(before.probes['SizeMs']?.endMs) + 1000, 'whatever the name of a probe')
  t.strictSame(after.probes['reach']?.good?.facts, { ok: true })
})

void t.test('a restart that took too long begins anew, but HAProxy has not forgotten', async (t) => {
  const story = play(web('ab', BARE), `
    a  +xxx
    b  ++++`)
  t.equal(decided(restarted(story, { awayMs: 15_010 })).state, 'down', '15 s')
  const late = restarted(story, { awayMs: 15_011 })
  t.equal(decided(late).state, 'unknown', 'more')
  t.equal(ownOf(late).toldOut, true, 'HAProxy has it out')
  t.equal(decided(late, 'b').state, 'up', 'each by its own last look')
  t.equal(ownOf(restarted(story, { awayMs: 20_000 }), 'b').toldOut, false)
  t.equal(ownOf(restarted(restarted(story, { awayMs: 20_000 }), { awayMs: 20_000 })).toldOut, true, 'and again')
})

void t.test('nothing is left of the strain of an hour ago', async (t) => {
  const strained = play(web('ab', only('strain', 'weight')), `
    a  +++zzzzz
    b  +SSSSSSS`)
  t.equal(restarted(strained, { awayMs: 5000 }).state.extra, 2)
  t.match(restarted(strained, { awayMs: 3_600_000 }).state, { extra: 0, strainSinceMs: undefined })
})

void t.test('a restart with another config', async (t) => {
  const story = play(web('ab', BARE), `
    a  +xxx
    b  +SSS`)
  const to = backend([server('b'), server('a', CRITERIA, { node: 'http://elsewhere' }), server('c')], BARE)
  const after = restarted(story, { to })
  t.strictSame(['a', 'b', 'c'].map(name => decided(after, name).state), ['unknown', 'drain', 'unknown'])
  t.strictSame(['a', 'b', 'c'].map(name => ownOf(after, name).toldOut), [true, false, false])
})

void t.test('orders are kept by themselves', async (t) => {
  const story = play(web('a', BARE), 'a +')
  const down = ordered(story, [order('*/*', 'down')])
  t.equal(decided(down).state, 'down')
  t.equal(decided(restarted(down)).state, 'up')
})

void t.test('a criterion that is new to all: the first that is looked at waits for the others', async (t) => {
  const before = play(web('abc', only('gate'), [reach()]), `
    a  ++
    b  ++
    c  ++`)
  const story = reloaded(before, web('abc', only('gate'), [reach(), criterion('disk')]))
  const first = play(story.backend, 'a.disk ----', story)
  t.equal(decided(first).state, 'up', 'nobody can say yet whether it is alone')
  t.match(decided(first), { layer: 'gate', because: [/^disk fails, but no other has been looked at for it yet: not taken out$/] })
  const shared = play(story.backend, `
    a.disk  --
    b.disk  --
    c.disk  --`, first)
  t.strictSame(Array.from('abc').map(name => decided(shared, name).state), ['up', 'up', 'up'], 'all fail it')
  const alone = play(story.backend, `
    a.disk  --
    b.disk  ++
    c.disk  ++`, first)
  t.strictSame(Array.from('abc').map(name => decided(alone, name).state), ['down', 'up', 'up'], 'it alone does')

  const long = play(story.backend, `a.disk ${'-'.repeat(9)}`, story)
  t.equal(decided(long).state, 'down', 'it does not wait for ever: 15 s')
  const dead = reloaded(play(web('ab', only('gate'), [reach()]), `
    a  +++++
    b  +xxxx`), web('ab', only('gate'), [reach(), criterion('disk')]))
  t.equal(decided(play(dead.backend, 'a.disk ---', dead)).state, 'down', 'nor for one that is out')
})
