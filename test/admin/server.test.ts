import t from 'tap'
import { createAdmin, type AdminDeps, type ServerDetail } from '../../src/admin/server.ts'

const SERVER: ServerDetail = {
  server: 'web/a',
  state: 'down',
  weightPercent: 100,
  layer: 'criteria',
  because: ['storage: 2 of 5 servers, needs 3'],
  sentence: 'down: storage: 2 of 5 servers, needs 3',
  reply: 'down 100% #storage: 2 of 5 servers, needs 3',
  forMs: 4200,
  backend: { servers: 3, fit: 2, need: 2, extra: 0, kept: [], strained: false },
  criteria: [
    { name: 'storage', kind: 'tahoe.storage', onFail: 'down', status: 'fail', health: 0, rise: 2, fall: 3, value: 2, limit: 'at least 3' }
  ],
  pollers: [{ from: '10.0.0.1', agoMs: 900 }]
}

function deps (more: Partial<AdminDeps> = {}): AdminDeps {
  const { backend, criteria, pollers, ...status } = SERVER
  return {
    version: '1.2.3',
    status: () => [status],
    server: id => id === SERVER.server ? SERVER : undefined,
    nearest: id => id.startsWith('web/') ? ['web/a', 'web/b'] : [],
    isStopping: () => false,
    uptimeMs: () => 12_345,
    ...more
  }
}

const problem = (status: number, title: string, detail: string | RegExp): object => ({ type: 'about:blank', status, title, detail })

void t.test('GET /v1/status', async t => {
  const answer = await createAdmin(deps()).inject('/v1/status')
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^application\/json/)
  const { backend, criteria, pollers, ...status } = SERVER
  t.same(answer.json(), { version: '1.2.3', uptimeMs: 12_345, servers: [status] })
})

void t.test('GET /v1/servers/BACKEND/SERVER', async t => {
  const admin = createAdmin(deps())
  for (const path of ['/v1/servers/web/a', '/v1/servers/%77eb/%61']) {
    const answer = await admin.inject(path)
    t.equal(answer.statusCode, 200, path)
    t.same(answer.json(), SERVER, path)
  }
})

void t.test('names come decoded', async t => {
  const asked: string[] = []
  const admin = createAdmin(deps({ server: id => void asked.push(id) }))
  for (const path of ['a%3Ab/c.d', 'a/b%2Fc', 'a/b%20c', 'a/b?x=y']) await admin.inject(`/v1/servers/${path}`)
  t.same(asked, ['a:b/c.d', 'a/b/c', 'a/b c', 'a/b'])
})

void t.test('a server that is not there, and what it may have been meant to be', async t => {
  const admin = createAdmin(deps())
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['/v1/servers/web/c', 'No server web/c in the config. Did you mean web/a or web/b?'],
    ['/v1/servers/shop/a', 'No server shop/a in the config.'],
    ['/v1/servers/shop/%1b%5B31m', 'No server shop/ [31m in the config.'],
    ['/v1/servers/shop/URI%3ALIT%3Asecret', 'No server shop/URI:[redacted] in the config.']
  ]
  for (const [path, detail] of rows) {
    const answer = await admin.inject(path)
    t.equal(answer.statusCode, 404, path)
    t.match(answer.headers['content-type'], /^application\/problem\+json/, path)
    t.same(answer.json(), problem(404, 'Unknown server', detail), path)
  }
})

void t.test('GET /health', async t => {
  let stopping = false
  const admin = createAdmin(deps({ isStopping: () => stopping }))
  const up = await admin.inject('/health')
  t.equal(up.statusCode, 200)
  t.same(up.json(), { status: 'ok' })
  stopping = true
  const down = await admin.inject('/health')
  t.equal(down.statusCode, 503)
  t.same(down.json(), { status: 'stopping' })
})

void t.test('what is not there', async t => {
  const admin = createAdmin(deps())
  const rows: ReadonlyArray<readonly ['GET' | 'POST' | 'PUT' | 'DELETE', string]> = [
    ['GET', '/'], ['GET', '/v1'], ['GET', '/v1/status/'], ['GET', '/v1/servers'], ['GET', '/v1/servers/web'],
    ['GET', '/v1/servers/web/a/b'], ['GET', '/V1/STATUS'], ['POST', '/v1/status'], ['DELETE', '/v1/servers/web/a'], ['PUT', '/health'],
    ['GET', '//evil.example/v1/status']
  ]
  for (const [method, url] of rows) {
    const answer = await admin.inject({ method, url })
    t.equal(answer.statusCode, 404, `${method} ${url}`)
    t.match(answer.headers['content-type'], /^application\/problem\+json/, `${method} ${url}`)
    const detail = new RegExp(`^Nothing at ${method} here\\. There are GET /v1/status`)
    t.match(answer.json(), problem(404, 'Not found', detail), `${method} ${url}`)
  }
})

void t.test('what cannot be read', async t => {
  const admin = createAdmin(deps())
  const path = await admin.inject('/v1/servers/web/%zz')
  t.equal(path.statusCode, 400)
  t.match(path.headers['content-type'], /^application\/problem\+json/)
  t.match(path.json(), problem(400, 'Bad request', /not a valid url component/))
  const body = await admin.inject({ method: 'POST', url: '/v1/status', headers: { 'content-type': 'application/json' }, payload: '{' })
  t.ok([400, 404].includes(body.statusCode))
  t.match(body.headers['content-type'], /^application\/problem\+json/)
})

void t.test('HEAD is GET without a body', async t => {
  const admin = createAdmin(deps({ isStopping: () => true }))
  const rows = [['/v1/status', 200], ['/v1/servers/web/a', 200], ['/v1/servers/web/c', 404], ['/health', 503]] as const
  for (const [url, status] of rows) {
    const answer = await admin.inject({ method: 'HEAD', url })
    t.equal(answer.statusCode, status, url)
    t.equal(answer.body, '', url)
  }
})

void t.test('a fault of ours says so, and not what', async t => {
  const admin = createAdmin(deps({ status: () => { throw new Error('secret') } }))
  const answer = await admin.inject('/v1/status')
  t.equal(answer.statusCode, 500)
  t.match(answer.headers['content-type'], /^application\/problem\+json/)
  t.same(answer.json(), problem(500, 'Internal error', 'A fault in the agent.'))
})
