/** Hedged probes of real nodes. */
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { ProbeRequest } from '../../src/core/probe.ts'
import { GET, listenOn, nodeAt, OK, onRequest, outcome, probe, serve, signal, ticksOf, TIMEOUT_TICKS } from './bench.ts'

const HEDGE = { hedgeMs: 100 }
const HEDGE_TICKS = ticksOf(HEDGE.hedgeMs)

interface AskedNode {
  readonly port: number
  /** The connections that asked, each by its number, and those that are open. */
  readonly requests: readonly number[]
  readonly open: ReadonlySet<number>
  /** A request, or the end of a connection. */
  readonly next: () => Promise<void>
}

/** A node that takes connections and answers those it is told to, by their number. */
async function node (t: Test, answers: (connection: number) => boolean): Promise<AskedNode> {
  const requests: number[] = []
  const open = new Set<number>()
  let connections = 0
  let event = signal()
  const happens = (): void => {
    event.give()
    event = signal()
  }
  const port = await serve(t, (socket: Socket) => {
    const connection = connections += 1
    open.add(connection)
    socket.on('end', () => { socket.end() })
    socket.on('close', () => {
      open.delete(connection)
      happens()
    })
    onRequest(socket, () => {
      requests.push(connection)
      if (answers(connection)) socket.write(OK)
      happens()
    })
  })
  return { port, requests, open, next: async () => event.given }
}

void t.test('a connection that hangs is overtaken by another, which serves from then on', async t => {
  let arrive = (): void => undefined
  const answers = (connection: number): boolean => {
    arrive()
    return connection !== 1
  }
  const { port, requests, open, next } = await node(t, answers)
  const { run, ticker, clock } = probe(t, nodeAt(port), GET, HEDGE)
  let heard = next()
  const first = run()
  await heard
  clock.nowMs = 150
  arrive = () => { clock.nowMs = 160 }
  ticker.tick(HEDGE_TICKS)
  t.same(await first, { ok: true, startMs: 0, endMs: 160, facts: { status: 200, bytes: 2, latencyMs: 10 } })
  t.same(requests, [1, 2])
  t.same(outcome(await run()), { status: 200, bytes: 2, latencyMs: 0 })
  t.same(requests, [1, 2, 2], 'the next look goes over the connection that works, though the other still waits')
  t.same([...open], [1, 2])
  heard = next()
  ticker.tick(TIMEOUT_TICKS - HEDGE_TICKS)
  await heard
  t.same([...open], [2], 'the other ends with its time')
  t.equal(ticker.running, 0, 'and nothing is left')
})

void t.test('no answer at all is seen as soon as without', async t => {
  for (const request of [GET, { kind: 'tcp', options: { send: 'GET / \n', expect: 'never' } }] satisfies ProbeRequest[]) {
    const { port, requests, open, next } = await node(t, () => false)
    const { run, ticker } = probe(t, nodeAt(port), request, HEDGE)
    let done = false
    let heard = next()
    const sample = run().finally(() => { done = true })
    await heard
    heard = next()
    ticker.tick(HEDGE_TICKS)
    await heard
    t.same(requests, [1, 2])
    ticker.tick(TIMEOUT_TICKS - HEDGE_TICKS)
    await new Promise(resolve => { setImmediate(resolve) })
    t.equal(done, false)
    ticker.tick() // each deadline may be a tick late
    t.same(outcome(await sample), { class: 'timeout', message: 'no answer within 300ms' }, `${request.kind}: the words are those of the first`)
    while (open.size > 0) await next()
    t.equal(ticker.running, 0)
  }
})

void t.test('a refusal is said at once', async t => {
  const server = createServer()
  const port = await listenOn(t, server)
  server.close()
  for (const request of [GET, { kind: 'tcp', options: {} }] satisfies ProbeRequest[]) {
    const { run, ticker } = probe(t, nodeAt(port), request, HEDGE)
    t.match(outcome(await run()), { class: 'refused' })
    ticker.tick(100)
    t.equal(ticker.running, 0, `${request.kind}: no second look is left to come`)
  }
})

void t.test('a TCP probe', async t => {
  let connections = 0
  const accepted = [signal(), signal()]
  const port = await serve(t, socket => {
    connections += 1
    if (connections === 2) socket.write('SSH-2.0')
    accepted[connections - 1]?.give()
    socket.on('end', () => { socket.end() })
  })
  const { run, ticker } = probe(t, nodeAt(port, { protocol: 'tcp' }), { kind: 'tcp', options: { expect: 'SSH' } }, HEDGE)
  const sample = run()
  await accepted[0]!.given
  ticker.tick(HEDGE_TICKS)
  t.match(await sample, { ok: true, facts: { expected: true } })
  ticker.tick(TIMEOUT_TICKS)
  t.equal(ticker.running, 0, 'the other has ended with its time')
})

void t.test('closed in the middle: both connections end', async t => {
  const { port, open, next } = await node(t, () => false)
  const { run, close, ticker } = probe(t, nodeAt(port), GET, HEDGE)
  let heard = next()
  const sample = run()
  await heard
  heard = next()
  ticker.tick(HEDGE_TICKS)
  await heard
  t.same([...open], [1, 2])
  close()
  t.match(outcome(await sample), { class: 'local' })
  while (open.size > 0) await next()
  t.pass('both are gone')
})

void t.test('a poll without a hedge asks once', async t => {
  const { port, requests, next } = await node(t, () => false)
  const { run, ticker } = probe(t, nodeAt(port), GET)
  const heard = next()
  const sample = run()
  await heard
  ticker.tick(TIMEOUT_TICKS)
  t.match(outcome(await sample), { class: 'timeout' })
  t.same(requests, [1])
})
