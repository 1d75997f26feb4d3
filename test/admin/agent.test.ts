/** What a running agent answers is what the description promises. */
import { once } from 'node:events'
import { request as send, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { ask, place, show, start } from '../helpers/agent.ts'
import { promised, type Description } from './description.ts'

interface Answer { readonly status: number, readonly type: string, readonly body: unknown }

async function call (dir: string, method: string, path: string, body?: object): Promise<Answer> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const request = send({ socketPath: join(dir, 'admin.sock'), method, path, headers, agent: false })
  request.end(body === undefined ? undefined : JSON.stringify(body))
  const [answer] = await once(request, 'response') as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return { status: answer.statusCode ?? 0, type: String(answer.headers['content-type']).replace(/;.*/, ''), body: JSON.parse(text) }
}

void t.test('a running agent keeps what the description promises', async t => {
  const later = `${String((new Date().getUTCHours() + 12) % 24).padStart(2, '0')}:00` // one that is on now would change who is out
  const { dir, config } = place(t, `{ servers: { a: "http://127.0.0.1:1", b: "http://127.0.0.1:1", c: "http://127.0.0.1:1" },
    policy: { min_up: 1, at_most_drained: 2 }, maintenance: [{ at: "${later}", for: 1h, zone: UTC, force: true, reason: backup }] }`)
  const app = await start(config())
  t.teardown(async () => app.stop())
  await ask(dir)
  await ask(dir, 'wbe/a')
  const description = await show(dir, '/v1/openapi.json') as Description
  const DRAIN = { action: 'drain', reason: 'new disk', by: 'ana' }
  const at = (scope: string): string => `/v1/overrides/${scope}`
  const rows: ReadonlyArray<readonly [method: string, path: string, url: string, status: number, body?: object]> = [
    ['GET', '/v1/overrides', '/v1/overrides', 200],
    ['PUT', '/v1/overrides/{backend}/{server}', at('web/a'), 200, { ...DRAIN, forMs: 600_000 }],
    ['PUT', '/v1/overrides/{backend}/{server}', at('web/b'), 200, { action: 'weight', weightPercent: 20, rampMs: 60_000, forMs: 600_000, reason: 'slow' }],
    ['PUT', '/v1/overrides/{backend}/{server}', at('web/c'), 409, { ...DRAIN, force: true, atMost: 1 }],
    ['PUT', '/v1/overrides/{backend}/{server}', at('web/x'), 404, DRAIN],
    ['POST', '/v1/overrides', '/v1/overrides', 400, { ...DRAIN, targets: ['web/a'], until: '2001-01-01T00:00Z' }],
    ['POST', '/v1/overrides', '/v1/overrides', 200, { ...DRAIN, action: 'up', targets: ['web/c', 'web/b'], forMs: 600_000, force: true }],
    ['GET', '/v1/status', '/v1/status', 200],
    ['GET', '/v1/servers/{backend}/{server}', '/v1/servers/web/a', 200],
    ['GET', '/v1/servers/{backend}/{server}/traffic', '/v1/servers/web/a/traffic', 200],
    ['GET', '/v1/servers/{backend}/{server}', '/v1/servers/web/x', 404],
    ['GET', '/v1/pollers', '/v1/pollers', 200],
    ['GET', '/v1/overrides', '/v1/overrides', 200],
    ['GET', '/v1/events', '/v1/events?sinceMs=60000&backend=web', 200],
    ['GET', '/v1/health/{backend}/{server}', '/v1/health/web/a', 503],
    ['GET', '/v1/health/{backend}/{server}', '/v1/health/web/c', 200],
    ['GET', '/v1/health/{backend}/{server}', '/v1/health/web/x', 404],
    ['DELETE', '/v1/overrides/{backend}/{server}', at('web/a'), 200],
    ['GET', '/health', '/health', 200]
  ]
  for (const [method, path, url, status, body] of rows) {
    const name = `${method} ${url} ${JSON.stringify(body ?? '')}`
    const answer = await call(dir, method, url, body)
    t.equal(answer.status, status, `${name}: ${JSON.stringify(answer.body).slice(0, 300)}`)
    const parsed = promised(description, method, path, answer.status, answer.type)?.safeParse(answer.body)
    t.ok(parsed?.success, `${name}: ${JSON.stringify(parsed?.error?.issues)}`)
  }
})
