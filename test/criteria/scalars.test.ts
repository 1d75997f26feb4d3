import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import { z } from 'zod'
import type { OnFail } from '../../src/core/model.ts'
import { duration, durationUpTo, filePath, onFail, percent, percentIn, size, sizeIn, urlPath, wholeNumber } from '../../src/criteria/scalars.ts'

const DAY_MS = 24 * 3_600_000
const messageOf = (schema: z.ZodType, value: unknown): string | undefined => schema.safeParse(value).error?.issues[0]?.message

void t.test('what is written, and what it means', async (t) => {
  const rows: ReadonlyArray<readonly [schema: z.ZodType, written: string, means: unknown, again: string, why: string]> = [
    [duration, '500ms', 500, '500ms', 'milliseconds'], [duration, '2s', 2000, '2s', 'seconds'],
    [duration, '1.5s', 1500, '1500ms', 'a fraction'],
    [duration, '5m', 300_000, '5m', 'minutes'], [duration, '90s', 90_000, '90s', 'no whole minutes'],
    [duration, '1h', 3_600_000, '1h', 'an hour'],
    [duration, '1ms', 1, '1ms', 'the least'], [duration, '0.4ms', 1, '1ms', 'never less'], [duration, '24h', DAY_MS, '24h', 'the most'],
    [percentIn('0% to 9%', /^\d%$/), '0%', 0, '0%', 'nothing'],
    [percent, '1%', 1, '1%', 'the least'], [percent, '100%', 100, '100%', 'the most'],
    [size, '512B', 512, '512B', 'bytes'], [size, '20KiB', 20_480, '20KiB', 'KiB'], [size, '1.5GiB', 1_610_612_736, '1536MiB', 'a fraction'],
    [size, '0B', 0, '0B', 'nothing'], [size, '1.1GiB', 1_181_116_006, '1181116006B', 'a fraction of no unit'],
    [size, '1024TiB', 1024 ** 5, '1024TiB', 'the most'],
    [onFail, 'down', { action: 'down' }, 'down', 'down'], [onFail, 'drain', { action: 'drain' }, 'drain', 'drain'],
    [onFail, 'warn', { action: 'warn' }, 'warn', 'warn'], [onFail, 'weight 25%', { action: 'weight', percent: 25 }, 'weight 25%', 'weight']
  ]
  for (const [schema, written, means, again, why] of rows) {
    t.same(schema.parse(written), means, `${written}: ${why}`)
    t.equal(z.encode(schema, means), again, `${written}: written again`)
  }
})

void t.test('what it must be', async (t) => {
  const DURATION = 'must be a duration like 500ms, 2s or 5m'
  const PERCENT = 'must be a percentage from 1% to 100%'
  const SIZE = 'must be a size like 20KiB or 10GiB'
  const ON_FAIL = 'must be down, drain, warn or weight N% (1 to 99)'
  const rows: ReadonlyArray<readonly [schema: z.ZodType, values: readonly unknown[], message: string]> = [
    [duration, ['fast', '2', 2, '', '2 s', '-1s', '0s', '0.0s', '000ms', '1d', '2S', '1e3s', '.5s', '1.s'], DURATION],
    [duration, [null, true, ['2s'], '1234567890s'], DURATION],
    [duration, ['25h', '1440.1m', '86401s', '999999999h'], 'must be a duration of at most 24h'],
    [durationUpTo(60_000), ['61s', '1.1m', '1h'], 'must be a duration of at most 1m'],
    [percentIn('0% to 9%', /^\d%$/), ['10%', '5', 5, '-1%'], 'must be a percentage from 0% to 9%'],
    [percent, ['0%', '101%', '50', 50, '5.5%', '-1%', '05%', '', null, '% 5'], PERCENT],
    [size, ['10GB', '10', 10, '10 GiB', '-1B', '1gib', '', null, '1PiB'], SIZE],
    [size, ['1025TiB', '1024.001TiB'], 'must be a size of at most 1024TiB'],
    [sizeIn(1024, 2 * 1024 ** 2), ['1023B', '0B', '2097153B', '1GiB'], 'must be a size from 1KiB to 2MiB'],
    [sizeIn(1024, 2048), ['2', 2], SIZE],
    [onFail, ['Down', 'up', 'weight', 'weight 25', 'weight 0%', 'weight 100%', 'weight  25%', 'weight 05%', false, null, ''], ON_FAIL],
    [wholeNumber(3), [2, 3.5, '3', null, Number.NaN, Infinity, true], 'must be a whole number, at least 3'],
    [wholeNumber(3, 5), [6, 1e9], 'must be at most 5'],
    [wholeNumber(3, 5), [2, 3.5, '3'], 'must be a whole number, at least 3'],
    [filePath, ['', 3, null], 'must be the path of a file'],
    [urlPath, ['', 'x', 'http://a/', '/a b', '/é', '/a\n', 3, null], 'must be a path that begins with /']
  ]
  for (const [schema, values, message] of rows) {
    for (const value of values) t.equal(messageOf(schema, value), message, JSON.stringify(value))
  }
  t.same([wholeNumber(3).parse(3), wholeNumber(3, 5).parse(5), durationUpTo(60_000).parse('1m')], [3, 5, 60_000], 'at the bound')
  t.same(['1KiB', '2MiB'].map(written => sizeIn(1024, 2 * 1024 ** 2).parse(written)), [1024, 2 * 1024 ** 2], 'at both')
  t.equal(sizeIn(1024, 2048).safeParse('2').error?.issues.length, 1, 'what has not the form is out of no range besides')
})

void t.test('whatever the program holds is written so that it means the same', async () => {
  const action = fc.constantFrom('down', 'drain', 'warn').map(name => ({ action: name }) as OnFail)
  const weight = fc.integer({ min: 1, max: 99 }).map((n): OnFail => ({ action: 'weight', percent: n }))
  const unit = fc.constantFrom(1, 1024, 1024 ** 2, 1024 ** 3, 1024 ** 4)
  const units = fc.tuple(fc.integer({ min: 0, max: 1024 }), unit).map(([n, of]) => n * of)
  const bytes = fc.oneof(fc.integer({ min: 0, max: 999_999_999 }), units, fc.integer({ min: 0, max: 1024 ** 5 }))
  const ms = fc.oneof(fc.integer({ min: 1, max: DAY_MS }), fc.integer({ min: 1, max: DAY_MS / 1000 }).map(s => s * 1000))
  const same = (schema: z.ZodType, value: unknown): void => { assert.deepEqual(z.decode(schema, z.encode(schema, value)), value) }
  fc.assert(fc.property(ms, value => { same(duration, value) }), { numRuns: 1000 })
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), value => { same(percent, value) }))
  fc.assert(fc.property(bytes, value => { same(size, value) }), { numRuns: 1000 })
  fc.assert(fc.property(fc.oneof(action, weight), value => { same(onFail, value) }))
})

void t.test('whatever is written and taken means the same when written again', async () => {
  const fraction = fc.tuple(fc.nat(9999), fc.nat(9999)).map(([a, b]) => `${a}.${b}`)
  const digits = fc.oneof(fc.integer({ min: 0, max: 99_999 }).map(String), fraction)
  const again = (schema: z.ZodType, written: string): void => {
    const first = schema.safeParse(written)
    if (!first.success) return
    assert.deepEqual(z.decode(schema, z.encode(schema, first.data)), first.data, written)
  }
  fc.assert(fc.property(digits, fc.constantFrom('ms', 's', 'm', 'h'), (n, unit) => { again(duration, n + unit) }), { numRuns: 1000 })
  const units = fc.constantFrom('B', 'KiB', 'MiB', 'GiB', 'TiB')
  fc.assert(fc.property(digits, units, (n, unit) => { again(size, n + unit) }), { numRuns: 1000 })
})
