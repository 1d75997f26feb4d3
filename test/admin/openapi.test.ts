import t from 'tap'
import { createAdmin, type AdminServer } from '../../src/admin/server.ts'
import { problemBody } from '../../src/admin/api.ts'
import { routesOf } from '../../src/admin/routes.ts'
import { EventStreams } from '../../src/admin/sse.ts'
import { promised, type Description } from './description.ts'
import { eventAt, Farm } from './farm.ts'

const described = async (admin: AdminServer = createAdmin(new Farm())): Promise<Description> => (await admin.inject('/v1/openapi.json')).json()

void t.test('what it is', async t => {
  const description = await described()
  t.match(description, {
    openapi: '3.1.0', info: { title: 'halt-and-catch-fire', version: '1.2.3' },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }
  })
  t.same(await described(), description, 'the same each time')
})

void t.test('every route is in it, with all that it takes and gives', async t => {
  const { paths } = await described()
  const found = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
  const farm = new Farm()
  const routes = routesOf(farm, new EventStreams(farm))
  t.same(found.toSorted(), [...routes.map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`), 'GET /v1/openapi.json'].toSorted())
  const ids = Object.values(paths).flatMap(methods => Object.values(methods).map(({ operationId }) => operationId))
  t.equal(new Set(ids).size, ids.length, 'no name twice')
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { summary, parameters = [], requestBody, responses, security }] of Object.entries(methods)) {
      const name = `${method} ${path}`
      t.ok(summary.length > 0, name)
      t.same(parameters.filter(each => each.in === 'path').map(each => each.name), [...path.matchAll(/\{(\w+)\}/g)].map(([, each]) => each), name)
      t.equal(requestBody !== undefined, method === 'put' || path === '/v1/overrides' && method === 'post', `${name}: a body`)
      t.equal(security === undefined, /^\/(?:v1\/)?health/.test(path), `${name}: who may`)
      if (security !== undefined) t.match(Object.keys(responses).join(), /401,.*403,.*429/, `${name}: what is said to who may not`)
      for (const [status, { content }] of Object.entries(responses)) {
        const type = Number(status) < 400 || path.includes('health') && status === '503' ? 'application/json' : 'application/problem+json'
        t.ok(content[type]?.schema !== undefined, `${name} ${status} is ${type}`)
      }
    }
  }
  t.same(paths['/v1/events']?.['get']?.parameters?.map(({ name }) => name), ['since', 'sinceMs', 'after', 'backend', 'limit'])
  t.ok(paths['/v1/events']?.['get']?.responses['200']?.content['text/event-stream'])
})

void t.test('no reference leads nowhere', async t => {
  const description = await described()
  const refs = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref)
  t.ok(refs.length > 30)
  t.same(refs.filter(ref => description.components.schemas[ref.replace('#/components/schemas/', '')] === undefined), [])
})

void t.test('answers are as it says, and nothing else is in them', async t => {
  const farm = new Farm()
  farm.past.push(eventAt(1))
  const admin = createAdmin(farm)
  const description = await described(admin)
  const DRAIN = { action: 'drain', reason: 'disk' }
  const rows: ReadonlyArray<readonly [method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, status: number, payload?: object]> = [
    ['GET', '/v1/status', 200], ['GET', '/v1/servers/{backend}/{server}', 200], ['GET', '/v1/servers/{backend}/{server}/traffic', 200],
    ['GET', '/v1/pollers', 200], ['GET', '/v1/overrides', 200], ['PUT', '/v1/overrides/{backend}/{server}', 200, DRAIN],
    ['POST', '/v1/overrides', 200, { ...DRAIN, targets: ['web/a'] }], ['POST', '/v1/overrides', 400, {}], ['DELETE', '/v1/overrides/{backend}/{server}', 200],
    ['POST', '/v1/reload', 200], ['GET', '/v1/events', 200], ['GET', '/health', 200], ['GET', '/v1/health/{backend}/{server}', 200], ['GET', '/v1/openapi.json', 200]
  ]
  for (const [method, path, status, payload] of rows) {
    const answer = await admin.inject({ method, url: path.replace('{backend}', 'web').replace('{server}', 'a'), ...(payload === undefined ? {} : { payload }) })
    t.equal(answer.statusCode, status, `${method} ${path}`)
    const check = promised(description, method, path, status, String(answer.headers['content-type']).replace(/;.*/, ''))
    if (check === undefined) {
      t.fail(`${method} ${path}: its type is not described`)
      continue
    }
    const { error } = check.safeParse(answer.json())
    t.equal(error, undefined, `${method} ${path}: ${JSON.stringify(error?.issues)}`)
    if (path !== '/v1/openapi.json' && status === 200) t.notOk(check.safeParse({ ...answer.json<object>(), more: 1 }).success, `${method} ${path}: nothing more`)
  }
})

void t.test('a problem is a problem wherever it comes from', async t => {
  const farm = new Farm()
  farm.answer = { ok: false, code: 'min_up', detail: 'too few', more: { left: [] } }
  const admin = createAdmin(farm)
  const rows: ReadonlyArray<readonly [number, object]> = [
    [400, { method: 'POST', url: '/v1/overrides', payload: {} }], [400, { url: '/%zz' }], [401, { url: '/v1/status', remoteAddress: '10.0.0.9' }],
    [403, { url: '/v1/status', headers: { host: 'evil.example' } }], [404, { url: '/x' }], [404, { url: '/v1/servers/web/x' }],
    [409, { method: 'PUT', url: '/v1/overrides/web/a', payload: { action: 'drain', reason: 'disk' } }],
    [413, { method: 'POST', url: '/v1/overrides', payload: { reason: 'x'.repeat(70_000) } }],
    [415, { method: 'POST', url: '/v1/reload', payload: 'x', headers: { 'content-type': 'text/plain' } }]
  ]
  for (const [status, request] of rows) {
    const answer = await admin.inject(request)
    t.equal(answer.statusCode, status)
    t.match(answer.headers['content-type'], /^application\/problem\+json/, String(status))
    t.match(answer.headers, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }, String(status))
    t.ok(problemBody.safeParse(answer.json()).success, String(status))
    t.equal(answer.json<{ status: number }>().status, status)
  }
})
