import t from 'tap'
import { EventFeed, EVENTS_KEPT_MAX, concerns, FIELD_CHARACTERS_MAX, FIELDS_MAX, MESSAGE_CHARACTERS_MAX, type FeedEvent } from '../../src/runtime/feed.ts'
import { SimClock } from '../../src/sim/clock.ts'

const START_MS = Date.UTC(2026, 0, 1)
const names = (events: readonly FeedEvent[]): string => events.map(({ msg }) => msg).join('')

/** A calendar that is set by hand. */
const calendar = (wallMs = START_MS): { at: number, wall: () => number } => {
  const clock = { at: wallMs, wall: () => clock.at }
  return clock
}

/** One event for each letter, a second apart. */
async function told (letters: string, options: { readonly keep?: number } = {}): Promise<EventFeed> {
  const clock = new SimClock()
  const feed = new EventFeed({ clock, ...options })
  for (const letter of letters) {
    feed.add('server.state', 'info', { server: letter === letter.toUpperCase() ? 'api/x' : 'web/x' }, letter)
    await clock.advance(1000)
  }
  return feed
}

void t.test('an event is what was logged, with an id and a moment', async (t) => {
  const feed = new EventFeed({ clock: calendar() })
  t.strictSame(feed.add('override.set', 'info', { scope: 'web/a', by: 'ana', until: undefined }, 'drained'), {
    id: START_MS * 1000, at: '2026-01-01T00:00:00.000Z', event: 'override.set', level: 'info', msg: 'drained', scope: 'web/a', by: 'ana'
  })
  t.match(feed.add('a', 'warn', { id: 7, at: 'x', event: 'x', level: 'x', msg: 'x' }, 'b'), { event: 'a', level: 'warn', msg: 'b', at: /^2026/ }, 'no field takes their place')
})

void t.test('ids grow: within a millisecond, over restarts, over a calendar that is set back', async (t) => {
  const clock = calendar()
  const feed = new EventFeed({ clock })
  const add = (to: EventFeed): number => to.add('x', 'info', {}, 'x').id
  const ids = [add(feed), add(feed)]
  clock.at += 1
  ids.push(add(feed))
  clock.at -= 3_600_000
  ids.push(add(feed))
  const again = new EventFeed({ clock, past: feed.list().toReversed() })
  ids.push(add(again))
  clock.at += 7_200_000
  ids.push(add(again))
  const first = START_MS * 1000
  t.strictSame(ids, [first, first + 1, first + 1000, first + 1001, first + 1002, first + 3_600_001_000])
  t.equal(again.list().length, 6, 'what was before the restart is there')
})

void t.test('only so many are kept', async (t) => {
  t.equal(names((await told('abc', { keep: 3 })).list()), 'abc')
  t.equal(names((await told('abcd', { keep: 3 })).list()), 'bcd')
  const past = (await told('abcd')).list()
  t.equal(names(new EventFeed({ clock: calendar(), past, keep: 3 }).list()), 'bcd', 'of those of before a restart, too')

  const feed = new EventFeed({ clock: calendar() })
  for (let i = 0; i < EVENTS_KEPT_MAX; i += 1) feed.add('x', 'info', {}, String(i))
  t.equal(feed.list().length, EVENTS_KEPT_MAX)
  feed.add('x', 'info', {}, 'one more')
  t.equal(feed.list().length, EVENTS_KEPT_MAX)
  t.equal(feed.list()[0]?.msg, '1')
})

void t.test('what is asked for', async (t) => {
  const feed = await told('aBcDe')
  const idOf = (letter: string): number => feed.list().find(({ msg }) => msg === letter)!.id
  const rows: ReadonlyArray<readonly [Parameters<EventFeed['list']>[0], string, string]> = [
    [undefined, 'aBcDe', 'all, oldest first'],
    [{ limit: 2 }, 'De', 'the newest'],
    [{ limit: 5 }, 'aBcDe', 'as many as there are'],
    [{ limit: 6 }, 'aBcDe', 'more than there are'],
    [{ afterId: idOf('c') }, 'De', 'after an id, which the asker has'],
    [{ afterId: idOf('e') }, '', 'after the last'],
    [{ afterId: idOf('c') - 1 }, 'cDe', 'after an id between two'],
    [{ sinceWallMs: START_MS + 3000 }, 'De', 'since a moment, and at it'],
    [{ sinceWallMs: START_MS + 3001 }, 'e', 'just after'],
    [{ backend: 'api' }, 'BD', 'of a backend'],
    [{ backend: 'api', limit: 1 }, 'D', 'the newest of a backend'],
    [{ backend: 'nowhere' }, '', 'of none']
  ]
  for (const [query, wanted, why] of rows) t.equal(names(feed.list(query)), wanted, why)
})

void t.test('a calendar that was set back hides nothing', async (t) => {
  const clock = calendar()
  const feed = new EventFeed({ clock })
  for (const [letter, ms] of [['a', 0], ['b', 5000], ['c', 1000], ['d', 6000]] as const) {
    clock.at = START_MS + ms
    feed.add('x', 'info', {}, letter)
  }
  t.equal(names(feed.list({ sinceWallMs: START_MS + 5000 })), 'bd')
})

void t.test('which events are about a backend', async (t) => {
  const rows: ReadonlyArray<readonly [Readonly<Record<string, unknown>>, boolean, string]> = [
    [{ server: 'web/a' }, true, 'a server of it'],
    [{ server: 'web2/a' }, false, 'one of a backend that begins alike'],
    [{ backend: 'web' }, true, 'itself'],
    [{ backend: 'web2' }, false, 'another'],
    [{ scope: 'web/a' }, true, 'an order for a server'],
    [{ scope: 'web/*' }, true, 'an order for all of it'],
    [{ scope: '*/*' }, true, 'an order for all'],
    [{ scope: 'api/*' }, false, 'an order for another'],
    [{ server: 7, scope: null }, false, 'no names'],
    [{ from: '10.0.0.1' }, false, 'nothing of it']
  ]
  for (const [event, wanted, why] of rows) t.equal(concerns(event, 'web'), wanted, why)
})

void t.test('listeners hear everything while they listen, and before what follows from it', async (t) => {
  const heard: string[] = []
  const feed: EventFeed = new EventFeed({
    clock: calendar(),
    onEvent: ({ msg }) => {
      heard.push(`kept ${msg}`)
      if (msg === 'a') feed.add('journal.dropping', 'warn', {}, 'b')
    }
  })
  const hear = ({ msg }: FeedEvent): void => { heard.push(msg) }
  const off = [feed.subscribe(hear), feed.subscribe(hear)]
  feed.add('x', 'info', {}, 'a')
  t.strictSame(heard.splice(0), ['a', 'a', 'kept a', 'b', 'b', 'kept b'])
  off[0]?.()
  off[0]?.()
  feed.add('x', 'info', {}, 'c')
  t.strictSame(heard.splice(0), ['c', 'kept c'], 'one is left')
  t.equal(names(feed.list()), 'abc')
})

void t.test('no secret gets in', async (t) => {
  const feed = new EventFeed({ clock: calendar() })
  const added = feed.add('x', 'info', { why: 'URI:CHK:aaa', deep: [{ more: 'at pb://bbb@host/ccc' }] }, 'read URI:DIR2:ddd failed')
  t.match(added, { msg: 'read URI:[redacted] failed', why: 'URI:[redacted]', deep: [{ more: 'at pb://[redacted]' }] })
  t.notMatch(JSON.stringify(feed.list()), /aaa|bbb|ddd/)
})

void t.test('an event has its size', async (t) => {
  const feed = new EventFeed({ clock: calendar() })
  const ofLength = (n: number): string => 'x'.repeat(n)
  t.equal(feed.add('x', 'info', {}, ofLength(MESSAGE_CHARACTERS_MAX)).msg.length, MESSAGE_CHARACTERS_MAX)
  t.equal(feed.add('x', 'info', {}, ofLength(MESSAGE_CHARACTERS_MAX + 1)).msg.length, MESSAGE_CHARACTERS_MAX)

  const fits = ofLength(FIELD_CHARACTERS_MAX - 2) // and its quotes
  t.match(feed.add('x', 'info', { why: fits }, 'x'), { why: fits, omitted: undefined })
  t.match(feed.add('x', 'info', { why: `${fits}x`, from: 'h1' }, 'x'), { why: undefined, from: 'h1', omitted: ['why'] }, 'and says what is missing')
  const circle: unknown[] = []
  circle.push(circle)
  t.match(feed.add('x', 'info', { circle, big: 1n, no: () => 1, from: 'h1' }, 'x'), { from: 'h1', omitted: ['circle', 'big', 'no'] }, 'what JSON cannot hold')

  const servers = Array.from({ length: 1000 }, (_, i) => `web${i}`)
  const { held, omitted } = feed.add('x', 'info', { held: servers }, 'x')
  t.strictSame(omitted, ['held'], 'a list is cut short, and says so')
  t.strictSame(held, servers.slice(0, 250))

  const many = Object.fromEntries(Array.from({ length: FIELDS_MAX + 1 }, (_, i) => [`f${i}`, i]))
  const kept = feed.add('x', 'info', many, 'x')
  t.equal(kept[`f${FIELDS_MAX - 1}`], FIELDS_MAX - 1)
  t.equal(kept[`f${FIELDS_MAX}`], undefined)
})
