import t from 'tap'
import type { ProbeRequest } from '../../src/core/probe.ts'
import { judgeRows, kindOf, refusals, type Options, type Row } from './judge.ts'

const requestOf = (kind: 'http' | 'tcp', options: Options): ProbeRequest | 'reach' =>
  kindOf(kind).probe(kindOf(kind).options.parse(options) as never)

void t.test('http: status', async (t) => {
  const rows: readonly Row[] = [
    [{ status: 200 }, {}, true, 'answered 200 in 20ms, needs 200 or 204', 'by default'],
    [{ status: 200, latencyMs: 7 }, {}, true, 'answered 200 in 7ms, needs 200 or 204', 'by a second look: what the node itself took'],
    [{ status: 204 }, {}, true, 'answered 204 in 20ms, needs 200 or 204', 'or without a body'],
    [{ status: 201 }, {}, false, 'answered 201, needs 200 or 204', 'bound + 1'],
    [{ status: 503 }, {}, false, 'answered 503, needs 200 or 204', 'an error'],
    [{ status: 302 }, { status: 302 }, true, 'answered 302 in 20ms, needs 302', 'another one alone'],
    [{ status: 303 }, { status: [301, 302] }, false, 'answered 303, needs 301 or 302', 'none of a list'],
    [{}, {}, false, 'answered no status, needs 200 or 204', 'no facts'],
    [{ status: null }, {}, false, 'answered no status, needs 200 or 204', 'null'],
    [{ status: '200' }, {}, false, 'answered no status, needs 200 or 204', 'a text is no status']
  ]
  judgeRows(t, 'http', rows)
})

void t.test('http: body', async (t) => {
  const long = 'x'.repeat(41)
  const rows: readonly Row[] = [
    [{ status: 200, contains: true }, { contains: 'all good' }, true, 'answered 200 in 20ms, needs 200 or 204', 'contains'],
    [{ status: 200, contains: false }, { contains: 'all good' }, false, 'body lacks "all good"', 'does not'],
    [{ status: 200 }, { contains: 'all good' }, false, 'body lacks "all good"', 'no fact'],
    [{ status: 200, contains: 'true' }, { contains: 'all good' }, false, 'body lacks "all good"', 'a text is no truth'],
    [{ status: 503, contains: true }, { contains: 'all good' }, false, 'answered 503, needs 200 or 204', 'the status comes first'],
    [{ status: 200, contains: false }, { contains: long }, false, `body lacks "${long.slice(1)}..."`, 'a long text is cut'],
    [{ status: 200, matches: true }, { matches: '^ok' }, true, 'answered 200 in 20ms, needs 200 or 204', 'matches'],
    [{ status: 200, matches: false }, { matches: '^ok' }, false, 'body does not match "^ok"', 'does not'],
    [{ status: 200, matches: null }, { matches: '^ok' }, false, 'body does not match "^ok"', 'null']
  ]
  judgeRows(t, 'http', rows)
})

void t.test('http: JSON', async (t) => {
  const rows: readonly Row[] = [
    [{ status: 200, 'json:/db': 'ok' }, { json: { '/db': 'ok' } }, true, 'answered 200 in 20ms, needs 200 or 204', 'as it must be'],
    [{ status: 200, 'json:/db': 'down' }, { json: { '/db': 'ok' } }, false, 'JSON /db is "down", needs "ok"', 'another text'],
    [{ status: 200 }, { json: { '/db': 'ok' } }, false, 'JSON /db is missing, needs "ok"', 'missing'],
    [{ status: 200, 'json:/n': 4 }, { json: { '/n': 5 } }, false, 'JSON /n is 4, needs 5', 'bound - 1'],
    [{ status: 200, 'json:/n': '5' }, { json: { '/n': 5 } }, false, 'JSON /n is "5", needs 5', 'a text is no number'],
    [{ status: 200, 'json:/n': true }, { json: { '/n': true } }, true, 'answered 200 in 20ms, needs 200 or 204', 'true'],
    [{ status: 200, 'json:/n': null }, { json: { '/n': null } }, true, 'answered 200 in 20ms, needs 200 or 204', 'null as wanted'],
    [{ status: 200 }, { json: { '/n': null } }, false, 'JSON /n is missing, needs null', 'null is not missing'],
    [{ status: 200, 'json:/n': [1] }, { json: { '/n': 1 } }, false, 'JSON /n is a list, needs 1', 'a list'],
    [{ status: 200, 'json:/a': 1 }, { json: { '/a': 1, '/b': 2 } }, false, 'JSON /b is missing, needs 2', 'each of them']
  ]
  judgeRows(t, 'http', rows)
})

void t.test('http: options', async (t) => {
  const STATUS = 'must be an HTTP status from 100 to 599'
  const NO_BODY = 'asks with HEAD, whose answer has no body: contains, matches and json need GET'
  refusals(t, 'http', [
    [{}, [], 'all have defaults'],
    [{ status: 100 }, [], 'the first status'],
    [{ status: 99 }, [`status ${STATUS}, is 99`], 'one below'],
    [{ status: 599 }, [], 'the last'],
    [{ status: [600] }, [`status[0] ${STATUS}, is 600`], 'one above, in a list'],
    [{ status: [] }, ['status must list at least one HTTP status, is empty'], 'none'],
    [{ status: '2xx' }, ['status must be an HTTP status or a list of them, is "2xx"'], 'a class of them'],
    [{ method: 'get' }, ['method must be GET, HEAD, POST or OPTIONS, is "get"'], 'in capitals'],
    [{ method: 'DELETE' }, ['method must be GET, HEAD, POST or OPTIONS, is "DELETE"'], 'a check deletes nothing'],
    [{ path: 'healthz' }, ['path must be a path that begins with /, is "healthz"'], 'no slash'],
    [{ path: '/a b' }, ['path must be a path that begins with /, is "/a b"'], 'a blank would end the request line'],
    [{ contains: '' }, ['contains must not be empty, is empty'], 'every body has nothing in it'],
    [{ matches: '(' }, ['matches must be a regular expression that compiles, is "("'], 'not a regular expression'],
    [{ json: { db: 'ok' } }, ['json.db must be a JSON pointer like /db/state, is "db"'], 'not a pointer'],
    [{ json: ['/db'] }, ['json must be a mapping of JSON pointers to values, like { /db: ok }, is a list'], 'a list'],
    [{ json: { '/db': ['ok'] } }, ['json./db must be a text, a number, true, false or null, is a list'], 'no lists within'],
    [{ json: { '/db': 'x'.repeat(100) } }, [], 'as long as a fact can be'],
    [{ json: { '/db': 'x'.repeat(101) } }, [`json./db must be at most 100 characters, is "${'x'.repeat(80)}..."`], 'one longer'],
    [{ headers: { 'X-A': 'b' } }, [], 'a header'],
    [{ headers: { 'X A': 'b' } }, ['headers.X A must be a header name of letters, digits, _ and -, is "X A"'], 'its name'],
    [{ headers: { 'X-A': 1 } }, ['headers.X-A must be a text, is 1'], 'a number'],
    [{ headers: { Authorization: 'Bearer hunter2\r\nX: y' } },
      ['headers.Authorization must be one line of printable ASCII'], 'two lines; and it may be a secret'],
    [{ follow: 5 }, [], 'most redirects'],
    [{ follow: 6 }, ['follow must be a number of redirects from 0 to 5, is 6'], 'one more'],
    [{ follow: true }, ['follow must be a number of redirects from 0 to 5, is true'], 'how many?'],
    [{ method: 'HEAD' }, [], 'status alone'],
    [{ method: 'HEAD', contains: 'ok' }, [NO_BODY], 'contains what?'],
    [{ method: 'HEAD', json: { '/db': 'ok' } }, [NO_BODY], 'JSON of what?']
  ])
})

void t.test('http: the request', async (t) => {
  const plain = { method: 'GET', path: '/', headers: {}, follow: 0, pointers: [] }
  t.same(requestOf('http', {}), { kind: 'http', options: plain }, 'defaults')
  t.same(requestOf('http', { contains: 'a', matches: 'b', json: { '/z': 1, '/a': 2 }, path: '/x?y', follow: 1 }), {
    kind: 'http', options: { ...plain, path: '/x?y', follow: 1, contains: 'a', matches: 'b', pointers: ['/a', '/z'] }
  }, 'pointers are sorted: the order they are written in makes no other poll')
})

void t.test('tcp', async (t) => {
  const rows: readonly Row[] = [
    [{}, {}, true, 'connected in 20ms, needs a connection', 'a connection is all'],
    [{ expected: true }, { expect: 'SSH-2.0' }, true, 'connected in 20ms, the answer has "SSH-2.0" as it must', 'the text'],
    [{ expected: false }, { expect: 'SSH-2.0' }, false, 'connected in 20ms, but the answer lacks "SSH-2.0"', 'another'],
    [{}, { expect: 'SSH-2.0' }, false, 'connected in 20ms, but the answer lacks "SSH-2.0"', 'no fact'],
    [{ expected: 'true' }, { expect: 'SSH-2.0' }, false, 'connected in 20ms, but the answer lacks "SSH-2.0"', 'a text is no truth'],
    [{ expected: null }, { expect: 'SSH-2.0' }, false, 'connected in 20ms, but the answer lacks "SSH-2.0"', 'null']
  ]
  judgeRows(t, 'tcp', rows)
  const PORT = 'must be a port from 1 to 65535'
  refusals(t, 'tcp', [
    [{}, [], 'all have defaults'],
    [{ port: 1 }, [], 'the first port'],
    [{ port: 0 }, [`port ${PORT}, is 0`], 'one below'],
    [{ port: 65_535 }, [], 'the last'],
    [{ port: 65_536 }, [`port ${PORT}, is 65536`], 'one above'],
    [{ port: '22' }, [`port ${PORT}, is "22"`], 'a text'],
    [{ expect: '' }, ['expect must not be empty, is empty'], 'nothing'],
    [{ send: 1 }, ['send must be a text, is 1'], 'a number']
  ])
  t.same(requestOf('tcp', {}), { kind: 'tcp', options: {} })
  t.same(requestOf('tcp', { port: 22, send: 'a', expect: 'b' }), { kind: 'tcp', options: { port: 22, send: 'a', expect: 'b' } })
})
