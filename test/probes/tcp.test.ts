import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { ProbeOptions } from '../../src/core/probe.ts'
import { settled } from '../helpers/streams.ts'
import { nodeAt, outcome, probe, serve, signal, TIMEOUT_TICKS, type ProbeUnderTest } from './bench.ts'

const tcp = (t: Test, port: number, options: ProbeOptions['tcp'] = {}, host = '127.0.0.1'): ProbeUnderTest =>
  probe(t, nodeAt(port, { protocol: 'tcp', host }), { kind: 'tcp', options })

void t.test('a connection is all it takes', async t => {
  const port = await serve(t, () => undefined)
  const { run, ticker } = tcp(t, port)
  t.same(outcome(await run()), { latencyMs: 0 })
  t.equal(ticker.running, 1)
  ticker.tick()
  t.equal(ticker.running, 0, 'its deadline is called off')
  const six = await serve(t, () => undefined, '::1')
  t.same(outcome(await tcp(t, six, {}, '::1').run()), { latencyMs: 0 }, 'IPv6')
  t.same(outcome(await tcp(t, 1, { port }).run()), { latencyMs: 0 }, 'another port than the node’s own')
})

void t.test('what is sent arrives, also when nothing is expected', async t => {
  const heard: string[] = []
  const done = signal()
  const port = await serve(t, socket => {
    socket.on('data', (chunk: Buffer) => { heard.push(chunk.toString()) })
    socket.on('end', () => { done.give() })
  })
  t.ok((await tcp(t, port, { send: 'HELO é\r\n' }).run()).ok)
  await done.given
  t.same(heard.join(''), 'HELO é\r\n')
})

void t.test('send and expect', async t => {
  const echo = (socket: Socket): void => { socket.on('data', chunk => { socket.write(chunk) }) }
  const greet = (socket: Socket): void => { socket.write('220 mail ESMTP\r\n') }
  const slow = (socket: Socket): void => {
    socket.write('PO')
    setImmediate(() => { socket.end('NG') })
  }
  const rows: ReadonlyArray<readonly [(socket: Socket) => void, ProbeOptions['tcp'], object, string]> = [
    [echo, { send: 'PING\n', expect: 'PING' }, { expected: true }, 'asked and answered'],
    [greet, { expect: '220 ' }, { expected: true }, 'a greeting'],
    [slow, { expect: 'PONG' }, { expected: true }, 'in pieces'],
    [echo, { send: 'größe', expect: 'öß' }, { expected: true }, 'beyond ASCII'],
    [socket => { socket.end('500 no') }, { expect: '220' }, { expected: false }, 'another answer'],
    [socket => { socket.end(`${'x'.repeat(200_000)}END`) }, { expect: 'END' }, { expected: true }, 'after a long one'],
    [socket => { socket.end() }, { expect: '220' }, { class: 'reset', message: 'closed without a word' }, 'closes'],
    [socket => { socket.resetAndDestroy() }, { expect: '220' }, { class: 'reset' }, 'resets']
  ]
  for (const [handle, options, wanted, why] of rows) {
    const port = await serve(t, handle)
    t.match(outcome(await tcp(t, port, options).run()), wanted, why)
  }
})

void t.test('silence, or too little', async t => {
  for (const said of ['', 'not what is expected']) {
    const asked = signal()
    const port = await serve(t, socket => {
      socket.write(said)
      socket.on('data', () => { asked.give() })
    })
    const { run, ticker } = tcp(t, port, { send: 'x', expect: '220' })
    const sample = run()
    await asked.given
    await settled()
    ticker.tick(TIMEOUT_TICKS)
    t.same(outcome(await sample), { class: 'timeout', message: 'no answer within 300ms' })
  }
})

void t.test('nobody there, and nobody yet', async t => {
  const gone = await serve(t, () => undefined)
  const { run, ticker } = tcp(t, gone)
  const sample = run()
  ticker.tick(TIMEOUT_TICKS)
  t.same(outcome(await sample), { class: 'noconn', message: 'no connection within 300ms' })

  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  t.match(outcome(await tcp(t, port).run()), { class: 'refused' })
})
