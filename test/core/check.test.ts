import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { foldSample, isMidRun, isPassing, step } from '../../src/core/check.ts'
import type { CheckState, Criterion } from '../../src/core/model.ts'
import { criterion, playOne, sampleOf, server } from './drawings.ts'

const after = (run: string, of: Criterion): CheckState | undefined => playOne(server('a', [of]), run).checks[0]

void t.test('the counter: rise 2, fall 3', async (t) => {
  const rows: ReadonlyArray<readonly [string, number | undefined, string]> = [
    ['', undefined, 'no sample, no counter'],
    ['.', undefined, 'nothing happened'],
    ['+', 4, 'the first sample decides alone'],
    ['-', 0, 'the first sample decides alone, against it'],
    ['x', 0, 'an error counts as a failure'],
    ['+-', 3, 'one failure'],
    ['+--', 2, 'two: still passing'],
    ['+---', 0, 'three: failing, and a full rise is needed'],
    ['+--+', 4, 'a pass starts the count again'],
    ['+--+--', 2, 'so that two more are not enough'],
    ['+xtr', 0, 'three errors of any class'],
    ['+-xn', 0, 'failures and errors together'],
    ['-+', 1, 'one pass is not enough'],
    ['-++', 4, 'two are, and a full fall is needed'],
    ['-+-', 0, 'a failure starts the count again'],
    ['-+-+', 1, 'so that one more is not enough'],
    ['+----', 0, 'it does not fall below 0'],
    ['++++', 4, 'nor rise above the top'],
    ['l', undefined, 'our own trouble is no evidence'],
    ['+lllll', 4, 'however often'],
    ['+--l', 2, 'it counts for nothing'],
    ['+--l-', 0, 'and interrupts nothing'],
    ['-+l+', 4, 'neither on the way up']
  ]
  for (const [run, health, why] of rows) t.equal(after(run, criterion('c'))?.health, health, `"${run}": ${why}`)
})

void t.test('the counter at other rises and falls', async (t) => {
  const rows: ReadonlyArray<readonly [string, number, number, boolean]> = [
    ['+-', 1, 1, false], ['-+', 1, 1, true], ['+-+', 1, 1, true],
    ['+--', 1, 3, true], ['+---', 1, 3, false], ['+---+', 1, 3, true],
    ['-++++', 5, 1, false], ['-+++++', 5, 1, true], ['-++++-++++', 5, 1, false]
  ]
  for (const [run, rise, fall, passing] of rows) {
    const of = criterion('c', { rise, fall })
    t.equal(isPassing(of, after(run, of)!), passing, `"${run}" with rise ${rise}, fall ${fall}`)
  }
})

void t.test('the counter is a verdict and the length of the run against it', async () => {
  const bounds = fc.integer({ min: 1, max: 6 })
  fc.assert(fc.property(bounds, bounds, fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (rise, fall, run) => {
    let health: number | undefined
    let passing = run[0]!
    let against = 0
    for (const passed of run) {
      health = step(health, passed, { rise, fall })
      against = passed === passing ? 0 : against + 1
      if (against >= (passing ? fall : rise)) {
        passing = passed
        against = 0
      }
      assert.equal(health >= rise, passing)
      assert.equal(health, passing ? rise + fall - 1 - against : against)
    }
  }))
})

void t.test('classes of error that say nothing about a criterion', async (t) => {
  const of = criterion('c', { ignores: ['refused', 'noconn'] })
  const rows: ReadonlyArray<readonly [string, number | undefined, string]> = [
    ['x', undefined, 'ignored, also at first'],
    ['+xxxnnn', 4, 'no number of them counts'],
    ['+--x', 2, 'the run is as long as before'],
    ['+--x-', 0, 'and goes on'],
    ['+ttt', 0, 'another class counts'],
    ['l', undefined, 'our own trouble need not be listed']
  ]
  for (const [run, health, why] of rows) t.equal(after(run, of)?.health, health, `"${run}": ${why}`)
})

void t.test('a sample that says nothing leaves the very same check', async (t) => {
  const of = criterion('c', { ignores: ['refused'] })
  const check = after('+-', of)
  for (const mark of ['l', 'x']) t.equal(foldSample(of, check, sampleOf(mark, 9000)!, undefined), check, mark)
})

void t.test('since when', async (t) => {
  const rows: ReadonlyArray<readonly [string, number, string]> = [
    ['+', 1000, 'the first sample'],
    ['+++', 1000, 'more of the same'],
    ['+--', 1000, 'not decided yet'],
    ['+---', 4000, 'the sample that decided'],
    ['+----+', 4000, 'one pass does not bring it back'],
    ['-.+.+', 5000, 'the pass that brought it back']
  ]
  for (const [run, sinceMs, why] of rows) t.equal(after(run, criterion('c'))?.sinceMs, sinceMs, `"${run}": ${why}`)
})

void t.test('the verdict is of the last sample that said something', async (t) => {
  t.match(after('+-', criterion('c'))?.verdict, { pass: false, value: false, limit: 'true', reason: 'is not ok' })
  t.match(after('-+l', criterion('c'))?.verdict, { pass: true, reason: 'is ok' })
  t.strictSame(after('+t', criterion('c'))?.verdict, { pass: false, value: 'timeout', limit: 'an answer', reason: 'timeout by the node' })
  const message = 'broken\n"URI:CHK:aaaabbbbccccdddd:eeee:3:10:99"'
  const check = foldSample(criterion('c'), undefined, { ok: false, startMs: 0, endMs: 1, error: { class: 'protocol', message } }, undefined)
  t.equal(check?.verdict.reason, "broken 'URI:[redacted]'", 'one line without secrets')
})

void t.test('the judge sees the last good sample before', async (t) => {
  const seen: Array<number | undefined> = []
  const of = criterion('c', {
    judge: (_, previous) => {
      seen.push(previous?.endMs)
      return { pass: true, value: 1, limit: '1', reason: 'is 1' }
    }
  })
  after('+-x.+', of)
  t.strictSame(seen, [undefined, 1000, 2000], 'errors between are not it')
})

void t.test('the weight allowed is that of the last pass', async (t) => {
  const rows: ReadonlyArray<readonly [string, number, string]> = [
    ['+', 100, 'a pass without one allows all'],
    ['4', 40, 'a pass with one'],
    ['48', 80, 'a newer pass'],
    ['4-', 40, 'a failure among passes gives nothing back'],
    ['4x', 40, 'nor does an error'],
    ['4-+', 100, 'a pass does'],
    ['-', 100, 'never passed']
  ]
  for (const [run, percent, why] of rows) t.equal(after(run, criterion('c'))?.weightPercent, percent, `"${run}": ${why}`)
})

void t.test('in the middle of a run', async (t) => {
  const of = criterion('c')
  const rows: ReadonlyArray<readonly [string, boolean]> = [
    ['+', false], ['-', false], ['+-', true], ['+--', true], ['+---', false], ['-+', true], ['-++', false], ['+-+', false]
  ]
  for (const [run, wanted] of rows) t.equal(isMidRun(of, after(run, of)!), wanted, `"${run}"`)
})
