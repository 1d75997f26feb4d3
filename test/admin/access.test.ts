import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { Access, type Place } from '../../src/admin/access.ts'
import { FAILURES_MAX, WAITING_MAX } from '../../src/admin/attempts.ts'
import { createAdmin, type AdminServer } from '../../src/admin/server.ts'
import { makeToken, Tokens } from '../../src/admin/tokens.ts'
import { Farm, problem, tokensOf } from './farm.ts'

const ana = await makeToken('ana', { logCost: 10 })
const bo = await makeToken('bo', { logCost: 10, readOnly: true })
const OUTSIDE = '10.0.0.9'
const DRAIN = { action: 'drain', reason: 'new disk' }

function port (lines: readonly string[] | undefined = [ana.line, bo.line]): readonly [admin: AdminServer, farm: Farm] {
  const farm = new Farm()
  farm.file = lines === undefined ? undefined : tokensOf(...lines)
  return [createAdmin(farm), farm]
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

void t.test('who may read, and who may order', async t => {
  const rows: ReadonlyArray<readonly [from: string, headers: Record<string, string>, read: number, write: number, why: string]> = [
    ['127.0.0.1', {}, 200, 200, 'on this machine'],
    ['127.1.2.3', {}, 200, 200, 'all of 127/8 is'],
    ['::1', {}, 200, 200, 'and this'],
    ['::ffff:127.0.0.1', {}, 200, 200, 'and this, of a listener on ::'],
    [OUTSIDE, {}, 401, 401, 'from elsewhere'],
    ['::ffff:10.0.0.9', {}, 401, 401, 'from elsewhere, to a listener on ::'],
    ['2001:db8::1', {}, 401, 401, 'from elsewhere'],
    [OUTSIDE, bearer(ana.token), 200, 200, 'with a token'],
    [OUTSIDE, { authorization: `bEARER   ${ana.token} ` }, 200, 200, 'however it is written'],
    [OUTSIDE, bearer(bo.token), 200, 403, 'with one that may read'],
    [OUTSIDE, bearer(`${ana.token}x`), 401, 401, 'with a wrong one'],
    [OUTSIDE, bearer(''), 401, 401, 'with an empty one'],
    [OUTSIDE, { authorization: `Basic ${ana.token}` }, 401, 401, 'in another way'],
    [OUTSIDE, { authorization: ana.token }, 401, 401, 'without saying how'],
    [OUTSIDE, { ...bearer(ana.token), host: 'hcf.example.com' }, 200, 200, 'by any name of ours'],
    ['127.0.0.1', bearer(`${ana.token}x`), 401, 401, 'what is shown must be right here too'],
    ['127.0.0.1', bearer(bo.token), 200, 403, 'and counts'],
    ['127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }, 401, 401, 'a proxy on this machine'],
    ['127.0.0.1', { forwarded: 'for=127.0.0.1' }, 401, 401, 'a proxy on this machine'],
    ['127.0.0.1', { via: '1.1 x' }, 401, 401, 'a proxy on this machine'],
    ['127.0.0.1', { 'x-real-ip': '10.0.0.9' }, 401, 401, 'a proxy on this machine'],
    ['127.0.0.1', { 'x-forwarded-host': 'x' }, 401, 401, 'a proxy on this machine'],
    ['127.0.0.1', { ...bearer(ana.token), 'x-forwarded-for': '10.0.0.9' }, 200, 200, 'which brings a token']
  ]
  for (const [remoteAddress, headers, read, write, why] of rows) {
    const [admin, farm] = port()
    const name = `${why}: ${remoteAddress} ${Object.keys(headers).join()}`
    t.equal((await admin.inject({ url: '/v1/status', remoteAddress, headers })).statusCode, read, `${name}, read`)
    t.equal((await admin.inject({ method: 'PUT', url: '/v1/overrides/web/a', payload: DRAIN, remoteAddress, headers })).statusCode, write, `${name}, write`)
    t.equal(farm.orders.length, write === 200 ? 1 : 0, `${name}: nothing happens before it is allowed`)
  }
})

void t.test('every route, also what is not there, is closed to whoever has no token; health is open', async t => {
  const [admin] = port()
  const { paths } = (await admin.inject('/v1/openapi.json')).json<{ paths: Record<string, object> }>()
  const open: string[] = []
  for (const [path, methods] of Object.entries({ ...paths, '/nothing': { get: {} } })) {
    for (const method of Object.keys(methods)) {
      const answer = await admin.inject({ method: method.toUpperCase() as 'GET', url: path.replaceAll(/\{\w+\}/g, 'a'), remoteAddress: OUTSIDE })
      if (answer.statusCode !== 401) open.push(`${method} ${path}`)
    }
  }
  t.same(open.toSorted(), ['get /health', 'get /v1/health/{backend}/{server}'])
})

void t.test('what is said to who may not', async t => {
  const rows: ReadonlyArray<readonly [lines: readonly string[] | undefined, headers: Record<string, string>, detail: RegExp, challenge: string]> = [
    [[ana.line], {}, /^From elsewhere this port answers only with a token: Authorization: Bearer NAME\.SECRET\. `hcf token NAME` makes one\.$/, 'Bearer realm="hcf"'],
    [undefined, {}, /admin\.token_file is not set: ask on the machine hcf runs on/, 'Bearer realm="hcf"'],
    [undefined, bearer(ana.token), /admin\.token_file is not set/, 'Bearer realm="hcf"'],
    [[ana.line], { via: 'x' }, /^Through a proxy \(via\) this port/, 'Bearer realm="hcf"'],
    [[ana.line], bearer('x'), /not in token_file/, 'Bearer realm="hcf", error="invalid_token"'],
    [[ana.line], { authorization: 'x' }, /must be like: Bearer NAME\.SECRET/, 'Bearer realm="hcf"']
  ]
  for (const [lines, headers, detail, challenge] of rows) {
    const answer = await createAdmin(Object.assign(new Farm(), { file: lines && tokensOf(...lines) })).inject({ url: '/v1/status', remoteAddress: OUTSIDE, headers })
    t.equal(answer.headers['www-authenticate'], challenge)
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    t.match(answer.json(), problem(401, 'Token needed', detail))
  }
  const [admin] = port()
  const answer = await admin.inject({ method: 'POST', url: '/v1/reload', remoteAddress: OUTSIDE, headers: bearer(bo.token) })
  t.match(answer.json(), problem(403, 'Not allowed', /^The token bo may only read/))
})

void t.test('a token that is gone from the file is gone at once', async t => {
  const [admin, farm] = port()
  const status = async (): Promise<number> => (await admin.inject({ url: '/v1/status', remoteAddress: OUTSIDE, headers: bearer(ana.token) })).statusCode
  t.equal(await status(), 200)
  farm.file = tokensOf(bo.line)
  t.equal(await status(), 401)
  farm.file = undefined
  t.equal(await status(), 401)
  farm.file = tokensOf(ana.line)
  t.equal(await status(), 200)
})

void t.test('guessing comes to an end', async t => {
  const [admin, farm] = port()
  const status = async (token: string, remoteAddress = OUTSIDE): Promise<number> =>
    (await admin.inject({ url: '/v1/status', remoteAddress, headers: bearer(token) })).statusCode
  for (let i = 0; i < 5; i += 1) t.equal(await status(`ana.${i}`), 401)
  const refused = await admin.inject({ url: '/v1/status', remoteAddress: OUTSIDE, headers: bearer(ana.token) })
  t.equal(refused.statusCode, 429, 'the right one too: a guess that is not looked at tells nothing')
  t.equal(refused.headers['retry-after'], '60')
  t.match(refused.json(), problem(429, 'Too many failures', /Try again in 60 s/))
  t.equal(await status(ana.token, '10.0.0.8'), 200, 'another address has its own')
  t.equal(await status(ana.token), 200, 'and who is known by now is not locked out by the others at his address')
  t.equal((await admin.inject('/v1/status')).statusCode, 200, 'nor is this machine')
  await farm.clock.advance(60_000)
  t.equal(await status('ana.x'), 401)
})

/** All at once, from one address; what each is answered. */
async function knock (tokens: readonly string[], lines?: readonly string[]): Promise<readonly number[]> {
  const [admin] = port(lines)
  const answers = await Promise.all(tokens.map(async token => admin.inject({ url: '/v1/status', remoteAddress: OUTSIDE, headers: bearer(token) })))
  for (const { statusCode, headers } of answers) if (statusCode === 503) t.equal(headers['retry-after'], '1')
  return answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)
}
const wrong = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `ana.${i}`)

void t.test('many guesses at once are many guesses; one many times over is one', async t => {
  t.same(await knock(wrong(8)), [401, 401, 401, 401, 401, 429, 429, 429])
  t.same(await knock(Array(8).fill(ana.token)), Array(8).fill(200), 'a page that asks for eight things at once')
})

void t.test('people behind one address do not lock each other out after a reload, when no token is known yet', async t => {
  const people = await Promise.all(Array.from({ length: 8 }, async (_, i) => makeToken(`p${i}`, { logCost: 10 })))
  const [tokens, lines] = [people.map(({ token }) => token), people.map(({ line }) => line)]
  t.same(await knock(tokens, lines), Array(8).fill(200))
  t.same(await knock([...wrong(4), ...tokens], lines), [...Array(8).fill(200), ...Array(4).fill(401)], 'nor does who is wrong less often than he may')
  const refused = await knock([...wrong(5), ...tokens], lines)
  t.same(refused, [...Array(5).fill(401), ...Array(8).fill(429)], 'who is wrong too often does')
})

void t.test('so many wait for what comes of the others, and no more', async t => {
  t.same(await knock(wrong(FAILURES_MAX + WAITING_MAX + 1)), [...Array(FAILURES_MAX).fill(401), ...Array(WAITING_MAX).fill(429), 503])
})

const asking = (headers: Record<string, string>, ends: object): FastifyRequest => ({ method: 'GET', headers, socket: ends }) as unknown as FastifyRequest
const outcome = async (access: Access, headers: Record<string, string>, ends: object): Promise<unknown> =>
  access.check(asking(headers, ends)).then(() => 200, (error: { status: unknown }) => error.status)

void t.test('a token that somebody else shows too is looked at for each address', async t => {
  const access = new Access(Object.assign(new Farm(), { file: tokensOf(ana.line) }))
  const guesses = [...wrong(5), ana.token].map(async token => outcome(access, bearer(token), { remoteAddress: OUTSIDE }))
  t.equal(await outcome(access, bearer(ana.token), { remoteAddress: '10.0.0.8' }), 200, 'it does not wait for the failures of the other address')
  t.same(await Promise.all(guesses), [401, 401, 401, 401, 401, 429])
})

void t.test('a token that a reload takes out while it is looked at is out; one that it brings is in', async t => {
  const rows: ReadonlyArray<readonly [token: string, file: Tokens | undefined, status: number]> = [
    [ana.token, tokensOf(bo.line), 401], [ana.token, tokensOf(), 401], [ana.token, undefined, 401],
    [ana.token, tokensOf(ana.line, bo.line), 200], [bo.token, tokensOf(bo.line), 200]
  ]
  for (const [token, file, status] of rows) {
    const farm = new Farm()
    const old = tokensOf(ana.line)
    const verify = old.verify.bind(old)
    farm.file = Object.assign(old, { verify: async (shown: string) => {
      const holder = await verify(shown)
      farm.file = file
      return holder
    } })
    const access = new Access(farm)
    const both = [0, 1].map(async () => outcome(access, bearer(token), { remoteAddress: OUTSIDE }))
    t.same(await Promise.all(both), [status, status], `${token.slice(0, 3)} of ${file?.size ?? 'no'} tokens`)
  }
})

void t.test('when too many are looked at, nobody is blamed', async t => {
  class BusyTokens extends Tokens {
    override async verify (): Promise<'busy'> { return 'busy' }
  }
  const admin = createAdmin(Object.assign(new Farm(), { file: new BusyTokens([]) }))
  for (let i = 0; i < 7; i += 1) {
    const answer = await admin.inject({ url: '/v1/status', remoteAddress: OUTSIDE, headers: bearer(ana.token) })
    t.equal(answer.headers['retry-after'], '1')
    t.match(answer.json(), problem(503, 'Busy', /Try again in a moment/))
  }
})

void t.test('a page of another site orders nothing', async t => {
  const rows: ReadonlyArray<readonly [headers: Record<string, string>, status: number, why: string]> = [
    [{}, 200, 'no browser'],
    [{ origin: 'http://127.0.0.1:9778', host: '127.0.0.1:9778', 'sec-fetch-site': 'same-origin' }, 200, 'our own page'],
    [{ origin: 'http://LOCALHOST:9778', host: 'localhost:9778' }, 200, 'our own page, in an old browser'],
    [{ origin: 'http://evil.example', host: 'localhost' }, 403, 'another site'],
    [{ origin: 'http://localhost:8080', host: 'localhost:9778' }, 403, 'another port'],
    [{ origin: 'null', host: 'localhost' }, 403, 'a sandbox, a file'],
    [{ origin: '', host: 'localhost' }, 403, 'nothing'],
    [{ 'sec-fetch-site': 'cross-site' }, 403, 'another site'],
    [{ 'sec-fetch-site': 'same-site' }, 403, 'a neighbour'],
    [{ 'sec-fetch-site': 'none' }, 403, 'no page at all'],
    [{ origin: 'http://localhost', host: 'localhost', 'sec-fetch-site': 'cross-site' }, 403, 'contradicting itself'],
    [{ ...bearer(ana.token), origin: 'http://evil.example', host: 'localhost' }, 403, 'with a token too'],
    [{ origin: 'http://evil.example', host: 'evil.example' }, 403, 'a name of its own for this machine']
  ]
  for (const [headers, status, why] of rows) {
    for (const request of [
      { method: 'PUT', url: '/v1/overrides/web/a', payload: DRAIN }, { method: 'POST', url: '/v1/overrides', payload: { ...DRAIN, targets: ['web/a'] } },
      { method: 'DELETE', url: '/v1/overrides/web/a' }, { method: 'POST', url: '/v1/reload' }
    ] as const) {
      const [admin, farm] = port()
      const answer = await admin.inject({ ...request, headers })
      t.equal(answer.statusCode, status, `${why}: ${request.method} ${request.url}`)
      if (status === 403) t.same([farm.orders, farm.cleared], [[], []], why)
    }
  }
  const [admin] = port()
  t.equal((await admin.inject({ url: '/v1/status', headers: { origin: 'http://evil.example', host: 'localhost' } })).statusCode, 200, 'it may ask, and its browser keeps the answer from it')
})

void t.test('without a token, by a name of this machine only', async t => {
  const rows: ReadonlyArray<readonly [host: string, status: number]> = [
    ['localhost', 200], ['localhost:9778', 200], ['LocalHost:9778', 200], ['127.0.0.1', 200], ['127.0.0.1:9778', 200], ['127.9.9.9:1', 200],
    ['[::1]', 200], ['[::1]:9778', 200],
    ['evil.example', 403], ['evil.example:9778', 403], ['127.0.0.1.evil.example', 403], ['localhost.evil.example', 403], ['10.0.0.9:9778', 403],
    ['127.1', 403], ['[::2]', 403], ['localhost@evil.example', 403], [':9778', 403]
  ]
  for (const [host, status] of rows) {
    const [admin] = port()
    const answer = await admin.inject({ url: '/v1/status', headers: { host } })
    t.equal(answer.statusCode, status, host)
    if (status === 403) t.match(answer.json(), problem(403, 'Not allowed', /must be asked by a name of this machine/), host)
    t.equal((await admin.inject({ url: '/v1/status', headers: { host, ...bearer(ana.token) } })).statusCode, 200, `${host}, with a token`)
    t.equal((await admin.inject({ url: '/health', headers: { host } })).statusCode, 200, `${host}, for the health`)
  }
})

void t.test('this machine may ask by its own address too, whichever it listens on', async t => {
  const rows: ReadonlyArray<readonly [from: string, to: string, headers: Record<string, string>, status: number, why: string]> = [
    ['10.0.0.5', '10.0.0.5', { host: '10.0.0.5:9778' }, 200, 'hcf reload, where the config says admin.listen: 10.0.0.5:9778'],
    ['10.0.0.5', '10.0.0.5', {}, 200, 'without a name'],
    ['::ffff:10.0.0.5', '::ffff:10.0.0.5', { host: '10.0.0.5:9778' }, 200, 'where it says [::]:9778'],
    ['::ffff:10.0.0.5', '::ffff:10.0.0.5', { host: '[::ffff:10.0.0.5]:9778' }, 200, 'and it was asked like that'],
    ['10.0.0.5', '10.0.0.5', { host: '[::ffff:10.0.0.5]:9778' }, 200, 'or like that'],
    ['2001:db8::5', '2001:db8::5', { host: '[2001:DB8::5]:9778' }, 200, 'of IPv6'],
    ['10.0.0.5', '10.0.0.5', { host: 'localhost:9778' }, 200, 'by a tunnel'],
    ['10.0.0.5', '10.0.0.5', { host: 'evil.example:9778' }, 403, 'by a name that a stranger gave it'],
    ['10.0.0.5', '10.0.0.5', { host: '10.0.0.6:9778' }, 403, 'by another address'],
    ['10.0.0.5', '10.0.0.5', { host: '10.0.0.5.evil.example' }, 403, 'by a name that begins like it'],
    ['127.0.0.1', '127.0.0.1', { host: '10.0.0.5' }, 403, 'by an address that was not connected to'],
    ['10.0.0.5', '10.0.0.5', { host: '10.0.0.5', 'x-forwarded-for': '10.0.0.5' }, 401, 'for a proxy on it'],
    ['10.0.0.9', '10.0.0.5', { host: '10.0.0.5:9778' }, 401, 'a neighbour']
  ]
  for (const [remoteAddress, localAddress, headers, status, why] of rows) {
    t.equal(await outcome(new Access(new Farm()), headers, { remoteAddress, localAddress }), status, `${why}: ${remoteAddress} ${JSON.stringify(headers)}`)
  }
})

void t.test('the name it listens on is one of this machine; a unix socket has none', async t => {
  const rows: ReadonlyArray<readonly [place: Place, from: string | undefined, host: string | undefined, allowed: boolean, why: string]> = [
    [{ unix: false, host: 'Admin.internal' }, '127.0.1.1', 'admin.INTERNAL:9778', true, 'as in admin.listen'],
    [{ unix: false, host: 'admin.internal' }, '127.0.1.1', 'evil.example', false, 'not so'],
    [{ unix: false }, '127.0.0.1', undefined, true, 'no browser leaves it out'],
    [{ unix: true }, undefined, 'evil.example', true, 'no browser gets there'],
    [{ unix: false }, undefined, 'localhost', false, 'a connection that was reset has no address either']
  ]
  for (const [place, remoteAddress, host, allowed, why] of rows) {
    const access = new Access(new Farm())
    access.place = place
    t.equal(await outcome(access, host === undefined ? {} : { host }, { remoteAddress }) === 200, allowed, why)
  }
})
