import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig, parseConfig, type Config } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import type { Criterion } from '../../src/core/model.ts'
import type { Poll } from '../../src/core/probe.ts'
import { root } from '../helpers/paths.ts'

const CAP = 'URI:SSK:aaaa:bbbb\n'
type Env = Readonly<Record<string, string>>
const parse = (text: string, env: Env = {}, file = '/etc/hcf/hcf.yaml'): Config => parseConfig(text, file, { env, readFile: () => CAP })

/** One backend `web` with one server, and what is given. */
const web = (more = ''): string => `backends:\n  web:\n    servers: { a: "http://10.0.0.1:80" }\n${more}`
const policy = (text: string): string => web(`    policy: ${text}\n`)
const criteria = (text: string, of = web()): string => `${of}    criteria:\n${text.split('\n').map(line => `      ${line}\n`).join('')}`

const criterion = ({ backends }: Config, name: string, backend = 0, server = 0): Criterion => {
  const found = backends[backend]?.servers[server]?.criteria.find(each => each.name === name)
  if (found === undefined) throw new Error(`no criterion ${name}`)
  return found
}
const names = ({ backends }: Config): readonly string[] => backends[0]!.servers[0]!.criteria.map(each => each.name)
const pollOf = (config: Config, name: string, backend = 0, server = 0): Poll =>
  config.polls.find(({ key }) => key === criterion(config, name, backend, server).probe)!

void t.test('the shortest config: defaults make it right', async (t) => {
  const config = parse(`backends:
  tahoe_read:
    profile: tahoe-read
    servers: { webapi1: http://10.0.0.11:3456, webapi2: http://10.0.0.12:3456 }
`)
  const { file, agent, adminListen, stateDir, logLevel, adminStates, backends, polls } = config
  t.same({ file, agent, adminListen, stateDir, logLevel, adminStates }, {
    file: '/etc/hcf/hcf.yaml',
    agent: {
      listen: [{ address: { kind: 'tcp', host: '127.0.0.1', port: 9777 } }],
      allow: ['127.0.0.0/8', '::1'], maxConnections: 4096, lineTimeoutMs: 500
    },
    adminListen: { kind: 'tcp', host: '127.0.0.1', port: 9778 },
    stateDir: '/etc/hcf/hcf-state', logLevel: 'info', adminStates: { tahoe_read: 'shared' }
  })
  const [backend] = backends
  t.same([backend!.name, backend!.policy], ['tahoe_read', { minUp: 1 }])
  t.same(backend!.servers.map(server => [server.name, server.weightPercent]), [['webapi1', 100], ['webapi2', 100]])
  t.same(names(config), ['reach', 'storage', 'introducer', 'latency'])
  t.same(backend!.servers[0]!.criteria.map(({ name, rise, fall, onFail }) => [name, rise, fall, onFail.action]), [
    ['reach', 2, 3, 'down'], ['storage', 2, 3, 'drain'], ['introducer', 2, 5, 'warn'], ['latency', 2, 3, 'weight']
  ])
  t.same(polls.map(({ node, request, readers }) => [node.host, request.kind, readers]), [
    ['10.0.0.11', 'tahoe-welcome', [{ backend: 'tahoe_read', server: 0 }]],
    ['10.0.0.12', 'tahoe-welcome', [{ backend: 'tahoe_read', server: 1 }]]
  ], 'one poll a node')
})

void t.test('profile: own options over its own, another kind replaces, false drops', async (t) => {
  const of = web('    profile: tahoe-read\n')
  const nothing = { ok: true, startMs: 0, endMs: 1, facts: {} } as const
  const judged = (config: Config): string => criterion(config, 'storage').judge(nothing, undefined).limit
  t.equal(judged(parse(of)), 'at least 3')
  const own = parse(criteria('storage: { at_least: 7 }', of))
  t.equal(judged(own), 'at least 7', 'the option is ours')
  t.same(criterion(own, 'storage').onFail, { action: 'drain' }, 'the rest is the profile\'s')
  t.equal(judged(parse(criteria('storage: { kind: tahoe.storage, at_least: 7 }', of))), 'at least 7', 'the same kind said again')

  const replaced = parse(criteria('storage: { kind: tcp }', of))
  t.equal(criterion(replaced, 'storage').kind, 'tcp')
  t.same(criterion(replaced, 'storage').onFail, { action: 'down' }, 'nothing of the profile\'s is meant for another kind')
  t.same(names(parse(criteria('latency: false\nintroducer: false', of))), ['reach', 'storage'])
  t.same(names(parse(criteria('uptime: { kind: tahoe.statistic, name: node.uptime, at_least: 30 }', of))),
    ['reach', 'storage', 'introducer', 'latency', 'uptime'], 'added after the profile\'s')
  t.same(names(parse(web())), ['reach'], 'without a profile and criteria: is it there?')
})

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

void t.test('the environment', async (t) => {
  const env = { HOST: '10.9.9.9', PORT: '3456', RISE: '4', EMPTY: '', RATE: 'true', NOTE: 'a ${b} c' }
  const nodeOf = (value: string): string => parse(`backends:\n  web:\n    servers:\n      a: ${value}\n`, env).polls[0]!.node.key
  const rows: ReadonlyArray<readonly [written: string, key: string, why: string]> = [
    ['http://${HOST}:${PORT}', 'http://10.9.9.9:3456', 'two in one value'],
    ['"http://${HOST}:${PORT}"', 'http://10.9.9.9:3456', 'quoted'],
    ["'http://${HOST}:1'", 'http://10.9.9.9:1', 'single quotes'],
    ['http://${NO:-10.1.1.1}:1', 'http://10.1.1.1:1', 'a default'],
    ['http://${HOST:-10.1.1.1}:1', 'http://10.9.9.9:1', 'not needed'],
    ['http://${EMPTY:-10.1.1.1}:1', 'http://10.1.1.1:1', 'as in a shell, empty is as good as unset'],
    ['http://10.1.1.1${EMPTY}:1', 'http://10.1.1.1:1', 'empty without a default'],
    ['${NO:-http://10.1.1.1:1}', 'http://10.1.1.1:1', 'a default with colons']
  ]
  for (const [written, key, why] of rows) t.equal(nodeOf(written), key, why)

  const numbers = parse(web('    policy:\n      rise: ${RISE}\n      fall: ${NO:-9}\n'), env)
  t.same([criterion(numbers, 'reach').rise, criterion(numbers, 'reach').fall], [4, 9], 'a number is one')
  const quoted = web('    policy:\n      rise: "${RISE}"\n')
  t.throws(() => parse(quoted, env), /rise must be a whole number, at least 1, is "4"/, 'quotes make a text')
  const rate = criteria('a:\n  kind: tahoe.statistic\n  name: x\n  rate: ${RATE}\n  at_most: 1')
  t.match(parse(rate, env).effective, /rate: true/, 'and true is true')
  const note = criteria('a:\n  kind: http\n  contains: ${NOTE}')
  t.match(pollOf(parse(note, env), 'a').request.options, { contains: 'a ${b} c' }, 'a value is not filled in again')
  t.throws(() => parse(web('    policy:\n      ${RISE}: 2\n'), env), ConfigError, 'a key is not filled in')
})

void t.test('anchors, aliases and merged maps', async (t) => {
  const config = parse(`backends:
  read: &read
    servers: &servers { a: "http://10.0.0.1:80" }
    policy: { rise: 7 }
  write:
    <<: *read
    policy: { fall: 8 }
  more:
    servers: *servers
`)
  t.same(config.backends.map(({ name, servers }) => [name, servers[0]!.name]), [['read', 'a'], ['write', 'a'], ['more', 'a']])
  t.same([0, 1, 2].map(i => [criterion(config, 'reach', i).rise, criterion(config, 'reach', i).fall]), [[7, 3], [2, 8], [2, 3]])
  const many = Array.from({ length: 1000 }, (_, i) => `  x${i}: { servers: *s }\n`).join('')
  const farm = parse(`backends:\n  x:\n    servers: &s { a: "http://10.0.0.1:80" }\n${many}`)
  t.equal(farm.backends.length, 1001, 'a farm of aliases is no attack')
})

void t.test('addresses: port 0 is another one each time', async (t) => {
  const config = parse(`agent: { listen: ["127.0.0.1:0", "127.0.0.1:0"] }\nadmin: { listen: "127.0.0.1:0" }\n${web()}`)
  t.same([config.agent.listen.length, config.adminListen], [2, { kind: 'tcp', host: '127.0.0.1', port: 0 }])
})

void t.test('files are relative to the config', async (t) => {
  const asked: string[] = []
  const readFile = (path: string): string => {
    asked.push(path)
    return path.endsWith('.pem') ? '-----BEGIN CERTIFICATE-----' : CAP
  }
  const config = parseConfig(`state_dir: state
backends:
  web:
    servers:
      a: { url: https://10.0.0.1, ca_file: tls/ca.pem, server_name: gw.example }
      b: { url: https://10.0.0.1, ca_file: /abs/ca.pem }
    criteria:
      canary: { kind: tahoe.read, cap_file: ../caps/a.cap }
`, '/srv/hcf/conf/hcf.yaml', { env: {}, readFile })
  t.same(asked, ['/srv/hcf/conf/tls/ca.pem', '/abs/ca.pem', '/srv/hcf/caps/a.cap'], 'each is read, once')
  t.equal(config.stateDir, '/srv/hcf/conf/state')
  t.match(pollOf(config, 'canary').request.options, { capFile: '/srv/hcf/caps/a.cap' })
  t.same(config.polls[0]!.node, {
    key: 'https://10.0.0.1:443 tls/ca.pem gw.example', protocol: 'https', host: '10.0.0.1', port: 443,
    caFile: '/srv/hcf/conf/tls/ca.pem', caDigest: 'ddddb6cbd348658f', serverName: 'gw.example'
  })
  t.equal(new Set(config.polls.map(({ node }) => node.key)).size, 2, 'another authority makes another node')
})

void t.test('haproxy/hcf.yaml, beside haproxy.cfg', async (t) => {
  const file = join(root, 'haproxy/hcf.yaml')
  const config = parse(readFileSync(file, 'utf8'), {}, file)
  t.same(config.backends.map(({ name, servers }) => [name, servers.length]), [['tahoe_read', 3], ['tahoe_write', 3]])
  t.equal(config.polls.length, 9, 'front page and two canaries of three gateways')
  t.equal(config.stateDir, join(root, 'haproxy/hcf-state'))
  const moved = parse(readFileSync(file, 'utf8'), { HCF_WEBAPI2: '127.0.0.1:9' }, file)
  t.match(moved.polls.map(({ node }) => node.key).join(' '), 'http://127.0.0.1:9 ')
  t.throws(() => loadConfig(file, {}), /canary-read\.cap" \(ENOENT\)/, 'its cap files are the operator\'s to make')
})

void t.test('writers of one file take turns, wherever they write it; readers need not', async (t) => {
  const { polls } = parse(criteria('w: { kind: tahoe.write, cap_file: a.cap }\nr: { kind: tahoe.read, cap_file: a.cap }\nu: { kind: tahoe.write, upload: 2KiB }'))
  const lanes = (kind: string): readonly unknown[] => polls.filter(({ request }) => request.kind === kind).map(({ lane }) => lane)
  t.same(new Set(lanes('tahoe-write')), new Set(['a.cap', undefined]), 'the file, and nothing for new ones')
  t.same(new Set(lanes('tahoe-read')), new Set([undefined]))
})
