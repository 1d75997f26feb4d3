import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { clean, count, redact, showAge, showDuration, showSize, tidy } from '../../src/core/text.ts'

const SECRET = 'aaaabbbbccccddddeeeeffff22'
const CAP = `URI:CHK:${SECRET}:gggghhhhiiiijjjjkkkkllll33:3:10:1234`
const CAPS = [
  CAP, `URI:CHK-Verifier:${SECRET}:gggg:3:10:1`, `URI:LIT:${SECRET}`, `URI:SSK:${SECRET}:gggg`,
  `URI:SSK-RO:${SECRET}:gggg`, `URI:SSK-Verifier:${SECRET}:gggg`, `URI:MDMF:${SECRET}:gggg`,
  `URI:MDMF-RO:${SECRET}:gggg`, `URI:DIR2:${SECRET}:gggg`, `URI:DIR2-RO:${SECRET}:gggg`,
  `URI:DIR2-CHK:${SECRET}:gggg:3:10:1`, `URI:DIR2-LIT:${SECRET}`, `URI:DIR2-MDMF:${SECRET}:gggg`
]
const FURL = `pb://${SECRET}@tcp:10.0.0.1:3456/introducer`

const twice = (text: string): string => encodeURIComponent(encodeURIComponent(text))

void t.test('redact: every kind of cap, however it is written', async (t) => {
  for (const cap of CAPS) {
    const encoded = encodeURIComponent(cap)
    for (const written of [cap, cap.toLowerCase(), encoded, encoded.toLowerCase(), twice(cap)]) {
      t.equal(redact(`GET /uri/${written} 404`), 'GET /uri/URI:[redacted] 404', written)
    }
  }
})

void t.test('redact: furls', async (t) => {
  t.equal(redact(`introducer ${FURL} lost`), 'introducer pb://[redacted] lost')
  t.equal(redact(FURL.toUpperCase()), 'pb://[redacted]')
})

void t.test('redact: percent-encoded furls', async (t) => {
  t.notMatch(redact(encodeURIComponent(FURL)), SECRET)
  t.notMatch(redact(twice(FURL)), SECRET)
})

void t.test('redact: where a cap ends', async (t) => {
  const around = [['"', '"'], ["'", "'"], ['<', '>'], ['(', ')'], ['', ', then'], ['', ';'], ['', '\n']] as const
  for (const [before, after] of around) {
    t.equal(redact(`${before}${CAP}${after}`), `${before}URI:[redacted]${after}`)
  }
  t.equal(redact(`${CAP}/sub/file.txt`), 'URI:[redacted]', 'a path below it goes too')
  t.equal(redact(`${CAP}, ${FURL}, ${CAP}`), 'URI:[redacted], pb://[redacted], URI:[redacted]', 'all of them')
})

void t.test('redact: leaves the rest', async (t) => {
  for (const text of ['', 'disk full', 'GET /uri 404', 'a security: none', 'http://10.0.0.1:3456/uri/', 'web/a']) {
    t.equal(redact(text), text)
  }
  t.equal(redact(redact(CAP)), 'URI:[redacted]', 'twice is once')
})

void t.test('no text around a cap lets it through', async () => {
  const around = fc.string({ unit: 'binary', maxLength: 20 })
  const written = fc.constantFrom(...CAPS, ...CAPS.map(encodeURIComponent), ...CAPS.map(twice), FURL)
  fc.assert(fc.property(around, written, around, (before, cap, after) => {
    assert(!redact(`${before}${cap}${after}`).includes(SECRET))
    assert(!clean(`${before}${cap}${after}`).includes(SECRET))
  }))
})

void t.test('clean: one printable line', async (t) => {
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    ['', '', 'empty'],
    [' a  b ', 'a b', 'blanks'],
    ['a\r\nb\tc\0d', 'a b c d', 'control bytes'],
    ['a \n b', 'a b', 'control bytes between blanks'],
    ['café ☠ b', 'caf b', 'beyond ASCII'],
    ['\x1b[31mred', '[31mred', 'escapes'],
    ['say "hi" <b>', "say 'hi' 'b'", 'quotes and angle brackets'],
    [`got "${CAP}"`, "got 'URI:[redacted]'", 'a quoted cap']
  ]
  for (const [text, wanted, why] of rows) t.equal(clean(text), wanted, why)
})

void t.test('clean: length, at the bound and one over', async (t) => {
  t.equal(clean('x'.repeat(100)), 'x'.repeat(100), 'default, at bound')
  t.equal(clean('x'.repeat(101)), `${'x'.repeat(97)}...`, 'default, at bound + 1')
  t.equal(clean('x'.repeat(10), 10), 'x'.repeat(10), 'at bound')
  t.equal(clean('x'.repeat(11), 10), 'xxxxxxx...', 'at bound + 1')
  t.equal(clean(` ${'x'.repeat(10)} `, 10), 'x'.repeat(10), 'blanks around do not count')
  t.notMatch(clean(`${'x'.repeat(80)} ${CAP}`, 100), /aaaa/, 'redacted before it is cut')
  const texts = fc.string({ unit: 'binary', maxLength: 300 })
  fc.assert(fc.property(texts, fc.integer({ min: 4, max: 120 }), (text, max) => {
    const line = clean(text, max)
    assert(line.length <= max)
    assert.match(line, /^[\x20-\x7e]*$/)
    assert.equal(clean(line, max), line, 'twice is once')
  }))
})

void t.test('showDuration', async (t) => {
  const rows: ReadonlyArray<readonly [number, string]> = [
    [0, '0ms'], [0.4, '0ms'], [1, '1ms'], [500, '500ms'], [999, '999ms'], [1000, '1s'], [1500, '1.5s'], [1549, '1.5s'],
    [2000, '2s'], [59_000, '59s'], [60_000, '1m'], [90_000, '90s'], [300_000, '5m'], [3_600_000, '1h'],
    [5_400_000, '90m'], [7_200_000, '2h'], [61_234, '61.2s']
  ]
  for (const [ms, wanted] of rows) t.equal(showDuration(ms), wanted, `${ms}`)
})

void t.test('showSize', async (t) => {
  const rows: ReadonlyArray<readonly [number, string]> = [
    [0, '0B'], [512, '512B'], [1023, '1023B'], [1024, '1KiB'], [1536, '1.5KiB'], [1024 ** 2, '1MiB'],
    [1.5 * 1024 ** 3, '1.5GiB'], [1024 ** 4, '1TiB'], [1024 ** 5, '1PiB'], [1024 ** 6, '1024PiB'], [-2048, '-2KiB']
  ]
  for (const [bytes, wanted] of rows) t.equal(showSize(bytes), wanted, `${bytes}`)
})

void t.test('count', async (t) => {
  t.equal(count(0, 'server'), '0 servers')
  t.equal(count(1, 'server'), '1 server')
  t.equal(count(2, 'server'), '2 servers')
})

void t.test('showAge', async (t) => {
  const rows: ReadonlyArray<readonly [number, string]> = [
    [0, '0ms'], [999.4, '999ms'], [1000, '1s'], [59_999, '59s'], [60_000, '1m'], [61_000, '1m 1s'], [3_599_999, '59m 59s'],
    [3_600_000, '1h'], [3_660_000, '1h 1m'], [86_399_999, '23h 59m'], [86_400_000, '1d'], [90_000_000, '1d 1h'], [864_000_000, '10d']
  ]
  for (const [ms, shown] of rows) t.equal(showAge(ms), shown, String(ms))
})

void t.test('tidy: any language, one line, no secret', async (t) => {
  const rows: ReadonlyArray<readonly [string, number, string]> = [
    ['  für\n\tZoë \u200b ', 20, 'für Zoë'], ['a\u001b[31mb\u202ec', 20, 'a [31mb c'], [`see ${CAP}`, 40, 'see URI:[redacted]'],
    ['abcdef', 6, 'abcdef'], ['abcdefg', 6, 'abc...'], ['ab💾defg', 6, 'ab...'], ['ディスク交換', 6, 'ディスク交換']
  ]
  for (const [text, max, wanted] of rows) t.equal(tidy(text, max), wanted, text)
})
