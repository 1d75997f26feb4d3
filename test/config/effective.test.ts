/** The config written in full, and what of a criterion's memory survives a change. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { parseConfig, type Config } from '../../src/config/load.ts'
import { criterionKinds } from '../../src/criteria/index.ts'
import { profiles } from '../../src/profiles/index.ts'
import { root } from '../helpers/paths.ts'

const parse = (text: string): Config => parseConfig(text, '/etc/hcf/hcf.yaml', {
  env: {}, readFile: path => path.endsWith('.pem') ? '-----BEGIN CERTIFICATE-----' : 'URI:SSK:aaaa:bbbb'
})

/** All but the functions, which are made anew, and the text. */
const plain = (config: Config): unknown => JSON.parse(JSON.stringify({ ...config, effective: undefined }))

const everything = `agent:
  listen:
    - 127.0.0.1:9777
    - "[::1]:9777"
    - unix:/run/hcf/agent.sock
    - { address: 0.0.0.0:9801, server: web/a }
  allow: [127.0.0.0/8, "::1", 10.0.0.0/8]
  max_connections: 10
  line_timeout: 1500ms
admin: { listen: unix:/run/hcf/admin.sock }
state_dir: /var/lib/hcf
log: { level: warn }
backends:
  web:
    admin_state: owned
    servers:
      a: { url: https://10.0.0.1:8443, weight: 50%, ca_file: ca.pem, server_name: gw }
      b: http://[2001:db8::1]:80
    policy: { interval: 90s, fast: 750ms, timeout: 1s, rise: 9, fall: 8, min_up: 2 }
    criteria:
      introducer: { kind: tahoe.introducer }
      storage: { kind: tahoe.storage, at_least: 3, on_fail: weight 25%, rise: 1, fall: 1 }
      blessed: { kind: tahoe.blessed, ids: [v0-aaaa, v0-bbbb], missing_at_most: 1 }
      space: { kind: tahoe.space, at_least: 4, free: 1.5GiB }
      odd: { kind: tahoe.space, at_least: 4, free: 1.1GiB }
      fresh: { kind: tahoe.fresh, at_least: 4, heard_within: 40s }
      read: { kind: tahoe.read, cap_file: a.cap, bytes: 20KiB, sha256: "${'0'.repeat(64)}", every: 30s, within: 1.5s }
      check: { kind: tahoe.check, cap_file: a.cap, at_least: 4 }
      write: { kind: tahoe.write, cap_file: a.cap }
      upload: { kind: tahoe.write, upload: 20000B }
      cpu: { kind: tahoe.statistic, name: cpu_monitor.total, rate: true, at_most: 0.9 }
      lag: { kind: latency, at_most: 800ms }
      health: { kind: http, path: /h, status: 200, headers: { X-A: b }, contains: ok, matches: "^o", follow: 2 }
      json: { kind: http, json: { /db: ok, /n: null } }
      ssh: { kind: tcp, port: 22, send: "a\\n", expect: SSH }
      load: { kind: metric, metric: 'up{job="x"}', at_least: 0, ramp: { low: 4, high: 8.5, floor: 20% } }
`

void t.test('the effective config means what the config means, and is its own effective config', async (t) => {
  const texts: Readonly<Record<string, string>> = {
    everything,
    shortest: 'backends: { web: { servers: { a: "10.0.0.1:22" } } }',
    'haproxy/hcf.yaml': readFileSync(join(root, 'haproxy/hcf.yaml'), 'utf8'),
    'one listener with a server':
      'agent: { listen: { address: "127.0.0.1:1", server: web/a } }\nbackends: { web: { servers: { a: "10.0.0.1:22" } } }',
    'nothing left of a profile': 'backends: { web: { profile: http, servers: { a: "http://10.0.0.1" }, criteria: { http: false } } }'
  }
  for (const [what, text] of Object.entries(texts)) {
    const config = parse(text)
    const again = parse(config.effective)
    t.same(plain(again), plain(config), what)
    t.equal(again.effective, config.effective, `${what}: nothing is left to fill in`)
  }
  const used = new Set(parse(everything).backends[0]!.servers[0]!.criteria.map(({ kind }) => kind))
  t.same(Object.keys(criterionKinds).filter(kind => !used.has(kind)), [], 'everything has every kind')
})

void t.test('the effective config says all, in the words of the file', async (t) => {
  t.equal(parse('backends:\n  web:\n    profile: tcp\n    servers: { a: "10.0.0.1:22" }\n').effective, `agent:
  listen: 127.0.0.1:9777
  max_connections: 4096
  line_timeout: 500ms
admin:
  listen: 127.0.0.1:9778
state_dir: hcf-state
log:
  level: info
backends:
  web:
    admin_state: shared
    servers:
      a: 10.0.0.1:22
    criteria:
      tcp:
        kind: tcp
        on_fail: down
    policy:
      interval: 2s
      fast: 500ms
      timeout: 2s
      rise: 2
      fall: 3
      min_up: 1
`)
})

void t.test('every profile stands on its own', async (t) => {
  for (const [profile, { summary, criteria }] of Object.entries(profiles)) {
    t.match(summary, /^[\x20-\x7e]{10,80}$/, `${profile}: a summary`)
    const { backends } = parse(stringify({ backends: { web: { profile, servers: { a: 'http://10.0.0.1' } } } }))
    t.same(backends[0]!.servers[0]!.criteria.map(({ name }) => name), ['reach', ...Object.keys(criteria)], profile)
  }
})

void t.test('meaning: memory of a criterion survives just what leaves it the same question', async (t) => {
  const meaning = (criterion: object, server: unknown = 'http://10.0.0.1', policy: object = {}): string => {
    const { backends } = parse(stringify({ backends: { web: { servers: { a: server }, criteria: { x: criterion }, policy } } }))
    return backends[0]!.servers[0]!.criteria[1]!.meaning
  }
  const storage = { kind: 'tahoe.storage', at_least: 3 }
  const before = meaning(storage)
  const changes: ReadonlyArray<readonly [string, same: boolean, why: string]> = [
    [meaning({ ...storage }), true, 'nothing'],
    [meaning({ at_least: 3, kind: 'tahoe.storage' }), true, 'the order of its options'],
    [meaning({ ...storage, on_fail: 'warn' }), true, 'what a failure does'],
    [meaning({ ...storage, every: '30s' }), true, 'the pace'],
    [meaning(storage, { url: 'http://10.0.0.1', weight: '10%' }), true, 'the weight of the server'],
    [meaning(storage, 'http://10.0.0.1:80/'), true, 'the same node, written otherwise'],
    [meaning(storage, 'http://10.0.0.1', { interval: '9s' }), true, 'the pace of the backend'],
    [meaning({ ...storage, rise: 2, fall: 3 }), true, 'the default, written out'],
    [meaning(storage, 'http://10.0.0.2'), false, 'the node'],
    [meaning(storage, 'https://10.0.0.1:80'), false, 'its protocol'],
    [meaning({ kind: 'tahoe.space', at_least: 3 }), false, 'the kind'],
    [meaning({ ...storage, at_least: 4 }), false, 'an option'],
    [meaning({ ...storage, rise: 5 }), false, 'rise'],
    [meaning({ ...storage, fall: 5 }), false, 'fall'],
    [meaning(storage, 'http://10.0.0.1', { fall: 5 }), false, 'fall, of the policy']
  ]
  for (const [after, same, why] of changes) t.equal(after === before, same, why)
})

void t.test('what may be a token is not printed', async (t) => {
  const { effective } = parse(`backends: { web: { servers: { a: "http://a" }, criteria: { h: { kind: http, headers: { Authorization: Bearer hunter2, X-A: b } } } } }`)
  t.notMatch(effective, 'hunter2')
  t.match(effective, /Authorization: "?\[hidden\]/)
  t.match(effective, 'X-A: b')
})
