/** Times as a person types and reads them. */
import t from 'tap'
import { parseLasting, parseUntil, showLeft, showMoment, showPast } from '../../src/cli/times.ts'

const HOUR = 3_600_000

void t.test('how long an order holds', async t => {
  const cases: ReadonlyArray<[text: string, ms: number | undefined, why: string]> = [
    ['30m', HOUR / 2, 'minutes'], ['1h30m', 1.5 * HOUR, 'two units'], ['2d 4h', 52 * HOUR, 'as status shows it'], ['1.5h', 1.5 * HOUR, 'a fraction'], ['90s', 90_000, 'seconds'],
    ['366d', 366 * 24 * HOUR, 'a year'], ['366d1s', undefined, 'more than a year'],
    ['', undefined, 'nothing'], ['0m', undefined, 'no time'], ['30', undefined, 'no unit'], ['-5m', undefined, 'the past'], ['5 minutes', undefined, 'words'], ['m', undefined, 'no number'], ['1h, 5m', undefined, 'something between']
  ]
  for (const [text, ms, why] of cases) {
    if (ms === undefined) t.throws(() => parseLasting('--for', text), { message: new RegExp(`^--for must be .*is ${text}`), exitCode: 2 }, why)
    else t.equal(parseLasting('--for', text), ms, why)
  }
})

void t.test('until when', async t => {
  const now = new Date('2026-11-30T12:00').getTime() // by this machine's clock, wherever it is
  const cases: ReadonlyArray<[text: string, utc: string, why: string]> = [
    ['2026-12-01T06:00Z', '2026-12-01T06:00:00.000Z', 'without seconds'],
    ['2026-12-01T06:00:30.5+01:00', '2026-12-01T05:00:30.500Z', 'with all'],
    ['2026-11-30T22:00-05:30', '2026-12-01T03:30:00.000Z', 'west']
  ]
  for (const [text, utc, why] of cases) t.equal(parseUntil(text, now), utc, why)
  t.throws(() => parseUntil('2027-12-02T12:00Z', now), /at most 366d from now/, 'more than a year')

  for (const [text, meant] of [['2026-12-01T06:00', '2026-12-01T06:00'], ['2026-12-01 06:00', '2026-12-01T06:00'], ['06:00', '2026-12-01T06:00'], ['13:30', '2026-11-30T13:30']] as const) {
    let said = ''
    try {
      parseUntil(text, now)
    } catch (error) {
      said = (error as Error).message
    }
    const pasted = / it is --until (\S+), is /.exec(said)?.[1] ?? 'nothing'
    t.equal(parseUntil(pasted, now), new Date(meant).toISOString(), `${text}: what it says to type is that time on this machine`)
  }
  for (const text of ['tomorrow', '2026-13-01T06:00Z', '2026-12-01', '25:00', '2026-12-01T06:00+1']) t.throws(() => parseUntil(text, now), /must be a moment like 2026-12-01T06:00Z, is/, text)
})

void t.test('moments as they are read, by the clock of this machine', async t => {
  const now = new Date('2026-11-30T12:00').getTime() // a Monday
  const show = (local: string): string => showMoment(new Date(local).toISOString(), now)
  t.equal(show('2026-11-30T23:59'), '23:59', 'today')
  t.equal(show('2026-12-01T03:05'), 'Tue 03:05', 'tomorrow')
  t.equal(show('2026-12-06T11:59'), 'Sun 11:59', 'this week')
  t.equal(show('2026-12-07T12:00'), '2026-12-07 12:00', 'a day of the week would be today')
  t.equal(showLeft(1_799_001), '30m', 'what has just begun')
  t.equal(showPast(999), '0s')
  t.equal(showPast(1000), '1s')
})
