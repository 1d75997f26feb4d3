/** What failing criteria want of their server, and what is said of it. How to read the drawings: drawings.ts. */
import t from 'tap'
import type { OutClass, ServerState } from '../../src/core/state.ts'
import { isUnproven, outClass, reasons, SEVERITY, severityOf, takesOut, wantsOut, worst } from '../../src/core/severity.ts'
import { backend, BARE, criterion, CRITERIA, DRAIN, only, ownOf, play, reach, server, tell, WARN, web, weight } from './drawings.ts'

/** Each criterion at its first failure, on a probe of its own. */
const quick = { rise: 1, fall: 1 }
const ALL = server('a', [
  reach(quick), criterion('introducer', { ...quick, ...WARN }), criterion('latency', { ...quick, onFail: weight(25) }),
  criterion('load', { ...quick, onFail: weight(60) }), criterion('storage', { ...quick, ...DRAIN }), criterion('canary', quick)
])
const GOOD = { reach: '+', introducer: '+', latency: '+', load: '+', storage: '+', canary: '+' }

/** The server after the polls of each of its probes. */
const after = (polls: Partial<typeof GOOD>, one = ALL): ServerState =>
  ownOf(play(backend([one], BARE), Object.entries({ ...GOOD, ...polls }).map(([probe, run]) => `a.${probe} ${run}`).join('\n')))
const run = (polls: string): ServerState => ownOf(play(web('a', BARE, [criterion('c')]), `a.c ${polls}`))

void t.test('the worst severity wins, and its reason comes first', async (t) => {
  const rows: ReadonlyArray<readonly [Partial<typeof GOOD>, keyof typeof SEVERITY, readonly string[], string]> = [
    [{}, 'none', [], 'all is well'],
    [{ introducer: '-' }, 'warn', ['warn: introducer: is not ok'], 'a warning'],
    [{ load: '-' }, 'weight', ['load: is not ok'], 'a weight'],
    [{ load: '-', latency: '-' }, 'weight', ['latency: is not ok', 'load: is not ok'], 'the smaller weight first'],
    [{ load: '-', introducer: '-' }, 'weight', ['load: is not ok', 'warn: introducer: is not ok'], 'a weight before a warning'],
    [{ load: '3', latency: '-' }, 'weight', ['latency: is not ok', 'load: is ok'], 'a pass that sheds, but less'],
    [{ load: '1', latency: '-' }, 'weight', ['load: is ok', 'latency: is not ok'], 'a pass that sheds more'],
    [{ load: '3' }, 'none', ['load: is ok'], 'a pass that sheds is no failure'],
    [{ storage: '-' }, 'drain', ['storage: is not ok'], 'drain'],
    [{ storage: '-', latency: '-', introducer: '-' }, 'drain',
      ['storage: is not ok', 'latency: is not ok', 'warn: introducer: is not ok'], 'three'],
    [{ canary: '-', storage: '-' }, 'down', ['canary: is not ok', 'storage: is not ok'], 'down before drain'],
    [{ canary: '-', reach: 'x' }, 'down', ['reach: refused by the node', 'canary: is not ok'], 'no answer is why all else is unknown'],
    [{ reach: '.', canary: '.' }, 'none', [], 'no sample, no reason']
  ]
  for (const [polls, severity, because, why] of rows) {
    const own = after(polls)
    t.equal(worst(ALL, own), SEVERITY[severity], why)
    t.equal(wantsOut(ALL, own), SEVERITY[severity] >= SEVERITY.drain, `${why}: out`)
    t.strictSame(reasons(ALL, own), because, `${why}: reasons`)
  }
  t.strictSame(ALL.criteria.map(severityOf), [4, 1, 2, 2, 3, 4])
  t.strictSame(ALL.criteria.map(takesOut), [true, false, false, false, true, true])
})

void t.test('the reason of a failing criterion', async (t) => {
  const one = server('a', [criterion('c')])
  const rows: ReadonlyArray<readonly [string, readonly string[], string]> = [
    ['---', ['c: is not ok'], 'what was measured'],
    ['---o', ['c: timeout by the node'], 'the newest failure'],
    ['---+', ['c: passed 1 of 2 times'], 'how far it has come back'],
    ['---+-', ['c: is not ok'], 'back to the start'],
    ['---++', [], 'nothing to say'],
    ['+--', [], 'not decided yet: nothing to say'],
    ['4', ['c: is ok'], 'why it sheds'],
    ['4-', ['c: is ok'], 'and goes on to, while one failure changes nothing'],
    ['4---', ['c: is not ok'], 'until it fails']
  ]
  for (const [polls, because, why] of rows) t.strictSame(reasons(one, run(polls)), because, `"${polls}": ${why}`)
})

void t.test('proven: every criterion that could take it out passes, and one that is out must pass `rise` times', async (t) => {
  const one = server('a', [criterion('c')])
  const rows: ReadonlyArray<readonly [string, inService: boolean, out: boolean, string]> = [
    ['', false, false, 'no sample: nothing against it'],
    ['+', false, true, 'one pass'],
    ['++', false, false, 'two'],
    ['++-', true, true, 'a failure'],
    ['++-+', false, true, 'one pass after it']
  ]
  for (const [polls, inService, out, why] of rows) {
    const own = run(polls)
    for (const phase of ['start', 'in'] as const) t.equal(isUnproven(one, { ...own, phase }), inService, `"${polls}", ${phase}: ${why}`)
    for (const phase of ['out', 'held'] as const) t.equal(isUnproven(one, { ...own, phase }), out, `"${polls}", ${phase}: ${why}`)
  }
  const before = { ...run('++-+'), phase: 'out' as const, sinceMs: 8001 }
  t.equal(isUnproven(one, before), false, 'a run of passes from before it went out says nothing new')
  for (const options of [WARN, { onFail: weight(50) }]) {
    t.equal(isUnproven(server('a', [criterion('c', options)]), run('+-')), false, 'a warning, a weight')
  }
})

void t.test('how bad it is to keep it', async (t) => {
  const rows: ReadonlyArray<readonly [string, OutClass, string]> = [
    ['+SSS', 'drain', 'impaired, but able'],
    ['+HHH', 'fail', 'cannot serve'],
    ['+---', 'fail', 'both: the worse one'],
    ['+nnn', 'noconn', 'no connection'],
    ['+ooo', 'noreply', 'silent'],
    ['+xxx', 'dead', 'refuses'],
    ['+rrr', 'dead', 'resets'],
    ['+oox', 'dead', 'the last word counts'],
    ['+xxo', 'noreply', 'the last word counts'],
    ['+xxx+', 'noreply', 'it answers again, but has not proven it'],
    ['+SSSooo', 'noreply', 'silence is why all else is unknown'],
    ['+SSSo', 'drain', 'silent once is not silent'],
    ['+xxx++', 'held', 'passes again, and waits'],
    ['+SSS++S', 'held', 'a failure while it waits']
  ]
  for (const [polls, kind, why] of rows) {
    t.equal(outClass(server('a'), ownOf(play(web('a', only('hold')), `a ${polls}`))), kind, `"${polls}": ${why}`)
  }
  t.equal(outClass(server('a'), { ...run(''), toldOut: true }), 'fail', 'nothing known of it: as if it could not serve')
  t.equal(outClass(server('a', [criterion('c')]), { ...run('xxx'), reached: 'dead' }), 'fail', 'a server without reach, by what it has')
})

void t.test('many criteria, one server', async (t) => {
  tell(t, 'drained, then down, then only drained again', web('a', BARE, [...CRITERIA, criterion('canary')]), `
    a.canary  +..---++.
    a         +SSSSSSSS  uuuDDddDD`)
})
