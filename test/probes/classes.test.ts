/** What the ways in which a node can fail are evidence of, for real connections; errors.test.ts has the tables. */
import { createServer } from 'node:net'
import { chmodSync } from 'node:fs'
import t from 'tap'
import { start } from '../helpers/gateway.ts'
import { settled } from '../helpers/streams.ts'
import { blackhole, GET, listenOn, nodeAt, outcome, probe, serve, TIMEOUT_TICKS } from './bench.ts'

void t.test('a gateway that refuses, resets, hangs and comes back', async t => {
  const gateway = await start(t)
  const { run, ticker } = probe(t, nodeAt(gateway.port), { kind: 'tahoe-welcome', options: {} })
  const fine = async (why: string): Promise<void> => { t.match(outcome(await run()), { storageConnected: 5 }, why) }
  await fine('at first')

  await gateway.wound({ mode: 'refused' })
  for (const why of ['refused', 'refused again']) {
    t.match(outcome(await run()), { class: 'refused', message: /^connection refused .*ECONNREFUSED/ }, why)
  }
  await gateway.heal()
  await fine('after a restart')

  await gateway.wound({ mode: 'accept-close' })
  for (const why of ['closed', 'closed again']) t.match(outcome(await run()), { class: 'reset', message: /^connection reset / }, why)
  await gateway.heal()
  await fine('with descriptors again')

  for (const mode of ['hang', 'blocked'] as const) {
    await gateway.wound({ mode })
    for (const why of [mode, `${mode} again`]) {
      const { received } = gateway
      const sample = run()
      await gateway.arrived(received + 1)
      ticker.tick(TIMEOUT_TICKS)
      t.same(outcome(await sample), { class: 'timeout', message: 'no answer within 300ms' }, why)
    }
    await gateway.heal()
    await fine(`no longer ${mode}`)
  }
})

/** How many sockets this process has, connected or about to be. */
async function sockets (): Promise<number> {
  await settled()
  return process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
}

void t.test('a host that swallows what is sent to it', async t => {
  const { port, full, wake } = await blackhole(t)
  const { run, ticker } = probe(t, nodeAt(port), GET)
  t.match(outcome(await run()), { status: 200 }, 'at first')
  await full()
  const before = await sockets()
  for (const why of ['with an old connection', 'without']) {
    const sample = run()
    await settled()
    ticker.tick(TIMEOUT_TICKS)
    const kind = why === 'without' ? 'noconn' : 'timeout'
    t.match(outcome(await sample), { class: kind }, why)
    t.equal(await sockets(), before, `${why}: given up, and not tried again before the next poll`)
  }
  const closed = probe(t, nodeAt(port), GET)
  const last = closed.run()
  t.equal(await sockets(), before + 1)
  closed.close()
  t.match(outcome(await last), { class: 'local' })
  t.equal(await sockets(), before, 'a closed probe gives up too')
  const tcp = probe(t, nodeAt(port, { protocol: 'tcp' }), { kind: 'tcp', options: {} })
  const sample = tcp.run()
  await settled()
  tcp.ticker.tick(TIMEOUT_TICKS)
  t.same(outcome(await sample), { class: 'noconn', message: 'no connection within 300ms' }, 'TCP probe')
  wake()
  t.match(outcome(await run()), { status: 200 }, 'and back')
})

void t.test('no connection yet, when the time is over', async t => {
  const port = await serve(t, () => undefined)
  const { run, ticker } = probe(t, nodeAt(port), GET)
  for (let i = 0; i < 3; i += 1) {
    const sample = run()
    ticker.tick(TIMEOUT_TICKS - 1)
    t.equal(ticker.running, 1)
    ticker.tick()
    t.same(outcome(await sample), { class: 'noconn', message: 'no connection within 300ms' })
    await settled()
  }
})

void t.test('no address yet, when the time is over: the name service is late, not the node', async t => {
  const port = await serve(t, () => undefined)
  for (const [request, changes] of [[GET, {}], [{ kind: 'tcp', options: {} }, { protocol: 'tcp' }]] as const) {
    const { run, ticker } = probe(t, nodeAt(port, { ...changes, host: 'localhost' }), request)
    const sample = run() // names are looked up by another thread: none is known before this one rests
    ticker.tick(TIMEOUT_TICKS)
    t.same(outcome(await sample), { class: 'local', message: 'no address from the name service within 300ms' })
  }
})

void t.test('our own trouble is not the node’s', async t => {
  const lit = 'URI:LIT:aa\n'
  const dir = t.testdir({ 'empty.cap': '', 'two.cap': lit + lit, 'no.cap': 'secret words', 'unreadable.cap': lit })
  const missing = `${dir}/missing.cap`
  const rows: ReadonlyArray<readonly [string, string]> = [
    [missing, `cap_file ${missing} cannot be read (ENOENT)`],
    [dir, `cap_file ${dir} cannot be read (EISDIR)`],
    [`${dir}/empty.cap`, `cap_file ${dir}/empty.cap does not hold one cap`],
    [`${dir}/two.cap`, `cap_file ${dir}/two.cap does not hold one cap`],
    [`${dir}/no.cap`, `cap_file ${dir}/no.cap does not hold one cap`]
  ]
  const gateway = await start(t)
  for (const [capFile, message] of rows) {
    for (const kind of ['tahoe-read', 'tahoe-check'] as const) {
      t.same(outcome(await probe(t, nodeAt(gateway.port), { kind, options: { capFile } }).run()), { class: 'local', message })
    }
    const write = probe(t, nodeAt(gateway.port), { kind: 'tahoe-write', options: { capFile, bytes: 10 } })
    t.same(outcome(await write.run()), { class: 'local', message })
  }
  if (process.getuid?.() !== 0) { // root reads everything
    chmodSync(`${dir}/unreadable.cap`, 0)
    const { run } = probe(t, nodeAt(gateway.port), { kind: 'tahoe-read', options: { capFile: `${dir}/unreadable.cap` } })
    t.match(outcome(await run()), { class: 'local', message: /EACCES/ })
  }
  t.equal(gateway.received, 0, 'the gateway was not asked')

  const odd = probe(t, nodeAt(gateway.port), { ...GET, options: { ...GET.options, headers: { 'transfer-encoding': 'chunked' } } })
  t.match(outcome(await odd.run()), { class: 'local' }, 'a request that cannot be sent')
})

void t.test('a host name of which every address fails', async t => {
  const server = createServer()
  const port = await listenOn(t, server)
  server.close()
  const { run } = probe(t, nodeAt(port, { host: 'localhost' }), GET)
  t.match(outcome(await run()), { class: 'refused' })
})
