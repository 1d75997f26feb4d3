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
  env: {}, readFile: path => path.endsWith('tokens') ? '' : path.endsWith('.pem') ? '-----BEGIN CERTIFICATE-----' : 'URI:SSK:aaaa:bbbb'
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
admin: { listen: unix:/run/hcf/admin.sock, token_file: /etc/hcf/tokens }
haproxy: { sockets: ["unix:/run/haproxy/admin.sock", "[::1]:9999"] }
state_dir: /var/lib/hcf
journal: { max_size: 1.5MiB }
log: { level: warn }
backends:
  web:
    admin_state: owned
    servers:
      a:
        url: https://10.0.0.1:8443
        weight: 50%
        ca_file: ca.pem
        server_name: gw
        maintenance: [{ at: "Mon-Fri 22:30", for: 90m, action: weight 25%, reason: "backup, slow" }]
      b: http://[2001:db8::1]:80
      c: http://10.0.0.3
    mode: observe
    policy:
      { interval: 90s, fast: 750ms, timeout: 1s, hedge: 250ms, rise: 9, fall: 8, window: { fails: 2, of: 3 }, gate: { settle: 1m },
        burst: { share: 50% }, strain: { down: 90s }, hold: { base: 2m }, min_up: 2, max_out: 0%, at_most_drained: 2, weight: { floor: 25%, base: 4 },
        peers: { slower: 1000% }, ramp: { for: 1500ms }, stale_after: 2m, stale_open: 3m }
    criteria:
      introducer: { kind: tahoe.introducer }
      storage: { kind: tahoe.storage, at_least: 3, on_fail: weight 25%, rise: 1, fall: 1, solo: true }
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
    maintenance:
      - { at: "03:00", for: 1h, force: true, reason: nightly }
      - { at: "0 3 * * SUN", for: 1h, zone: Europe/Zurich, action: maint, force: true, reason: weekly }
`

void t.test('the effective config means what the config means, and is its own effective config', async (t) => {
  const texts: Readonly<Record<string, string>> = {
    everything,
    shortest: 'backends: { web: { servers: { a: "10.0.0.1:22" } } }',
    'haproxy/hcf.yaml': readFileSync(join(root, 'haproxy/hcf.yaml'), 'utf8'),
    'all that can be off':
      'backends: { web: { servers: { a: "10.0.0.1:22" }, policy: { hedge: off, window: off, gate: off, burst: off, strain: off, hold: off, ' +
      'weight: off, peers: off, ramp: false, stale: hold } } }',
    'no journal, and lists of nothing':
      'journal: off\nhaproxy: { sockets: [] }\nbackends: { web: { servers: { a: { url: "http://10.0.0.1", maintenance: [] } }, maintenance: [] } }',
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
  const text = `backends:
  web:
    profile: tcp
    servers: { a: "http://10.0.0.1:22" }
    criteria: { introducer: { kind: tahoe.introducer }, canary: { kind: tahoe.read, cap_file: a.cap, rise: 1 } }
    policy: { ramp: off }
`
  t.equal(parse(text).effective, `agent:
  listen: 127.0.0.1:9777
  max_connections: 4096
  line_timeout: 500ms
admin:
  listen: 127.0.0.1:9778
haproxy:
  sockets: []
state_dir: hcf-state
log:
  level: info
journal:
  max_size: 64MiB
backends:
  web:
    admin_state: shared
    mode: enforce
    servers:
      a: http://10.0.0.1:22
    criteria:
      tcp:
        kind: tcp
        on_fail: down
      introducer:
        kind: tahoe.introducer
        at_least: 1
        on_fail: warn
        fall: 5
      canary:
        kind: tahoe.read
        cap_file: a.cap
        on_fail: down
        rise: 1
        every: 15s
        within: 5s
    policy:
      interval: 2s
      fast: 500ms
      timeout: 2s
      hedge: 700ms
      rise: 2
      fall: 3
      window: { fails: 4, of: 10 }
      gate: { quorum: 34%, quorum_strict: 66%, settle: 15s }
      burst: { share: 20%, within: 6s }
      strain: { slow: 25%, share: 34%, up: 2s, down: 1m, step: 20% }
      hold: { base: 5s, max: 2m, window: 10m }
      min_up: 1
      max_out: 50%
      weight: { floor: 10%, quantum: 5%, every: 4s, down: 80%, up: 10%, base: 100 }
      peers: { slower: 250%, least: 100ms, servers: 3 }
      ramp: off
      stale_after: 15s
      stale_open: 2m
      stale: open
`)
})

void t.test('a window, a line', async (t) => {
  const { effective } = parse(everything)
  t.match(effective, '      - { at: 03:00, for: 1h, action: drain, force: true, reason: nightly }\n')
  t.match(effective, '          - { at: Mon-Fri 22:30, for: 90m, action: weight 25%, reason: "backup, slow" }\n')
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
    [meaning({ ...storage, solo: true }), true, 'who is asked before it counts'],
    [meaning({ ...storage, every: '30s' }), true, 'the pace'],
    [meaning(storage, { url: 'http://10.0.0.1', weight: '10%' }), true, 'the weight of the server'],
    [meaning(storage, 'http://10.0.0.1:80/'), true, 'the same node, written otherwise'],
    [meaning(storage, 'http://10.0.0.1', { interval: '9s' }), true, 'the pace of the backend'],
    [meaning(storage, 'http://10.0.0.1', { window: 'off', gate: 'off', hedge: 'off' }), true, 'what is made of it'],
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
