/** Connections that are used again: cheap, and closed by a node when it likes. */
import type { Socket } from 'node:net'
import t from 'tap'
import { until } from '../helpers/until.ts'
import { settled } from '../helpers/streams.ts'
import { GET, nodeAt, OK, onRequest, outcome, probe, serve, signal, TIMEOUT_TICKS, WRITE } from './bench.ts'

const GOOD = { status: 200, bytes: 2 }

void t.test('a connection is used again', async t => {
  let connections = 0
  const port = await serve(t, socket => {
    connections += 1
    onRequest(socket, () => { socket.write(OK) })
  })
  const { run } = probe(t, nodeAt(port), GET)
  for (let i = 0; i < 5; i += 1) t.match(outcome(await run()), GOOD)
  t.equal(connections, 1)
})

void t.test('where there are too few descriptors a connection is for one look', async t => {
  let open = 0
  let connections = 0
  const port = await serve(t, socket => {
    connections += 1
    open += 1
    socket.on('end', () => { open -= 1 })
    onRequest(socket, () => { socket.write(OK) })
  })
  let few = true
  const { run } = probe(t, nodeAt(port), GET, {}, which => which === 'second' || !few)
  for (let i = 1; i <= 3; i += 1) {
    t.match(outcome(await run()), GOOD)
    await until('it is closed', () => open === 0 || undefined, () => `${open} are open`)
    t.equal(connections, i)
  }
  few = false
  for (let i = 0; i < 3; i += 1) t.match(outcome(await run()), GOOD)
  t.equal(connections, 4, 'and kept again when there are enough')
})

void t.test('a node that closes its idle connections has not refused', async t => {
  for (const close of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const idle: Socket[] = []
    const port = await serve(t, socket => {
      idle.push(socket)
      onRequest(socket, () => { socket.write(OK) })
    })
    const { run } = probe(t, nodeAt(port), GET)
    for (let i = 0; i < 3; i += 1) {
      t.match(outcome(await run()), GOOD, `${close} while nobody asks`)
      idle[i]?.[close]()
      if (i === 1) await settled()
    }
    t.equal(idle.length, 3, 'a new connection each time')
  }
})

void t.test('a connection that is closed just as it is used again', async t => {
  const connections: number[] = []
  let healthy = true
  const port = await serve(t, socket => {
    const index = connections.push(0) - 1
    onRequest(socket, () => {
      connections[index] = (connections[index] ?? 0) + 1
      if (connections[index] === 1 && healthy) socket.write(OK)
      else socket.resetAndDestroy()
    })
  })
  const { run } = probe(t, nodeAt(port), GET)
  t.match(outcome(await run()), GOOD)
  t.match(outcome(await run()), GOOD, 'asked again on a new one')
  t.same(connections, [2, 1])
  healthy = false
  t.match(outcome(await run()), { class: 'reset' }, 'but that one counts')
  t.same(connections, [2, 2, 1], 'asked twice, no more')
  t.match(outcome(await run()), { class: 'reset' })
  t.same(connections, [2, 2, 1, 1], 'a first connection is not repeated')
})

void t.test('what else may happen to a connection that is used again is not repeated', async t => {
  const rows: ReadonlyArray<readonly [string, (socket: Socket) => void, string]> = [
    ['half an answer', socket => { socket.end(OK.replace('length: 2', 'length: 9')) }, 'reset'],
    ['nonsense', socket => { socket.end('nonsense\r\n\r\n') }, 'protocol']
  ]
  for (const [why, second, kind] of rows) {
    let requests = 0
    const port = await serve(t, socket => {
      onRequest(socket, () => {
        requests += 1
        if (requests === 2) second(socket)
        else socket.write(OK)
      })
    })
    const { run } = probe(t, nodeAt(port), GET)
    t.match(outcome(await run()), GOOD)
    t.match(outcome(await run()), { class: kind }, why)
    t.equal(requests, 2, why)
  }
})

void t.test('a POST on a connection that a GET has left is said once all the same', async t => {
  const requests: string[] = []
  const port = await serve(t, socket => {
    onRequest(socket, head => {
      requests.push(head.slice(0, head.indexOf(' HTTP')))
      if (requests.length === 1) socket.write('HTTP/1.1 303 See Other\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n')
      else if (requests.length === 2) socket.write(OK)
      else socket.resetAndDestroy()
    })
  })
  const { run } = probe(t, nodeAt(port), { ...GET, options: { ...GET.options, method: 'POST', follow: 1 } })
  t.match(outcome(await run()), GOOD)
  t.match(outcome(await run()), { class: 'reset' })
  t.same(requests, ['POST /', 'GET /next', 'POST /'])
})

void t.test('a request that is over before it was sent is not sent', async t => {
  let requests = 0
  const port = await serve(t, socket => {
    onRequest(socket, () => {
      requests += 1
      socket.write(OK)
    })
  })
  const { run, ticker } = probe(t, nodeAt(port), GET)
  await run()
  const sample = run()
  ticker.tick(TIMEOUT_TICKS)
  t.equal((await sample).ok, false)
  await settled()
  t.match(outcome(await run()), GOOD, 'and the next one is')
  t.equal(requests, 2)
})

void t.test('nor is one that is over while the connection before it closes', async t => {
  const hung = signal()
  const requests: string[] = []
  const port = await serve(t, socket => {
    onRequest(socket, head => {
      requests.push(head)
      if (requests.length === 1) hung.give()
      else socket.write(OK)
    })
  })
  const { run, ticker } = probe(t, nodeAt(port), GET)
  const first = run()
  await hung.given
  ticker.tick(TIMEOUT_TICKS)
  t.match(outcome(await first), { class: 'timeout' })
  const second = run()
  ticker.tick(TIMEOUT_TICKS)
  t.equal((await second).ok, false)
  await settled()
  t.match(outcome(await run()), GOOD)
  t.equal(requests.length, 2)
})

void t.test('a second try has no time of its own', async t => {
  const asked = signal()
  let requests = 0
  const port = await serve(t, socket => {
    onRequest(socket, () => {
      requests += 1
      if (requests === 1) socket.write(OK)
      else if (requests === 2) socket.resetAndDestroy()
      else asked.give()
    })
  })
  const { run, ticker } = probe(t, nodeAt(port), GET)
  await run()
  const sample = run()
  ticker.tick(TIMEOUT_TICKS - 1)
  await asked.given
  ticker.tick()
  t.match(outcome(await sample), { class: 'timeout' })
})

void t.test('what changes the node is never said twice, and shares no connection', async t => {
  const requests: string[] = []
  let connections = 0
  let broken = false
  const port = await serve(t, socket => {
    connections += 1
    onRequest(socket, head => {
      requests.push(head.slice(0, head.indexOf(' HTTP')))
      if (broken) socket.resetAndDestroy()
      else socket.write(OK)
    })
  })
  const put = probe(t, nodeAt(port), WRITE)
  t.match(outcome(await put.run()), { status: 200 })
  t.match(outcome(await put.run()), { status: 200 })
  t.equal(connections, 2, 'no idle connection that could be closed under it')
  broken = true
  t.match(outcome(await put.run()), { class: 'reset' })
  t.same(requests, ['PUT /uri', 'PUT /uri', 'PUT /uri'])

  const post = probe(t, nodeAt(port), { ...GET, options: { ...GET.options, method: 'POST' } })
  broken = false
  t.match(outcome(await post.run()), GOOD)
  broken = true
  t.match(outcome(await post.run()), { class: 'reset' })
  t.equal(requests.filter(line => line === 'POST /').length, 2)
})
