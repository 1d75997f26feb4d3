process.env['TZ'] = 'Europe/Zurich' // before the first local time: people read theirs

import { once } from 'node:events'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { App } from '../../src/app.ts'
import { askAdmin, findAdmin } from '../../src/cli/admin-client.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { FeedEvent } from '../../src/runtime/feed.ts'
import { place, start as startAgent } from '../helpers/agent.ts'
import { hcf, start, type Running } from '../helpers/cli.ts'
import { until } from '../helpers/until.ts'

/** An agent with a config in a file, and another backend beside `web`. */
class Bench {
  readonly dir: string
  readonly file: string
  readonly journal: string
  app: App | undefined

  constructor (t: Test) {
    this.dir = place(t).dir
    this.file = join(this.dir, 'hcf.yaml')
    this.journal = join(this.dir, 'state', 'journal')
    const servers = '{ servers: { a: "http://127.0.0.1:1" } }'
    writeFileSync(this.file, [
      `agent: { listen: "unix:${this.dir}/a.sock" }`,
      `admin: { listen: "unix:${this.dir}/admin.sock" }`,
      'state_dir: state',
      `backends: { web: ${servers}, api: ${servers} }`
    ].join('\n'))
    t.teardown(async () => this.app?.stop())
  }

  async up (): Promise<void> {
    this.app = await startAgent(loadConfig(this.file, {}))
  }

  async down (): Promise<void> {
    await this.app?.stop()
    this.app = undefined
  }

  /** An event about this server. */
  async drain (id: string): Promise<void> {
    const body = { targets: [id], action: 'drain', reason: 'a test', by: 'ana', force: true }
    await askAdmin(findAdmin({ config: this.file }, { env: {} }), '/v1/overrides', { method: 'POST', body })
  }

  args (...more: readonly string[]): readonly string[] {
    return ['events', '-c', this.file, ...more]
  }

  async run (...more: readonly string[]): ReturnType<typeof hcf> {
    return hcf(this.args(...more))
  }

  follow (...more: readonly string[]): Running {
    return start(this.args('--follow', ...more))
  }
}

/** The events of `--json`, without those that depend on the moment. */
const eventsOf = (out: string): readonly FeedEvent[] => out.split('\n').filter(Boolean).map(line => JSON.parse(line) as FeedEvent)
const namesOf = (out: string): readonly string[] => eventsOf(out).map(({ event, scope }) => [event, scope].filter(Boolean).join(' '))
  .filter(name => !/^(?:criterion|server|backend|agent\.late)/.test(name))
const see = async (running: Running, what: RegExp, where: 'out' | 'err' = 'out'): Promise<void> => {
  await until(String(what), () => what.test(running[where]()) || undefined, () => `${running.out()}\n${running.err()}`)
}

void t.test('from the running agent', async (t) => {
  const b = new Bench(t)
  await b.up()
  await b.drain('web/a')
  await b.drain('api/a')
  const { code, out, err } = await b.run()
  t.equal(code, 0)
  t.equal(err, '')
  t.match(out, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}info {3}hcf starts\n/, 'lines for people, oldest first')
  t.match(out, /a test/)

  const all = await b.run('--json')
  t.match(namesOf(all.out), ['agent.start', 'agent.listen', 'config.loaded', 'override.set web/a', 'override.set api/a'])
  t.strictSame(namesOf((await b.run('--json', '--backend', 'api')).out), ['override.set api/a'])
  const [newest] = eventsOf((await b.run('--json', '--limit', '1')).out)
  t.strictSame(newest, eventsOf(all.out).at(-1))
  t.strictSame(namesOf((await b.run('--json', '--since', '1h')).out), namesOf(all.out))
  t.equal((await b.run('--since', '2099-01-01')).out, '')
  t.notMatch((await b.run('--since', '0.001s')).out, 'hcf starts')
  t.equal((await b.run('--since', '2020-01-01T00:00Z', '--json')).out, all.out)
  t.equal((await b.run('--backend', 'none')).out, '')
})

void t.test('from the files of an agent that is down', async (t) => {
  const b = new Bench(t)
  await b.up()
  await b.drain('web/a')
  await b.drain('api/a')
  const running = await b.run('--json')
  await b.down()
  appendFileSync(join(b.journal, 'events.jsonl'), '{"id":1,"at":"20')
  const { code, out, err } = await b.run('--json')
  t.equal(code, 0)
  t.ok(out.startsWith(running.out), 'the same events')
  t.equal(namesOf(out).at(-1), 'agent.stop')
  t.match(err, /^no agent at unix:.*ENOENT.*\nThis is what it wrote to .*journal \(without 1 line that cannot be read\):\n$/)
  t.strictSame(namesOf((await b.run('--json', '--backend', 'api')).out), ['override.set api/a'])
  t.strictSame(namesOf((await b.run('--json', '--limit', '1')).out), ['agent.stop'])
  t.equal((await b.run('--json', '--since', '1h')).out, out)
  t.equal((await b.run('--since', '2099-01-01T00:00')).out, '')

  const elsewhere = await hcf(['events', '--admin', `unix:${b.dir}/other.sock`])
  t.equal(elsewhere.code, 69, 'these are not the files of an agent of --admin')
  t.equal(elsewhere.out, '')
  t.equal((await hcf(['events'], { HCF_ADMIN: `unix:${b.dir}/other.sock` })).code, 69)
  t.equal((await b.run('--admin', `unix:${b.dir}/other.sock`)).code, 0, 'unless their config is named, too')
  t.match(await hcf(['events', '-c', `${b.dir}/no.yaml`, '--admin', `unix:${b.dir}/other.sock`]), { code: 69, err: /^no agent at/ })
})

void t.test('files that are not there or cannot be read', async (t) => {
  const b = new Bench(t)
  t.match(await b.run(), { code: 69, out: '', err: `there is no journal in ${b.journal}\n` })
  mkdirSync(join(b.journal, 'events.jsonl'), { recursive: true })
  t.match(await b.run(), { code: 69, out: '', err: 'events.jsonl cannot be read (EISDIR): become the user that runs the agent' })
  t.match(await b.run('--follow'), { code: 69 }, 'nothing to wait for')
})

void t.test('times are those of this place', async (t) => {
  const b = new Bench(t)
  mkdirSync(b.journal, { recursive: true })
  const line = (id: number, at: string, level: string, msg: string): string => `${JSON.stringify({ id, at, event: 'x', level, msg })}\n`
  writeFileSync(join(b.journal, 'events.jsonl'), [
    line(1, '2026-03-29T00:59:59.000Z', 'info', 'winter'), line(2, '2026-03-29T01:00:00.000Z', 'warn', 'summer'),
    line(3, '2026-03-29T22:30:00.500Z', 'error', 'a node says \u001b[2J\u009b1m\u0007 and\nmore')
  ].join(''))
  t.equal((await b.run()).out, [
    '2026-03-29 01:59:59  info   winter', '2026-03-29 03:00:00  warn   summer', '2026-03-30 00:30:00  error  a node says  [2J 1m  and more', ''
  ].join('\n'), 'and nothing in them moves the cursor')
  t.match((await b.run()).err, /\nThis is what it wrote to .*journal:\n$/, 'all of it can be read')
  const rows: ReadonlyArray<readonly [string, number, string]> = [
    ['2026-03-30', 1, 'a day begins here, not in Greenwich'],
    ['2026-03-29T03:00', 2, 'local'],
    ['2026-03-29 03:00', 2, 'as it is shown'],
    ['2026-03-29T03:00Z', 1, 'in Greenwich'],
    ['2026-03-29T03:00+02:00', 2, 'with a zone']
  ]
  for (const [since, n, why] of rows) t.equal(eventsOf((await b.run('--json', '--since', since)).out).length, n, why)
  const running = start(b.args(), {}, { columns: 80, rows: 24 })
  const { out } = await running.ended
  t.match(out, '\u001b[33mwarn \u001b[0m  summer')
  t.match(out, '\u001b[31merror\u001b[0m  a node')
  t.match(out, '  info   winter')
})

void t.test('without a wish, a screen or two; with one, all of it', async (t) => {
  const b = new Bench(t)
  mkdirSync(b.journal, { recursive: true })
  const lines = Array.from({ length: 150 }, (_, i) => `${JSON.stringify({ id: i, at: '2026-03-29T00:00:00Z', event: 'x', level: 'info', msg: String(i) })}\n`)
  writeFileSync(join(b.journal, 'events.jsonl'), lines.join(''))
  const ids = async (...args: readonly string[]): Promise<readonly number[]> => eventsOf((await b.run('--json', ...args)).out).map(({ id }) => id)
  t.strictSame([(await ids()).length, (await ids())[0]], [100, 50])
  t.equal((await ids('--since', '2026-01-01')).length, 150)
  t.strictSame(await ids('--since', '2026-01-01', '--limit', '2'), [148, 149])
  t.equal((await ids('--limit', '120')).length, 120)
  const following = b.follow('--json')
  await see(following, /"id":149/)
  following.signal('SIGINT')
  t.strictSame(eventsOf((await following.ended).out).map(({ id }) => id), [140, 141, 142, 143, 144, 145, 146, 147, 148, 149], 'the end, before others follow')
})

void t.test('following goes on over a restart of the agent, and misses nothing', async (t) => {
  const b = new Bench(t)
  await b.up()
  await b.drain('web/a')
  const following = b.follow('--json')
  const api = b.follow('--json', '--backend', 'api')
  await see(following, /override\.set/)
  await b.drain('api/a')
  await see(following, /api\/a/)
  await see(api, /api\/a/)
  t.notMatch(api.out(), /web\/a/)
  await b.down()
  await see(following, /^lost the agent at unix:.*admin\.sock/, 'err')
  await b.up()
  await see(following, /is there again\n$/, 'err')
  await see(api, /is there again\n$/, 'err')
  const fresh = b.follow('--json', '--since', '2099-01-01')
  await b.drain('web/a')
  await b.drain('api/a')
  await see(following, /agent\.stop[^]*agent\.start[^]*api\/a/)
  await see(api, /api\/a[^]*api\/a/)
  const wanted = (await b.run('--json', '--since', '1h')).out
  await until('all of it', () => following.out().length >= wanted.length || undefined, following.out)
  t.notMatch(api.out(), /web\/a/)
  await b.down()
  await see(following, /is there again\nlost the agent/, 'err')
  for (const running of [following, api, fresh]) running.signal('SIGINT')
  t.notMatch((await fresh.ended).out, /config\.loaded/, 'what was before it came is not what it wanted')
  const ended = await following.ended
  t.equal(ended.code, 0)
  t.equal(ended.err.split('\n').length, 4, 'lost, found and lost: each said once')
  const ids = eventsOf(ended.out).map(({ id }) => id)
  t.strictSame(ids, eventsOf((await b.run('--json', '--since', '1h')).out).map(({ id }) => id).slice(0, ids.length))
  t.equal((await api.ended).code, 0)
})

void t.test('following an agent that is not there yet', async (t) => {
  const b = new Bench(t)
  await b.up()
  await b.down()
  const following = b.follow('--json')
  await see(following, /This is what it wrote/, 'err')
  await see(following, /agent\.stop/)
  await b.up()
  await see(following, /agent\.stop[^]*agent\.start/)
  await see(following, /is there again\n$/, 'err')
  t.notMatch(following.err(), /lost/)
  following.signal('SIGTERM')
  const { code, out } = await following.ended
  t.equal(code, 0)
  const ids = eventsOf(out).map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length, 'nothing twice')
})

void t.test('an agent in trouble is not one that is down', async (t) => {
  const b = new Bench(t)
  await b.up()
  await b.down()
  const server = createServer((_, answer) => {
    answer.writeHead(500, { 'content-type': 'application/problem+json' }).end('{"type":"about:blank","title":"x","status":500,"detail":"broken"}')
  }).listen(join(b.dir, 'admin.sock'))
  await once(server, 'listening')
  t.match(await b.run(), { code: 69, out: '', err: 'broken' })
  server.close()
})

void t.test('mistakes', async (t) => {
  const b = new Bench(t)
  const rows: ReadonlyArray<readonly [readonly string[], RegExp]> = [
    [['--since', 'yesterday'], /^--since must be a time ago like 30m, 12h or 7d, or a moment like 2026-12-01T06:00, is yesterday\n$/],
    [['--since', '2026-13-01'], /^--since must be/],
    [['--since', '2026'], /^--since must be/],
    [['--since', '5x'], /^--since must be/],
    [['--limit', '0'], /^--limit must be a whole number from 1 to 10000, is 0\n$/],
    [['--limit', '10001'], /^--limit must be/],
    [['--limit', '1.5'], /^--limit must be/],
    [['what'], /too many arguments/]
  ]
  for (const [args, err] of rows) t.match(await b.run(...args), { code: 2, out: '', err }, args.join(' '))
  await b.up()
  t.match(await b.run('--limit', '10000'), { code: 0 })
  t.match(await b.run('--backend', 'a b'), { code: 2, out: '' }, 'the agent says so')
})
