/** When a window is on, by calendars that skip hours and have some twice. */
import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import type { Window } from '../../src/core/window.ts'
import { occurrence } from '../../src/runtime/windows.ts'

process.env['TZ'] = 'America/New_York' // before the first date is made; no window below has it but by default

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const at = (moment: string): number => Date.parse(moment)
const window = (cron: string, forMs = HOUR, more: Partial<Window> = { zone: 'Europe/Zurich' }): Window =>
  ({ scope: 'web/*', at: cron, cron, forMs, action: 'drain', reason: 'backup', ...more })
const seen = (of: Window, now: string): readonly string[] | undefined => {
  const found = occurrence(of, at(now))
  return found === undefined ? undefined : [found.fromWallMs, found.untilWallMs].map(ms => new Date(ms).toISOString().replace(/:00\.000Z$/, 'Z'))
}

void t.test('the one that is on, else the next', async (t) => {
  const sunday = window('0 3 * * SUN') // 01:00Z in summer
  const rows: ReadonlyArray<readonly [now: string, from: string, until: string, why: string]> = [
    ['2026-06-03T12:00Z', '2026-06-07T01:00Z', '2026-06-07T02:00Z', 'on a Wednesday'],
    ['2026-06-07T00:59:59.999Z', '2026-06-07T01:00Z', '2026-06-07T02:00Z', 'just before'],
    ['2026-06-07T01:00:00Z', '2026-06-07T01:00Z', '2026-06-07T02:00Z', 'it begins'],
    ['2026-06-07T01:00:00.001Z', '2026-06-07T01:00Z', '2026-06-07T02:00Z', 'just begun'],
    ['2026-06-07T01:59:59.999Z', '2026-06-07T01:00Z', '2026-06-07T02:00Z', 'its last moment'],
    ['2026-06-07T02:00:00Z', '2026-06-14T01:00Z', '2026-06-14T02:00Z', 'its end is not part of it'],
    ['2026-06-07T02:00:00.999Z', '2026-06-14T01:00Z', '2026-06-14T02:00Z', 'within the second of its end'],
    ['2026-12-31T23:59Z', '2027-01-03T02:00Z', '2027-01-03T03:00Z', 'next year, in winter']
  ]
  for (const [now, from, until, why] of rows) {
    t.same(seen(sunday, now), [from, until], why)
    t.same(seen({ ...sunday }, now), [from, until], `${why}: and asked for the first time`)
  }
  t.same(seen(window('0 3 * * *', 1500), '2026-06-07T01:00:01.499Z'), ['2026-06-07T01:00Z', '2026-06-07T01:00:01.500Z'], 'parts of a second')
  t.same(seen(window('0 3 * * *', 1500), '2026-06-07T01:00:01.500Z')?.[0], '2026-06-08T01:00Z')
})

void t.test('the clocks go forward: 2026-03-29 has no time from 02:00 to 03:00', async (t) => {
  const rows: ReadonlyArray<readonly [cron: string, now: string, from: string, until: string, why: string]> = [
    ['30 2 * * *', '2026-03-28T12:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z', 'what is skipped begins when the clock has jumped'],
    ['30 2 * * *', '2026-03-29T01:59:59Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z', 'and is on for its whole time'],
    ['30 2 * * *', '2026-03-29T02:00Z', '2026-03-30T00:30Z', '2026-03-30T01:30Z', 'and the next is at its own time'],
    ['0 2 * * SUN', '2026-03-28T12:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z', 'the first minute that is not'],
    ['0 3 * * SUN', '2026-03-28T12:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z', 'the first that is'],
    ['30 1 * * SUN', '2026-03-29T01:15Z', '2026-03-29T00:30Z', '2026-03-29T01:30Z', 'one over the gap lasts an hour, not none'],
    ['30 2,14 * * *', '2026-03-28T14:30Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z', 'one of a list'],
    ['0 * * * *', '2026-03-29T00:59:59Z', '2026-03-29T00:00Z', '2026-03-29T01:00Z', 'every hour: 01:00 …'],
    ['0 * * * *', '2026-03-29T01:00:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z', '… and 03:00, an hour later']
  ]
  for (const [cron, now, from, until, why] of rows) t.same(seen(window(cron), now), [from, until], `${cron}: ${why}`)
})

void t.test('the clocks go back: 2026-10-25 has the time from 02:00 to 03:00 twice', async (t) => {
  const rows: ReadonlyArray<readonly [cron: string, now: string, from: string, until: string, why: string]> = [
    ['30 2 * * *', '2026-10-24T12:00Z', '2026-10-25T00:30Z', '2026-10-25T01:30Z', 'the first time that it is half past two'],
    ['30 2 * * *', '2026-10-25T01:29:59Z', '2026-10-25T00:30Z', '2026-10-25T01:30Z', 'it lasts until it is that again'],
    ['30 2 * * *', '2026-10-25T01:30Z', '2026-10-26T01:30Z', '2026-10-26T02:30Z', 'and does not begin anew'],
    ['30 2,14 * * *', '2026-10-25T01:30Z', '2026-10-25T13:30Z', '2026-10-25T14:30Z', 'nor does one of a list'],
    ['0 2 * * SUN', '2026-10-25T00:30Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z', 'the first two o\'clock'],
    ['0 3 * * SUN', '2026-10-25T00:30Z', '2026-10-25T02:00Z', '2026-10-25T03:00Z', 'three o\'clock is later than it seems'],
    ['30 1 * * SUN', '2026-10-25T00:29Z', '2026-10-24T23:30Z', '2026-10-25T00:30Z', 'one into it lasts an hour, not two'],
    ['0 * * * *', '2026-10-25T00:59Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z', 'every hour: 02:00 …'],
    ['0 * * * *', '2026-10-25T01:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z', '… and 02:00 again']
  ]
  for (const [cron, now, from, until, why] of rows) t.same(seen(window(cron), now), [from, until], `${cron}: ${why}`)
})

void t.test('the zone: the window\'s, else the machine\'s', async (t) => {
  const zones: ReadonlyArray<readonly [zone: string | undefined, from: string]> = [
    ['UTC', '2026-06-07T03:00Z'], ['Asia/Kathmandu', '2026-06-06T21:15Z'], ['America/New_York', '2026-06-07T07:00Z'], [undefined, '2026-06-07T07:00Z']
  ]
  for (const [zone, from] of zones) {
    const of = window('0 3 7 6 *', HOUR, zone === undefined ? {} : { zone })
    t.equal(seen(of, '2026-06-01T00:00Z')?.[0], from, zone ?? 'none')
  }
})

void t.test('days of the month, and one that will not come', async (t) => {
  t.same(seen(window('0 3 31 * *', HOUR, { zone: 'UTC' }), '2026-05-31T04:00Z'), ['2026-07-31T03:00Z', '2026-07-31T04:00Z'], 'June has no 31st')
  t.same(seen(window('0 3 29 2 *', HOUR, { zone: 'UTC' }), '2026-05-31T04:00Z')?.[0], '2028-02-29T03:00Z', 'a leap year')
  const never = window('0 3 30 2 *')
  t.equal(occurrence(never, at('2026-01-01T00:00Z')), undefined)
  t.equal(occurrence(never, at('2027-01-01T00:00Z')), undefined, 'nor later')
})

void t.test('a clock that is set back finds again what was over', async (t) => {
  const nightly = window('0 3 * * *')
  const first = seen(nightly, '2026-06-07T01:30Z')
  t.same(seen(nightly, '2026-06-09T01:30Z')?.[0], '2026-06-09T01:00Z')
  t.same(seen(nightly, '2026-06-07T01:30Z'), first)
  t.same(seen(nightly, '2026-06-06T12:00Z'), first, 'and before it began')
  t.same(seen(nightly, '2026-06-05T12:00Z')?.[0], '2026-06-06T01:00Z', 'a day earlier, the one before')
})

void t.test('however it is asked: on or to come, for its whole time, and the same as one that was never asked before', async () => {
  const cron = fc.constantFrom('30 2 * * *', '0 2,3 * * *', '0 3 * * SUN', '0 3 1 * *', '*/30 1-3 * * *', '15 4 29 2 *', '0 0 1,31 * MON')
  const moments = fc.array(fc.integer({ min: at('2026-01-01T00:00Z'), max: at('2028-12-31T00:00Z') }), { minLength: 1, maxLength: 4 })
  const near = fc.array(fc.integer({ min: -2 * HOUR, max: 3 * HOUR }), { minLength: 1, maxLength: 8 }).chain(offsets =>
    fc.constantFrom(at('2026-03-29T01:00Z'), at('2026-10-25T01:00Z')).map(around => offsets.map(offset => around + offset)))
  fc.assert(fc.property(cron, fc.constantFrom(MINUTE, 29 * MINUTE), fc.constantFrom('Europe/Zurich', 'UTC', undefined), fc.oneof(moments, near),
    (pattern, forMs, zone, nows) => {
      const asked = window(pattern, forMs, zone === undefined ? {} : { zone })
      for (const now of nows) {
        const found = occurrence(asked, now)
        assert.deepEqual(found, occurrence({ ...asked }, now))
        assert(found !== undefined && found.untilWallMs > now && found.untilWallMs - found.fromWallMs === forMs)
        assert.deepEqual(occurrence({ ...asked }, found.fromWallMs), found, 'it is on when it begins')
        assert(occurrence({ ...asked }, found.untilWallMs)!.fromWallMs >= found.untilWallMs, 'and over when it ends')
      }
    }), { numRuns: 200 })
})
