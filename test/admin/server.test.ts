import t from 'tap'
import { createAdmin } from '../../src/admin/server.ts'
import { Farm, problem, SERVER, STATUS } from './farm.ts'

const admin = (more: object = {}): ReturnType<typeof createAdmin> => createAdmin(Object.assign(new Farm(), more))

void t.test('what can be read', async t => {
  const { pollers, unasked, unknown, overrides } = STATUS
  const rows: ReadonlyArray<readonly [url: string, body: object]> = [
    ['/v1/status', STATUS],
    ['/v1/servers/web/a', SERVER],
    ['/v1/servers/%77eb/%61', SERVER],
    ['/v1/servers/web/a/traffic', { haproxys: [{ socket: 'unix:/run/haproxy/admin.sock', status: 'DRAIN', sessions: 3 }], waiting: ['10.0.0.1'], heard: 1 }],
    ['/v1/pollers', { pollers, unasked, unknown }],
    ['/v1/overrides', { overrides }],
    ['/v1/events', { events: [] }],
    ['/health', { status: 'ok' }],
    ['/v1/health/web/a', { status: 'in' }]
  ]
  for (const [url, body] of rows) {
    const answer = await admin().inject(url)
    t.equal(answer.statusCode, 200, url)
    t.match(answer.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }, url)
    t.same(answer.json(), body, url)
    t.notOk(Object.keys(answer.headers).some(name => name.startsWith('access-control-')), `${url} is for pages of this port only`)
  }
})

void t.test('names come decoded', async t => {
  const asked: string[] = []
  const port = admin({ server: (id: string) => void asked.push(id) })
  for (const path of ['a%3Ab/c.d', 'a/b%2Fc', 'a/b%20c', 'a/b?x=y']) await port.inject(`/v1/servers/${path}`)
  t.same(asked, ['a:b/c.d', 'a/b/c', 'a/b c', 'a/b'])
})

void t.test('a server that is not there, and what it may have been meant to be', async t => {
  const rows: ReadonlyArray<readonly [string, string, readonly string[]]> = [
    ['web/c', 'No server web/c in the config. Did you mean web/a or web/b?', ['web/a', 'web/b']],
    ['web/c/traffic', 'No server web/c in the config. Did you mean web/a or web/b?', ['web/a', 'web/b']],
    ['shop/a', 'No server shop/a in the config.', []],
    ['shop/%1b%5B31m', 'No server shop/ [31m in the config.', []],
    ['shop/URI%3ALIT%3Asecret', 'No server shop/URI:[redacted] in the config.', []]
  ]
  for (const [path, detail, near] of rows) {
    const answer = await admin().inject(`/v1/servers/${path}`)
    t.equal(answer.statusCode, 404, path)
    t.match(answer.headers['content-type'], /^application\/problem\+json/, path)
    t.same(answer.json(), problem(404, 'Not found', detail, { near }), path)
  }
})

void t.test('whoever needs no token hears no names', async t => {
  const answer = await admin().inject({ url: '/v1/health/web/c', remoteAddress: '10.0.0.9' })
  t.equal(answer.statusCode, 404)
  t.same(answer.json(), problem(404, 'Not found', 'No server web/c in the config.'))
})

void t.test('the health of hcf, and of a server', async t => {
  const rows = [
    ['/health', { stopping: false }, 200, { status: 'ok' }],
    ['/health', { stopping: true }, 503, { status: 'stopping' }],
    ['/v1/health/web/a', { fit: true }, 200, { status: 'in' }],
    ['/v1/health/web/a', { fit: false }, 503, { status: 'out' }]
  ] as const
  for (const [url, how, status, body] of rows) {
    const answer = await admin(how).inject(url)
    t.equal(answer.statusCode, status, `${url} ${JSON.stringify(how)}`)
    t.same(answer.json(), body, `${url} ${JSON.stringify(how)}`)
  }
})

void t.test('what is not there', async t => {
  const rows: ReadonlyArray<readonly ['GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS', string]> = [
    ['GET', '/'], ['GET', '/v1'], ['GET', '/v1/status/'], ['GET', '/v1/servers'], ['GET', '/v1/servers/web'],
    ['GET', '/v1/servers/web/a/b'], ['GET', '/V1/STATUS'], ['POST', '/v1/status'], ['DELETE', '/v1/servers/web/a'], ['PUT', '/health'],
    ['GET', '//evil.example/v1/status'], ['GET', '/v1/reload'], ['OPTIONS', '/v1/reload']
  ]
  for (const [method, url] of rows) {
    const answer = await admin().inject({ method, url })
    t.equal(answer.statusCode, 404, `${method} ${url}`)
    t.match(answer.headers['content-type'], /^application\/problem\+json/, `${method} ${url}`)
    t.match(answer.json(), problem(404, 'Not found', new RegExp(`^Nothing at ${method} here\\. There are GET /v1/status, GET /v1/servers/BACKEND/SERVER, `)), `${method} ${url}`)
  }
})

void t.test('what cannot be read', async t => {
  const path = await admin().inject('/v1/servers/web/%zz')
  t.equal(path.statusCode, 400)
  t.match(path.headers['content-type'], /^application\/problem\+json/)
  t.match(path.json(), problem(400, 'Bad request', /not a valid url component/))
  const long = await admin().inject(`/v1/servers/web/${'a'.repeat(101)}`)
  t.equal(long.statusCode, 414)
  t.match(long.headers['content-type'], /^application\/problem\+json/)
  const rows: ReadonlyArray<readonly [query: string, detail: string | RegExp]> = [
    ['since=yesterday', 'since: must be a moment like 2026-12-01T06:00Z'],
    ['limit=0', /^limit: /],
    ['limit=10001', /^limit: /],
    ['after=x', /^after: /],
    ['backend=a%20b', /^backend: /],
    ['sicne=1', 'the query has sicne, which is not known here']
  ]
  for (const [query, detail] of rows) {
    const answer = await admin().inject(`/v1/events?${query}`)
    t.equal(answer.statusCode, 400, query)
    t.match(answer.json(), problem(400, 'Bad request', detail), query)
  }
})

void t.test('events by a query', async t => {
  const farm = new Farm()
  const answer = await createAdmin(farm).inject('/v1/events?since=2026-01-01T00:00Z&sinceMs=5&after=7&backend=web&limit=10000')
  t.equal(answer.statusCode, 200)
  t.same(farm.queries, [{ since: '2026-01-01T00:00Z', sinceMs: 5, after: 7, backend: 'web', limit: 10_000 }])
})

void t.test('HEAD is GET without a body', async t => {
  const rows = [['/v1/status', 200], ['/v1/servers/web/a', 200], ['/v1/servers/web/c', 404], ['/health', 503]] as const
  for (const [url, status] of rows) {
    const answer = await admin({ stopping: true }).inject({ method: 'HEAD', url })
    t.equal(answer.statusCode, status, url)
    t.equal(answer.body, '', url)
  }
  const farm = new Farm()
  const events = await createAdmin(farm).inject({ method: 'HEAD', url: '/v1/events', headers: { accept: 'text/event-stream' } })
  t.equal(events.statusCode, 200)
  t.equal(farm.listeners.size, 0, 'nobody goes on listening')
})

void t.test('a fault of ours says so, and not what', async t => {
  const fails = (): never => { throw new Error('secret') }
  for (const answer of [await admin({ status: fails }).inject('/v1/status'), await admin({ traffic: async () => fails() }).inject('/v1/servers/web/a/traffic')]) {
    t.equal(answer.statusCode, 500)
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    t.same(answer.json(), problem(500, 'Internal error', 'A fault in the agent.'))
  }
})

void t.test('no cap leaves, in whatever it is', async t => {
  const cap = 'URI:DIR2:abcdef:ghijkl'
  const port = admin({ server: () => ({ ...SERVER, sentence: `down: ${cap}` }) })
  const answer = await port.inject('/v1/servers/web/a')
  t.notMatch(answer.body, /abcdef/)
  t.equal(answer.json<typeof SERVER>().sentence, 'down: URI:[redacted]')
})
