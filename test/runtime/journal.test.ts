import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Sample } from '../../src/core/model.ts'
import { FLUSH_BYTES, FLUSH_MS, noJournal } from '../../src/runtime/journal.ts'
import { LINE_BYTES_MAX, readEvents } from '../../src/runtime/journal-files.ts'
import { Bench, poll, sampleOf } from './journal-bench.ts'

void t.test('a sample is a line of facts', async (t) => {
  const b = new Bench()
  b.sample({ storage: 3, introducer: 'ok' })
  b.journal.sample(poll, { ...sampleOf(), tainted: true } as Sample)
  b.journal.sample(poll, { ok: false, startMs: 1, endMs: 2, error: { class: 'refused', message: 'ECONNREFUSED' } })
  await b.clock.advance(FLUSH_MS)
  const [first, second, third] = b.disk.lines('samples.jsonl')
  t.strictSame(first, { ...b.lineOf({ storage: 3, introducer: 'ok' }), at: '2026-01-01T00:00:00.000Z' })
  t.match(second, { facts: { storage: 3 }, tainted: true })
  t.match(third, { error: { class: 'refused', message: 'ECONNREFUSED' }, facts: undefined, tainted: undefined })
})

void t.test('no secret is written', async (t) => {
  const b = new Bench()
  b.sample({ title: 'URI:CHK:secret', more: 'pb://secret@10.0.0.9/x' })
  b.journal.sample({ ...poll, node: { ...poll.node, key: 'http://URI:CHK:secret' } }, { ok: false, startMs: 1, endMs: 2, error: { class: 'protocol', message: 'GET /uri/URI:CHK:secret: 410' } })
  b.journal.event({ ...b.event(), msg: 'URI:CHK:secret' })
  await b.clock.advance(FLUSH_MS)
  t.equal(b.disk.lines('samples.jsonl').length, 2)
  t.equal(b.disk.lines('events.jsonl').length, 2)
  t.notMatch([...b.disk.files.values()].join(''), /secret/)
})

void t.test('an event is written at once, and what waits with it', async (t) => {
  const b = new Bench()
  b.sample()
  for (let i = 0; i < 3; i += 1) b.event()
  await b.clock.advance(0)
  t.equal(b.disk.lines('events.jsonl').length, 3)
  t.equal(b.disk.lines('samples.jsonl').length, 1)
  t.equal(b.disk.writes, 2, 'a write for each file')
  t.equal(b.clock.waiting, 0)
})

void t.test('samples gather until their time has come, or there are many', async (t) => {
  const b = new Bench()
  b.sample()
  b.sample()
  await b.clock.advance(FLUSH_MS - 1)
  t.equal(b.disk.writes, 0)
  await b.clock.advance(1)
  t.equal(b.disk.writes, 1, 'both in one')
  b.event()
  await b.clock.advance(0)
  await b.clock.advance(60_000)
  t.equal(b.disk.writes, 2, 'nothing to write')
  t.equal(b.clock.waiting, 0, 'nothing to wait for')

  const bytes = JSON.stringify(b.lineOf({ fill: '' })).length + 1
  const half = FLUSH_BYTES / 2
  b.sample({ fill: 'x'.repeat(half - bytes) })
  b.sample({ fill: 'x'.repeat(half - 1 - bytes) })
  await b.clock.advance(0)
  t.equal(b.disk.writes, 2, 'one byte less')
  const c = new Bench()
  for (let i = 0; i < 2; i += 1) c.sample({ fill: 'x'.repeat(half - bytes) })
  await c.clock.advance(0)
  t.equal(c.disk.writes, 1, 'at once')
})

void t.test('one write is under way, and what comes meanwhile follows it', async (t) => {
  const b = new Bench()
  b.disk.trouble = 'hangs'
  b.sample({ n: 1 })
  await b.clock.advance(FLUSH_MS)
  for (let i = 0; i < 3; i += 1) {
    b.sample({ fill: 'x'.repeat(10_000) })
    b.event()
    await b.clock.advance(FLUSH_MS)
  }
  t.equal(b.disk.writes, 1)
  b.disk.wake()
  await b.clock.advance(0)
  t.equal(b.disk.lines('samples.jsonl').length, 4)
  t.equal(b.disk.lines('events.jsonl').length, 3)
  t.equal(b.disk.mostUnderWay, 1)
  t.strictSame(b.told(), [], 'none of it worth a word')
})

void t.test('what waits is written when we stop; what comes later is not', async (t) => {
  const b = new Bench()
  b.disk.trouble = 'hangs'
  b.sample()
  await b.clock.advance(FLUSH_MS)
  b.sample()
  b.event('last')
  const closing = b.journal.close()
  b.sample()
  b.event('too late')
  b.disk.wake()
  await closing
  t.equal(b.disk.lines('samples.jsonl').length, 2)
  t.match(b.disk.lines('events.jsonl'), [{ msg: 'last' }])
  t.equal(b.disk.lines('events.jsonl').length, 1)
  t.equal(b.clock.waiting, 0)
  await b.journal.close()
})

void t.test('a line has its length', async (t) => {
  const b = new Bench()
  const bytes = JSON.stringify(b.lineOf({ fill: '' })).length + 1
  b.sample({ fill: 'x'.repeat(LINE_BYTES_MAX - bytes) })
  t.equal(b.journal.dropped, 0)
  b.sample({ fill: 'x'.repeat(LINE_BYTES_MAX - bytes + 1) })
  t.equal(b.journal.dropped, 1)
  t.match(b.told(), [/^journal\.dropping \{"dropped":1,"why":"a line is longer than 65536 bytes"/])
})

void t.test('samples never push events out, and all files have their bound', async (t) => {
  const dir = join(t.testdir(), 'journal')
  const maxBytes = 80_000
  const size = (): number => readdirSync(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0)
  for (let run = 0; run < 3; run += 1) {
    const b = new Bench({ dir, maxBytes, io: 'real' })
    if (run === 0) b.event('first of all')
    for (let i = 0; i < 600; i += 1) b.sample({ fill: 'x'.repeat(i % 100) })
    await b.journal.close()
    t.ok(size() <= maxBytes, `${size()} bytes`)
  }
  t.ok(size() > maxBytes / 3)
  t.strictSame(readdirSync(dir).toSorted(), ['events.jsonl', 'samples.1.jsonl', 'samples.jsonl'])
  t.match(readEvents(dir).events, [{ msg: 'first of all' }])
  const last = JSON.parse(readFileSync(join(dir, 'samples.jsonl'), 'utf8').trimEnd().split('\n').at(-1) ?? '') as { readonly facts: { readonly fill: string } }
  t.equal(last.facts.fill.length, 99, 'the newest sample is there')
})

void t.test('events have an eighth', async (t) => {
  const dir = join(t.testdir(), 'journal')
  const b = new Bench({ dir, maxBytes: 80_000, io: 'real' })
  for (let i = 0; i < 600; i += 1) b.event(`event ${i}`)
  await b.journal.close()
  const size = readdirSync(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0)
  t.ok(size <= 10_000 && size > 5000, `${size} bytes`)
  t.equal(readEvents(dir).events.at(-1)?.msg, 'event 599')
})

void t.test('no journal keeps nothing', async (t) => {
  noJournal.sample(poll, sampleOf())
  noJournal.event(new Bench().event())
  await noJournal.close()
  t.match(noJournal, { isOn: false, dropped: 0 })
  t.notOk(existsSync('journal'))
})
