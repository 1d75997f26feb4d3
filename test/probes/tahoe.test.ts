import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Facts, ProbeError } from '../../src/core/model.ts'
import type { ProbeRequest } from '../../src/core/probe.ts'
import { statisticsFacts } from '../../src/probes/tahoe-statistics.ts'
import { sizeIn } from '../../src/probes/tahoe-read.ts'
import { SERVERS_MAX, welcomeFacts } from '../../src/probes/tahoe-welcome.ts'
import type { Gateway } from '../../src/sim/gateway.ts'
import { ask, front, start } from '../helpers/gateway.ts'
import { listenOn, nodeAt, outcome, probe, TIMEOUT_TICKS } from './bench.ts'

const WELCOME: ProbeRequest = { kind: 'tahoe-welcome', options: {} }
const PROTOCOLS = ['foolscap', 'http'] as const
const AGE_MS_MAX = 1500 // of a Date header that is cut to seconds

const look = async (t: Test, gateway: Gateway, request: ProbeRequest): Promise<Facts | ProbeError> =>
  outcome(await probe(t, nodeAt(gateway.port), request).run())

/** What becomes of a poll that the gateway receives and does not answer. */
async function lookInVain (t: Test, gateway: Gateway, request: ProbeRequest): Promise<Facts | ProbeError> {
  const { run, ticker } = probe(t, nodeAt(gateway.port), request)
  const { received } = gateway
  const sample = run()
  await gateway.arrived(received + 1)
  ticker.tick(TIMEOUT_TICKS)
  return outcome(await sample)
}

function capFile (t: Test, cap: string): string {
  const file = `${t.testdir()}/canary.cap`
  writeFileSync(file, `${cap}\n`)
  return file
}

void t.test('welcome: a healthy gateway', async t => {
  for (const protocol of PROTOCOLS) {
    const gateway = await start(t, { protocol })
    const facts = await look(t, gateway, WELCOME) as Facts
    t.match(facts, {
      introducersConnected: 1, introducersTotal: 1, introducerStatus: '', storageConnected: 5, storageTotal: 5, storageStatus: ''
    }, protocol)
    t.same([...facts['ids'] as string[]].sort(), [...gateway.nodeIds].sort(), `${protocol}: who is connected`)
    t.ok((facts['spaces'] as number[]).every(space => space > 1e9), `${protocol}: space`)
    t.ok((facts['agesMs'] as number[]).every(age => age >= 0 && age <= AGE_MS_MAX), `${protocol}: all heard just now`)
  }
})

void t.test('welcome: wounded gateways', async t => {
  const refused = {
    foolscap: 'Reconnecting',
    http: /^ConnectionRefusedError: Connection was refused by other /
  }
  for (const protocol of PROTOCOLS) {
    const gateway = await start(t, { protocol })
    await gateway.wound({ storageConnected: 2 })
    const facts = await look(t, gateway, WELCOME) as Facts
    t.match(facts, { storageConnected: 2, storageTotal: 5, storageStatus: refused[protocol] }, `${protocol}: three lost`)
    t.ok(String(facts['storageStatus']).length <= 60, `${protocol}: no more than its first words`)
    t.same([...facts['ids'] as string[]].sort(), gateway.nodeIds.slice(0, 2).sort(), `${protocol}: which are left`)
    for (const list of ['ids', 'spaces', 'agesMs']) t.equal((facts[list] as unknown[]).length, 2, `${protocol}: ${list} of the connected`)

    await gateway.wound({ storageConnected: Infinity, storageAnnounced: false })
    const none = { storageConnected: 0, storageTotal: 0, storageStatus: '', ids: [] }
    t.match(await look(t, gateway, WELCOME), none, `${protocol}: none known yet`)

    await gateway.wound({ storageAnnounced: true, storageFull: 3, introducerConnected: false })
    const full = await look(t, gateway, WELCOME) as Facts
    t.equal((full['spaces'] as number[]).filter(space => space === 0).length, 3, `${protocol}: three full`)
    t.match(full, { introducersConnected: 0, introducersTotal: 1, introducerStatus: /^Reconnecting/ }, `${protocol}: introducer lost`)
  }
})

void t.test('welcome: pages that no gateway sends, and some that it might', async t => {
  const server = { nodeid: 'v0-a', connection_status: 'connected', available_space: 5, last_received_data: 100 }
  const page = (...servers: unknown[]): unknown => ({ introducers: { statuses: ['Connected to x via tcp'] }, servers })
  const rows: ReadonlyArray<readonly [unknown, number | undefined, object, string]> = [
    [page(server), 160_000, { storageConnected: 1, ids: ['v0-a'], spaces: [5], agesMs: [60_000] }, 'an age by the gateway’s own clock'],
    [page(server), undefined, { agesMs: [null] }, 'no clock, no age'],
    [page(server), 50_000, { agesMs: [0] }, 'heard in the future is heard now'],
    [page({ ...server, last_received_data: null, available_space: null }), 160_000, { spaces: [null], agesMs: [null] }, 'not known'],
    [page({ ...server, available_space: 'lots' }), 160_000, { spaces: [null] }, 'no number'],
    [page({ ...server, connection_status: 'Connected via listener (x)' }), 1, { storageConnected: 1 }, 'another way in'],
    [page({ ...server, connection_status: 'CONNECTED' }), 1, { storageConnected: 1 }, 'letter case'],
    [page({ ...server, connection_status: 'connectedness' }), 1, { storageConnected: 0, storageStatus: 'connectedness' }, 'another word'],
    [page({ ...server, connection_status: 'not connected' }), 1, { storageConnected: 0 }, 'not'],
    [page({ ...server, connection_status: null }, {}, 'x', null), 1, { storageConnected: 0, storageTotal: 2 }, 'no status, no server'],
    [page({ ...server, nodeid: 'v0-"a"\nURI:CHK:k:h' }), 1, { ids: ["v0-'a' URI:[redacted]"] }, 'an identity with more in it'],
    [page({ ...server, connection_status: 'lost\n<pb://key@host/swiss>' }), 1, { storageStatus: "lost 'pb://[redacted]'" }, 'words'],
    [{ servers: [] }, 1, { introducersConnected: 0, introducersTotal: 0 }, 'no introducers'],
    [{ introducers: { statuses: 'x' }, servers: [] }, 1, { introducersTotal: 0 }, 'odd introducers'],
    [{ introducers: { statuses: ['Connected to a', 7, 'unstarted'] }, servers: [] }, 1, {
      introducersConnected: 1, introducersTotal: 3, introducerStatus: '7'
    }, 'three']
  ]
  for (const [json, nowMs, facts, why] of rows) t.match(welcomeFacts(json, nowMs), facts, why)
  for (const json of [null, [], 'text', 5, {}, { servers: {} }, { servers: null }]) {
    t.throws(() => welcomeFacts(json, 1), /not the front page of a gateway/, JSON.stringify(json))
  }
  const many = (n: number): Facts => welcomeFacts(page(...Array.from({ length: n }, () => server)), 1)
  t.equal(many(SERVERS_MAX)['storageConnected'], SERVERS_MAX)
  t.equal(many(SERVERS_MAX + 1)['storageConnected'], SERVERS_MAX, 'more are not looked at')
})

void t.test('welcome and statistics: an answer that is no page of a gateway', async t => {
  let [status, body] = [200, '']
  const server = createServer((_, res) => { res.writeHead(status).end(body) })
  const port = await listenOn(t, server)
  const rows: ReadonlyArray<readonly [number, string, RegExp]> = [
    [200, '<html>', /is not JSON$/],
    [200, '', /is not JSON$/],
    [200, '{"a":1}', /not the front page|holds no stats/],
    [500, '{}', /answered 500, needs 200$/],
    [302, '', /answered 302, needs 200$/],
    [204, '', /answered 204, needs 200$/]
  ]
  for (const [code, said, message] of rows) {
    [status, body] = [code, said]
    for (const request of [WELCOME, { kind: 'tahoe-statistics', options: {}, wants: ['x'] } as const]) {
      t.match(outcome(await probe(t, nodeAt(port), request).run()), { class: 'protocol', message }, `${request.kind}: ${code} ${said}`)
    }
  }
})

void t.test('statistics: what is wanted', async t => {
  const gateway = await start(t)
  await ask(gateway, `/uri/${gateway.caps.immutable}`)
  const wants = ['node.uptime', 'cpu_monitor.total', 'downloader.files_downloaded', 'cpu_monitor.1min_avg', 'load_monitor.avg_load']
  const facts = await look(t, gateway, { kind: 'tahoe-statistics', options: {}, wants }) as Facts
  t.same(Object.keys(facts).sort(), ['cpu_monitor.total', 'downloader.files_downloaded', 'latencyMs', 'node.uptime'], 'and is there')
  t.equal(facts['downloader.files_downloaded'], 1, 'a counter')
  t.ok(Number(facts['node.uptime']) >= 0, 'a statistic')

  const json = { stats: { a: 1, both: 2, text: 'x', none: null }, counters: { both: 3, c: 4 } }
  t.same(statisticsFacts(json, ['a', 'both', 'c', 'text', 'none', 'missing', 'constructor']), { a: 1, both: 2, c: 4 })
  t.same(statisticsFacts({ stats: {} }, ['a']), {}, 'no counters yet')
})

void t.test('read: status, length and hash', async t => {
  for (const protocol of PROTOCOLS) {
    const gateway = await start(t, { protocol })
    const sha256 = createHash('sha256').update(gateway.file).digest('hex')
    const immutable = { kind: 'tahoe-read', options: { capFile: capFile(t, gateway.caps.immutable) } } as const
    t.match(await look(t, gateway, immutable), { status: 200, bytes: 20_000, expectedBytes: 20_000, sha256 }, `${protocol}: immutable`)
    const file = `${t.testdir()}/mutable.cap`
    writeFileSync(file, gateway.caps.mutableRead)
    const mutable = { kind: 'tahoe-read', options: { capFile: file } } as const
    const facts = await look(t, gateway, mutable)
    t.match(facts, { status: 200, bytes: 9, sha256: createHash('sha256').update('canary 0\n').digest('hex') }, `${protocol}: mutable`)
    t.notOk('expectedBytes' in facts, `${protocol}: its cap does not tell its length`)
    writeFileSync(file, gateway.caps.immutable)
    t.match(await look(t, gateway, mutable), { bytes: 20_000 }, `${protocol}: the cap is read at each look`)

    await gateway.wound({ storageConnected: 2 })
    t.match(await look(t, gateway, mutable), { status: 410 }, `${protocol}: too few servers`)
    await gateway.wound({ storageConnected: Infinity, threadsExhausted: true })
    t.match(await lookInVain(t, gateway, mutable), { class: 'timeout' }, `${protocol}: no threads`)
  }
})

void t.test('read: the length in a cap', async t => {
  const rows: ReadonlyArray<readonly [string, number | undefined]> = [
    ['URI:CHK:key:hash:3:10:1234', 1234],
    ['URI:CHK:key:hash:3:10:0', 0],
    ['URI:CHK-Verifier:key:hash:3:10:1234', undefined],
    ['URI:SSK:key:hash', undefined],
    ['URI:SSK-RO:key:hash', undefined],
    ['URI:MDMF:key:hash:3:131073', undefined],
    ['URI:DIR2-CHK:key:hash:3:10:1234', undefined],
    ['URI:LIT:abcd', undefined]
  ]
  for (const [cap, bytes] of rows) t.equal(sizeIn(cap), bytes, cap)
})

void t.test('write: an upload', async t => {
  for (const protocol of PROTOCOLS) {
    const gateway = await start(t, { protocol })
    const upload = { kind: 'tahoe-write', options: { bytes: 1000 } } as const
    for (let i = 0; i < 2; i += 1) {
      const facts = await look(t, gateway, upload)
      t.same(facts, { status: 200, latencyMs: 0 }, `${protocol}: the status and nothing of the cap`)
    }
    const { counters } = JSON.parse((await ask(gateway, '/statistics?t=json')).body.toString()) as { counters: object }
    t.match(counters, { 'uploader.files_uploaded': 2, 'uploader.bytes_uploaded': 2000 }, protocol)
    t.match(gateway.log[0], { method: 'PUT', kind: 'upload' })
    for (const wounds of [{ storageConnected: 3 }, { storageConnected: 5, disksBroken: 2 }, { disksBroken: 0, storageFull: 2 }]) {
      await gateway.wound(wounds)
      t.match(await look(t, gateway, upload), { status: 500 }, `${protocol}: ${JSON.stringify(wounds)}`)
    }
    await gateway.wound({ storageFull: 0, threadsExhausted: true })
    t.match(await lookInVain(t, gateway, upload), { class: 'timeout' }, `${protocol}: no threads`)
  }
})

void t.test('write: in place', async t => {
  const gateway = await start(t)
  const file = capFile(t, gateway.caps.mutableWrite)
  const { run } = probe(t, nodeAt(gateway.port), { kind: 'tahoe-write', options: { capFile: file, bytes: 50 } })
  const seen = new Set<string>()
  for (let i = 0; i < 3; i += 1) {
    t.same(outcome(await run()), { status: 200, latencyMs: 0 })
    const { body } = await ask(gateway, `/uri/${gateway.caps.mutableRead}`)
    t.equal(body.length, 50)
    seen.add(body.toString())
  }
  t.equal(seen.size, 3, 'other content each time')
  t.equal(gateway.log[0]?.kind, 'overwrite')
  await gateway.wound({ storageConnected: 0 })
  t.match(await look(t, gateway, { kind: 'tahoe-write', options: { capFile: file, bytes: 50 } }), { status: 500 })
  writeFileSync(file, gateway.caps.mutableRead)
  t.match(outcome(await run()), { status: 400 }, 'a read cap writes nothing')
  t.equal(readFileSync(file, 'utf8'), gateway.caps.mutableRead)
})

void t.test('check', async t => {
  for (const protocol of PROTOCOLS) {
    const gateway = await start(t, { protocol })
    const check = { kind: 'tahoe-check', options: { capFile: capFile(t, gateway.caps.mutableRead) } } as const
    const rows = [
      [{}, { status: 200, recoverable: true, healthy: true, happiness: 5, sharesGood: 5 }],
      [{ storageConnected: 4 }, { status: 200, recoverable: true, healthy: false, happiness: 4, sharesGood: 4 }],
      [{ storageConnected: 2 }, { status: 200, recoverable: false, healthy: false, happiness: 2, sharesGood: 2 }],
      [{ storageConnected: 0 }, { status: 200, recoverable: false, healthy: false, happiness: 0, sharesGood: 0 }]
    ] as const
    for (const [wounds, facts] of rows) {
      await gateway.wound(wounds)
      t.match(await look(t, gateway, check), facts, `${protocol}: ${JSON.stringify(wounds)}`)
    }
    await gateway.wound({ storageConnected: 5, storageHung: 1 })
    t.match(await lookInVain(t, gateway, check), { class: 'timeout' }, `${protocol}: one storage server hangs`)
  }
})

void t.test('check: answers without results', async t => {
  let [status, body] = [200, '']
  const server = createServer((_, res) => { res.writeHead(status).end(body) })
  const { run } = probe(t, nodeAt(await listenOn(t, server)), { kind: 'tahoe-check', options: { capFile: capFile(t, 'URI:LIT:aa') } })
  const rows: ReadonlyArray<readonly [number, string, object, string]> = [
    [200, '{"results":{"healthy":true}}', { healthy: true, recoverable: false, happiness: 0, sharesGood: 0 }, 'a literal file'],
    [200, '{}', { class: 'protocol', message: 'the check holds no results' }, 'no results'],
    [200, '[]', { class: 'protocol' }, 'a list'],
    [200, '<html>', { class: 'protocol', message: 'the check is not JSON' }, 'a page'],
    [410, '<html>', { status: 410 }, 'an error is told by its status']
  ]
  for (const [code, said, wanted, why] of rows) {
    [status, body] = [code, said]
    t.match(outcome(await run()), wanted, why)
  }
})

void t.test('a gateway as the front page of the simulation shows it', async t => {
  const gateway = await start(t, { storageServers: 10 })
  await gateway.wound({ storageConnected: 7 })
  const { servers } = await front(gateway)
  const facts = await look(t, gateway, WELCOME) as Facts
  t.equal(facts['storageConnected'], servers.filter(server => /^connected\b/i.test(server.connection_status)).length)
})
