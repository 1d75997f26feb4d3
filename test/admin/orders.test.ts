import t from 'tap'
import type { Given } from '../../src/admin/deps.ts'
import { createAdmin } from '../../src/admin/server.ts'
import { makeToken } from '../../src/admin/tokens.ts'
import { TARGETS_MAX } from '../../src/admin/api.ts'
import { REASON_CHARACTERS_MAX } from '../../src/core/order.ts'
import { Farm, GIVEN, problem, tokensOf } from './farm.ts'

const DRAIN = { action: 'drain', reason: 'new disk' } as const

void t.test('an order reaches the agent as it was given', async t => {
  const weight = { action: 'weight', weightPercent: 25, reason: 'slow', forMs: 600_000, rampMs: 60_000, force: true, atMost: 2, by: 'ana' }
  const rows: ReadonlyArray<readonly [method: 'PUT' | 'POST', url: string, body: object, order: object, by: string]> = [
    ['PUT', '/v1/overrides/web/a', DRAIN, { ...DRAIN, targets: ['web/a'] }, 'local'],
    ['PUT', '/v1/overrides/web/*', DRAIN, { ...DRAIN, targets: ['web/*'] }, 'local'],
    ['PUT', '/v1/overrides/%2A/%2A', { ...DRAIN, until: '2026-12-01T06:00Z' }, { ...DRAIN, until: '2026-12-01T06:00Z', targets: ['*/*'] }, 'local'],
    ['PUT', '/v1/overrides/web/a', weight, { ...weight, targets: ['web/a'] }, 'ana'],
    ['POST', '/v1/overrides', { ...DRAIN, targets: ['web/a', 'web/b'], by: 'bo' }, { ...DRAIN, targets: ['web/a', 'web/b'], by: 'bo' }, 'bo'],
    ['POST', '/v1/overrides', { ...DRAIN, reason: '  why  ', targets: ['web/a'] }, { ...DRAIN, reason: 'why', targets: ['web/a'] }, 'local']
  ]
  for (const [method, url, payload, order, by] of rows) {
    const farm = new Farm()
    const answer = await createAdmin(farm).inject({ method, url, payload })
    t.equal(answer.statusCode, 200, url)
    t.same(answer.json(), GIVEN, url)
    t.same(farm.orders, [[order, by]], url)
  }
})

void t.test('an order ends', async t => {
  for (const [url, scope, by] of [
    ['/v1/overrides/web/a', 'web/a', 'local'], ['/v1/overrides/web/*?by=ana', 'web/*', 'ana'], ['/v1/overrides/*/*', '*/*', 'local']
  ] as const) {
    const farm = new Farm()
    const answer = await createAdmin(farm).inject({ method: 'DELETE', url })
    t.equal(answer.statusCode, 200, url)
    t.same(answer.json(), GIVEN, url)
    t.same(farm.cleared, [[scope, by]], url)
  }
})

void t.test('who has shown a token is the author, whatever the body says', async t => {
  const { token, line } = await makeToken('ana', { logCost: 10 })
  const farm = new Farm()
  farm.file = tokensOf(line)
  const headers = { authorization: `Bearer ${token}` }
  const port = createAdmin(farm)
  await port.inject({ method: 'PUT', url: '/v1/overrides/web/a', payload: { ...DRAIN, by: 'bo' }, headers })
  await port.inject({ method: 'DELETE', url: '/v1/overrides/web/a?by=bo', headers })
  t.same([farm.orders[0]?.[1], farm.cleared[0]?.[1]], ['ana', 'ana'])
})

void t.test('refused, each with its status and what a program needs', async t => {
  const rows: ReadonlyArray<readonly [code: Extract<Given, { ok: false }>['code'], status: number, title: string]> = [
    ['unknown', 404, 'Not found'], ['invalid', 400, 'Bad request'], ['min_up', 409, 'Order refused'],
    ['at_most', 409, 'Order refused'], ['full', 507, 'Cannot be kept'], ['disk', 507, 'Cannot be kept']
  ]
  for (const [code, status, title] of rows) {
    const farm = new Farm()
    farm.answer = { ok: false, code, detail: 'too few', more: { left: ['b'], status: 200 } }
    for (const request of [
      { method: 'PUT', url: '/v1/overrides/web/a', payload: DRAIN },
      { method: 'POST', url: '/v1/overrides', payload: { ...DRAIN, targets: ['web/a'] } },
      { method: 'DELETE', url: '/v1/overrides/web/a' }
    ] as const) {
      const answer = await createAdmin(farm).inject(request)
      t.equal(answer.statusCode, status, `${request.method} ${code}`)
      t.match(answer.headers['content-type'], /^application\/problem\+json/, code)
      t.same(answer.json(), problem(status, title, 'too few', { code, left: ['b'] }), `${request.method} ${code}`)
    }
  }
})

void t.test('orders that make no sense, all mistakes at once', async t => {
  const rows: ReadonlyArray<readonly [body: unknown, problems: readonly (string | RegExp)[]]> = [
    [{}, [/^action: must be one of drain, maint/, /^reason: must say why/, 'targets: must be a list of servers']],
    [{ ...DRAIN, targets: [] }, ['targets: must name a server']],
    [{ ...DRAIN, targets: ['web'] }, [/^targets\.0: must be a server like/]],
    [{ ...DRAIN, targets: ['*/a'] }, [/^targets\.0: must be a server like/]],
    [{ ...DRAIN, targets: ['web/a'], reason: '  ' }, ['reason: must say why']],
    [{ ...DRAIN, targets: ['web/a'], reason: 'x'.repeat(REASON_CHARACTERS_MAX + 1) }, [/^reason: must be at most 200/]],
    [{ ...DRAIN, targets: Array(TARGETS_MAX + 1).fill('web/a') }, ['targets: must be at most 1000']],
    [{ ...DRAIN, targets: ['web/a'], until: 'tomorrow' }, [/^until: must be a moment like/]],
    [{ ...DRAIN, targets: ['web/a'], until: '2026-12-01T06:00' }, [/^until: must be a moment like/]],
    [{ ...DRAIN, targets: ['web/a'], until: '2026-12-01T06:00Z', forMs: 1 }, ['the body: forMs and until: one of them']],
    [{ ...DRAIN, targets: ['web/a'], weightPercent: 5 }, ['the body: weightPercent is only for action weight']],
    [{ ...DRAIN, action: 'weight', targets: ['web/a'] }, ['the body: a weight needs weightPercent']],
    [{ ...DRAIN, action: 'weight', weightPercent: 101, targets: ['web/a'] }, ['weightPercent: must be 0 to 100']],
    [{ ...DRAIN, targets: ['web/a'], forr: 1 }, ['the body has forr, which is not known here']],
    [[], [/^the body: /]],
    ['null', [/^action: /, /^reason: /, /^targets: /]]
  ]
  for (const [payload, problems] of rows) {
    const farm = new Farm()
    const answer = await createAdmin(farm).inject({ method: 'POST', url: '/v1/overrides', payload: payload as object, headers: { 'content-type': 'application/json' } })
    const name = JSON.stringify(payload).slice(0, 80)
    t.equal(answer.statusCode, 400, name)
    const body = answer.json<{ problems: string[], detail: string }>()
    t.equal(body.problems.length, problems.length, name)
    t.match(body.problems, problems, name)
    t.equal(body.detail, body.problems.join('; '), name)
    t.same(farm.orders, [], name)
  }
})

void t.test('as long and as many as may be', async t => {
  const farm = new Farm()
  const payload = { ...DRAIN, reason: 'x'.repeat(REASON_CHARACTERS_MAX), targets: Array(TARGETS_MAX).fill('web/a') }
  t.equal((await createAdmin(farm).inject({ method: 'POST', url: '/v1/overrides', payload })).statusCode, 200)
  t.equal(farm.orders.length, 1)
})

void t.test('a scope in the path is checked like one in the body', async t => {
  for (const path of ['*/a', 'we%20b/a', 'web/a%2Fb', `${'w'.repeat(65)}/a`]) {
    const farm = new Farm()
    for (const request of [{ method: 'PUT', payload: DRAIN }, { method: 'DELETE' }] as const) {
      const answer = await createAdmin(farm).inject({ ...request, url: `/v1/overrides/${path}` })
      t.equal(answer.statusCode, 400, path)
      t.match(answer.json(), problem(400, 'Bad request', /must be a server like web\/a, all of a backend like web\/\*, or \*\/\*$/), path)
    }
    t.same([farm.orders, farm.cleared], [[], []], path)
  }
  const twice = await createAdmin(new Farm()).inject({ method: 'PUT', url: '/v1/overrides/web/a', payload: { ...DRAIN, targets: ['web/b'] } })
  t.match(twice.json(), problem(400, 'Bad request', 'the body has targets, which is not known here'), 'not one server in the path and another in the body')
})

void t.test('bodies that are none', async t => {
  const rows: ReadonlyArray<readonly [type: string, payload: string, status: number, detail: string | RegExp]> = [
    ['application/json', '{', 400, /not valid JSON/],
    ['application/json', '', 400, 'The body is empty, though it says to be JSON.'],
    ['application/json', '{"__proto__": {"x": 1}}', 400, /not valid JSON/],
    ['text/plain', '{}', 415, 'A body must be JSON, and say so: Content-Type: application/json.'],
    ['application/x-www-form-urlencoded', 'action=drain', 415, /must be JSON/],
    ['multipart/form-data; boundary=x', '--x--', 415, /must be JSON/]
  ]
  for (const [type, payload, status, detail] of rows) {
    for (const request of [{ method: 'POST', url: '/v1/overrides' }, { method: 'POST', url: '/v1/reload' }] as const) {
      const answer = await createAdmin(new Farm()).inject({ ...request, payload, headers: { 'content-type': type } })
      t.equal(answer.statusCode, status, `${type} ${payload}`)
      t.match(answer.headers['content-type'], /^application\/problem\+json/)
      t.match(answer.json(), { status, detail }, `${type} ${payload}`)
    }
  }
})

void t.test('reload', async t => {
  const good = await createAdmin(new Farm()).inject({ method: 'POST', url: '/v1/reload' })
  t.equal(good.statusCode, 200)
  t.same(good.json(), { config: '/etc/hcf/hcf.yaml', backends: 1, servers: 3 })
  const problems = ['hcf.yaml:1:1: one', 'hcf.yaml:2:1: two']
  const bad = await createAdmin(Object.assign(new Farm(), { reload: async () => ({ ok: false, problems }) })).inject({ method: 'POST', url: '/v1/reload' })
  t.equal(bad.statusCode, 422)
  t.same(bad.json(), problem(422, 'Config rejected', problems.join('\n'), { problems }))
})
