import { Agent } from 'node:http'
import t from 'tap'
import { clean } from '../../src/core/text.ts'
import { Gateway, type Wounds } from '../../src/sim/gateway.ts'
import { ask, CHECK, failure, FILE, front, outcome, start, statistics, type Ask } from '../helpers/gateway.ts'

await t.test('the answers of a healthy node', async t => {
  const gateway = await start(t)
  const { immutable, mutableRead, mutableWrite } = gateway.caps
  const put = { method: 'PUT', body: FILE }
  const table: ReadonlyArray<readonly [string, Ask, number, string, string]> = [
    ['/?t=json', {}, 200, 'application/json; charset=utf-8', 'front page for programs'],
    ['/', {}, 200, 'text/html', 'front page for people'],
    ['/statistics?t=json', {}, 200, 'text/plain', 'statistics are not sent as JSON'],
    ['/statistics?t=openmetrics', {}, 200, 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'metrics'],
    [`/uri/${immutable}`, {}, 200, 'text/plain', 'an immutable file'],
    [`/uri/${encodeURIComponent(immutable)}`, {}, 200, 'text/plain', 'its cap may be percent-encoded'],
    [`/uri/${immutable}`, { method: 'HEAD' }, 200, 'text/plain', 'HEAD'],
    [`/uri/${mutableRead}`, {}, 200, 'text/plain', 'a mutable file by its read cap'],
    [`/uri/${mutableWrite}`, {}, 200, 'text/plain', 'and by its write cap'],
    [`/uri/${immutable}${CHECK}`, { method: 'POST' }, 200, 'text/plain', 'a check is not sent as JSON'],
    ['/uri', put, 200, 'text/html', 'upload'],
    [`/uri/${mutableWrite}`, put, 200, 'text/html', 'overwrite'],
    [`/uri/${mutableRead}`, put, 400, 'text/plain;charset=utf-8', 'a read cap writes nothing'],
    [`/uri/${immutable}`, put, 400, 'text/plain;charset=utf-8', 'immutable is immutable'],
    ['/uri/URI:CHK:short:short:3:5:9', {}, 400, 'text/plain;charset=utf-8', 'no cap'],
    [`/uri/${immutable.replace(/\d+$/, '9')}`, {}, 410, 'text/plain;charset=utf-8', 'a cap nobody knows'],
    ['/uri/%zz', {}, 400, 'text/plain;charset=utf-8', 'a stray percent sign'],
    ['/uri?t=mkdir', { method: 'POST' }, 400, 'text/plain;charset=utf-8', 'not spoken here'],
    ['/storage?t=json', {}, 500, 'text/html', 'a gateway has no storage'],
    ['/nothing', {}, 404, 'text/html', 'not found']
  ]
  for (const [path, options, code, type, why] of table) {
    const reply = await ask(gateway, path, options)
    t.strictSame([reply.status, reply.headers['content-type']], [code, type], why)
    t.ok(Math.abs(Date.parse(reply.headers.date ?? '') - Date.now()) < 5000, `${why}: has the time`)
  }
})

await t.test('statistics: uptime and CPU grow, counters count, and a restart begins anew', async t => {
  const gateway = await start(t)
  await gateway.wound({ cpu: 0.5 })
  const first = await statistics(gateway)
  t.strictSame(first.counters, {}, 'fresh')
  await ask(gateway, `/uri/${gateway.caps.immutable}`)
  const second = await statistics(gateway)
  t.match(second.counters, { 'downloader.files_downloaded': 1, 'downloader.bytes_downloaded': 20_000 })
  const grown = (name: string): number => (second.stats[name] ?? NaN) - (first.stats[name] ?? NaN)
  t.ok(grown('node.uptime') > 0)
  t.ok(Math.abs(grown('cpu_monitor.total') / grown('node.uptime') - 0.5) < 0.001)
  const metrics = (await ask(gateway, '/statistics?t=openmetrics')).body.toString()
  t.match(metrics, /^tahoe_counters_downloader_files_downloaded_total 1$/m)
  t.match(metrics, /^tahoe_stats_node_uptime [\d.]+\n# EOF\n$/m)
  const begin = performance.now()
  await gateway.wound({ mode: 'refused' })
  await gateway.heal()
  const restarted = await statistics(gateway)
  t.strictSame(restarted.counters, {})
  t.ok((restarted.stats['node.uptime'] ?? NaN) * 1000 < performance.now() - begin)
})

await t.test('refused: nothing listens, then the same port again', async t => {
  const gateway = await start(t)
  const { port } = gateway
  await gateway.wound({ mode: 'refused' })
  t.equal(await failure(ask(gateway, '/')), 'ECONNREFUSED')
  await gateway.wound({ delayMs: 0 })
  t.equal(await failure(ask(gateway, '/')), 'ECONNREFUSED', 'until it heals')
  await gateway.heal()
  t.equal(gateway.port, port)
  t.equal(await failure(ask(gateway, '/')), 200)
  const refuse = { mode: 'refused' } as const
  await Promise.all([gateway.wound(refuse), gateway.heal(), gateway.wound(refuse), gateway.heal()])
  t.equal(await failure(ask(gateway, '/')), 200, 'the last word counts')
})

await t.test('blocked: everything is answered at once when it ends', async t => {
  const gateway = await start(t)
  await gateway.wound({ mode: 'blocked' })
  const { immutable, mutableWrite } = gateway.caps
  const replies = Promise.all([
    ask(gateway, '/?t=json'), ask(gateway, '/statistics?t=json'), ask(gateway, `/uri/${immutable}`),
    ask(gateway, `/uri/${mutableWrite}`, { method: 'PUT', body: 'late' })
  ])
  await gateway.arrived(4)
  t.equal(gateway.served, 0)
  await gateway.heal()
  t.strictSame((await replies).map(reply => reply.status), [200, 200, 200, 200])
})

await t.test('hang: no answer ever; what was asked meanwhile is dropped, what comes later is answered', async t => {
  const gateway = await start(t)
  await gateway.wound({ mode: 'hang' })
  t.equal(await outcome(gateway, '/?t=json'), 'hang')
  const reply = failure(ask(gateway, '/?t=json'))
  await gateway.arrived(2)
  await gateway.wound({ mode: 'ok' })
  t.equal(await reply, 'ECONNRESET')
  t.equal(gateway.served, 0)
  t.equal((await ask(gateway, '/?t=json')).status, 200)
})

await t.test('accept-close: a reset or an empty reply, also on connections that were there', async t => {
  const gateway = await start(t)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  await ask(gateway, '/', { agent })
  await ask(gateway, '/', { agent })
  t.equal(gateway.connections, 1, 'keep-alive')
  await gateway.wound({ mode: 'accept-close' })
  t.match(String(await failure(ask(gateway, '/', { agent }))), /^(ECONNRESET|EPIPE)$/)
  t.match(String(await failure(ask(gateway, '/'))), /^(ECONNRESET|EPIPE)$/)
  t.ok(gateway.connections >= 2, 'it was accepted')
  t.equal(gateway.served, 2)
  await gateway.heal()
  t.equal((await ask(gateway, '/')).status, 200)
})

await t.test('a delay makes every answer late', async t => {
  const gateway = await start(t)
  await gateway.wound({ delayMs: 50 })
  const begin = performance.now()
  t.equal((await ask(gateway, '/')).status, 200)
  t.ok(performance.now() - begin > 45)
})

await t.test('stop closes everything at once, also what hangs, is late or was refused', async t => {
  const wounds: ReadonlyArray<Partial<Wounds>> = [{ mode: 'hang' }, { mode: 'blocked' }, { delayMs: 3_600_000 }]
  for (const wound of wounds) {
    const gateway = await start(t)
    await gateway.wound(wound)
    const reply = failure(ask(gateway, '/'))
    await gateway.arrived(1)
    await gateway.stop()
    t.equal(await reply, 'ECONNRESET', JSON.stringify(wound))
    t.equal(await failure(ask(gateway, '/')), 'ECONNREFUSED')
    await t.rejects(gateway.heal(), { message: 'gateway gateway is stopped' })
    await gateway.stop()
  }
  const gateway = await start(t)
  await gateway.wound({ mode: 'refused' })
  await gateway.stop()
  t.equal(await failure(ask(gateway, '/')), 'ECONNREFUSED')
})

await t.test('a port that is taken is said at the start', async t => {
  const { port } = await start(t)
  await t.rejects(Gateway.start({ port }), { code: 'EADDRINUSE' })
})

await t.test('a leak is in every answer but the files, and what we show is clean of it', async t => {
  const gateway = await start(t)
  const leak = ` ${gateway.caps.mutableWrite}`
  await gateway.wound({ leak, storageConnected: 2 })
  const put = { method: 'PUT', body: FILE }
  const table: ReadonlyArray<readonly [string, Ask]> = [
    ['/', {}], ['/?t=json', {}], ['/statistics', {}], ['/statistics?t=json', {}], ['/statistics?t=openmetrics', {}],
    [`/uri/${gateway.caps.immutable}`, {}], [`/uri/${gateway.caps.mutableRead}`, {}], ['/uri/x', {}], ['/uri', put],
    [`/uri/${gateway.caps.immutable}${CHECK}`, { method: 'POST' }], ['/nothing', {}]
  ]
  for (const [path, options] of table) {
    const { headers, body } = await ask(gateway, path, options)
    t.ok(body.includes(leak), `body of ${path}`)
    for (const name of ['server', 'content-type', 'etag'] as const) {
      t.ok(String(headers[name]).includes(leak.trim()), `${name} of ${path}`)
    }
    t.notOk(clean(body.toString(), 20_000).includes(leak.trim()), `${path}, cleaned`)
  }
  const { servers } = await front(gateway)
  t.ok(servers.every(server => server.connection_status.endsWith(leak)))
  await gateway.wound({ leak: 'two\r\nlines "quoted"' })
  t.equal((await ask(gateway, '/')).status, 200, 'headers cannot carry everything')
})

await t.test('the log knows what was asked, without caps, and is bounded', async t => {
  const gateway = await start(t)
  const { immutable, mutableWrite } = gateway.caps
  await ask(gateway, `/uri/${immutable}`, { method: 'HEAD' })
  await ask(gateway, `/uri/${mutableWrite}`, { method: 'PUT', body: 'x' })
  await ask(gateway, `/uri/${immutable}${CHECK}`, { method: 'POST' })
  t.strictSame(gateway.log, [
    { method: 'HEAD', kind: 'read', status: 200 },
    { method: 'PUT', kind: 'overwrite', status: 200 },
    { method: 'POST', kind: 'check', status: 200 }
  ])
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  for (let i = 0; i < 198; i += 1) await ask(gateway, '/', { agent })
  t.equal(gateway.served, 201)
  t.equal(gateway.log.length, 200)
  t.equal(gateway.log[0]?.kind, 'overwrite')
})
