/** Who waits can be told to stop, also while the agent takes its time to answer. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askAdmin } from '../../src/cli/admin-client.ts'
import { STAT_SHARED_MS } from '../../src/haproxy/traffic.ts'
import { place } from '../helpers/agent.ts'
import { start, type Running } from '../helpers/cli.ts'
import { until } from '../helpers/until.ts'

const WHY = ['--reason', 'kernel update']
const IDS = Array.from({ length: 60 }, (_, i) => `web/${i}`)

class Agent {
  /** Paths in the order they were asked for. */
  readonly asked: string[] = []
  readonly env: Readonly<Record<string, string>>
  /** Answers that nobody has given yet. */
  readonly held: ServerResponse[] = []
  traffic: (response: ServerResponse) => void = response => { this.held.push(response) }
  status: (response: ServerResponse) => void = response => { json(response, { servers: IDS.map(drained) }) }
  orders: (response: ServerResponse) => void = response => { json(response, { overrides: [], servers: IDS.map(drained), backends: [], notes: [] }) }
  events: (response: ServerResponse) => void = response => { this.held.push(response) }

  constructor (path: string) {
    this.env = { HCF_ADMIN: `unix:${path}` }
  }

  readonly answer = ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
    this.asked.push(url)
    if (url.endsWith('/traffic')) this.traffic(response)
    else if (url.startsWith('/v1/overrides')) this.orders(response)
    else if (url.startsWith('/v1/events')) this.events(response)
    else this.status(response)
  }

  looks (): number {
    return this.asked.filter(url => url.endsWith('/traffic')).length
  }

  readonly start = (...args: readonly string[]): Running => start(args, this.env)
}

const drained = (server: string): object => ({ server, state: 'drain', weightPercent: 100, layer: 'order', sentence: '', because: [], reply: 'drain' })
const json = (response: ServerResponse, body: object, status = 200): void => { response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)) }

async function agent (t: Test): Promise<Agent> {
  const path = join(place(t).dir, 'slow.sock')
  const built = new Agent(path)
  const server = createServer(built.answer).listen(path)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return built
}

void t.test('--wait: when the time is over, what has begun may end, and nothing begins', async t => {
  const at = await agent(t)
  const waiting = at.start('drain', ...IDS, ...WHY, '--wait', '50ms')
  await until('four looks', () => at.held.length === 4 || undefined, waiting.err)
  const begunMs = performance.now()
  await until('the time is over', () => performance.now() - begunMs > 60 || undefined, waiting.err)
  for (const response of at.held) json(response, { haproxys: [{ socket: 's', status: 'DRAIN', sessions: 3 }], waiting: [], heard: 1 })
  const { code, err } = await waiting.ended
  t.equal(code, 1)
  t.match(err, /^not within 50ms:\n {2}web\/0: 3 sessions on s\n[^]* {2}web\/4: not looked at\n[^]*and 50 more\nThe drain stays/m)
  t.equal(at.looks(), 4)
})

void t.test('--wait: what has begun, and does not end, ends with us', async t => {
  const at = await agent(t)
  const beganMs = performance.now()
  const { code, err } = await at.start('drain', ...IDS, ...WHY, '--wait', '100ms').ended
  const tookMs = performance.now() - beganMs
  t.ok(tookMs < 4500, `took ${tookMs} ms, and would take 5000 for an answer`)
  t.equal(code, 1)
  t.match(err, /^not within 100ms:\n {2}web\/0: not looked at$/m)

  at.status = () => undefined
  const againMs = performance.now()
  t.match(await at.start('drain', 'web/0', ...WHY, '--wait', '100ms').ended, { code: 1, err: /not within 100ms:/ }, 'nor does a status that is slow hold it up')
  t.ok(performance.now() - againMs < 4500, 'for longer')
})

void t.test('--wait: ctrl-C within a look', async t => {
  const at = await agent(t)
  const waiting = at.start('drain', ...IDS, ...WHY, '--wait')
  await until('four looks', () => at.held.length === 4 || undefined, waiting.err)
  const signalledMs = performance.now()
  waiting.signal('SIGINT')
  const { code, err } = await waiting.ended
  t.ok(performance.now() - signalledMs < 4000, 'at once')
  t.equal(code, 1)
  t.match(err, /^no longer waited for:\n {2}web\/0: not looked at\n/m)
  t.notMatch(err, 'was not waited for')
  t.equal(at.looks(), 4)
})

void t.test('--wait: what one look was refused, the others do not ask again', async t => {
  const at = await agent(t)
  const waiting = at.start('drain', ...IDS, ...WHY, '--wait')
  await until('four looks', () => at.held.length === 4 || undefined, waiting.err)
  json(at.held[0]!, { status: 401, detail: 'No.' }, 401)
  t.match(await waiting.ended, { code: 2, err: /refuses: No\./ })
  for (const response of at.held.slice(1)) json(response, { haproxys: [], waiting: [], heard: 1 })
  await askAdmin({ shown: '', url: 'http://localhost', socketPath: at.env['HCF_ADMIN']!.slice(5) }, '/v1/status') // comes after whatever they would ask
  await new Promise(resolve => { setImmediate(resolve) })
  await askAdmin({ shown: '', url: 'http://localhost', socketPath: at.env['HCF_ADMIN']!.slice(5) }, '/v1/status')
  t.equal(at.looks(), 4)
})

void t.test('--wait: a second look so soon after the first may share its count, and proves nothing', async t => {
  const at = await agent(t)
  const looksMs: number[] = []
  at.traffic = response => {
    looksMs.push(performance.now())
    json(response, { haproxys: [{ socket: 's', status: 'DRAIN', sessions: 0 }], waiting: [], heard: 1 })
  }
  at.orders = response => { json(response, { overrides: [], servers: [drained('web/0')], backends: [], notes: [] }) }
  t.match(await at.start('drain', 'web/0', ...WHY, '--wait', '100ms').ended, { code: 0 }, 'a later one does, though the time is over: what looks empty is looked at once more')
  t.ok((looksMs.at(-1) ?? 0) - (looksMs[0] ?? 0) >= STAT_SHARED_MS, `looked at ${looksMs.map(ms => Math.round(ms - (looksMs[0] ?? 0))).join(', ')} ms`)
})

void t.test('--queue: ctrl-C while the agent has the order', async t => {
  const at = await agent(t)
  at.orders = () => undefined
  const queued = at.start('drain', 'web/0', ...WHY, '--queue')
  await until('it is asked', () => at.asked.length > 0 || undefined, queued.err)
  const signalledMs = performance.now()
  queued.signal('SIGINT')
  t.match(await queued.ended, { code: 1, err: /^given up: the answer of the agent at unix:.* was not waited for\. What was asked may have been done all the same: hcf status shows it\n$/ })
  t.ok(performance.now() - signalledMs < 4000, 'at once')
})

void t.test('--queue: one that went away may have taken the order', async t => {
  const at = await agent(t)
  at.orders = response => { json(response, { status: 409, code: 'at_most', detail: 'a is out.' }, 409) }
  const queued = at.start('drain', 'web/0', ...WHY, '--queue')
  await until('it waits', () => queued.err().includes('tries again') || undefined, queued.err)
  at.orders = response => { response.destroy() }
  await until('it hung up', () => queued.err().includes('hung up') || undefined, queued.err)
  queued.signal('SIGINT')
  t.match(await queued.ended, { code: 1, err: /given up: hcf status shows whether anything was changed\n$/ })
})

void t.test('status --watch and events: ctrl-C while the agent takes its time', async t => {
  const at = await agent(t)
  at.status = () => undefined
  for (const args of [['status', '--watch'], ['events'], ['events', '--follow']]) {
    at.asked.length = 0
    const running = at.start(...args)
    await until('it is asked', () => at.asked.length > 0 || undefined, running.err)
    const signalledMs = performance.now()
    running.signal('SIGINT')
    t.match(await running.ended, { code: 0, out: '', err: '' }, args.join(' '))
    t.ok(performance.now() - signalledMs < 4000, `${args.join(' ')}: at once`)
  }
})

void t.test('events --follow: ctrl-C while it asks why it is refused', async t => {
  const at = await agent(t)
  at.events = response => {
    if (at.asked.length <= 2) json(response, { events: [] })
    if (at.asked.length === 3) json(response, {}, 404)
  }
  const following = at.start('events', '--follow')
  await until('it asks why', () => at.asked.length === 4 || undefined, following.err)
  const signalledMs = performance.now()
  following.signal('SIGINT')
  t.match(await following.ended, { code: 0, err: '' })
  t.ok(performance.now() - signalledMs < 4000, 'at once')
})
