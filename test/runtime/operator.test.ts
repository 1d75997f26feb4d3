/** Orders as an operator gives them: what is refused, what is said besides, and what HAProxy hears next. */
import t from 'tap'
import { ORDER_MS_MAX } from '../../src/core/order.ts'
import type { Window } from '../../src/core/window.ts'
import { isWithin, type Given, type OrderRequest } from '../../src/runtime/operator.ts'
import { memoryOrders, type OrderStore } from '../../src/runtime/order-store.ts'
import { desk, HOUR_MS, request, rules } from './desk.ts'
import { plain } from './monitor-bench.ts'

const why = (given: Given): string => given.ok ? 'given' : `${given.code}: ${given.detail}`
const notes = (given: Given): readonly string[] => given.ok ? given.notes : [why(given)]

void t.test('an order acts at the very next question, and its end too', async t => {
  const { bench, operator } = await desk()
  const rows: ReadonlyArray<readonly [Partial<OrderRequest>, string]> = [
    [{ action: 'drain' }, 'drain up #drain by ana: kernel'],
    [{ action: 'maint' }, 'maint up #maint by ana: kernel'],
    [{ action: 'down' }, 'ready down 100% #down by ana: kernel'],
    [{ action: 'up' }, 'ready up 100% #up by ana: kernel'],
    [{ action: { weightPercent: 0 } }, 'ready up 0% #weight 0% by ana: kernel']
  ]
  for (const [more, line] of rows) {
    t.same(operator.give(request(more)), { ok: true, scopes: ['web/a'], notes: [] })
    t.equal(bench.ask('a'), line, 'the newest replaces')
  }
  t.same(operator.clear('web/a', 'ana'), { ok: true, scopes: ['web/a'], notes: [] })
  t.equal(bench.ask('a'), 'ready up 100%', 'what the polls say, and our own drain taken back')
  t.equal(bench.ask('b'), 'up 100%', 'nobody else was meant')
})

void t.test('up brings in against the criteria, and says so', async t => {
  const { bench, operator } = await desk()
  await bench.play({ a: 'xxx' })
  t.match(bench.ask('a'), /^down 100% #reach: /)
  operator.give(request({ action: 'up' }))
  t.equal(bench.ask('a'), 'up 100% #up by ana: kernel')
  operator.clear('web/a', 'ana')
  t.match(bench.ask('a'), /^down 100% #reach: /, 'the polls went on')
})

void t.test('too few would be left', async t => {
  const { bench, operator, book } = await desk()
  t.equal(why(operator.give(request({ scopes: ['web/a', 'web/b'] }))), 'given')
  const refused = operator.give(request({ scopes: ['web/c'], by: 'bo' }))
  t.equal(why(refused), 'min_up: web would have 0 of 3 servers fit and in service (nobody fit would be left), and min_up is 1. --force gives the order all the same.')
  t.match(refused, { ok: false, more: { backend: 'web', left: [], min_up: 1 } })
  t.equal(bench.ask('c'), 'up 100%', 'nothing has changed')
  t.equal(book.overrides().length, 2)
  t.match(bench.sink.take().at(-1), { event: 'override.refused', scopes: ['web/c'], action: 'drain', by: 'bo', reason: 'kernel', why: 'min_up' })
  operator.give(request({ scopes: ['web/c'], by: 'bo' }))
  t.strictSame(bench.sink.take(), [], 'who tries again and again is told of once')
  operator.give(request({ scopes: ['web/c'], by: 'cy' }))
  t.match(bench.sink.take(), [{ event: 'override.refused', by: 'cy' }], 'another is another')

  t.match(why(operator.give(request({ scopes: ['web/*'], action: 'maint' }))), /^min_up: web would have 0 of 3 /, 'a whole backend')
  t.match(why(operator.give(request({ scopes: ['web/c', 'app/a'] }))), /^min_up: web would have 0 /, 'all or none')
  t.equal(bench.ask('app/a'), 'up 100%')
  t.equal(why(operator.give(request({ scopes: ['web/c'], force: true }))), 'given', 'forced')
  t.equal(bench.ask('c'), 'drain up #drain by ana: kernel')

  const { operator: two } = await desk([plain('abc', { ...rules, minUp: 2 })])
  two.give(request())
  t.match(why(two.give(request({ scopes: ['web/b'] }))), /^min_up: web would have 1 of 3 servers fit and in service \(left would be c\), and min_up is 2/)
})

void t.test('too many out by order already', async t => {
  const { operator } = await desk()
  t.equal(why(operator.give(request({ atMost: 1 }))), 'given')
  const refused = operator.give(request({ scopes: ['web/b'], atMost: 1 }))
  t.equal(why(refused), 'at_most: web may have at most 1 server out by order, and a is out by order now. --queue waits for room.')
  t.match(refused, { more: { backend: 'web', out: ['a'], at_most: 1 } })
  t.equal(why(operator.give(request({ scopes: ['app/a'], atMost: 1, force: true }))), 'given', 'another backend has its own')
  operator.clear('web/a', 'ana')
  t.equal(why(operator.give(request({ scopes: ['web/b'], atMost: 1 }))), 'given', 'when there is room')

  const { operator: strict } = await desk([plain('abc', { ...rules, atMostDrained: 1 })])
  t.equal(why(strict.give(request({ scopes: ['web/a', 'web/b'] }))), 'invalid: web may have at most 1 server out by order (policy.at_most_drained), and this order takes out 2: give it for fewer at a time, or with --force.', 'room for that will never come')
  strict.give(request({ scopes: ['web/c'] }))
  t.equal(why(strict.give(request({ atMost: 2 }))), 'at_most: web may have at most 1 server out by order (policy.at_most_drained), and c is out by order now. --queue waits for room, --force gives the order all the same.')
  strict.clear('web/c', 'ana')
  t.equal(why(strict.give(request({ scopes: ['web/a', 'web/b'], force: true }))), 'given')
})

void t.test('what somebody else took out is not free', async t => {
  const { operator } = await desk()
  operator.give(request({ by: 'ana', reason: 'disk is out' }))
  t.equal(why(operator.give(request({ by: 'bo', atMost: 1 }))), 'at_most: web/a is out already: drain by ana: disk is out. --queue waits until that has ended.')
  t.equal(why(operator.give(request({ by: 'bo', atMost: 1, force: true }))).slice(0, 8), 'at_most:', 'one’s own limit holds even then')
  t.equal(why(operator.give(request({ by: 'ana', atMost: 1 }))), 'given', 'one’s own is')
  t.equal(why(operator.give(request({ by: 'bo', action: { weightPercent: 50 }, atMost: 1 }))), 'given', 'a cap takes no place')
  t.strictSame(notes(operator.give(request({ by: 'cy' }))), ['this ended weight 50% by bo: kernel'], 'without a limit the newest replaces, and it is said whose that was')
  t.strictSame(notes(operator.clear('web/a', 'bo')), ['this ended drain by cy: kernel'])

  const { operator: strict } = await desk([plain('abc', { ...rules, atMostDrained: 1 })])
  strict.give(request())
  t.equal(why(strict.give(request({ by: 'bo', action: 'maint' }))), 'given', 'a limit of the config counts, and nobody more is out')
  strict.give(request({ by: 'bo', action: 'up' }))
  t.equal(why(strict.give(request({ by: 'ana', atMost: 1 }))), 'given', 'an up takes no place either')
  strict.give(request({ scopes: ['web/*'], action: 'maint', force: true }))
  strict.give(request({ scopes: ['web/b'], action: 'ready' }))
  t.equal(why(strict.clear('web/b', 'ana')), 'at_most: Without the order on web/b what it hides counts again, and more than 1 server of web would be out by order (policy.at_most_drained). --force ends it all the same.')
})

void t.test('what brings nobody in or out is never refused, whatever else goes on', async t => {
  const { operator } = await desk([plain('abc', { ...rules, minUp: 2 })])
  operator.give(request({ scopes: ['web/b'] }))
  operator.give(request({ action: { weightPercent: 0 }, rampMs: 600_000, force: true }))
  for (const more of [{ action: { weightPercent: 80 } }, { action: 'up' }] as const) {
    t.equal(why(operator.give(request({ scopes: ['web/c'], ...more }))), 'given', 'while another walks to nothing')
  }
  t.equal(why(operator.clear('web/c', 'ana')), 'given')
  t.equal(why(operator.give(request({ scopes: ['web/b'], action: 'maint' }))), 'given')

  const { bench: sick, operator: mistaken } = await desk([plain('abc', rules)])
  await sick.play({ a: 'xxx', b: 'xxx', c: 'xxx' })
  t.equal(why(mistaken.give(request({ action: 'up' }))), 'given')
  t.equal(why(mistaken.clear('web/a', 'ana')), 'given', 'the end of an up: the floor keeps one in its place')
})

void t.test('the end of an order may take the last one out, too', async t => {
  const { bench, operator } = await desk()
  operator.give(request({ scopes: ['web/*'], action: 'maint', force: true }))
  operator.give(request({ scopes: ['web/c'], action: 'ready' }))
  t.equal(why(operator.clear('web/c', 'ana')), 'min_up: Without the order on web/c what it hides counts again, and web would have 0 of 3 servers fit and in service, and min_up is 1. --force ends it all the same.')
  t.equal(bench.ask('c'), 'up 100%')
  t.strictSame(notes(operator.clear('web/c', 'ana', true)), ["web/c now has another order, maint of web/* by ana: kernel: hcf ready 'web/c' --reason … exempts it"], 'forced')
  t.match(bench.ask('c'), /^maint up/)
  t.equal(why(operator.clear('web/*', 'ana')), 'given', 'bringing back is never refused')
})

void t.test('what makes no sense', async t => {
  const { bench, operator } = await desk()
  const wall = bench.clock.wall()
  const rows: ReadonlyArray<readonly [Partial<OrderRequest>, string]> = [
    [{ scopes: ['web/d'] }, 'unknown: No server web/d in the config. Did you mean web/a or web/b or web/c?'],
    [{ scopes: ['wbe/*'] }, 'unknown: No backend wbe in the config. Did you mean web/* or app/*?'],
    [{ scopes: ['web/a', 'shop/longer-name'] }, 'unknown: No server shop/longer-name in the config.'],
    [{ scopes: ['web/URI:CHK:abc:def:3:10:1'] }, 'unknown: No server web/URI:[redacted] in the config.'],
    [{ scopes: ['web/a', 'web/b', 'web/a'] }, 'invalid: web/a is named twice.'],
    [{ by: 'maintenance' }, 'invalid: maintenance is the author of the windows of the config: say who you are.'],
    [{ untilWallMs: wall }, `invalid: The order would be over already: it is ${new Date(wall).toISOString()}.`],
    [{ untilWallMs: wall + 1 }, 'given'],
    [{ untilWallMs: wall + ORDER_MS_MAX }, 'given'],
    [{ untilWallMs: wall + ORDER_MS_MAX + 1 }, 'invalid: An order holds at most a year, or until it is cleared: what is for longer belongs in the config.'],
    [{ action: { weightPercent: 25 }, rampMs: 1001, untilWallMs: wall + 2000 }, 'invalid: The ramp must take at most half of the time: the weight walks there and back.'],
    [{ action: { weightPercent: 25 }, rampMs: 1000, untilWallMs: wall + 2000 }, 'given']
  ]
  for (const [more, wanted] of rows) t.equal(why(operator.give(request(more))), wanted)
  t.match(operator.clear('web/d', 'ana'), { ok: false, code: 'unknown' })
})

void t.test('a cap walks there from where it is', async t => {
  const { bench, operator } = await desk([plain('abc', { ...rules, weight: { floorPercent: 10, quantumPercent: 5, everyMs: 0, downPercent: 80, upPercent: 10 } })])
  operator.give(request({ scopes: ['web/*'], action: { weightPercent: 60 } }))
  operator.give(request({ action: { weightPercent: 20 }, rampMs: 40_000 }))
  const heard: string[] = []
  for (let i = 0; i < 5; i += 1) {
    heard.push(bench.ask('a').split(' ')[1]!)
    await bench.round({ a: '+', b: '+', c: '+' })
    await bench.clock.advance(9000)
  }
  t.strictSame(heard, ['60%', '50%', '40%', '30%', '20%'])
})

void t.test('what one might not think of', async t => {
  const { bench, operator } = await desk()
  operator.give(request())
  t.strictSame(notes(operator.give(request({ scopes: ['web/*'], action: 'maint', force: true }))), ['web/a keeps its own: drain by ana: kernel'], 'a narrower order')
  t.strictSame(notes(operator.clear('web/a', 'ana')), ["web/a now has another order, maint of web/* by ana: kernel: hcf ready 'web/a' --reason … exempts it"], 'a wider one')
  t.strictSame(notes(operator.give(request({ action: 'ready' }))), [])
  t.equal(bench.ask('a'), 'up 100%', 'exempt')
  t.strictSame(notes(operator.clear('web/*', 'ana')), [], 'and with the wider one the exemption is gone')
  t.strictSame(notes(operator.give(request({ action: 'ready' }))), ['web/a had no order to be ready from'])
  t.strictSame(notes(operator.clear('web/a', 'ana')), ['there was no order on web/a'])
  operator.give(request())
  bench.sink.take()
  t.strictSame(notes(operator.give(request({ action: 'ready', reason: 'back early' }))), [], 'it had one of its own')
  t.match(bench.sink.take(), [{ event: 'override.cleared', reason: 'kernel', why: 'back early', msg: 'web/a: drain by ana cleared by ana (back early): kernel' }])
  operator.give(request({ scopes: ['*/*'], force: true }))
  operator.give(request({ scopes: ['web/*'], action: 'ready' }))
  operator.give(request())
  t.strictSame(notes(operator.clear('web/a', 'ana')), [], 'a wider ready is no order')
  const { weight: _, ...flat } = rules
  const { operator: level } = await desk([plain('abc', flat)])
  t.strictSame(notes(level.give(request({ action: { weightPercent: 50 } }))), ['web has weight: off, so a cap changes nothing there (0% takes out)'])

  const { operator: alone } = await desk([plain('abcde', rules)])
  t.strictSame(notes(alone.give(request({ scopes: ['web/d'] }))), ['no HAProxy asks for web/d: nobody hears of it there'])
  t.strictSame(notes(alone.give(request({ scopes: ['web/*'], action: 'up' }))), ['web/d keeps its own: drain by ana: kernel', 'no HAProxy asks for web/d, web/e: nobody hears of it there'])
})

void t.test('a reason is one line of plain text, and as long as it may be', async t => {
  const { operator, book } = await desk()
  operator.give(request({ reason: `disk\n"sda"\t${'x'.repeat(300)}` }))
  const { reason } = book.overrides()[0]!
  t.match(reason, /^disk "sda" x+\.\.\.$/)
  t.equal(reason.length, 200)
})

void t.test('what a person wrote is kept in any language, and HAProxy hears what it can show', async t => {
  const { bench, operator, book } = await desk()
  t.equal(why(operator.give(request({ by: 'Zoë', reason: 'ディスク交換 (sda)' }))), 'given')
  t.match(book.overrides(), [{ by: 'Zoë', reason: 'ディスク交換 (sda)' }])
  t.match(bench.sink.take().filter(({ event }) => event === 'override.set'), [{ by: 'Zoë', reason: 'ディスク交換 (sda)', msg: 'web/a: drain by Zoë: ディスク交換 (sda)' }])
  t.equal(bench.ask('a'), 'drain up #drain by Zo: (sda)')
  const rows: ReadonlyArray<readonly [Partial<OrderRequest>, string]> = [
    [{ reason: '\u200b \n' }, 'invalid: The reason says nothing that can be read: say why.'],
    [{ by: '\u0007' }, 'invalid: The author has no name that can be read: say who you are.'],
    [{ by: ' maintenance\u200b' }, 'invalid: maintenance is the author of the windows of the config: say who you are.']
  ]
  for (const [more, wanted] of rows) t.equal(why(operator.give(request(more))), wanted)
  t.equal(why(operator.clear('web/a', 'maintenance')), rows[2]![1])
})

void t.test('an order for a whole farm is one write, of the order and of what we say', async t => {
  const { bench, operator } = await desk([plain('abcdefgh', { ...rules, minUp: 0 })])
  const before = bench.writes
  operator.give(request({ scopes: ['web/*'] }))
  t.equal(bench.writes - before, 1)
  t.equal(bench.ask('h'), 'drain up #drain of web/* by ana: kernel')
})

void t.test('a narrower window is said, too', async t => {
  const window: Window = { scope: 'web/a', at: '03:00', cron: '0 3 * * *', forMs: HOUR_MS, action: { weightPercent: 50 }, reason: 'batch' }
  const { operator } = await desk(undefined, { windows: [window] })
  t.strictSame(notes(operator.give(request({ scopes: ['web/*'], action: 'maint', force: true }))), ['web/a keeps its own: weight 50% by maintenance: batch'])
  const { operator: early } = await desk(undefined, { windows: [window], beginInMs: HOUR_MS })
  t.strictSame(notes(early.give(request({ scopes: ['web/*'], action: 'maint', force: true }))), [], 'not one that is still to come')
})

void t.test('a server that is gone from the config can still be cleared', async t => {
  const { bench, operator } = await desk()
  operator.give(request({ scopes: ['web/c'] }))
  bench.reload([plain('ab', rules)])
  t.strictSame(notes(operator.clear('web/c', 'ana')), ['web/c is not in the config: HAProxy keeps what it heard of it last, until it is told otherwise there'])
  t.match(operator.clear('web/c', 'ana'), { ok: false, code: 'unknown' })
})

void t.test('a window counts as an order, and an operator comes before it', async t => {
  const window: Window = { scope: 'web/a', at: '03:00', cron: '0 3 * * *', forMs: HOUR_MS, action: 'drain', reason: 'backup' }
  const { bench, operator } = await desk(undefined, { windows: [window] })
  t.equal(bench.ask('a'), 'drain up #drain by maintenance: backup')
  t.match(why(operator.give(request({ scopes: ['web/b'], atMost: 1 }))), /^at_most: .* a is out by order now/)
  operator.give(request({ action: 'ready' }))
  t.equal(bench.ask('a'), 'ready up 100%')
  t.equal(why(operator.give(request({ scopes: ['web/b'], atMost: 1 }))), 'given')
})

void t.test('a full disk refuses, and nothing changes', async t => {
  const full: OrderStore = { ...memoryOrders(), write: () => { throw Object.assign(new Error('full'), { code: 'ENOSPC' }) } }
  const { bench, operator, book } = await desk(undefined, { store: full })
  t.match(why(operator.give(request())), /^disk: .*ENOSPC/)
  t.equal(bench.ask('a'), 'up 100%')
  t.strictSame(book.overrides(), [])
})

void t.test('no cap gets into an order', async t => {
  const { bench, operator, book } = await desk()
  operator.give(request({ reason: 'see URI:CHK:aaaabbbbccccdddd:eeee:3:10:1234', by: 'URI:SSK:aaaabbbb:cccc' }))
  const all = [bench.ask('a'), JSON.stringify(book.overrides()), ...bench.sink.raw].join('\n')
  t.notMatch(all, /aaaabbbb/)
  t.match(bench.ask('a'), /drain by URI:\[redacted\] see URI:\[redacted\]/)
})

void t.test('what lies within what', async t => {
  const rows: ReadonlyArray<readonly [string, string, boolean]> = [
    ['web/a', 'web/a', true], ['web/a', 'web/*', true], ['web/a', '*/*', true], ['web/*', '*/*', true], ['web/*', 'web/*', true],
    ['web/*', 'web/a', false], ['webs/a', 'web/*', false], ['web/ab', 'web/a', false], ['app/a', 'web/*', false]
  ]
  for (const [inner, outer, wanted] of rows) t.equal(isWithin(inner, outer), wanted, `${inner} in ${outer}`)
})
