import t from 'tap'
import type { Files, Gateway, StorageProtocol, Wounds } from '../../src/sim/gateway.ts'
import { ask, CHECK, FILE, front, json, outcome, start, status, type Check } from '../helpers/gateway.ts'

type Said = number | 'hang'
/** Servers connected, of those without space, read, mutable read, upload, check (shares good), overwrite. */
type Seen = readonly [number, number, Said, Said, Said, Said, Said]

/** As measured on Tahoe-LAFS 1.20 with 3 of 5 shares needed and happy at 4. */
const STORAGE: ReadonlyArray<readonly [Partial<Wounds>, Seen, Seen | 'same', string]> = [
  [{}, [5, 0, 200, 200, 200, 5, 200], 'same', 'healthy'],
  [{ storageConnected: 4 }, [4, 0, 200, 200, 200, 4, 200], 'same', 'one down: happy is still reached'],
  [{ storageConnected: 3 }, [3, 0, 200, 200, 500, 3, 200], 'same', 'two down: reads go on, new files do not'],
  [{ storageConnected: 2 }, [2, 0, 410, 410, 500, 2, 200], 'same', 'three down: unreadable, yet overwritten'],
  [{ storageConnected: 1 }, [1, 0, 410, 410, 500, 1, 200], 'same', 'one left: overwriting still answers 200'],
  [{ storageConnected: 0 }, [0, 0, 410, 410, 500, 0, 500], 'same', 'all down: a check is 200 all the same'],
  [{ storageAnnounced: false }, [0, 0, 410, 410, 500, 0, 500], 'same', 'just started: nothing announced yet'],
  [{ storageHung: 1 }, [5, 0, 200, 'hang', 'hang', 'hang', 'hang'], [4, 0, 200, 200, 200, 4, 200],
    'one hangs: Foolscap does not see it, HTTP drops it'],
  [{ storageHung: 2 }, [5, 0, 200, 'hang', 'hang', 'hang', 'hang'], [3, 0, 200, 200, 500, 3, 200], 'two hang'],
  [{ storageHung: 5 }, [5, 0, 'hang', 'hang', 'hang', 'hang', 'hang'], [0, 0, 410, 410, 500, 0, 500],
    'all hang: with Foolscap the front page is as good as ever'],
  [{ storageFull: 1 }, [5, 1, 200, 200, 200, 5, 200], 'same', 'one full'],
  [{ storageFull: 2 }, [5, 2, 200, 200, 500, 5, 200], 'same', 'two full: mutable files are overwritten in place'],
  [{ disksBroken: 2 }, [5, 0, 200, 200, 500, 5, 200], 'same', 'two broken disks: only an upload sees them'],
  [{ disksBroken: 5 }, [5, 0, 200, 200, 500, 5, 500], 'same', 'all disks broken: nothing can be written'],
  [{ storageHung: 1, storageFull: 1 }, [5, 1, 200, 'hang', 'hang', 'hang', 'hang'], [4, 1, 200, 200, 500, 4, 200],
    'one hangs, another one is full'],
  [{ storageFull: 1, disksBroken: 1 }, [5, 1, 200, 200, 500, 5, 200], 'same', 'wounds hit different servers'],
  [{ threadsExhausted: true }, [5, 0, 'hang', 'hang', 'hang', 5, 'hang'], 'same', 'no threads: a check is fine'],
  [{ introducerConnected: false }, [5, 0, 200, 200, 200, 5, 200], 'same', 'no introducer: nothing is wrong yet']
]

async function look (gateway: Gateway): Promise<Seen> {
  const { immutable, mutableRead, mutableWrite } = gateway.caps
  const { servers } = await front(gateway)
  const read = status(await outcome(gateway, `/uri/${immutable}`))
  const mutable = status(await outcome(gateway, `/uri/${mutableRead}`))
  const upload = status(await outcome(gateway, '/uri', { method: 'PUT', body: FILE }))
  const check = await outcome(gateway, `/uri/${immutable}${CHECK}`, { method: 'POST' })
  const good = check === 'hang' ? check : Number(json<Check>(check).results['count-shares-good'])
  const overwrite = status(await outcome(gateway, `/uri/${mutableWrite}`, { method: 'PUT', body: 'canary 1\n' }))
  const connected = servers.filter(server => /^connected\b/i.test(server.connection_status))
  return [connected.length, servers.filter(server => server.available_space === 0).length,
    read, mutable, upload, good, overwrite]
}

for (const protocol of ['foolscap', 'http'] satisfies StorageProtocol[]) {
  await t.test(`${protocol}: what each wound shows`, async t => {
    for (const [wounds, foolscap, http, why] of STORAGE) {
      const gateway = await start(t, { protocol, hangSeenMs: 0 })
      await gateway.wound(wounds)
      const expected = protocol === 'foolscap' || http === 'same' ? foolscap : http
      t.strictSame(await look(gateway), expected, `${why}: ${JSON.stringify(wounds)}`)
      await gateway.heal()
      t.strictSame(await look(gateway), [5, 0, 200, 200, 200, 5, 200], `healed of ${JSON.stringify(wounds)}`)
    }
  })

  await t.test(`${protocol}: how not connected is worded`, async t => {
    const gateway = await start(t, { protocol, hangSeenMs: 0 })
    await gateway.wound({ storageConnected: 4, storageHung: 1, introducerConnected: false })
    const { introducers, servers } = await front(gateway)
    t.match(introducers.statuses, [/^Reconnecting in \d+ seconds \(last attempt \d+s ago\)$/])
    const worded = (i: number): string =>
      servers.find(server => server.nodeid === gateway.nodeIds[i])?.connection_status ?? ''
    const [silent, fine, down] = protocol === 'foolscap'
      ? [/^Connected to tcp:127\.0\.0\.1:\d+ via tcp$/, /^Connected to tcp:/, /^Reconnecting in \d+ seconds/]
      : [/^failure: \[Failure instance: Traceback: .*ResponseNeverReceived/, /^connected$/,
          /ConnectionRefusedError.*\n/]
    t.match(worded(0), silent, 'hangs')
    t.match(worded(1), fine, 'connected')
    t.match(worded(4), down, 'down')
  })
}

await t.test('each front page has another order, and nodes of one grid know the same servers', async t => {
  const [one, other] = [await start(t, { nodeSeed: 'g' }), await start(t, { nodeSeed: 'g' })]
  const ids = async (): Promise<string[]> => (await front(one)).servers.map(server => server.nodeid)
  const [first, second] = [await ids(), await ids()]
  t.notSame(first, second)
  t.strictSame(first.toSorted(), second.toSorted())
  t.strictSame(first.toSorted(), other.nodeIds.toSorted())
  t.ok(first.every(id => /^v0-[a-z2-7]{52}$/.test(id)))
  t.strictSame(one.caps, other.caps)
  t.strictSame(one.file, other.file)
  t.notSame(one.nodeIds, (await start(t, { nodeSeed: 'h' })).nodeIds)
})

await t.test('files come back as they were put', async t => {
  const gateway = await start(t)
  const { immutable, mutableRead, mutableWrite } = gateway.caps
  const read = async (cap: string): Promise<Buffer> => (await ask(gateway, `/uri/${cap}`)).body
  t.equal(gateway.file.length, 20_000)
  t.strictSame(await read(immutable), gateway.file)
  const head = await ask(gateway, `/uri/${immutable}`, { method: 'HEAD' })
  t.strictSame([head.headers['content-length'], head.body.length], ['20000', 0])
  t.equal((await ask(gateway, `/uri/${mutableWrite}`, { method: 'PUT', body: 'new' })).body.toString(), mutableWrite)
  t.equal((await read(mutableRead)).toString(), 'new')
  const cap = (await ask(gateway, '/uri', { method: 'PUT', body: FILE })).body.toString()
  t.match(cap, /^URI:CHK:[a-z2-7]{26}:[a-z2-7]{52}:3:5:62$/)
  t.equal((await read(cap)).toString(), FILE)
  await gateway.wound({ storageConnected: 0 })
  const small = (await ask(gateway, '/uri', { method: 'PUT', body: 'x'.repeat(55) })).body.toString()
  t.match(small, /^URI:LIT:[a-z2-7]{88}$/, 'at most 55 bytes need no storage server')
  t.equal((await read(small)).toString(), 'x'.repeat(55))
  t.equal((await ask(gateway, '/uri', { method: 'PUT', body: 'x'.repeat(56) })).status, 500)
  t.equal((await ask(gateway, `/uri/${cap}`, { method: 'HEAD' })).headers['content-length'], '62', 'nor does HEAD')
})

await t.test('a mutable file overwritten on one storage server lies there alone', async t => {
  const gateway = await start(t)
  const { mutableRead, mutableWrite } = gateway.caps
  await gateway.wound({ storageConnected: 1 })
  await ask(gateway, `/uri/${mutableWrite}`, { method: 'PUT', body: 'fragile' })
  const { results } = json<Check>(await ask(gateway, `/uri/${mutableRead}${CHECK}`, { method: 'POST' }))
  t.match(results, { 'count-shares-good': 5, 'count-happiness': 1, recoverable: true })
})

await t.test('uploads are bounded in number and size', async t => {
  const gateway = await start(t)
  const caps: string[] = []
  for (let i = 0; i <= 32; i += 1) {
    caps.push((await ask(gateway, '/uri', { method: 'PUT', body: `${FILE} ${i}` })).body.toString())
  }
  t.equal((await ask(gateway, `/uri/${caps[0]}`)).status, 410, 'the 33rd pushes the first one out')
  t.equal((await ask(gateway, `/uri/${caps[1]}`)).status, 200)
  t.equal((await ask(gateway, '/uri', { method: 'PUT', body: Buffer.alloc(1024 * 1024) })).status, 200)
  t.equal((await ask(gateway, '/uri', { method: 'PUT', body: Buffer.alloc(1024 * 1024 + 1) })).status, 413)
})

await t.test('a check and errors say what is left', async t => {
  const gateway = await start(t)
  const check = async (): Promise<Check> =>
    json<Check>(await ask(gateway, `/uri/${gateway.caps.immutable}${CHECK}`, { method: 'POST' }))
  t.match(await check(), { summary: 'Healthy', results: { healthy: true, recoverable: true, 'count-happiness': 5 } })
  await gateway.wound({ storageConnected: 4 })
  t.match((await check()).results, { healthy: false, recoverable: true })
  await gateway.wound({ storageConnected: 2 })
  t.match(await check(), {
    summary: 'Not Healthy: 2 shares (enc 3-of-5)',
    results: { healthy: false, recoverable: false, 'count-unrecoverable-versions': 1 }
  })
  t.match((await ask(gateway, `/uri/${gateway.caps.immutable}`)).body.toString(), /^NotEnoughSharesError/)
  t.match((await ask(gateway, `/uri/${gateway.caps.mutableRead}`)).body.toString(), /^UnrecoverableFileError/)
  const { body } = await ask(gateway, '/uri', { method: 'PUT', body: FILE })
  t.match(body.toString(), /UploadUnhappinessError: shares could be placed or found on only 2 server/)
  t.ok(body.length > 10_000 && body.length < 12_000, `a traceback of 11 kB: ${body.length}`)
})

await t.test('an upload waits for a storage server that hangs, then does without it', async t => {
  for (const [hung, expected] of [[1, 200], [2, 500]] as const) {
    const gateway = await start(t, { uploadStallMs: 1 })
    await gateway.wound({ storageHung: hung })
    t.equal((await ask(gateway, '/uri', { method: 'PUT', body: FILE })).status, expected, `${hung} of 5 hang`)
  }
})

await t.test('HTTP sees after a while that a storage server hangs, and answers what waited for it', async t => {
  const gateway = await start(t, { protocol: 'http', hangSeenMs: 50 })
  await gateway.wound({ storageHung: 1 })
  const reply = await ask(gateway, `/uri/${gateway.caps.mutableRead}`)
  t.equal(reply.status, 200)
  t.equal((await front(gateway)).servers.filter(server => server.connection_status === 'connected').length, 4)
})

await t.test('what hung is answered when the storage server comes back', async t => {
  const gateway = await start(t)
  await gateway.wound({ storageHung: 1 })
  const reply = ask(gateway, `/uri/${gateway.caps.mutableRead}`)
  await gateway.arrived(1)
  t.equal(gateway.served, 0)
  await gateway.heal()
  t.equal((await reply).status, 200)
})

await t.test('last_received_data stands still for a storage server that hangs', async t => {
  const gateway = await start(t)
  const heard = async (): Promise<number[]> => {
    const { servers } = await front(gateway)
    return gateway.nodeIds.map(id => servers.find(server => server.nodeid === id)?.last_received_data ?? NaN)
  }
  const before = await heard()
  t.strictSame(await heard(), before, 'Foolscap hears nothing while nothing is asked')
  await gateway.wound({ storageHung: 1 })
  await ask(gateway, `/uri/${gateway.caps.immutable}`)
  const after = await heard()
  t.equal(after[0], before[0])
  t.ok(after.slice(1).every((at, i) => at > (before[i + 1] ?? NaN)), 'the others were heard')
  t.ok(after.every(at => Math.abs(at - Date.now() / 1000) < 60), 'Unix seconds')
})

void t.test('a mutable file made through one gateway is there for all of the grid', async t => {
  const files: Files = new Map()
  const one = await start(t, { files })
  const other = await start(t, { files })
  const made = await ask(one, '/uri?format=SDMF', { method: 'PUT', body: FILE })
  const write = made.body.toString()
  t.match(write, /^URI:SSK:/, 'its write cap is the answer')
  const info = json<[string, { ro_uri: string, rw_uri: string, mutable: boolean }]>(await ask(other, `/uri/${write}?t=json`))
  t.match(info, ['filenode', { rw_uri: write, ro_uri: /^URI:SSK-RO:/, mutable: true }], 'its caps by t=json')
  t.equal((await ask(other, `/uri/${info[1].ro_uri}`)).body.toString(), FILE, 'read by its read cap')
  const less = json<[string, { rw_uri?: string }]>(await ask(other, `/uri/${info[1].ro_uri}?t=json`))
  t.equal(less[1].rw_uri, undefined, 'the read cap does not give away the write cap')
  await one.wound({ storageConnected: 0 })
  t.equal((await ask(one, '/uri?format=SDMF', { method: 'PUT', body: FILE })).status, 500, 'none without storage servers')
})
