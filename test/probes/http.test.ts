import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import type { Facts } from '../../src/core/model.ts'
import type { ProbeOptions } from '../../src/core/probe.ts'
import { httpFacts } from '../../src/probes/http.ts'
import { settled } from '../helpers/streams.ts'
import { GET, listenOn, nodeAt, outcome, probe, signal, ticksOf, type ProbeUnderTest } from './bench.ts'

const PLAIN = GET.options
const factsOf = (body: string, options: Partial<ProbeOptions['http']>): Facts =>
  httpFacts({ status: 200, headers: {}, body: Buffer.from(body) }, { ...PLAIN, ...options })

void t.test('status and length are always told, and no more than is asked for', async t => {
  t.same(factsOf('secret', {}), { status: 200, bytes: 6 })
  t.same(factsOf('é', {}), { status: 200, bytes: 2 }, 'bytes, not characters')
})

void t.test('whether the body contains a text', async t => {
  const rows: ReadonlyArray<readonly [string, string, boolean]> = [
    ['all is well', 'is well', true],
    ['all is well', 'Is well', false],
    ['', 'x', false],
    ['größe', 'öß', true],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false]
  ]
  for (const [body, contains, found] of rows) t.equal(factsOf(body, { contains })['contains'], found, `${contains} in ${body}`)
})

void t.test('whether the body matches a regular expression', async t => {
  const rows: ReadonlyArray<readonly [string, string, boolean]> = [
    ['abc', 'a.c', true],
    ['xabcx', '^abc$', false],
    ['load: 17', 'load: \\d+', true],
    ['', '^$', true],
    ['OK', 'ok', false]
  ]
  for (const [body, matches, found] of rows) t.equal(factsOf(body, { matches })['matches'], found, `${matches} on ${body}`)
})

void t.test('JSON pointers', async t => {
  const json = JSON.stringify({
    db: { state: 'ok', lag: 0.5, up: true, note: null, parts: [{ n: 1 }, { n: 2 }] },
    '': 'empty key', 'a/b': 'slash', 'm~n': 'tilde', '~1': 'tilde one', 'x y': 'blank', long: 'z'.repeat(150)
  })
  const rows: ReadonlyArray<readonly [string, unknown, string]> = [
    ['/db/state', 'ok', 'text'],
    ['/db/lag', 0.5, 'number'],
    ['/db/up', true, 'boolean'],
    ['/db/note', null, 'null'],
    ['/db/parts/1/n', 2, 'an element'],
    ['/db/parts/2/n', undefined, 'no such element'],
    ['/db/parts/01/n', undefined, 'no number of RFC 6901'],
    ['/db/parts/-', undefined, 'what comes after the last'],
    ['/db/parts/length', undefined, 'nothing of JavaScript’s own'],
    ['/db/constructor', undefined, 'nor this'],
    ['/', 'empty key', 'the empty key'],
    ['/a~1b', 'slash', '~1'],
    ['/m~0n', 'tilde', '~0'],
    ['/~01', 'tilde one', '~01 is ~1, not a slash'],
    ['/x y', 'blank', 'a blank'],
    ['/long', 'z'.repeat(100), 'cut'],
    ['/db', undefined, 'an object is no fact'],
    ['/db/parts', undefined, 'nor is an array'],
    ['', undefined, 'nor the whole'],
    ['/db/state/deeper', undefined, 'nothing is in a text']
  ]
  for (const [pointer, value, why] of rows) {
    t.strictSame(factsOf(json, { pointers: [pointer] })[`json:${pointer}`], value, `${pointer}: ${why}`)
  }
  t.equal(factsOf('17', { pointers: [''] })['json:'], 17, 'a whole that is a number')
  t.same(factsOf('<html>', { pointers: ['/a', '/b'] }), { status: 200, bytes: 6 }, 'what is no JSON holds nothing')
  t.same(factsOf('', { pointers: ['/a'] }), { status: 200, bytes: 0 }, 'nor does nothing')
})

interface Site { readonly at: (options: Partial<ProbeOptions['http']>) => ProbeUnderTest, readonly asked: string[], readonly port: number }

/** A site that answers as told, and notes what it was asked. */
async function site (t: Test, answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<Site> {
  const asked: string[] = []
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`)
    answer(req, res)
  })
  const port = await listenOn(t, server)
  t.teardown(() => { server.closeAllConnections() })
  return { asked, port, at: options => probe(t, nodeAt(port), { kind: 'http', options: { ...PLAIN, ...options } }) }
}

const redirect = (res: ServerResponse, status: number, location: string): void => { res.writeHead(status, { location }).end() }

void t.test('redirects are followed as often as is asked, and no more', async t => {
  const { at, asked } = await site(t, (req, res) => {
    const left = Number(req.url?.slice(1))
    if (left > 0) redirect(res, 302, `/${left - 1}`)
    else res.end('there')
  })
  const rows: ReadonlyArray<readonly [number, string, number, number, string]> = [
    [0, '/1', 302, 1, 'not unless asked'],
    [1, '/1', 200, 2, 'one, at the bound'],
    [1, '/2', 302, 2, 'one of two'],
    [5, '/5', 200, 6, 'five'],
    [5, '/0', 200, 1, 'none to follow']
  ]
  for (const [follow, path, status, requests, why] of rows) {
    asked.length = 0
    t.match(outcome(await at({ follow, path }).run()), { status }, why)
    t.equal(asked.length, requests, why)
  }
})

void t.test('where a redirect leads', async t => {
  let location = ''
  const { at, asked, port } = await site(t, (req, res) => {
    if (req.url === '/dir/start?x=y') redirect(res, 301, location)
    else res.end('there')
  })
  const { run } = at({ follow: 1, path: '/dir/start?x=y' })
  const inside: ReadonlyArray<readonly [string, string]> = [
    ['/other?a=b#part', '/other?a=b'],
    ['sibling', '/dir/sibling'],
    ['?q', '/dir/start?q'],
    [`http://127.0.0.1:${port}/whole`, '/whole'],
    [`//127.0.0.1:${port}/`, '/']
  ]
  for (const [to, path] of inside) {
    location = to
    t.match(outcome(await run()), { status: 200 }, to)
    t.equal(asked.at(-1), `GET ${path}`, to)
  }
  const outside = [
    'http://127.0.0.2/', `http://127.0.0.1:${port + 1}/`, `https://127.0.0.1:${port}/`, '//other.example/', 'file:///x', 'http://['
  ]
  for (const to of outside) {
    location = to
    asked.length = 0
    t.same(outcome(await run()), { class: 'protocol', message: 'redirected to another node' }, to)
    t.equal(asked.length, 1, `${to}: not asked`)
  }
})

void t.test('how a redirect is followed', async t => {
  let status = 302
  const { at, asked } = await site(t, (req, res) => {
    if (req.url === '/') redirect(res, status, '/next')
    else res.end()
  })
  const rows: ReadonlyArray<readonly [string, number, string]> = [
    ['GET', 301, 'GET'], ['GET', 308, 'GET'], ['HEAD', 303, 'HEAD'], ['HEAD', 307, 'HEAD'],
    ['POST', 301, 'GET'], ['POST', 303, 'GET'], ['POST', 307, 'POST'], ['POST', 308, 'POST']
  ]
  for (const [method, code, next] of rows) {
    status = code
    t.match(outcome(await at({ method, follow: 1 }).run()), { status: 200 })
    t.equal(asked.at(-1), `${next} /next`, `${method} after ${code}`)
  }
  const { at: atCreated } = await site(t, (_, res) => { redirect(res, 201, '/next') })
  t.match(outcome(await atCreated({ follow: 1 }).run()), { status: 201 }, 'a place that is no redirect')
})

void t.test('a look that asks twice has no more time than one that asks once', async t => {
  const asked = signal()
  let clock = { nowMs: 0 }
  const { at } = await site(t, (req, res) => {
    if (req.url === '/next') return asked.give()
    clock.nowMs += 200
    redirect(res, 302, '/next')
  })
  const under = at({ follow: 1 })
  clock = under.clock
  const sample = under.run()
  await asked.given
  await settled()
  under.ticker.tick(ticksOf(100) - 1)
  t.equal(under.ticker.running, 1)
  under.ticker.tick()
  t.same(outcome(await sample), { class: 'timeout', message: 'no answer within 100ms' })
})

void t.test('latency is what the clock of the probe says', async t => {
  let clock = { nowMs: 0 }
  const { at } = await site(t, (_, res) => {
    clock.nowMs += 12.6
    res.end()
  })
  const under = at({})
  clock = under.clock
  clock.nowMs = 1000
  t.same(await under.run(), { ok: true, startMs: 1000, endMs: 1012.6, facts: { status: 200, bytes: 0, latencyMs: 13 } })
})
