import { createServer } from 'node:http'
import t from 'tap'
import { LINE_CHARS_MAX, metricsFacts } from '../../src/probes/metrics.ts'
import { listenOn, nodeAt, outcome, probe } from './bench.ts'

void t.test('one sample', async t => {
  const rows: ReadonlyArray<readonly [string, string, number | undefined, string]> = [
    ['load 1.5', 'load', 1.5, 'plain'],
    ['load 1.5 1700000000000', 'load', 1.5, 'with a timestamp'],
    ['load\t 1.5', 'load', 1.5, 'other blanks'],
    ['load 1.5\r', 'load', 1.5, 'CR'],
    ['load -1', 'load', -1, 'negative'],
    ['load 1e3', 'load', 1000, 'exponent'],
    ['load 2.5E-3', 'load', 0.0025, 'negative exponent'],
    ['load +Inf', 'load', Infinity, '+Inf'],
    ['load -Inf', 'load', -Infinity, '-Inf'],
    ['load Inf', 'load', Infinity, 'Inf'],
    ['load +infinity', 'load', Infinity, 'in other words'],
    ['load NaN', 'load', NaN, 'NaN'],
    ['load nan', 'load', NaN, 'nan'],
    ['load many', 'load', NaN, 'no number'],
    ['load', 'load', undefined, 'no value'],
    ['load ', 'load', undefined, 'nor here'],
    ['', 'load', undefined, 'nothing'],
    ['load1 5', 'load', undefined, 'another name'],
    ['xload 5', 'load', undefined, 'nor this'],
    [' load 5', 'load', undefined, 'nor an indented one'],
    ['LOAD 5', 'load', undefined, 'letter case counts'],
    ['# load 5', 'load', undefined, 'comment'],
    ['#load 5', 'load', undefined, 'comment without a blank'],
    ['a:b_c 5', 'a:b_c', 5, 'colons, of recording rules'],
    ['up{} 1', 'up', 1, 'no labels'],
    ['up{job="x"} 1', 'up', 1, 'labels nobody asked for'],
    ['up{job="x"} 1', 'up{job="x"}', 1, 'a label'],
    ['up{job="y"} 1', 'up{job="x"}', undefined, 'another value'],
    ['up 1', 'up{job="x"}', undefined, 'no labels at all'],
    ['up{a="1",job="x",b="2"} 1', 'up{b="2",job="x"}', 1, 'some of its labels, in any order'],
    ['up{job="x",} 1', 'up{job="x"}', 1, 'a comma more'],
    ['up { job = "x" , a = "b" } 1', 'up{a="b"}', 1, 'blanks'],
    ['up{job="x"}1', 'up{job="x"}', 1, 'no blank before the value'],
    ['up{job="x"} 1 # {trace="a"} 0.5', 'up{job="x"}', 1, 'exemplar'],
    ['up{job="a}b"} 1', 'up{job="a}b"}', 1, 'a brace in a value'],
    ['up{job="a,b=\\"c\\""} 1', 'up{job="a,b=\\"c\\""}', 1, 'quotes in a value'],
    ['up{job="x",path="C:\\\\"} 1', 'up{path="C:\\\\"}', 1, 'a backslash at the end of a value'],
    ['up{job="a\\nb"} 1', 'up{job="a\\nb"}', 1, 'a line feed in a value'],
    ['up{job="x 1', 'up', undefined, 'a label without an end'],
    ['h_bucket{le="+Inf"} 7', 'h_bucket{le="+Inf"}', 7, 'a bucket'],
    ['constructor 1', 'constructor', 1, 'a name that JavaScript knows too']
  ]
  for (const [page, want, value, why] of rows) {
    t.strictSame(metricsFacts(page, [want]), value === undefined ? {} : { [want]: value }, `${why}: ${page}`)
  }
})

const PAGE = `# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200"} 1027
http_requests_total{code="500"} 3
# a comment
node_load1 0.25
node_load1 99

temperature NaN
# EOF
node_load5 1
`

void t.test('a page: what is wanted, the first of each', async t => {
  t.same(metricsFacts(PAGE, ['node_load1', 'http_requests_total{code="500"}', 'http_requests_total', 'missing']), {
    node_load1: 0.25, 'http_requests_total{code="500"}': 3, http_requests_total: 1027
  })
  t.same(metricsFacts(PAGE, []), {}, 'nothing wanted')
})

void t.test('a long line of any kind takes no time', async t => {
  const [many, quotes, escapes] = ['a="b",', '"', '\\"'].map(part => part.repeat(100_001))
  for (const line of [`up{${many}} 1`, `up{${quotes}`, `up{a="${escapes}`, `up${' '.repeat(100_000)}`, 'a'.repeat(500_000)]) {
    const startMs = performance.now()
    metricsFacts(line, ['up', 'other'])
    t.ok(performance.now() - startMs < 2000, `${line.slice(0, 12)}…`)
  }
})

void t.test('from a node', async t => {
  let status = 200
  const server = createServer((_, res) => { res.writeHead(status, { 'content-type': 'text/plain; version=0.0.4' }).end(PAGE) })
  const { run } = probe(t, nodeAt(await listenOn(t, server)), { kind: 'metrics', options: { path: '/metrics' }, wants: ['node_load1'] })
  t.same(outcome(await run()), { node_load1: 0.25, latencyMs: 0 })
  status = 503
  t.same(outcome(await run()), { class: 'protocol', message: 'GET /metrics answered 503, needs 200' })
})

void t.test('a hostile page costs no more than its length', async t => {
  const name = 'load'
  t.same(metricsFacts(`${name}{${'a'.repeat(8000)}} 1`, [name]), { [name]: 1 }, 'labels that nobody wants are not read')
  t.same(metricsFacts(`${name}{${'a'.repeat(8000)}} 1`, [`${name}{x="1"}`]), {}, 'nor found where there are none')
  const filler = LINE_CHARS_MAX - `${name}{} 1`.length
  t.same(metricsFacts(`${name}{${' '.repeat(filler)}} 1`, [name]), { [name]: 1 }, 'a line at the bound')
  t.same(metricsFacts(`${name}{${' '.repeat(filler + 1)}} 1`, [name]), {}, 'and one more')
})
