import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig, parseConfig, type Config } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { DEFAULT_POLICY } from '../../src/core/policy.ts'
import { root } from '../helpers/paths.ts'
import { CAP, criteria, criterion, parse, pollOf, web } from './web.ts'

const names = ({ backends }: Config): readonly string[] => backends[0]!.servers[0]!.criteria.map(each => each.name)

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
  t.same([backend!.name, backend!.policy], ['tahoe_read', DEFAULT_POLICY])
  t.same(backend!.servers.map(({ name, weightPercent, node, timeoutMs }) => [name, weightPercent, node, timeoutMs]), [
    ['webapi1', 100, 'http://10.0.0.11:3456', 2000], ['webapi2', 100, 'http://10.0.0.12:3456', 2000]
  ])
  t.same(names(config), ['reach', 'storage', 'introducer', 'latency'])
  t.same(backend!.servers[0]!.criteria.map(({ name, rise, fall, onFail, solo }) => [name, rise, fall, onFail.action, solo]), [
    ['reach', 2, 3, 'down', false], ['storage', 2, 3, 'drain', false], ['introducer', 2, 5, 'warn', false], ['latency', 2, 3, 'weight', false]
  ])
  t.same(polls.map(({ node, request, readers }) => [node.host, request.kind, readers]), [
    ['10.0.0.11', 'tahoe-welcome', [{ backend: 'tahoe_read', server: 0 }]],
    ['10.0.0.12', 'tahoe-welcome', [{ backend: 'tahoe_read', server: 1 }]]
  ], 'one poll a node')
})

void t.test('profile: own options over its own, another kind replaces, false drops', async (t) => {
  const of = web('    profile: tahoe-read\n')
  const nothing = { ok: true, startMs: 0, endMs: 1, facts: {} } as const
  const judged = (config: Config): string => criterion(config, 'storage').judge(nothing, undefined)!.limit
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
