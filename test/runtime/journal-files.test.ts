import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import * as disk from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { FeedEvent } from '../../src/runtime/feed.ts'
import { LINE_BYTES_MAX, readEvents, Series } from '../../src/runtime/journal-files.ts'

const contents = (file: string): string => existsSync(file) ? readFileSync(file, 'utf8') : ''

/** A series of so many bytes in all. Each line is given without its end. */
class Bench {
  readonly file: string
  readonly old: string
  readonly series: Series

  constructor (dir: string, maxBytes = 1000) {
    this.file = join(dir, 'events.jsonl')
    this.old = join(dir, 'events.1.jsonl')
    this.series = new Series(this.file, maxBytes)
  }

  add (...lines: readonly string[]): void {
    for (const line of lines) this.series.add(`${line}\n`, Buffer.byteLength(line) + 1)
  }

  async write (...lines: readonly string[]): Promise<string | undefined> {
    this.add(...lines)
    return this.series.write(disk)
  }

  /** What is in the older file, and in the current one. */
  get files (): readonly [string, string] {
    return [contents(this.old), contents(this.file)]
  }
}

void t.test('lines are appended, over restarts', async (t) => {
  const dir = t.testdir()
  const b = new Bench(dir)
  b.add('a', 'é')
  t.equal(b.series.waiting, 5, 'bytes, not characters')
  t.equal(await b.write(), undefined)
  t.equal(b.series.waiting, 0)
  await new Bench(dir).write('c')
  t.strictSame(b.files, ['', 'a\né\nc\n'])
})

void t.test('its group may read it, and nobody else', async (t) => {
  const dir = join(t.testdir(), 'journal')
  const b = new Bench(dir)
  await b.write('a')
  t.equal(statSync(dir).mode & 0o777 & ~0o750, 0)
  t.equal(statSync(b.file).mode & 0o777 & ~0o640, 0)
  rmSync(b.file)
  await b.write('a')
  t.equal(statSync(b.file).mode & 0o777 & ~0o640, 0, 'in a directory that is there already')
})

void t.test('a full file makes room, at its bound and one more', async (t) => {
  const b = new Bench(t.testdir(), 20)
  await b.write('1234', '6789')
  t.strictSame(b.files, ['', '1234\n6789\n'], 'just fits')
  await b.write('x')
  t.strictSame(b.files, ['1234\n6789\n', 'x\n'])
  await b.write('3456789', 'y')
  t.strictSame(b.files, ['x\n3456789\n', 'y\n'], 'half of what waits may fit')
  await b.write('123456789', '123456780', '123456781')
  t.strictSame(b.files, ['123456780\n', '123456781\n'], 'more than all files hold: the newest stays')
})

void t.test('files never exceed their bound, whatever is written', async (t) => {
  const lines = fc.array(fc.array(fc.integer({ min: 1, max: 49 }), { maxLength: 8 }), { maxLength: 12 })
  const root = t.testdir()
  let n = 0
  await fc.assert(fc.asyncProperty(lines, fc.integer({ min: 0, max: 300 }), async (batches, there) => {
    const dir = join(root, String(n += 1))
    mkdirSync(dir)
    const b = new Bench(dir, 100)
    writeFileSync(b.file, 'o'.repeat(there)) // torn, or of a larger bound
    const written: string[] = []
    for (const batch of batches) {
      const fresh = batch.map((length, i) => String(written.length + i).padEnd(length, '.').slice(0, length))
      written.push(...fresh)
      if (await b.write(...fresh) !== undefined) return false
      if (batch.length > 0 && b.files.some(({ length }) => length > 50)) return false
    }
    const kept = b.files.join('\n').split('\n').filter(line => line !== '' && !line.includes('o'))
    return JSON.stringify(kept) === JSON.stringify(written.slice(written.length - kept.length)) && kept.length >= Math.min(1, written.length)
  }), { numRuns: 60 })
  t.ok(n >= 60)
})

void t.test('no line is longer than a file', async (t) => {
  t.equal(new Bench(t.testdir(), 20).series.lineBytesMax, 10)
  t.equal(new Bench(t.testdir(), LINE_BYTES_MAX * 3).series.lineBytesMax, LINE_BYTES_MAX)
})

void t.test('a line that was torn by a crash costs no other', async (t) => {
  const b = new Bench(t.testdir({ 'events.jsonl': 'a\n{"id":1,"at":"20' }))
  await b.write('b')
  await b.write('c')
  t.equal(b.files[1], 'a\n{"id":1,"at":"20\nb\nc\n')
  const full = new Bench(t.testdir({ 'events.jsonl': 'torn' }), 20)
  await full.write('12345')
  t.strictSame(full.files, ['torn', '12345\n'], 'and its end counts')
})

void t.test('files of a larger bound are cut to their newest whole lines, once', async (t) => {
  const long = Array.from({ length: 40_000 }, (_, i) => `line ${i}`)
  const dir = t.testdir({ 'events.jsonl': `${long.join('\n')}\n`, 'events.1.jsonl': 'aaaa\nbbbb\ncccc\ndddd\n' })
  const b = new Bench(dir, 600_000) // longer than what is copied at once
  await b.write('new')
  const [old, now] = b.files
  t.equal(old, 'aaaa\nbbbb\ncccc\ndddd\n', 'one that fits stays')
  t.ok(now.length <= 300_000 && now.length > 299_980, `${now.length} bytes`)
  const lines = now.trimEnd().split('\n')
  t.strictSame(lines, [...long, 'new'].slice(-lines.length))
  await new Bench(dir, 20).write('x')
  t.strictSame(b.files, ['cccc\ndddd\n', 'new\nx\n'], 'by another restart, more')
})

void t.test('an older file alone is cut, too', async (t) => {
  const b = new Bench(t.testdir({ 'events.1.jsonl': 'aaaa\nbbbb\ncccc\n' }), 20)
  await b.write('x')
  t.strictSame(b.files, ['bbbb\ncccc\n', 'x\n'])
  await new Bench(t.testdirName, 20).write('y')
  t.strictSame(b.files, ['bbbb\ncccc\n', 'x\ny\n'], 'and not when it just fits')
})

void t.test('files of an earlier run are looked at once', async (t) => {
  const b = new Bench(t.testdir())
  const looked: string[] = []
  const open = async (...args: Parameters<typeof disk.open>): Promise<disk.FileHandle> => {
    if (args[1] === 'r+') looked.push(String(args[0]))
    return disk.open(...args)
  }
  for (const line of ['a', 'b']) {
    b.add(line)
    await b.series.write({ ...disk, open })
  }
  t.strictSame(looked, [b.file, b.old])
})

void t.test('one without line ends is within its bound all the same', async (t) => {
  const b = new Bench(t.testdir({ 'events.1.jsonl': '0123456789abc' }), 20)
  await b.write('x')
  t.strictSame(b.files, ['3456789abc', 'x\n'])
})

void t.test('a directory that is removed is made again', async (t) => {
  const dir = join(t.testdir(), 'state', 'journal')
  const b = new Bench(dir)
  await b.write('a')
  rmSync(dir, { recursive: true })
  t.equal(await b.write('b'), undefined)
  t.strictSame(b.files, ['', 'b\n'])
  rmSync(b.file)
  await b.write('c')
  t.strictSame(b.files, ['', 'c\n'], 'and so is a file')
})

void t.test('a full disk is said, and what it did not take waits', { skip: !existsSync('/dev/full') }, async (t) => {
  const b = new Bench(t.testdir())
  symlinkSync('/dev/full', b.file)
  t.equal(await b.write('a'), 'ENOSPC')
  t.equal(await b.write('b'), 'ENOSPC')
  t.equal(b.series.waiting, 4)
  rmSync(b.file)
  t.equal(await b.write(), undefined)
  t.strictSame(b.files, ['', 'a\nb\n'])
})

void t.test('what a full disk took of a write is taken back', async (t) => {
  const b = new Bench(t.testdir({ 'events.jsonl': 'a\n' }))
  /** A disk with room for one byte more. */
  const open = async (...args: Parameters<typeof disk.open>): Promise<disk.FileHandle> => {
    const file = await disk.open(...args)
    file.appendFile = async data => {
      appendFileSync(b.file, String(data).slice(0, 1))
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    }
    return file
  }
  b.add('bcd')
  t.equal(await b.series.write({ ...disk, open }), 'ENOSPC')
  t.equal(b.files[1], 'a\n')
  await b.write()
  t.equal(b.files[1], 'a\nbcd\n', 'and written once')
})

void t.test('trouble of any kind is a word, not an exception', async (t) => {
  const b = new Bench(t.testdir({ 'events.jsonl': { is: 'a directory' } }))
  t.equal(await b.write('a'), 'EISDIR')
  const noCode = async (): Promise<never> => { throw new Error('odd') }
  t.equal(await b.series.write({ ...disk, open: noCode }), 'odd')
})

const START_MS = Date.UTC(2026, 0, 1)
const event = (n: number, more: Partial<FeedEvent> = {}): FeedEvent =>
  ({ id: n, at: new Date(START_MS + n * 1000).toISOString(), event: 'server.state', level: 'info', msg: `event ${n}`, ...more })
const lines = (...events: readonly unknown[]): string => events.map(each => `${JSON.stringify(each)}\n`).join('')
const idsOf = (read: { readonly events: readonly FeedEvent[] }): readonly number[] => read.events.map(({ id }) => id)

void t.test('events are read back, oldest first, from both files', async (t) => {
  const dir = t.testdir({ 'events.1.jsonl': lines(event(1), event(2)), 'events.jsonl': lines(event(3, { server: 'web/a' }), event(4)) })
  t.strictSame(readEvents(dir), { events: [event(1), event(2), event(3, { server: 'web/a' }), event(4)], isThere: true, skipped: 0 })
  const rows: ReadonlyArray<readonly [Parameters<typeof readEvents>[1], readonly number[], string]> = [
    [{ limit: 3 }, [2, 3, 4], 'the newest'],
    [{ limit: 1 }, [4], 'the newest one'],
    [{ limit: 9 }, [1, 2, 3, 4], 'more than there are'],
    [{ sinceWallMs: START_MS + 3000 }, [3, 4], 'since a moment, and at it'],
    [{ sinceWallMs: START_MS + 3001 }, [4], 'just after'],
    [{ concerns: ({ server }) => server === 'web/a' }, [3], 'those that are wanted'],
    [{ concerns: ({ id }) => id < 4, limit: 1 }, [3], 'the newest of those']
  ]
  for (const [wanted, ids, why] of rows) t.strictSame(idsOf(readEvents(dir, wanted)), ids, why)
})

void t.test('nothing there is no problem', async (t) => {
  t.strictSame(readEvents(join(t.testdir(), 'none')), { events: [], isThere: false, skipped: 0 })
  t.strictSame(readEvents(t.testdir({ 'events.jsonl': '' })), { events: [], isThere: true, skipped: 0 })
  t.strictSame(idsOf(readEvents(t.testdir({ 'events.1.jsonl': lines(event(1)) }))), [1], 'just rotated')
})

void t.test('lines that are no event are skipped and counted', async (t) => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['{"id":1,"at":"2026', 'torn'],
    ['\u0000\u0000\u0000', 'what a crashed file system leaves'],
    ['null', 'no object'],
    ['[]', 'a list'],
    ['"text"', 'a text'],
    [JSON.stringify({ ...event(1), id: '1' }), 'an id that is none'],
    [JSON.stringify({ ...event(1), id: 1.5 }), 'an id that is not whole'],
    [JSON.stringify({ ...event(1), id: -1 }), 'an id below all'],
    [JSON.stringify({ ...event(1), id: 2 ** 53 }), 'an id after which none could grow'],
    [JSON.stringify({ ...event(1), at: 'yesterday' }), 'no moment'],
    [JSON.stringify({ ...event(1), at: '1 Jan 2026' }), 'a moment of another kind'],
    [JSON.stringify({ ...event(1), at: '2026-13-01T00:00:00Z' }), 'a moment that is none'],
    [JSON.stringify({ ...event(1), event: 7 }), 'no event'],
    [JSON.stringify({ ...event(1), msg: undefined }), 'no message'],
    [JSON.stringify({ ...event(1), level: 'fatal' }), 'a level that is none']
  ]
  for (const [line, why] of rows) {
    const dir = t.testdir({ 'events.jsonl': `${lines(event(1))}${line}\n\n${lines(event(2))}` })
    t.strictSame(readEvents(dir), { events: [event(1), event(2)], isThere: true, skipped: 1 }, why)
  }
  const torn = t.testdir({ 'events.jsonl': `${lines(event(1))}${JSON.stringify(event(2))}` })
  t.strictSame(idsOf(readEvents(torn)), [1, 2], 'a last line that only misses its end is whole')
})

void t.test('what was written twice is read once', async (t) => {
  const dir = t.testdir({ 'events.jsonl': lines(event(1), event(2), event(1), event(2), event(3)) })
  t.strictSame(idsOf(readEvents(dir)), [1, 2, 3])
})

void t.test('only so much of the end is read', async (t) => {
  const size = lines(event(1)).length
  const dir = t.testdir({ 'events.1.jsonl': lines(event(1), event(2)), 'events.jsonl': lines(event(3), event(4)) })
  const rows: ReadonlyArray<readonly [number, readonly number[], string]> = [
    [0, [], 'nothing'],
    [size - 1, [], 'less than a line'],
    [size, [4], 'just a line'],
    [size * 2 - 1, [4], 'nearly two'],
    [size * 2, [3, 4], 'the current file'],
    [size * 2 + 1, [3, 4], 'a byte of the other'],
    [size * 3, [2, 3, 4], 'a line of the other'],
    [size * 9, [1, 2, 3, 4], 'more than there is']
  ]
  for (const [tailBytes, ids, why] of rows) t.strictSame(readEvents(dir, { tailBytes }), { ...readEvents(dir, { tailBytes }), skipped: 0, events: ids.map(id => event(id)) }, why)
})

void t.test('files of any length, and lines of any length', async (t) => {
  const many = Array.from({ length: 5000 }, (_, i) => event(i, { msg: 'é'.repeat(i % 97) }))
  const dir = t.testdir({ 'events.1.jsonl': lines(...many), 'events.jsonl': `${'x'.repeat(LINE_BYTES_MAX * 20)}\n${lines(event(9000))}` })
  t.strictSame(readEvents(dir), { events: [...many, event(9000)], isThere: true, skipped: 1 })
  t.strictSame(idsOf(readEvents(dir, { limit: 2 })), [4999, 9000])
})

void t.test('a file that cannot be read is named, and the other one read', async (t) => {
  const dir = t.testdir({ 'events.1.jsonl': { is: 'a directory' }, 'events.jsonl': lines(event(1)) })
  const read = readEvents(dir)
  t.match(read.problem, `${join(dir, 'events.1.jsonl')} cannot be read (EISDIR)`)
  t.strictSame(idsOf(read), [1])
  const closed = t.testdir({ 'events.jsonl': lines(event(1)) })
  chmodSync(join(closed, 'events.jsonl'), 0)
  const may = readEvents(closed).problem === undefined // root may
  t.equal(readEvents(closed).events.length, may ? 1 : 0)
})
