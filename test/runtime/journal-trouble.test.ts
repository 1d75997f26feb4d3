/** A disk that is slow, full or gone. */
import t from 'tap'
import type { FeedEvent } from '../../src/runtime/feed.ts'
import { CALM_MS, CLOSE_MS, EVENTS_WAITING_MAX, FLUSH_MS, RETRY_MS, SLOW_MS } from '../../src/runtime/journal.ts'
import { Bench } from './journal-bench.ts'

void t.test('memory for samples that wait: at its bound and one more', async (t) => {
  const b = new Bench()
  b.disk.trouble = 'hangs'
  b.event()
  await b.clock.advance(FLUSH_MS)
  const filled = b.fill()
  t.equal(b.journal.dropped, 0)
  t.strictSame(b.told(), [])
  b.sample()
  t.equal(b.journal.dropped, 1)
  t.strictSame(b.told(), ['journal.dropping {"dropped":1,"why":"the disk does not keep up"}'])
  await b.clock.advance(SLOW_MS / 2)
  for (let i = 0; i < 9; i += 1) b.sample()
  b.event('an order')
  t.equal(b.journal.dropped, 10, 'there is room for events')
  t.strictSame(b.told(), [], 'said once')

  b.disk.wake()
  await b.clock.advance(FLUSH_MS)
  t.equal(b.disk.lines('samples.jsonl').length, filled)
  t.match(b.disk.lines('events.jsonl'), [{ msg: 'it happened' }, { event: 'journal.dropping' }, { msg: 'an order' }])
  for (let ms = 0; ms <= CALM_MS; ms += 1000) {
    t.strictSame(b.told(), [], 'it may come again')
    b.sample()
    await b.clock.advance(1000)
  }
  t.strictSame(b.told(), ['journal.writing {"dropped":10}'])
  t.equal(b.journal.dropped, 10)
  await b.clock.advance(FLUSH_MS)
  t.match(b.disk.lines('events.jsonl').at(-1), { event: 'journal.writing', dropped: 10 })
})

void t.test('memory for events that wait: at its bound and one more', async (t) => {
  const b = new Bench()
  b.disk.trouble = 'hangs'
  b.sample()
  await b.clock.advance(FLUSH_MS)
  const line = (msg: string): FeedEvent => ({ id: 1_000_000, at: '2026-01-01T00:00:00.000Z', event: 'x', level: 'info', msg })
  const bytes = JSON.stringify(line('')).length + 1
  for (let i = 0; i < EVENTS_WAITING_MAX / 32_768; i += 1) b.journal.event(line('x'.repeat(32_768 - bytes)))
  t.equal(b.journal.dropped, 0)
  b.event()
  t.equal(b.told().length, 1)
  t.equal(b.journal.dropped, 2, 'this one, and what there was to say of it')
  b.sample()
  t.equal(b.journal.dropped, 2, 'samples have their own room')
})

void t.test('a full disk: once is nothing, twice is said, and tried again until it takes all', async (t) => {
  const b = new Bench()
  b.disk.trouble = 'ENOSPC'
  b.sample()
  b.event()
  await b.clock.advance(0)
  t.equal(b.disk.writes, 2)
  t.strictSame(b.told(), [])
  await b.clock.advance(RETRY_MS - 1)
  t.equal(b.disk.writes, 2)
  await b.clock.advance(1)
  t.strictSame(b.told(), ['journal.dropping {"dropped":0,"why":"ENOSPC"}'])
  b.sample()
  for (let i = 0; i < 4; i += 1) b.sample({ fill: 'x'.repeat(30_000) })
  await b.clock.advance(RETRY_MS - 1)
  t.equal(b.disk.writes, 4, 'not tried more often because more waits')
  await b.clock.advance(60_000)
  t.strictSame(b.told(), [], 'said once')
  t.ok(b.disk.writes <= 64 + 4, `${b.disk.writes} writes: two for each attempt`)
  b.disk.trouble = 'none'
  await b.clock.advance(RETRY_MS)
  t.equal(b.disk.lines('samples.jsonl').length, 6)
  t.match(b.disk.lines('events.jsonl'), [{ msg: 'it happened' }, { event: 'journal.dropping' }])
  await b.clock.advance(CALM_MS)
  b.sample()
  await b.clock.advance(FLUSH_MS)
  t.strictSame(b.told(), ['journal.writing {"dropped":0}'])
  t.equal(b.journal.dropped, 0)
})

void t.test('a disk that is full once and no more is not told of', async (t) => {
  const b = new Bench()
  b.disk.trouble = 'ENOSPC'
  b.sample()
  await b.clock.advance(FLUSH_MS)
  b.disk.trouble = 'none'
  await b.clock.advance(RETRY_MS)
  b.disk.trouble = 'ENOSPC'
  b.sample()
  await b.clock.advance(FLUSH_MS)
  t.strictSame(b.told(), [])
})

void t.test('a write that never ends is said, and stops nobody', async (t) => {
  const b = new Bench()
  b.disk.trouble = 'hangs'
  b.sample()
  await b.clock.advance(FLUSH_MS + SLOW_MS - 1)
  t.strictSame(b.told(), [])
  await b.clock.advance(1)
  t.strictSame(b.told(), ['journal.dropping {"dropped":0,"why":"a write takes more than 10 s"}'])
  b.sample()
  let closed = false
  const closing = b.journal.close().then(() => { closed = true })
  await b.clock.advance(CLOSE_MS - 1)
  t.notOk(closed)
  await b.clock.advance(1)
  t.ok(closed)
  await closing
  t.equal(b.clock.waiting, 0, 'and keeps nobody waiting')
})

void t.test('who stops while a write is under way does not wait to tell that it is slow', async (t) => {
  const b = new Bench()
  b.disk.trouble = 'hangs'
  b.sample()
  await b.clock.advance(FLUSH_MS)
  const closing = b.journal.close()
  await b.clock.advance(CLOSE_MS)
  await closing
  t.equal(b.clock.waiting, 0)
})
