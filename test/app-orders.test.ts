/** Orders, windows, tokens and the journal in the agent as a whole, over its ports. */
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { EventView, GivenBody, StatusBody } from '../src/admin/api.ts'
import { makeToken } from '../src/admin/tokens.ts'
import type { App } from '../src/app.ts'
import { startApp } from '../src/app.ts'
import { ConfigError } from '../src/config/problems.ts'
import { SimClock } from '../src/sim/clock.ts'
import { ask, place, show, silentNode, start, type Place } from './helpers/agent.ts'
import { until } from './helpers/until.ts'
import { Sink } from './runtime/sink.ts'

interface Answer { readonly status: number, readonly body: Readonly<Record<string, unknown>> }

/** What the admin port answers to a request with a body, or to a DELETE. */
async function tell (dir: string, method: string, path: string, body?: object): Promise<Answer> {
  const sent = request({ socketPath: join(dir, 'admin.sock'), path, method, agent: false, headers: body === undefined ? {} : { 'content-type': 'application/json' } })
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return { status: answer.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) as Answer['body'] }
}

const FARM = async (t: Test): Promise<string> => `{ profile: tcp, servers: { a: "tcp://${await silentNode(t)}", b: "tcp://${await silentNode(t)}" }, policy: { interval: 1h } }`

interface Life extends Place { readonly clock: SimClock, readonly sink: Sink, readonly app: App }

async function live (home: Place, clock: SimClock, text?: string): Promise<Life> {
  const sink = new Sink()
  const app = await start(text === undefined ? home.config() : home.config([], text), clock, sink)
  let up = 0
  while (up < 2) {
    await clock.advance(100)
    up = sink.raw.filter(line => /"to":"(?:up|drain|maint)"/.test(line)).length
  }
  return { ...home, clock, sink, app }
}

async function end ({ app, clock }: Pick<Life, 'app' | 'clock'>): Promise<void> {
  const stopped = app.stop()
  await clock.advance(6000)
  await stopped
}

const DRAIN = { action: 'drain', reason: 'kernel', by: 'ana' }

void t.test('an order: the next answer, its end, and a restart in between', async t => {
  const home = place(t, await FARM(t))
  const clock = new SimClock({ epochMs: Date.UTC(2026, 10, 24, 3) })
  const first = await live(home, clock)
  const given = await tell(home.dir, 'PUT', '/v1/overrides/web/a', { ...DRAIN, forMs: 60_000 })
  t.equal(given.status, 200)
  const { overrides, servers, backends, notes } = given.body as GivenBody
  t.match(overrides, [{ scope: 'web/a', action: 'drain', by: 'ana', reason: 'kernel', kind: 'override', status: 'counts', endsInMs: 60_000 }])
  t.match(servers, [{ server: 'web/a', state: 'drain', reply: 'drain up #drain by ana: kernel', next: 'drain ends in 1m' }])
  t.strictSame(backends, [{ backend: 'web', inService: 1, servers: 2 }])
  t.strictSame(notes, ['no HAProxy asks for web/a: nobody hears of it there'])
  t.equal(await ask(home.dir), 'drain up #drain by ana: kernel')
  t.equal(await ask(home.dir, 'web/b'), 'up 100%')
  t.match(first.sink.take().slice(-3), [{ event: 'override.set' }, { event: 'server.state', to: 'drain' }, { event: 'poller.first' }], 'the order, and then what comes of it')
  await clock.advance(0.4)
  const { events } = await show(home.dir, '/v1/events') as { readonly events: readonly EventView[] }
  t.strictSame([events.at(-1)?.event, events.some(({ event }) => event === 'poll.done')], ['poller.first', false], 'all but debug is an event')
  const until = new Date(clock.wall() + 3_600_000).toISOString()
  await tell(home.dir, 'PUT', '/v1/overrides/web/b', { action: 'up', reason: 'test', until })
  t.match(await show(home.dir, '/v1/overrides'), { overrides: [{}, { until }] }, 'a moment is shown as it was given')
  await tell(home.dir, 'DELETE', '/v1/overrides/web/b')
  t.match(await show(home.dir, '/v1/servers/web/a/traffic'), { haproxys: [], waiting: [] })
  await end(first)

  const second = await live(home, clock)
  t.match(second.sink.all().slice(0, 2), [{ event: 'agent.start' }, { event: 'server.state', server: 'web/a', to: 'drain' }], 'first of all it says that it starts')
  t.equal(await ask(home.dir), 'drain up #drain by ana: kernel', 'the first answer of the next agent')
  const { overrides: [left] } = await show(home.dir, '/v1/overrides') as { readonly overrides: ReadonlyArray<{ readonly endsInMs: number }> }
  await clock.advance(left!.endsInMs - 1)
  t.equal(await ask(home.dir), 'drain up #drain by ana: kernel', 'a ms before its end')
  await clock.advance(1)
  t.equal(await ask(home.dir), 'ready up 100%', 'its end is a comparison of times')
  await clock.advance(1000)
  t.match(second.sink.take().filter(({ event }) => event === 'override.expired'), [{ event: 'override.expired', scope: 'web/a', by: 'ana', reason: 'kernel' }])
  t.match(await show(home.dir, '/v1/overrides'), { overrides: [] })
  await end(second)
})

void t.test('all or none, and a disk that is full refuses', async t => {
  const home = place(t, await FARM(t))
  const life = await live(home, new SimClock())
  const both = await tell(home.dir, 'POST', '/v1/overrides', { ...DRAIN, targets: ['web/a', 'web/b'] })
  t.equal(both.status, 409)
  t.match(both.body, { code: 'min_up', left: [], detail: /web would have 0 of 2 servers .* --force/ })
  t.equal(await ask(home.dir), 'up 100%')

  mkdirSync(join(home.dir, 'state'), { recursive: true })
  symlinkSync('/dev/full', join(home.dir, 'state/orders.json.new'))
  const full = await tell(home.dir, 'POST', '/v1/overrides', { ...DRAIN, targets: ['web/a'] })
  t.equal(full.status, 507)
  t.match(full.body, { code: 'disk', detail: /orders\.json cannot be written \(ENOSPC\)/ })
  t.equal(await ask(home.dir), 'up 100%', 'it goes on as before')
  rmSync(join(home.dir, 'state/orders.json.new'))
  t.equal((await tell(home.dir, 'POST', '/v1/overrides', { ...DRAIN, targets: ['web/a'] })).status, 200, 'and takes orders again')
  t.equal((await tell(home.dir, 'DELETE', '/v1/overrides/web/a?by=bo')).status, 200)
  t.equal(await ask(home.dir), 'up 100%')
  await end(life)
})

void t.test('a maintenance window begins and ends by the calendar, and a reload changes it', async t => {
  const window = 'maintenance: [{ at: "03:00", for: 10m, zone: UTC, action: maint, force: true, reason: backup }]'
  const farm = await FARM(t)
  const home = place(t, farm.replace('{ profile', `{ ${window}, profile`))
  const clock = new SimClock({ epochMs: Date.UTC(2026, 10, 24, 2, 59) })
  const life = await live(home, clock)
  const status = await show(home.dir, '/v1/status') as StatusBody
  t.match(status.overrides, [{ scope: 'web/*', action: 'maint', kind: 'window', status: 'coming', from: '2026-11-24T03:00:00.000Z', until: '2026-11-24T03:10:00.000Z' }])
  t.match(status.servers[0], { next: /^maint in (?:1m|\d+s) \(maintenance: backup\)$/ })
  await clock.advance(Date.UTC(2026, 10, 24, 3) - clock.wall() - 1)
  t.equal(await ask(home.dir), 'up 100%')
  await clock.advance(1)
  t.equal(await ask(home.dir), 'maint up #maint of web/* by maintenance: backup')
  t.equal((await tell(home.dir, 'PUT', '/v1/overrides/web/a', { ...DRAIN, action: 'ready' })).status, 200)
  t.equal(await ask(home.dir), 'ready up 100%', 'exempt')
  await clock.advance(1000)
  t.match(life.sink.take().filter(({ event }) => event.startsWith('window')), [{ event: 'window.begin', scope: 'web/*', action: 'maint', reason: 'backup' }])

  await life.app.reload(place(t, farm).config([], `admin: { listen: "unix:${home.dir}/admin.sock" }`)).catch((error: unknown) => error) // another state_dir: refused
  t.equal(await ask(home.dir, 'web/b'), 'maint up #maint of web/* by maintenance: backup', 'a config that is refused changes no window')
  await life.app.reload({ ...home.config(), windows: [] })
  t.equal(await ask(home.dir, 'web/b'), 'ready up 100%', 'a window that is gone')
  await end(life)
})

void t.test('a reload by request: what is wrong with the file, or the new farm', async t => {
  const home = place(t, await FARM(t))
  const clock = new SimClock()
  const sink = new Sink()
  const next: { read: () => ReturnType<Place['config']> } = { read: () => home.config() }
  const app = await startApp(home.config(), { log: sink.log, version: '1.2.3', clock, readConfig: () => next.read() })
  next.read = () => { throw new ConfigError([{ file: 'hcf.yaml', line: 3, column: 5, path: 'backends.web', message: 'must be a mapping' }]) }
  t.match(await tell(home.dir, 'POST', '/v1/reload'), { status: 422, body: { problems: ['hcf.yaml:3:5: backends.web must be a mapping'] } })
  t.match(sink.take().at(-1), { event: 'config.rejected', level: 'error' })
  next.read = () => home.config(['taken'])
  mkdirSync(join(home.dir, 'taken.sock'))
  t.match(await tell(home.dir, 'POST', '/v1/reload'), { status: 422, body: { problems: [/^cannot listen on .*taken\.sock/] } }, 'an address that cannot be had')
  next.read = () => home.config(['more'])
  t.match(await tell(home.dir, 'POST', '/v1/reload'), { status: 200, body: { backends: 1, servers: 2 } })
  t.match(app.agentAddresses, [/a\.sock$/, /more\.sock$/])
  await end({ app, clock })
})

void t.test('tokens come from their file, and anew with each reload', async t => {
  const home = place(t, await FARM(t))
  const file = join(home.dir, 'tokens')
  const [one, two] = [await makeToken('ana', { logCost: 10 }), await makeToken('bo', { logCost: 10 })]
  writeFileSync(file, `${one.line}\n`)
  const parse = (): ReturnType<Place['config']> => ({ ...home.config([], 'admin: { listen: "127.0.0.1:0" }'), tokenFile: file })
  const clock = new SimClock()
  const app = await start(parse(), clock)
  const by = async (token: string): Promise<number> => (await fetch(`http://${app.adminAddress}/v1/pollers`, { headers: { authorization: `Bearer ${token}` } })).status
  t.strictSame([await by(one.token), await by(two.token)], [200, 401])
  writeFileSync(file, `${two.line}\n`)
  await app.reload(parse())
  t.strictSame([await by(one.token), await by(two.token)], [401, 200])
  writeFileSync(file, 'not a token\n')
  await t.rejects(app.reload(parse()), { name: 'ConfigError', message: /tokens:1:1: line 1 is not like name:hash/ })
  t.equal(await by(two.token), 200, 'the old ones stay')
  rmSync(file)
  await t.rejects(app.reload(parse()), { name: 'ConfigError', message: /the token file cannot be read \(ENOENT\)/ })
  await end({ app, clock })
})

void t.test('the journal: what happened is known after a restart, and samples are kept', async t => {
  const home = place(t, await FARM(t), '{ max_size: 1MiB }')
  const app = await start(home.config())
  const areUp = async (): Promise<boolean> => (await show(home.dir, '/v1/status') as StatusBody).servers.every(({ state }) => state === 'up')
  await until('both are up', async () => await areUp() || undefined, () => 'they are not')
  await tell(home.dir, 'PUT', '/v1/overrides/web/a', { ...DRAIN, reason: 'see URI:CHK:aaaabbbbcccc:dddd:3:10:1' })
  await app.stop()
  const files = readdirSync(join(home.dir, 'state/journal')).toSorted()
  t.strictSame(files, ['events.jsonl', 'samples.jsonl'])
  const [events, samples] = files.map(file => readFileSync(join(home.dir, 'state/journal', file), 'utf8'))
  const sample = JSON.parse(samples!.split('\n')[0]!) as Readonly<Record<string, unknown>>
  t.match(sample, { node: /^tcp:/, probe: 'tcp', servers: [/^web\/[ab]$/], facts: {} })
  t.notMatch(`${events}${samples}`, /aaaabbbb/, 'no cap')

  const again = await start(home.config())
  const { events: told } = await show(home.dir, '/v1/events') as { readonly events: readonly EventView[] }
  const names = told.map(({ event }) => event)
  t.ok(names.indexOf('override.set') > 0 && names.indexOf('override.set') < names.lastIndexOf('agent.start'), 'in one row with what is new')
  const ids = told.map(({ id }) => id)
  t.strictSame(ids, ids.toSorted((a, b) => a - b), 'and in order')
  const turned = home.config()
  const [web] = turned.backends
  const servers = web!.servers.toReversed()
  const polls = turned.polls.map(poll => ({ ...poll, intervalMs: 50, fastMs: 50, readers: poll.readers.map(({ backend, server }) => ({ backend, server: 1 - server })) }))
  await again.reload({ ...turned, backends: [{ ...web!, servers }], polls })
  const since = readFileSync(join(home.dir, 'state/journal/samples.jsonl'), 'utf8').length
  const fresh = await until('samples of the new farm', () => {
    const text = readFileSync(join(home.dir, 'state/journal/samples.jsonl'), 'utf8').slice(since)
    return text.split('\n').length > 4 ? text : undefined
  }, () => 'none')
  const nodeOf = new Map(servers.map(({ name, node }) => [node, `web/${name}`]))
  for (const line of fresh.trim().split('\n').slice(0, 4)) {
    const { node, servers: [named] } = JSON.parse(line) as { readonly node: string, readonly servers: readonly string[] }
    t.equal(named, nodeOf.get(node), 'after a reload a sample has the name its server has now')
  }
  await again.reload({ ...home.config(), journalBytes: 0 })
  t.match(await show(home.dir, '/v1/status'), { journal: { on: false } })
  await again.stop()
})

void t.test('who asks for what: the silent, the unknown, the unasked', async t => {
  const home = place(t, await FARM(t))
  const clock = new SimClock()
  const life = await live(home, clock)
  for (let i = 0; i < 5; i += 1) {
    await ask(home.dir)
    await ask(home.dir, 'web/c')
    await clock.advance(1000)
  }
  t.match(await show(home.dir, '/v1/pollers'), {
    pollers: [{ from: 'unix', servers: 1, intervalMs: 1000, silent: false }], unasked: ['web/b'], unknown: [{ asked: 'web/c', from: 'unix', times: 5 }]
  })
  life.sink.take()
  await clock.advance(5000)
  t.match(life.sink.take(), [{ event: 'poller.silent', level: 'warn', from: 'unix', intervalMs: 1000 }])
  await ask(home.dir)
  await clock.advance(1000)
  t.match(life.sink.take(), [{ event: 'poller.back', from: 'unix' }])
  await end(life)
})
