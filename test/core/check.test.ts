/** One criterion's memory. A run like `+--+` is the polls of a server that has only this criterion. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { conclude, count, hasTripped, healthOf, isFailing, isMidRun, judgeSample } from '../../src/core/check.ts'
import type { Criterion, Sample } from '../../src/core/model.ts'
import type { CheckState } from '../../src/core/state.ts'
import { BARE, checkOf, COLUMN_MS, content, criterion, only, ownOf, play, reach, sampleOf, server, backend, tell, web } from './drawings.ts'

const after = (run: string, of: Criterion = criterion('c'), policy = BARE): CheckState =>
  checkOf(play(web('a', policy, [of]), `a.${of.probe} ${run}`))

void t.test('rise 2, fall 3', async (t) => {
  const rows: ReadonlyArray<readonly [string, latched: boolean, string]> = [
    ['+', false, 'a pass'],
    ['-', false, 'a failure is not enough, also at first'],
    ['+--', false, 'two are not'],
    ['+---', true, 'three are'],
    ['---', true, 'also at first'],
    ['+--+--', false, 'a pass starts the count again'],
    ['+xor', true, 'errors count as failures'],
    ['+---+', true, 'one pass does not bring it back'],
    ['+---++', false, 'two do'],
    ['+---+-+', true, 'a failure starts that count again'],
    ['+---++--', false, 'and then three are needed again'],
    ['+--l-', true, 'trouble of our own counts for nothing, and interrupts nothing'],
    ['+---+l+', false, 'neither on the way back'],
    ['+--*-', false, 'an answer while we were held up is believed'],
    ['+--%', false, 'what it says against the node is not'],
    ['+--%-', true, 'and interrupts nothing']
  ]
  for (const [run, latched, why] of rows) t.equal(after(run).latched, latched, `"${run}": ${why}`)
})

void t.test('other rises and falls', async (t) => {
  const rows: ReadonlyArray<readonly [string, rise: number, fall: number, latched: boolean]> = [
    ['+-', 1, 1, true], ['--', 2, 1, true], ['+-+', 1, 1, false], ['+--', 1, 3, false], ['+---', 1, 3, true], ['+---+', 1, 3, false],
    ['-++++', 5, 1, true], ['-+++++', 5, 1, false], ['-++++-++++', 5, 1, true]
  ]
  for (const [run, rise, fall, latched] of rows) {
    t.equal(after(run, criterion('c', { rise, fall })).latched, latched, `"${run}" with rise ${rise}, fall ${fall}`)
  }
})

void t.test('4 of the last 10, for the flaky', async (t) => {
  const rows: ReadonlyArray<readonly [string, latched: boolean, string]> = [
    ['-+-+-+-', false, 'four, but ten have not been looked at'],
    ['-+-+-+++-', false, 'nine'],
    ['-+-+-++++-', true, 'ten'],
    ['+++-+-+-+-', true, 'four among passes'],
    ['+++-+-+-++', false, 'three'],
    ['-++++++-+-+-', false, 'the first is too long ago'],
    ['-+++++-+-+-', false, 'by one'],
    ['-+-+-+-+++', false, 'it trips with a failure, not with a pass'],
    ['-+-+-+-+++-', true, 'and then it does'],
    ['+++-+-+-+-+', true, 'latched, it is back like any other'],
    ['+++-+-+-+-++', false, 'after two passes'],
    ['+++-+-+-+-++-', false, 'and what was before is forgotten'],
    ['+++-+-+-+-++-+-+-+-', false, 'also of how many there were: four of seven'],
    ['+++-+-+-+-++-++-++-+', false, 'until ten have been looked at again'],
    ['+++-+-+-+-++-++-++-+++-', false, 'three of ten'],
    ['+++-+-+-+-+++-++-++-++-', true, 'four of ten']
  ]
  for (const [run, latched, why] of rows) {
    t.equal(after(run, criterion('c'), only('window')).latched, latched, `"${run}": ${why}`)
    if (latched) t.equal(after(run).latched, false, `"${run}": switched off`)
  }
  t.equal(after('+++-+-+-+-', criterion('c', { fall: 1, rise: 1 }), only('window')).latched, true)
  t.equal(after('+++-+-+-+-+', criterion('c', { fall: 1, rise: 1 }), only('window')).latched, false)
  t.equal(hasTripped(criterion('c', { fall: 2 }), { ...after('+'), bad: 1, ring: 0b1111, ringed: 10 }, { fails: 4, of: 10 }), true)
  const often = { ...after('+'), bad: 1, ringed: 10 }
  t.equal(hasTripped(criterion('c', { fall: 6 }), { ...often, ring: 0b10101_01011 }, { fails: 4, of: 10 }), true, 'as often as `fall` says')
  t.equal(hasTripped(criterion('c', { fall: 6 }), { ...often, ring: 0b10101_01001 }, { fails: 4, of: 10 }), false, 'never sooner than `fall` says')
  t.equal(hasTripped(criterion('c', { fall: 1 }), { ...after('+'), bad: 0, ring: 0b1111, ringed: 10 }, { fails: 4, of: 10 }), false, 'it passes')
  t.equal(hasTripped(criterion('c', { fall: 9 }), { ...after('+'), latched: true, bad: 9 }, undefined), false, 'latched: nothing new')
})

void t.test('the window remembers as many looks as it has', async () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 30 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 70 }), (of, passes) => {
    let check: CheckState | undefined
    for (const pass of passes) {
      check = count(criterion('c'), check, { pass, value: null, limit: '', reason: '' }, sampleOf('+', 0)!, { fails: of, of })
    }
    const last = passes.slice(-of)
    assert.equal(check?.ringed, last.length)
    assert.equal(check?.ring, last.reduce((bits, pass) => bits * 2 + (pass ? 0 : 1), 0))
  }))
})

void t.test('a gray server: never three in a row', async (t) => {
  tell(t, 'the fourth error in ten, when the others have been seen to pass since', web('ab', only('window', 'gate')), `
    a  ++-++-+-+--  uuuuuuuuu?d
    b  +++++++++++  uuuuuuuuuuu`)
})

void t.test('what a sample says', async (t) => {
  const plain = criterion('c')
  const shy = criterion('c', { ignores: ['refused', 'noconn'] })
  const rows: ReadonlyArray<readonly [Criterion, mark: string, unreached: boolean, pass: boolean | undefined, string]> = [
    [plain, '+', false, true, 'a pass'],
    [plain, '-', false, false, 'a failure'],
    [plain, '+', true, true, 'a pass, whatever reach says'],
    [plain, '*', false, true, 'a pass while we were held up'],
    [plain, '%', false, undefined, 'a failure while we were held up'],
    [plain, 'x', false, false, 'an error of the node'],
    [plain, 'l', false, undefined, 'an error of our own'],
    [shy, 'x', false, undefined, 'an error that it does not care for'],
    [shy, 'o', false, false, 'one that it does'],
    [shy, 'o', true, undefined, 'silence of a node that does not answer anyhow: no news'],
    [shy, 'p', true, false, 'a bad answer is one'],
    [reach(), 'o', true, false, 'but reach is about just that'],
    [reach(), 'x', false, false, 'refused'],
    [reach(), 'p', false, true, 'a bad answer is an answer'],
    [reach(), '-', false, true, 'and so is any other']
  ]
  for (const [of, mark, unreached, pass, why] of rows) {
    t.equal(judgeSample(of, sampleOf(mark, 1000)!, undefined, unreached)?.pass, pass, `${of.name} ${mark}: ${why}`)
  }
  t.strictSame(judgeSample(plain, sampleOf('o', 1000)!, undefined, false), {
    pass: false, value: 'timeout', limit: 'an answer', reason: 'timeout by the node'
  })
  t.strictSame(judgeSample(reach(), sampleOf('p', 1000)!, undefined, false), {
    pass: true, value: 'a bad answer', limit: 'an answer', reason: 'answered, badly: protocol by the node'
  })
  const message = 'broken\n"URI:CHK:aaaabbbbccccdddd:eeee:3:10:99"'
  const broken: Sample = { ok: false, startMs: 0, endMs: 1, error: { class: 'protocol', message } }
  t.equal(judgeSample(plain, broken, undefined, false)?.reason, "broken 'URI:[redacted]'", 'one line without secrets')
})

void t.test('a probe of its own: silence counts while the node answers', async (t) => {
  const criteria = [reach(), criterion('canary', { fall: 2, ignores: ['refused', 'noconn'] })]
  tell(t, 'the canary hangs, the node does not', web('a', BARE, criteria), `
    a.canary  +..o.o.
    a         +++++++  uuuuudd`)
  const story = tell(t, 'both hang: that is one trouble, and the canary knows nothing', web('a', BARE, criteria), `
    a.canary  ++.o.o..
    a         ++oooo++  uuuudddu`)
  t.match(checkOf(story, 1), { bad: 0, latched: false })
})

void t.test('when it began', async (t) => {
  const at = (column: number): number => column * COLUMN_MS
  t.match(after('+'), { sinceMs: at(1), goodSinceMs: at(1), lastGoodMs: at(1) - 5, firstFailMs: undefined })
  t.match(after('+++'), { sinceMs: at(1), goodSinceMs: at(1), lastGoodMs: at(3) - 5 }, 'more of the same')
  t.match(after('+o'), { sinceMs: at(1), goodSinceMs: undefined, lastGoodMs: at(1) - 5 })
  t.match(after('+o'), { firstFailMs: at(2) - 2000 }, 'a failure begins with the look')
  t.match(after('+oo'), { sinceMs: at(1), firstFailMs: at(2) - 2000 }, 'not decided yet')
  t.match(after('+oooo'), { sinceMs: at(4), firstFailMs: at(2) - 2000 }, 'since the look that decided')
  t.match(after('+ooo+'), { sinceMs: at(4), goodSinceMs: at(5), firstFailMs: undefined }, 'one pass does not bring it back')
  t.match(after('+ooo++'), { sinceMs: at(6), goodSinceMs: at(5) }, 'the pass that does')
  const check = after('++')
  t.equal(conclude(check, { ...check, bad: 3 }, { why: 'strain' }, 99).sinceMs, 99, 'a doubt is a failure, for people')
  const doubted = conclude({ ...check, doubt: { why: 'strain' } }, { ...check, bad: 4 }, { why: 'queue' }, 99)
  t.equal(doubted.sinceMs, check.sinceMs, 'and goes on with another')
  t.equal(conclude(undefined, check, 'act', 99).sinceMs, check.sinceMs, 'the first')
})

void t.test('the judge sees the last good sample before', async (t) => {
  const seen: Array<number | undefined> = []
  after('+-x.+l+', criterion('c', {
    judge: (_, previous) => {
      seen.push(previous?.endMs)
      return { pass: true, value: 1, limit: '1', reason: 'is 1' }
    }
  }))
  t.strictSame(seen, [undefined, 2000, 4000, 10_000], 'errors between are not it')
})

void t.test('the verdict is of the last sample that said something', async (t) => {
  t.match(after('+-').verdict, { pass: false, value: false, limit: 'true', reason: 'is not ok' })
  t.match(after('-+l').verdict, { pass: true, reason: 'is ok' })
})

void t.test('the weight allowed is that of the last pass', async (t) => {
  const rows: ReadonlyArray<readonly [string, percent: number, reason: string, string]> = [
    ['+', 100, 'is ok', 'a pass without one allows all'],
    ['4', 40, 'is ok', 'a pass with one'],
    ['48', 80, 'is ok', 'a newer pass'],
    ['4-', 40, 'is ok', 'a failure among passes gives nothing back'],
    ['4x', 40, 'is ok', 'nor does an error'],
    ['4-+', 100, 'is ok', 'a pass does'],
    ['-', 100, '', 'never passed']
  ]
  for (const [run, percent, reason, why] of rows) t.match(after(run), { weightPercent: percent, weightReason: reason }, `"${run}": ${why}`)
})

void t.test('the counter, as HAProxy would show it', async (t) => {
  const rows: ReadonlyArray<readonly [string, health: number, string]> = [
    ['+', 4, 'the top: rise 2 + fall 3 - 1'], ['+-', 3, 'one failure'], ['+--', 2, 'two: still passing'], ['+---', 0, 'failing'],
    ['+---+', 1, 'one pass'], ['+---++', 4, 'back'], ['+----', 0, 'no less'], ['++++', 4, 'no more']
  ]
  for (const [run, health, why] of rows) t.equal(healthOf(criterion('c'), after(run)), health, `"${run}": ${why}`)
  t.equal(healthOf(criterion('c'), { ...after('+-'), bad: 7, doubt: { why: 'strain' } }), 2, 'in doubt: not below what passes')
  t.equal(healthOf(criterion('c', { rise: 1 }), { ...after('+---'), good: 5 }), 0, 'latched: not above what fails')
})

void t.test('failing, and in the middle of a run', async (t) => {
  const rows: ReadonlyArray<readonly [string, failing: boolean, midRun: boolean]> = [
    ['+', false, false], ['-', false, true], ['+-', false, true], ['+--', false, true], ['+---', true, false], ['+---+', true, true],
    ['+---++', false, false], ['+-+', false, false]
  ]
  for (const [run, failing, midRun] of rows) {
    t.equal(isFailing(after(run)), failing, `"${run}": failing`)
    t.equal(isMidRun(after(run)), midRun, `"${run}": in the middle`)
  }
  const tripped = { ...after('+-'), bad: 3 }
  t.equal(isFailing({ ...tripped, doubt: { why: 'queue' } }), true, 'a doubt is one')
  t.equal(isMidRun({ ...tripped, doubt: { why: 'queue' } }), true, 'a doubt that the next look may settle')
  t.equal(isMidRun({ ...tripped, doubt: { why: 'strain' } }), true)
  t.equal(isMidRun({ ...tripped, doubt: { why: 'peers', asked: 1, passing: 0, failing: 1 } }), false, 'one that others share')
  t.equal(isMidRun({ ...tripped, doubt: { why: 'peers', asked: 2, passing: 0, failing: 0 } }), true, 'one that they may settle at any time')
  t.equal(isMidRun({ ...tripped, doubt: { why: 'peers', asked: 0, passing: 0, failing: 0 } }), false, 'one with nobody to settle it')
})

void t.test('a sample that says nothing leaves the very same check', async (t) => {
  const farm = backend([server('a', [reach(), content('c')])], BARE)
  const before = play(farm, 'a +-')
  for (const mark of ['o', 'l', '%']) t.equal(ownOf(play(farm, `a ${mark}`, before)).checks[1], ownOf(before).checks[1], mark)
})
