/**
 * The values a config is written in, each a zod codec: text in the file, a number or a union in the program, and back
 * for `hcf check --effective`. A message says what the value must be; config/problems.ts adds what it is.
 */
import { z } from 'zod'
import type { OnFail } from '../core/model.ts'
import { showOnFail } from '../core/explain.ts'
import { showDuration, showSize } from '../core/text.ts'

/** What has not the form is not looked at further: one mistake, one message. */
const text = (must: string, pattern: RegExp): z.ZodString => z.string({ error: must }).regex(pattern, { error: must, abort: true })

/** A text of at least one character. */
export const wholeText = z.string({ error: 'must be a text' }).min(1, { error: 'must not be empty' })

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A timer of Node's waits at most 2^31 ms; nothing here has reason to wait longer than a day. */
export const DURATION_MS_MAX = 24 * 3_600_000

function parseDuration (written: string): number {
  const [, digits = '0', unit = 'ms'] = /^([\d.]+)([a-z]+)$/.exec(written) ?? []
  return Math.max(1, Math.round(Number(digits) * (MS[unit] ?? 1)))
}

/** `500ms`, `2s`, `1.5s`, `5m`, `1h`: milliseconds, at least 1 and at most `maxMs`. */
export const durationUpTo = (maxMs: number): z.ZodCodec<z.ZodString, z.ZodNumber> => z.codec(
  text('must be a duration like 500ms, 2s or 5m', /^(?!0+(?:\.0+)?[a-z])\d{1,9}(?:\.\d+)?(?:ms|s|m|h)$/)
    .refine(written => parseDuration(written) <= maxMs, { error: `must be a duration of at most ${showDuration(maxMs)}` }),
  z.number(),
  {
    decode: parseDuration,
    encode: ms => ms % 1000 === 0 ? showDuration(ms) : `${ms}ms`
  }
)
export const duration = durationUpTo(DURATION_MS_MAX)

/** A percentage as a number. `pattern` takes those of the range, with their sign. */
export const percentIn = (range: string, pattern: RegExp): z.ZodCodec<z.ZodString, z.ZodNumber> => z.codec(
  text(`must be a percentage from ${range}`, pattern),
  z.number(),
  { decode: written => Number.parseInt(written, 10), encode: n => `${n}%` }
)
export const percent = percentIn('1% to 100%', /^(?:[1-9]\d?|100)%$/)

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 }

const SIZE_BYTES_MAX = 1024 ** 5

function parseSize (written: string): number {
  const [, digits = '0', unit = 'B'] = /^([\d.]+)([A-Za-z]+)$/.exec(written) ?? []
  return Math.round(Number(digits) * (BYTES[unit] ?? 1))
}

const isWithin = (n: number, min: number, max: number): boolean => min <= n && n <= max

/** `512B`, `10GiB`: bytes, from `minBytes` to `maxBytes`; `range` says so. */
const sizeWithin = (minBytes: number, maxBytes: number, range: string): z.ZodCodec<z.ZodString, z.ZodNumber> => z.codec(
  text('must be a size like 20KiB or 10GiB', /^\d{1,16}(?:\.\d+)?(?:B|KiB|MiB|GiB|TiB)$/)
    .refine(written => isWithin(parseSize(written), minBytes, maxBytes), { error: `must be a size ${range}` }),
  z.number(),
  {
    decode: parseSize,
    encode: bytes => {
      const unit = Object.keys(BYTES).findLast(name => bytes % (BYTES[name] ?? 1) === 0 && bytes > 0) ?? 'B'
      return `${bytes / (BYTES[unit] ?? 1)}${unit}`
    }
  }
)
export const size = sizeWithin(0, SIZE_BYTES_MAX, 'of at most 1024TiB')
export const sizeIn = (minBytes: number, maxBytes: number): z.ZodCodec<z.ZodString, z.ZodNumber> =>
  sizeWithin(minBytes, maxBytes, `from ${showSize(minBytes)} to ${showSize(maxBytes)}`)

/** What a failing criterion does: `down`, `drain`, `weight 25%` or `warn`. */
export const onFail = z.codec(
  text('must be down, drain, warn or weight N% (1 to 99)', /^(?:down|drain|warn|weight [1-9]\d?%)$/),
  z.custom<OnFail>(),
  {
    decode: (written): OnFail => {
      if (written === 'down' || written === 'drain' || written === 'warn') return { action: written }
      return { action: 'weight', percent: Number.parseInt(written.slice('weight '.length), 10) }
    },
    encode: showOnFail
  }
)

/** A whole number of things. */
export function wholeNumber (min: number, max?: number): z.ZodNumber {
  const error = `must be a whole number, at least ${min}`
  const number = z.int({ error }).min(min, { error })
  return max === undefined ? number : number.max(max, { error: `must be at most ${max}` })
}

export const anyNumber = z.number({ error: 'must be a number' })
export const filePath = z.string({ error: 'must be the path of a file' }).min(1, { error: 'must be the path of a file' })
export const urlPath = text('must be a path that begins with /', /^\/[\x21-\x7e]*$/)
