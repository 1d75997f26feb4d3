import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import t from 'tap'
import { BODY_BYTES_MAX } from '../../src/probes/http-client.ts'
import { settled } from '../helpers/streams.ts'
import { GET, listenOn, nodeAt, OK, onRequest, outcome, probe, serve, signal, TIMEOUT_TICKS } from './bench.ts'

const GOOD = { status: 200, bytes: 2 }

void t.test('the deadline covers everything, to the tick', async t => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    ['', 'no answer within 300ms', 'not a word'],
    ['HTTP/1.1 200 OK\r\ncontent-', 'no answer within 300ms', 'half a head'],
    [head, 'only a part of the answer within 300ms', 'a head alone'],
    [`${head}12345`, 'only a part of the answer within 300ms', 'half a body']
  ]
  for (const [said, message, why] of rows) {
    const asked = signal()
    const port = await serve(t, socket => {
      onRequest(socket, () => {
        if (said === '') asked.give()
        else socket.write(said, () => { asked.give() })
      })
    })
    const { run, ticker } = probe(t, nodeAt(port), GET)
    let over = false
    const sample = run().finally(() => { over = true })
    await asked.given
    await settled()
    ticker.tick(TIMEOUT_TICKS - 1)
    await settled()
    t.equal(over, false, `${why}: not before`)
    ticker.tick()
    t.same(outcome(await sample), { class: 'timeout', message }, why)
    t.equal(ticker.running, 0, `${why}: nothing is left of it`)
  }
})

void t.test('whatever ended a poll, the next one is a new one', async t => {
  const rows: ReadonlyArray<readonly [string, (socket: Socket, give: () => void) => void, boolean]> = [
    ['hung', (_, give) => { give() }, true],
    ['hung in the body', (socket, give) => { socket.write(OK.replace('length: 2', 'length: 9'), give) }, true],
    ['reset', socket => { socket.resetAndDestroy() }, false],
    ['closed', socket => { socket.end() }, false],
    ['said nonsense', socket => { socket.write('nonsense\r\n\r\n') }, false],
    ['said more than it had announced', socket => { socket.write(`${OK}HTTP/1.1 200 OK\r\n`) }, false]
  ]
  for (const [why, first, expires] of rows) {
    const asked = signal()
    let requests = 0
    const port = await serve(t, socket => {
      onRequest(socket, () => {
        requests += 1
        if (requests === 1) first(socket, asked.give)
        else socket.write(OK)
      })
    })
    const { run, ticker } = probe(t, nodeAt(port), GET)
    const sample = run()
    if (expires) {
      await asked.given
      await settled()
      ticker.tick(TIMEOUT_TICKS)
    }
    t.equal((await sample).ok, why.startsWith('said more'), why)
    t.match(outcome(await run()), GOOD, `${why}: at once after it`)
    t.match(outcome(await run()), GOOD, `${why}: and again`)
  }
})

void t.test('the deadline of a poll ends with it', async t => {
  const port = await serve(t, socket => { onRequest(socket, () => { socket.write(OK) }) })
  const { run, ticker } = probe(t, nodeAt(port), GET)
  await run()
  ticker.tick()
  t.equal(ticker.running, 0)
})

void t.test('length of a body: the bound and one more', async t => {
  let bytes = BODY_BYTES_MAX
  const server = createServer((_, res) => { res.end(Buffer.alloc(bytes)) })
  const { run } = probe(t, nodeAt(await listenOn(t, server)), GET)
  t.match(outcome(await run()), { status: 200, bytes: BODY_BYTES_MAX })
  bytes += 1
  t.same(outcome(await run()), { class: 'protocol', message: `body over ${BODY_BYTES_MAX} bytes` })
  bytes = 5
  t.match(outcome(await run()), { status: 200, bytes: 5 }, 'and the next poll is fine')
})

void t.test('an endless body ends at the bound', async t => {
  const server = createServer((_, res) => {
    const more = (): void => { while (!res.destroyed && res.write(Buffer.alloc(64 * 1024))) { /* until it is full */ } }
    res.on('drain', more)
    more()
  })
  const { run } = probe(t, nodeAt(await listenOn(t, server)), GET)
  t.match(outcome(await run()), { class: 'protocol', message: /body over/ })
})

void t.test('an answer that is not one', async t => {
  const ok = 'HTTP/1.1 200 OK\r\n'
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    ['a body shorter than announced', `${ok}content-length: 10\r\n\r\n12345`, 'reset'],
    ['the same, with the close announced', `${ok}connection: close\r\ncontent-length: 10\r\n\r\n12345`, 'protocol'],
    ['a chunk cut short', `${ok}transfer-encoding: chunked\r\n\r\n5\r\n123`, 'reset'],
    ['chunks without an end', `${ok}transfer-encoding: chunked\r\n\r\n5\r\n12345\r\n`, 'reset'],
    ['a flood of headers', `${ok}${'x: y\r\n'.repeat(10_000)}\r\n`, 'protocol'],
    ['one very long header', `${ok}x: ${'y'.repeat(20_000)}\r\n\r\n`, 'protocol'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', 'protocol'],
    ['noise', '\0\x01\x02\xff\r\n\r\n', 'protocol'],
    ['two lengths', `${ok}content-length: 2\r\ncontent-length: 3\r\n\r\nok`, 'protocol'],
    ['half a head', 'HTTP/1.1 200 OK\r\nconte', 'reset']
  ]
  for (const [why, said, kind] of rows) {
    const port = await serve(t, socket => { onRequest(socket, () => { socket.end(said, 'latin1') }) })
    const { run } = probe(t, nodeAt(port), GET)
    t.match(outcome(await run()), { class: kind, message: /^[\x20-\x7e]+$/ }, why)
  }
})

void t.test('answers that are unusual, and good', async t => {
  const rows: ReadonlyArray<readonly [string, string, object]> = [
    ['no keep-alive', 'HTTP/1.0 200 OK\r\n\r\nok', GOOD],
    ['the end of the connection ends the body', 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok', GOOD],
    ['other heads before', `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`, GOOD],
    ['chunks and trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n', GOOD],
    ['no content', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, bytes: 0 }],
    ['an error', 'HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n', { status: 503, bytes: 0 }],
    ['no words for it', 'HTTP/1.1 299\r\ncontent-length: 0\r\n\r\n', { status: 299, bytes: 0 }]
  ]
  for (const [why, said, facts] of rows) {
    const port = await serve(t, socket => {
      onRequest(socket, () => {
        if (said.includes('length') || said.includes('204') || said.includes('trailers')) socket.write(said)
        else socket.end(said)
      })
    })
    const { run } = probe(t, nodeAt(port), GET)
    t.match(outcome(await run()), facts, why)
    t.match(outcome(await run()), facts, `${why}: again`)
  }
})

void t.test('HEAD has no body, whatever its length says', async t => {
  const port = await serve(t, socket => {
    onRequest(socket, head => { socket.write(head.startsWith('HEAD') ? OK.replace(/ok$/, '') : 'HTTP/1.1 500 No\r\n\r\n') })
  })
  const { run } = probe(t, nodeAt(port), { ...GET, options: { ...GET.options, method: 'HEAD' } })
  for (let i = 0; i < 3; i += 1) t.match(outcome(await run()), { status: 200, bytes: 0 })
})

void t.test('what is asked', async t => {
  const heads: string[] = []
  const port = await serve(t, socket => {
    onRequest(socket, head => {
      heads.push(head)
      socket.write(OK)
    })
  }, '::1')
  const options = { ...GET.options, path: '/a%20b?c=d', headers: { host: 'gw.example', 'x-token': 'abc' } }
  const { run } = probe(t, nodeAt(port, { host: '::1' }), { kind: 'http', options })
  t.match(outcome(await run()), GOOD, 'of an IPv6 node')
  t.match(heads[0], /^GET \/a%20b\?c=d HTTP\/1\.1\r\n/)
  for (const line of [/^host: gw\.example\r$/m, /^user-agent: hcf\r$/m, /^x-token: abc\r$/m]) t.match(heads[0], line)
  const plain = probe(t, nodeAt(port, { host: '::1' }), GET)
  await plain.run()
  t.match(heads[1], new RegExp(`^host: \\[::1\\]:${port}\r$`, 'm'))
})

void t.test('a probe that is closed ends its poll, and blames nobody', async t => {
  const asked = signal()
  const port = await serve(t, socket => { onRequest(socket, () => { asked.give() }) })
  const whenAsked = probe(t, nodeAt(port), GET)
  const hanging = whenAsked.run()
  await asked.given
  whenAsked.close()
  t.match(outcome(await hanging), { class: 'local' }, 'while it waits')
  t.match(outcome(await whenAsked.run()), { class: 'local' }, 'no poll after the close')
  whenAsked.close()

  const connecting = probe(t, nodeAt(port), GET)
  const early = connecting.run()
  connecting.close()
  t.match(outcome(await early), { class: 'local' }, 'while it connects')
  connecting.ticker.tick(TIMEOUT_TICKS)

  const never = probe(t, nodeAt(port), GET)
  never.close()
})
