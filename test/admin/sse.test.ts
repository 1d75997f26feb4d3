import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { createAdmin } from '../../src/admin/server.ts'
import { CLIENTS_MAX, encodeEvent, EventStreams, HEARTBEAT_MS, WAITING_BYTES_MAX, type Follow } from '../../src/admin/sse.ts'
import type { EventView } from '../../src/admin/api.ts'
import { makeToken } from '../../src/admin/tokens.ts'
import { settled } from '../helpers/streams.ts'
import { until } from '../helpers/until.ts'
import { eventAt, Farm, tokensOf } from './farm.ts'

const LIVE: Follow = { past: undefined, backend: undefined, byToken: false }
const HELLO = 'retry: 1000\n\n'
const written = (...ids: readonly number[]): string => ids.map(id => encodeEvent(eventAt(id))).join('')

/** Reads all that comes. */
function read (stream: Readable): { readonly text: string, readonly over: boolean } {
  const heard = { text: '', over: false }
  stream.on('data', (chunk: Buffer) => { heard.text += chunk.toString() })
  stream.on('close', () => { heard.over = true })
  return heard
}

function streams (farm = new Farm()): readonly [open: (follow?: Partial<Follow>) => Readable, farm: Farm, all: EventStreams] {
  const all = new EventStreams(farm)
  return [follow => all.open({ ...LIVE, ...follow })!, farm, all]
}

void t.test('an event as it stands on the wire', async t => {
  t.equal(encodeEvent(eventAt(7, { msg: 'a\nb' })), 'id: 7\nevent: server.state\n' +
    'data: {"id":7,"at":"2026-01-01T00:00:00.000Z","event":"server.state","level":"info","msg":"a\\nb","server":"web/a"}\n\n')
  t.notMatch(encodeEvent(eventAt(7, { msg: 'URI:DIR2:abc:def' })), /abc/, 'no cap leaves')
})

void t.test('what happened, then what happens, nothing twice', async t => {
  const [open, farm] = streams()
  for (const id of [1, 2, 3]) farm.past.push(eventAt(id))
  const heard = read(open({ past: { after: 1 } }))
  farm.say(eventAt(4))
  await settled()
  farm.say(eventAt(5))
  await settled()
  t.equal(heard.text, HELLO + written(2, 3, 4, 5))
})

void t.test('only what comes, only of one backend', async t => {
  const [open, farm] = streams()
  farm.past.push(eventAt(1))
  const [all, web] = [read(open()), read(open({ backend: 'web' }))]
  const shop = eventAt(2, { server: 'shop/a' })
  farm.say(shop)
  farm.say(eventAt(3))
  await settled()
  t.equal(all.text, HELLO + encodeEvent(shop) + written(3))
  t.equal(web.text, HELLO + written(3))
})

void t.test('a heartbeat, so that both ends know of each other', async t => {
  const [open, farm] = streams()
  const heard = read(open())
  await farm.clock.advance(HEARTBEAT_MS - 1)
  t.equal(heard.text, HELLO)
  await farm.clock.advance(1)
  await settled()
  t.equal(heard.text, `${HELLO}:\n\n`)
  await farm.clock.advance(10 * HEARTBEAT_MS)
  await settled()
  t.notOk(heard.over, 'who reads may stay for ever')
})

void t.test('so many clients, and no more; who goes makes room and leaves nothing behind', async t => {
  const [open, farm] = streams()
  const clients = Array.from({ length: CLIENTS_MAX }, () => open())
  for (const client of clients) read(client)
  t.equal(open(), undefined)
  t.equal(farm.listeners.size, CLIENTS_MAX)
  clients[0]?.destroy()
  await settled()
  t.equal(farm.listeners.size, CLIENTS_MAX - 1)
  const last = open()
  t.ok(last)
  for (const client of [...clients, last]) client.destroy()
  await settled()
  t.equal(farm.listeners.size, 0)
  t.equal(farm.clock.waiting, 0, 'no heartbeat goes on')
})

const ofBytes = (bytes: number): EventView => eventAt(1, { msg: 'x'.repeat(bytes - Buffer.byteLength(encodeEvent(eventAt(1, { msg: '' })))) })

void t.test('a client that does not read is dropped, at so many bytes', async t => {
  const [open, farm] = streams()
  const [slow, quick] = [open(), open()]
  const heard = read(quick)
  slow.on('error', () => undefined)
  await settled()
  const kib = ofBytes(1024)
  t.equal(Buffer.byteLength(encodeEvent(kib)), 1024)
  // What it may take without being asked is full first; then what waits counts.
  const buffer = slow.readableHighWaterMark / 1024
  for (let i = 1; i < buffer + WAITING_BYTES_MAX / 1024; i += 1) {
    farm.say(kib)
    await settled()
  }
  const late = open()
  late.on('error', () => undefined)
  farm.say(kib)
  await settled()
  t.notOk(slow.destroyed, 'at the limit')
  farm.say(kib)
  await settled()
  t.ok(slow.destroyed, 'over it')
  t.notOk(late.destroyed, 'who came late has less to wait for')
  t.notOk(heard.over, 'the others do not notice')
  t.equal(heard.text.length, HELLO.length + 1024 * (buffer + WAITING_BYTES_MAX / 1024 + 1))
  t.equal(farm.listeners.size, 2)
})

void t.test('one byte too many is too many', async t => {
  for (const [last, dropped] of [[1024, false], [1025, true]] as const) {
    const [open, farm] = streams()
    const slow = open()
    slow.on('error', () => undefined)
    await settled()
    for (let i = 1; i < slow.readableHighWaterMark / 1024 + WAITING_BYTES_MAX / 1024; i += 1) farm.say(ofBytes(1024))
    await settled()
    farm.say(ofBytes(last))
    t.equal(slow.destroyed, dropped, String(last))
  }
})

void t.test('a long past is handed over as it is read, and is no reason to be dropped', async t => {
  const [open, farm] = streams()
  const ids = Array.from({ length: 10_000 }, (_, i) => i + 1)
  const msg = 'x'.repeat(300)
  for (const id of ids) farm.past.push(eventAt(id, { msg }))
  const stream = open({ past: { after: 0 } })
  await settled()
  t.ok(stream.readableLength <= 2 * stream.readableHighWaterMark, 'it is not written before it is wanted')
  farm.say(eventAt(10_001))
  const heard = read(stream)
  await until('all of it', () => heard.text.includes('id: 10001\n') ? true : undefined, () => heard.text.slice(-200))
  t.same([...heard.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)), [...ids, 10_001])
})

void t.test('who has read nothing for a minute is gone', async t => {
  const [open, farm] = streams()
  farm.past.push(eventAt(1, { msg: 'x'.repeat(100_000) }))
  const stream = open({ past: { after: 0 } })
  stream.on('error', () => undefined)
  await settled()
  stream.read(0) // begins, and takes nothing
  await settled()
  await farm.clock.advance(4 * HEARTBEAT_MS - 1)
  t.notOk(stream.destroyed)
  await farm.clock.advance(1)
  t.ok(stream.destroyed)
})

void t.test('who came with a token comes again when the tokens change: at the next heartbeat, or event', async t => {
  for (const event of [undefined, eventAt(2), eventAt(2, { server: 'shop/a' })]) {
    const [open, farm] = streams()
    const [local, token] = [read(open()), read(open({ byToken: true, backend: 'web' }))]
    farm.say(eventAt(1))
    await farm.clock.advance(HEARTBEAT_MS)
    await settled()
    t.notOk(token.over)
    farm.file = tokensOf()
    if (event === undefined) await farm.clock.advance(HEARTBEAT_MS)
    else farm.say(event)
    await settled()
    t.ok(token.over)
    t.equal(token.text, `${HELLO}${written(1)}:\n\n`, 'it hears nothing that happens after that')
    t.equal(local.text, `${token.text}${event === undefined ? ':\n\n' : encodeEvent(event)}`)
    t.equal(farm.listeners.size, 1)
  }
})

void t.test('at the end they are told what there is, and that it is over', async t => {
  const [open, farm, all] = streams()
  const heard = read(open())
  farm.say(eventAt(1))
  all.end()
  farm.say(eventAt(2))
  await settled()
  t.ok(heard.over)
  t.ok(heard.text.startsWith(HELLO + written(1)))
  t.equal(farm.listeners.size, 0)
})

interface Client { readonly answer: IncomingMessage, readonly text: () => string, readonly over: () => boolean }

async function served (t: Test, farm: Farm): Promise<(path: string, headers?: Record<string, string>, flow?: boolean) => Promise<Client>> {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-sse-'))
  const admin = createAdmin(farm)
  await admin.listen({ path: join(dir, 's') })
  t.teardown(async () => {
    await admin.close()
    rmSync(dir, { recursive: true })
  })
  return async (path, headers = {}, flow = true) => {
    const request = get({ socketPath: join(dir, 's'), path, headers: { accept: 'text/event-stream', ...headers }, agent: false })
    const [answer] = await once(request, 'response') as [IncomingMessage]
    let text = ''
    let over = false
    answer.on('error', () => undefined)
    answer.on('close', () => { over = true })
    if (flow) answer.on('data', (chunk: Buffer) => { text += chunk.toString() })
    return { answer, text: () => text, over: () => over }
  }
}

void t.test('over a socket: a stream says what it is, and goes on from where its client was', async t => {
  const farm = new Farm()
  for (const id of [1, 2, 3]) farm.past.push(eventAt(id))
  const connect = await served(t, farm)
  const rows: ReadonlyArray<readonly [path: string, headers: Record<string, string>, from: number, query: object | undefined, why: string]> = [
    ['/v1/events', {}, 4, undefined, 'only what comes'],
    ['/v1/events?backend=web', {}, 4, undefined, 'only what comes, of one backend'],
    ['/v1/events', { 'last-event-id': '2' }, 3, { after: 2, limit: 10_000 }, 'as a browser comes back'],
    ['/v1/events', { 'last-event-id': 'x' }, 4, undefined, 'as nobody comes back'],
    ['/v1/events?after=1', {}, 2, { after: 1, limit: 10_000 }, 'as one says it'],
    ['/v1/events?after=1', { 'last-event-id': '2' }, 3, { after: 2, limit: 10_000 }, 'what it heard last comes before what it asked for first'],
    ['/v1/events?sinceMs=60000&limit=5', {}, 1, { sinceMs: 60_000, limit: 5 }, 'of the last minute'],
    ['/v1/events?since=2026-01-01T00:00Z', {}, 1, { since: '2026-01-01T00:00Z', limit: 10_000 }, 'since then'],
    ['/v1/events?limit=3', {}, 1, { limit: 3 }, 'the newest']
  ]
  for (const [path, headers, from, query, why] of rows) {
    farm.queries.length = 0
    const { answer, text } = await connect(path, headers)
    t.match(answer.headers, { 'content-type': /^text\/event-stream/, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'x-accel-buffering': 'no' }, why)
    await until('it is open', () => text().startsWith(HELLO) ? true : undefined, text)
    for (const listener of farm.listeners) listener(eventAt(4))
    await until('the event', () => text().includes('id: 4\n') ? true : undefined, text)
    t.equal(text(), HELLO + written(...[1, 2, 3, 4].filter(id => id >= from)), why)
    t.match(farm.queries, query === undefined ? [] : [query], why)
    answer.destroy()
    await until('it is gone', () => farm.listeners.size === 0 ? true : undefined, () => String(farm.listeners.size))
  }
  const json = await connect('/v1/events', { accept: 'application/json' })
  t.match(json.answer.headers['content-type'], /^application\/json/)
})

void t.test('over a socket: who came with a token must show it again when the tokens change', async t => {
  const { token, line } = await makeToken('ana', { logCost: 10 })
  const farm = Object.assign(new Farm(), { file: tokensOf(line) })
  const connect = await served(t, farm)
  const [local, ana] = [await connect('/v1/events'), await connect('/v1/events', { authorization: `Bearer ${token}` })]
  farm.file = tokensOf()
  await farm.clock.advance(HEARTBEAT_MS)
  await until('it ends', () => ana.over() ? true : undefined, ana.text)
  t.notOk(local.over())
})

void t.test('over a socket: one too many is told to come again', async t => {
  const farm = new Farm()
  const connect = await served(t, farm)
  for (let i = 0; i < CLIENTS_MAX; i += 1) await connect('/v1/events')
  const { answer } = await connect('/v1/events')
  t.equal(answer.statusCode, 503)
  t.match(answer.headers, { 'retry-after': '10', 'content-type': /^application\/problem\+json/ })
})

void t.test('over a socket: who does not read is cut off', async t => {
  const farm = new Farm()
  const connect = await served(t, farm)
  const [slow, quick] = [await connect('/v1/events', {}, false), await connect('/v1/events')]
  const big = eventAt(1, { msg: 'x'.repeat(100_000) })
  await until('it is dropped', () => {
    if (farm.listeners.size === 1) return true
    farm.say(big)
    return undefined
  }, () => String(farm.listeners.size))
  slow.answer.resume()
  await until('its connection is closed', () => slow.over() ? true : undefined, () => 'open')
  t.notOk(quick.over(), 'and nobody else')
})

void t.test('over a socket: closing the port ends every stream', async t => {
  const { token, line } = await makeToken('ana', { logCost: 10 })
  const farm = Object.assign(new Farm(), { file: tokensOf(line) })
  const admin = createAdmin(farm)
  const url = await admin.listen({ host: '127.0.0.1', port: 0 })
  const [answer] = await once(get(`${url}/v1/events`, { headers: { accept: 'text/event-stream', authorization: `Bearer ${token}` }, agent: false }), 'response') as [IncomingMessage]
  answer.on('error', () => undefined)
  answer.resume()
  const closed = once(answer, 'close')
  await admin.close()
  await closed
  t.equal(farm.listeners.size, 0)
  t.equal(farm.clock.waiting, 0)
})
