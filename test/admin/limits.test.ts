import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LIMITS, type AdminLimits } from '../../src/admin/limits.ts'
import { createAdmin } from '../../src/admin/server.ts'
import { until } from '../helpers/until.ts'
import { Farm } from './farm.ts'

/** Times that a test can wait for. */
const QUICK = { ...LIMITS, headersMs: 150, requestMs: 300, lookMs: 20 }

interface Peer { readonly socket: Socket, readonly text: () => string, readonly closed: Promise<string> }

/** A port on a unix socket; gives how to connect to it. */
async function served (t: Test, limits: AdminLimits = LIMITS, farm = new Farm()): Promise<() => Promise<Peer>> {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-limits-'))
  const admin = createAdmin(farm, limits)
  await admin.listen({ path: join(dir, 's') })
  t.teardown(async () => {
    await admin.close()
    rmSync(dir, { recursive: true })
  })
  return async () => {
    const socket = connect(join(dir, 's'))
    let text = ''
    socket.on('error', () => undefined)
    socket.on('data', chunk => { text += chunk.toString() })
    const closed = new Promise<string>(resolve => { socket.on('close', () => { resolve(text) }) })
    await once(socket, 'connect')
    return { socket, text: () => text, closed }
  }
}

const GET = 'GET /health HTTP/1.1\r\nhost: localhost\r\n'
const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])
const bodyOf = (text: string): unknown => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))

void t.test('the socket is for its owner and group', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-limits-'))
  const admin = createAdmin(new Farm())
  t.equal(await admin.listen({ path: join(dir, 's') }), join(dir, 's'))
  t.equal((statSync(join(dir, 's')).mode & 0o777).toString(8), '660')
  await admin.close()
  rmSync(dir, { recursive: true })
})

void t.test('a port that the system chose is told', async t => {
  const admin = createAdmin(new Farm())
  t.match(await admin.listen({ host: '127.0.0.1', port: 0 }), /^http:\/\/127\.0\.0\.1:\d+$/)
  await admin.close()
})

void t.test('an address that cannot be had is said in the system\'s words', async t => {
  await t.rejects(createAdmin(new Farm()).listen({ path: '/nowhere/at/all' }), { code: /^E/ })
})

void t.test('a body of so many bytes, and one more', async t => {
  const open = await served(t)
  for (const [extra, status] of [[0, 400], [1, 413]] as const) {
    const { socket, closed } = await open()
    const head = '{"reason":"'
    const body = `${head}${'x'.repeat(LIMITS.bodyBytes + extra - head.length - 2)}"}`
    socket.write(`POST /v1/overrides HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    const text = await closed
    t.equal(statusOf(text), status, `${body.length} bytes`)
    t.match(text, /content-type: application\/problem\+json/i)
    t.match(bodyOf(text), status === 413 ? { detail: /larger than anything/ } : { detail: /^action: / }, `${body.length} bytes`)
  }
})

void t.test('a body that does not say how large it is', async t => {
  const { socket, text } = await (await served(t))()
  socket.write('POST /v1/overrides HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n')
  const chunk = 'x'.repeat(4096)
  await until('it is refused', () => {
    if (text().includes('\r\n\r\n')) return true
    socket.write(`1000\r\n${chunk}\r\n`)
    return undefined
  }, text)
  t.equal(statusOf(text()), 413)
})

void t.test('headers of so many bytes, and one more', async t => {
  const open = await served(t)
  const counted = '/healthhostlocalhostconnectionclosex'.length // node counts what stands there, not what stands between
  for (const [extra, status] of [[-1, 200], [0, 431]] as const) {
    const { socket, closed } = await open()
    socket.write(`${GET}connection: close\r\nx: ${'x'.repeat(LIMITS.headerBytes + extra - counted)}\r\n\r\n`)
    const text = await closed
    t.equal(statusOf(text), status, `${LIMITS.headerBytes + extra} bytes`)
    if (status === 431) {
      t.match(text, /content-type: application\/problem\+json/)
      t.match(bodyOf(text), { type: 'about:blank', title: 'Headers too large', status: 431, detail: /^The headers are larger/ })
    }
  }
})

void t.test('who sends too slowly is cut off', async t => {
  const open = await served(t, QUICK)
  const patient = await served(t, { ...QUICK, requestMs: 600_000 })
  const rows: ReadonlyArray<readonly [sent: string, drip: string, leastMs: number, why: string]> = [
    ['', '', QUICK.headersMs, 'nothing'],
    [GET, '', QUICK.headersMs, 'headers that do not end'],
    [GET, 'x: y\r\n', QUICK.headersMs, 'one header after the other'],
    ['POST /v1/overrides HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n', ' ', QUICK.requestMs, 'a body byte by byte']
  ]
  await Promise.all(rows.map(async ([sent, drip, leastMs, why]) => {
    const { socket, closed } = await (leastMs === QUICK.headersMs ? patient : open)()
    const start = performance.now()
    socket.write(sent)
    const dripping = setInterval(() => { socket.write(drip) }, 20)
    const text = await closed
    clearInterval(dripping)
    t.equal(statusOf(text), 408, why)
    t.match(bodyOf(text), { title: 'Too slow', status: 408 }, why)
    t.ok(performance.now() - start >= leastMs - 20, `${why}, not before its time`)
  }))
})

void t.test('the times in force', async t => {
  t.same({ headersMs: LIMITS.headersMs, requestMs: LIMITS.requestMs, lookMs: LIMITS.lookMs }, { headersMs: 5000, requestMs: 10_000, lookMs: 1000 })
})

void t.test('who does not read its answer is cut off', async t => {
  const farm = Object.assign(new Farm(), { overrides: () => [{ reason: 'x'.repeat(20_000_000) }] })
  const open = await served(t, { ...LIMITS, silentMs: 200, connections: 1 }, farm)
  const { socket, closed } = await open()
  socket.pause()
  socket.write('GET /v1/overrides HTTP/1.1\r\nhost: x\r\n\r\n')
  await until('its place is free', async () => {
    const other = await open()
    other.socket.write(`${GET}connection: close\r\n\r\n`)
    return statusOf(await other.closed) === 200 ? true : undefined
  }, () => 'it is not')
  socket.resume()
  t.ok((await closed).length < 20_000_000, 'what it had not read is lost')
})

void t.test('who is in the middle of something does not keep the port open', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-limits-'))
  const admin = createAdmin(new Farm())
  await admin.listen({ path: join(dir, 's') })
  const socket = connect(join(dir, 's'))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(GET)
  const other = await new Promise<number>(resolve => { // an answer to another one: by now the port has read the first
    const asked = connect(join(dir, 's'), () => { asked.write(`${GET}connection: close\r\n\r\n`) })
    asked.on('data', chunk => { resolve(statusOf(chunk.toString())) })
  })
  t.equal(other, 200)
  let text = ''
  socket.on('data', chunk => { text += chunk.toString() })
  const closed = once(socket, 'close')
  await admin.close()
  await closed
  t.equal(text, '', 'it is not waited for until it is too slow')
  rmSync(dir, { recursive: true })
})

void t.test('so many connections, and no more', async t => {
  const open = await served(t, { ...LIMITS, connections: 3 })
  const peers = await Promise.all([open(), open(), open()])
  const one = await open()
  one.socket.write(`${GET}\r\n`)
  t.equal(await one.closed, '', 'the fourth is closed unheard')
  for (const { socket, text } of peers) {
    socket.write(`${GET}\r\n`)
    await until('an answer', () => text().includes('"ok"') ? true : undefined, text)
  }
  peers[0]?.socket.destroy()
  await until('there is room', async () => {
    const { socket, closed } = await open()
    socket.write(`${GET}connection: close\r\n\r\n`)
    return statusOf(await closed) === 200 ? true : undefined
  }, () => 'none')
  t.equal(LIMITS.connections, 256)
})

void t.test('what is no HTTP', async t => {
  const open = await served(t)
  for (const sent of ['web/a\n', '\x16\x03\x01\x02\x00', 'GET /health HTTP/1.1\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `${GET}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`]) {
    const { socket, closed } = await open()
    socket.write(sent)
    socket.end()
    t.equal(statusOf(await closed), 400, JSON.stringify(sent))
  }
  const { socket, closed } = await open()
  socket.write(`${GET}connection: close\r\n\r\n`)
  t.equal(statusOf(await closed), 200, 'and it goes on answering')
})

void t.test('a balancer asks as of old', async t => {
  const { socket, closed } = await (await served(t))()
  socket.write('GET /v1/health/web/a HTTP/1.0\r\n\r\n') // HAProxy's httpchk, without a name
  t.equal(statusOf(await closed), 200)
})
