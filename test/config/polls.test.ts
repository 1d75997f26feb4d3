/** What is polled, how often and how, for the criteria of a config. */
import t from 'tap'
import type { Poll } from '../../src/core/probe.ts'
import { criteria, criterion, parse, policy, pollOf, web } from './web.ts'

void t.test('one poll for each node and probe, shared by backends and criteria', async (t) => {
  const config = parse(`backends:
  read:
    servers: &servers { a: "http://10.0.0.1:80", b: "http://10.0.0.2:80" }
    policy: { interval: 4s, fast: 900ms }
    criteria:
      storage: { kind: tahoe.storage, at_least: 3 }
      introducer: { kind: tahoe.introducer }
      up: { kind: tahoe.statistic, name: node.uptime, at_least: 30 }
  write:
    servers: *servers
    policy: { interval: 1s, fast: 300ms }
    criteria:
      storage: { kind: tahoe.storage, at_least: 7 }
      cpu: { kind: tahoe.statistic, name: cpu_monitor.total, rate: true, at_most: 0.9 }
      up: { kind: tahoe.statistic, name: node.uptime, at_least: 30 }
`)
  t.same(config.polls.map(({ node, request }) => `${node.host} ${request.kind}`), [
    '10.0.0.1 tahoe-welcome', '10.0.0.1 tahoe-statistics', '10.0.0.2 tahoe-welcome', '10.0.0.2 tahoe-statistics'
  ])
  for (const [index, host] of ['10.0.0.1', '10.0.0.2'].entries()) {
    const [welcome, statistics] = config.polls.filter(({ node }) => node.host === host) as [Poll, Poll]
    t.same([welcome.intervalMs, welcome.fastMs], [1000, 300], `${host}: the quickest pace of both`)
    t.same(statistics.request.wants, ['node.uptime', 'cpu_monitor.total'], `${host}: what all of them want, once`)
    for (const { readers } of [welcome, statistics]) {
      t.same(readers, [{ backend: 'read', server: index }, { backend: 'write', server: index }], `${host}: each reader once`)
    }
  }
  t.equal(criterion(config, 'storage', 0).probe, criterion(config, 'storage', 1).probe)
  t.not(criterion(config, 'storage', 0, 0).probe, criterion(config, 'storage', 0, 1).probe)

  const four = 'a: { kind: http }\nb: { kind: http, within: 3s }\nc: { kind: http, path: /x }\nd: { kind: http, status: 500 }'
  const deadlines = parse(criteria(four))
  t.equal(deadlines.polls.length, 3, 'another deadline or path is another poll, another judgement is not')
})

void t.test('reach reads the first poll at the pace of the backend, and opens a connection if there is none', async (t) => {
  const rows: ReadonlyArray<readonly [criteria: string, kind: string, why: string]> = [
    ['a: { kind: tahoe.storage, at_least: 1 }\nb: { kind: http }', 'tahoe-welcome', 'the first'],
    ['a: { kind: latency, at_most: 1s }\nb: { kind: http }', 'http', 'latency has no poll of its own'],
    ['a: { kind: tahoe.read, cap_file: a.cap }\nb: { kind: http }', 'http', 'a canary is too slow'],
    ['a: { kind: http, every: 10s }\nb: { kind: http, path: /b }', 'http', 'so is this one'],
    ['a: { kind: metric, metric: x, at_most: 1 }', 'tcp', 'a node without that page is not gone'],
    ['a: { kind: tahoe.statistic, name: x, at_most: 1 }', 'tcp', 'nor without that one'],
    ['a: { kind: http, on_fail: warn }', 'tcp', 'a warning takes nothing out'],
    ['a: { kind: http, on_fail: weight 50% }', 'tcp', 'nor does a weight'],
    ['a: { kind: tcp, port: 80, on_fail: warn }\nb: { kind: http }', 'http', 'nor of a connection'],
    ['a: { kind: tahoe.read, cap_file: a.cap }', 'tcp', 'nothing else'],
    ['a: { kind: latency, at_most: 1s }', 'tcp', 'latency of a connection'],
    ['a: { kind: tcp, port: 22 }', 'tcp', 'another port of the host says nothing of the node'],
    ['a: { kind: tcp, port: 80 }', 'tcp', 'its own port does']
  ]
  for (const [text, kind, why] of rows) t.equal(pollOf(parse(criteria(text)), 'reach').request.kind, kind, why)
  t.equal(pollOf(parse(web()), 'reach').request.kind, 'tcp', 'no criteria at all')

  const ssh = parse(criteria('a: { kind: tcp, port: 22, on_fail: warn }'))
  t.same(pollOf(ssh, 'reach').request.options, {}, 'a closed port 22 is not a node that is gone')
  t.same(pollOf(ssh, 'a').request.options, { port: 22 })
  t.same(criterion(ssh, 'a').ignores, [], 'and is that criterion\'s own affair')

  const three = 'a: { kind: http }\nlag: { kind: latency, at_most: 1s }\nslow: { kind: tahoe.read, cap_file: a.cap }'
  const both = parse(criteria(three))
  t.equal(criterion(both, 'lag').probe, criterion(both, 'reach').probe)
  t.equal(criterion(both, 'a').ignores.includes('protocol'), false, 'a bad answer is its own affair')
  t.same(criterion(both, 'slow').ignores, ['refused', 'noconn'], 'an unreachable node is no news from a canary')
})

void t.test('pace: of the backend, of the kind, of the criterion', async (t) => {
  const rows: ReadonlyArray<readonly [text: string, name: string, pace: readonly [number, number, number], why: string]> = [
    [criteria('a: { kind: http }'), 'a', [2000, 500, 2000], 'the policy\'s defaults'],
    [criteria('a: { kind: http }', policy('{ interval: 5s, fast: 1s, timeout: 3s }')), 'a', [5000, 1000, 3000], 'the policy\'s own'],
    [criteria('a: { kind: http }', policy('{ interval: 300ms }')), 'a', [300, 300, 2000], 'fast is never slower than the interval'],
    [criteria('a: { kind: tahoe.read, cap_file: a.cap }'), 'a', [15_000, 1500, 5000], 'a canary: ten times as quick while undecided'],
    [criteria('a: { kind: tahoe.write, cap_file: a.cap }'), 'a', [60_000, 6000, 10_000], 'the write canary'],
    [criteria('a: { kind: tahoe.read, cap_file: a.cap, every: 30s, within: 8s }'), 'a', [30_000, 3000, 8000], 'its own pace'],
    [criteria('a: { kind: tahoe.read, cap_file: a.cap, every: 2s }'), 'a', [2000, 500, 5000], 'not quicker than fast'],
    [criteria('a: { kind: http, every: 100ms }'), 'a', [100, 100, 2000], 'nor slower than itself'],
    [criteria('a: { kind: http, within: 100ms }'), 'a', [2000, 500, 100], 'a deadline alone']
  ]
  for (const [text, name, pace, why] of rows) {
    const { intervalMs, fastMs, timeoutMs } = pollOf(parse(text), name)
    t.same([intervalMs, fastMs, timeoutMs], pace, why)
  }
})

void t.test('a server is the node it looks at, and as patient as the poll that shows it', async (t) => {
  const { backends } = parse(`backends:
  web:
    servers:
      a: { url: https://10.0.0.1, weight: 50% }
      b: { url: "https://10.0.0.1:443/", server_name: gw }
      c: https://10.0.0.2
    criteria:
      slow: { kind: tahoe.read, cap_file: a.cap }
      front: { kind: http, within: 9s }
      duck: { kind: http, path: /lame, solo: true }
`)
  t.same(backends[0]!.servers.map(({ node, timeoutMs }) => [node, timeoutMs]), [
    ['https://10.0.0.1:443', 9000], ['https://10.0.0.1:443', 9000], ['https://10.0.0.2:443', 9000]
  ], 'by address: two of one host are one voice')
  const solo = backends[0]!.servers[0]!.criteria.filter(each => each.solo).map(({ name }) => name)
  t.same(solo, ['duck'], 'and speaks for itself where it is told so')
  t.equal(parse(policy('{ timeout: 3s }')).backends[0]!.servers[0]!.timeoutMs, 3000, 'of a connection alone')
})

void t.test('hedge: a second look only where it does no harm, and may be in time', async (t) => {
  const rows: ReadonlyArray<readonly [criterion: string, hedgeMs: number | undefined, why: string, of?: string]> = [
    ['{ kind: tahoe.storage, at_least: 1 }', 700, 'the front page'],
    ['{ kind: tahoe.statistic, name: x, at_most: 1 }', 700, 'statistics'],
    ['{ kind: metric, metric: x, at_most: 1 }', 700, 'metrics'],
    ['{ kind: http }', 700, 'GET'],
    ['{ kind: http, method: HEAD }', 700, 'HEAD'],
    ['{ kind: http, method: POST }', undefined, 'POST does something'],
    ['{ kind: http, method: OPTIONS }', undefined, 'OPTIONS may be anything'],
    ['{ kind: tcp }', 700, 'a connection'],
    ['{ kind: tcp, expect: SSH }', 700, 'a greeting'],
    ['{ kind: tcp, send: QUIT }', undefined, 'a word may do something'],
    ['{ kind: tahoe.read, cap_file: a.cap }', undefined, 'a canary is work for the whole grid'],
    ['{ kind: tahoe.check, cap_file: a.cap }', undefined, 'a check too'],
    ['{ kind: tahoe.write, upload: 2KiB }', undefined, 'and a write is one'],
    ['{ kind: http, every: 2s }', undefined, 'a pace of its own'],
    ['{ kind: latency, at_most: 1s }', 700, 'that of the poll it reads'],
    ['{ kind: http }', 300, 'as the policy says', '{ hedge: 300ms }'],
    ['{ kind: http }', undefined, 'off', '{ hedge: off }'],
    ['{ kind: http }', undefined, 'off, to YAML 1.1', '{ hedge: false }'],
    ['{ kind: http }', undefined, 'the time is over', '{ hedge: 2s }'],
    ['{ kind: http }', 1999, 'the last moment', '{ hedge: 1999ms }'],
    ['{ kind: http, within: 600ms }', undefined, 'its own time is over'],
    ['{ kind: http, within: 9s }', 700, 'it has more time']
  ]
  for (const [text, hedgeMs, why, of = '{}'] of rows) {
    const poll = pollOf(parse(criteria(`a: ${text}`, policy(of))), 'a')
    t.equal(poll.hedgeMs, hedgeMs, why)
    t.equal('hedgeMs' in poll, hedgeMs !== undefined, `${why}: absent or not`)
  }
  t.equal(pollOf(parse(web()), 'reach').hedgeMs, 700, 'reach by a connection')
})

void t.test('hedge: of polls that are one, the smallest, and none makes two of them', async (t) => {
  const backend = (name: string, hedge: string): string => `  ${name}: { servers: *s, policy: { hedge: ${hedge} } }\n`
  const first = 'backends:\n  x: { servers: &s { a: "10.0.0.1:22" }, policy: { hedge: off } }\n'
  const polls = (...hedges: readonly string[]): readonly Poll[] => parse(first + hedges.map((hedge, i) => backend(`y${i}`, hedge)).join('')).polls
  for (const hedges of [['600ms', '300ms', 'off'], ['off', '300ms', '600ms'], ['300ms']]) {
    t.same(polls(...hedges).map(({ hedgeMs }) => hedgeMs), [300], hedges.join(', '))
  }
  t.same(polls('off').map(poll => 'hedgeMs' in poll), [false], 'nobody wants it')
  const both = parse(criteria('a: { kind: http }\nb: { kind: http, every: 1s }'))
  t.same(both.polls.map(({ hedgeMs, intervalMs }) => [hedgeMs, intervalMs]), [[700, 1000]], 'one that is looked at more often too')
})

void t.test('writers of one file take turns, wherever they write it; readers need not', async (t) => {
  const { polls } = parse(criteria('w: { kind: tahoe.write, cap_file: a.cap }\nr: { kind: tahoe.read, cap_file: a.cap }\nu: { kind: tahoe.write, upload: 2KiB }'))
  const lanes = (kind: string): readonly unknown[] => polls.filter(({ request }) => request.kind === kind).map(({ lane }) => lane)
  t.same(new Set(lanes('tahoe-write')), new Set(['a.cap', undefined]), 'the file, and nothing for new ones')
  t.same(new Set(lanes('tahoe-read')), new Set([undefined]))
})
