/** Each fixture is one mistake, named for it; here is all that `hcf check` says of it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hcf } from '../helpers/cli.ts'
import { root } from '../helpers/paths.ts'
import { operatorMistakes } from './operator-mistakes.ts'
import { policyMistakes } from './policy-mistakes.ts'

const DURATION = 'must be a duration like 500ms, 2s or 5m'
const NODE = 'must be a node like http://10.0.0.11:3456, https://gw.example or 10.0.0.11:22 (no path, no credentials)'
const ADDRESS = 'must be an address like 127.0.0.1:9777, [::1]:9777 or unix:/run/hcf/agent.sock'
const KINDS = 'must be one of tahoe.introducer, tahoe.storage, tahoe.blessed, tahoe.space, tahoe.fresh, tahoe.read, ' +
  'tahoe.check, tahoe.write, tahoe.statistic, latency, http, tcp, metric'
const NAME = 'must be a name of letters, digits and _ . : - as in haproxy.cfg'
const OWN_KIND = 'must be a mapping like { kind: latency, at_most: 1s }, or false to drop that of the profile'
const ON_FAIL = 'must be down, drain, warn or weight N% (1 to 99)'
const ASK_YOURS = 'is not loopback: agent.allow must list the addresses of your HAProxys (the agent port has no password)'
const PROFILES = 'must be one of tahoe-read, tahoe-write, http, tcp'

/** Without the file's name before each line. */
const mistakes: Readonly<Record<string, readonly string[]>> = {
  ...policyMistakes,
  ...operatorMistakes,
  // not YAML
  'not-yaml': ['4:5: is not YAML: Flow map in block collection must be sufficiently indented and end with a }'],
  'indented-with-a-tab': ['2:1: is not YAML: indent with spaces, not with a tab'],
  'badly-indented': ['5:1: is not YAML: All mapping items must start at the same column'],
  'colon-without-a-blank': ['4:7: backends.web.servers must be a mapping of server names to nodes, is "a:http://10.0.0.11:8080"'],
  'duplicate-key': ['9:7: rise is written above already: each key once'],
  'duplicate-server': ['5:7: a is written above already: each key once'],
  'two-documents': ['6:1: begins a second document: a config is one, without ---'],
  'alias-without-anchor': ['3:14: *gateways stands for nothing: no &gateways above it'],
  'alias-of-itself': [
    '2:3: backends.web.web is not a known key (known: profile, admin_state, mode, servers, criteria, policy, maintenance)',
    '2:3: backends.web.servers is missing: it must be a mapping of server names to nodes'
  ],
  'aliases-that-explode': ['1:1: has aliases that unfold to far too much'],
  'unknown-tag': ['4:10: has a tag that means nothing here. A value of the environment is written ${NAME}'],
  // the shape of the file
  'empty-file': ['1:1: backends is missing: it must be a mapping of backends by name'],
  'only-comments': ['1:1: backends is missing: it must be a mapping of backends by name'],
  'a-list': ['1:1: must be a mapping with backends, is a list'],
  'unknown-key-at-the-top': ['1:1: backend is not a known key (did you mean backends? known: agent, admin, haproxy, state_dir, log, journal, backends)'],
  'unknown-key-in-server': [
    '4:12: backends.web.servers.a.uri is not a known key (did you mean url? known: url, weight, ca_file, server_name, maintenance)'
  ],
  'name-of-a-javascript-object': [
    '7:7: backends.web.criteria.constructor is a name that cannot be used',
    '8:3: backends.__proto__ is a name that cannot be used'
  ],
  'no-backends': ['3:11: backends must name at least one backend, is empty'],
  'no-servers': ['3:14: backends.web.servers must name at least one server, is empty'],
  'backend-of-nothing': ['2:7: backends.web must be a mapping with servers, is empty'],
  'section-of-nothing': [
    '1:7: agent must be a mapping of agent settings, is empty',
    '2:5: log must be a mapping of log settings, is empty'
  ],
  'servers-as-a-list': ['4:7: backends.web.servers must be a mapping of server names to nodes, is a list'],
  'bad-server-name': [
    `4:7: backends.web.servers.gateway one ${NAME}, is "gateway one"`,
    `5:7: backends.web.servers.a/b ${NAME}, is "a/b"`
  ],
  'bad-backend-name': [`2:3: backends.web pool ${NAME}, is "web pool"`],
  // values
  'duration-is-not-one': [
    `7:17: backends.web.policy.interval ${DURATION}, is "fast"`,
    `8:16: backends.web.policy.timeout ${DURATION}, is 2`,
    `10:38: backends.web.criteria.lag.at_most ${DURATION}, is "2 seconds"`
  ],
  'percentage-without-its-sign': ['4:48: backends.web.servers.a.weight must be a percentage from 1% to 100%, is 50'],
  'log-level-unknown': ['2:10: log.level must be one of debug, info, warn, error, is "verbose"'],
  // nodes
  'server-url-with-path': [`4:10: backends.web.servers.a ${NODE}, is "http://10.0.0.11:8080/healthz"`],
  'server-url-with-password': [
    `4:10: backends.web.servers.a ${NODE}, is "http://...@10.0.0.11:8080"`,
    `5:10: backends.web.servers.b ${NODE}, is "...@10.0.0.12:22"`
  ],
  'server-without-port': [`4:10: backends.web.servers.a ${NODE}, is "10.0.0.11"`],
  'server-port-out-of-range': [
    `4:10: backends.web.servers.a ${NODE}, is "http://10.0.0.11:65536"`,
    `5:10: backends.web.servers.b ${NODE}, is "10.0.0.12:0"`
  ],
  'server-of-another-protocol': [`4:10: backends.web.servers.a ${NODE}, is "ftp://10.0.0.11:21"`],
  'http-criterion-on-tcp-node': [
    '5:16: backends.tahoe_read.servers.webapi1 must be an http:// or https:// node: criterion storage (tahoe.storage) asks it over HTTP'
  ],
  'ca-file-without-https': [
    '4:40: backends.web.servers.a.ca_file is only for an https:// node',
    '4:49: backends.web.servers.a.ca_file must be a readable file, is "files/ca.pem" (ENOENT)',
    '4:63: backends.web.servers.a.server_name is only for an https:// node'
  ],
  'ca-file-missing': ['4:45: backends.web.servers.a.ca_file must be a readable file, is "files/no-such.pem" (ENOENT)'],
  'ca-file-is-no-certificate': ['4:45: backends.web.servers.a.ca_file names a file that holds no certificate (PEM)'],
  // addresses
  'listen-on-a-port-alone': [`2:11: agent.listen ${ADDRESS}, or a list of them, is 9777`],
  'listen-on-a-bad-address': [
    `3:7: agent.listen[0] ${ADDRESS}, is "127.0.0.1.1:9777"`,
    `4:7: agent.listen[1] ${ADDRESS}, is "127.0.0.1:65536"`,
    `5:7: agent.listen[2] ${ADDRESS}, is "[::1:9777"`,
    `6:7: agent.listen[3] ${ADDRESS}, is "unix:"`
  ],
  'listen-wide-without-allow': [`2:11: agent.listen ${ASK_YOURS}`],
  'listen-on-a-name-like-loopback': [`2:11: agent.listen ${ASK_YOURS}`],
  'listen-twice-on-one-address': [
    '2:28: agent.listen[1] must be an address of its own: 127.0.0.1:9777 is listened on already',
    '4:11: admin.listen must be an address of its own: 127.0.0.1:9777 is listened on already'
  ],
  'listener-names-unknown-server': ['4:42: agent.listen[1].server must be a server of this config, is "web/c"'],
  'listener-names-no-server': ['2:46: agent.listen.server must be a server like tahoe_read/webapi1, is "a"'],
  'allow-is-not-a-network': [
    '3:11: agent.allow[0] must be an address or network like 10.0.0.0/8 or ::1, is "10.0.0.0/33"',
    '3:24: agent.allow[1] must be an address or network like 10.0.0.0/8 or ::1, is "haproxy1"'
  ],
  'allow-is-not-a-list': ['2:10: agent.allow must be a list of addresses and networks, is "10.0.0.0/8"'],
  // criteria
  'profile-misspelt': [
    `3:14: backends.tahoe_read.profile ${PROFILES}, is "tahoe_read"`,
    `9:38: backends.tahoe_read.criteria.lag.at_most ${DURATION}, is "quick"`
  ],
  'unknown-kind': [`7:23: backends.web.criteria.health.kind ${KINDS}, is "https"`],
  'missing-kind': [`7:7: backends.web.criteria.lag.kind is missing: it ${KINDS}`],
  'criterion-of-profile-misspelt': [
    `8:7: backends.tahoe_read.criteria.storrage.kind is missing: it ${KINDS} (profile tahoe-read has storage, introducer, latency)`
  ],
  'drops-what-is-not-there': [
    '8:7: backends.tahoe_read.criteria.latencyy drops nothing: profile tahoe-read has storage, introducer, latency',
    '13:7: backends.web.criteria.lag drops nothing: there is no profile'
  ],
  'criterion-option-missing': [
    `7:7: backends.web.criteria.lag.at_most is missing: it ${DURATION}`,
    '8:49: backends.web.criteria.load.ramp.high is missing: it must be a number'
  ],
  'criterion-option-misspelt': [
    '8:18: backends.tahoe_read.criteria.storage.at_last is not a known key (did you mean at_least? known: kind, ' +
      'at_least, on_fail, rise, fall, every, within, solo)'
  ],
  'criterion-is-not-a-mapping': [
    `8:16: backends.tahoe_read.criteria.storage ${OWN_KIND}, is 3`,
    `9:16: backends.tahoe_read.criteria.latency ${OWN_KIND}, is "no"`
  ],
  'criterion-named-reach': [
    '7:7: backends.web.criteria.reach is built in, and every server has it: rise and fall of the policy are its own'
  ],
  'on-fail-misspelt': [
    `7:38: backends.web.criteria.health.on_fail ${ON_FAIL}, is "Drain"`,
    `8:51: backends.web.criteria.lag.on_fail ${ON_FAIL}, is "weight 25"`
  ],
  'every-for-latency': [
    '7:42: backends.web.criteria.lag.every has no meaning for latency, which reads the poll that shows the node reachable'
  ],
  'solo-is-no-truth-value': ['7:21: backends.web.criteria.http.solo must be true or false, is 1'],
  'http-status-out-of-range': ['7:43: backends.web.criteria.health.status[1] must be an HTTP status from 100 to 599, is 2000'],
  'http-headers': [
    '10:11: backends.web.criteria.health.headers.X Token must be a header name of letters, digits, _ and -, is "X Token"',
    '11:26: backends.web.criteria.health.headers.Authorization must be one line of printable ASCII'
  ],
  'tcp-port-out-of-range': ['7:31: backends.web.criteria.ssh.port must be a port from 1 to 65535, is 70000'],
  'write-canary-with-both': [
    '8:7: backends.tahoe_read.criteria.canary needs cap_file (overwrite in place) or upload (a new file each time), one of them'
  ],
  'write-canary-too-small': [
    '8:7: backends.tahoe_read.criteria.canary upload must be from 56B (a smaller file fits into its cap, and no ' +
      'storage server is asked) to 4MiB'
  ],
  // caps
  'cap-file-missing': ['10:19: backends.tahoe_read.criteria.canary.cap_file must be a readable file, is "files/no-such.cap" (ENOENT)'],
  'cap-file-is-a-directory': ['10:19: backends.tahoe_read.criteria.canary.cap_file must be a readable file, is "files" (EISDIR)'],
  'cap-file-empty': ['10:19: backends.tahoe_read.criteria.canary.cap_file must name a file that holds one Tahoe cap and nothing else'],
  'cap-file-of-two-caps': [
    '10:19: backends.tahoe_read.criteria.canary.cap_file must name a file that holds one Tahoe cap and nothing else'
  ],
  'lit-cap': [
    '10:19: backends.tahoe_read.criteria.canary.cap_file names a file with a LIT cap: its data is in the cap, so a ' +
      'gateway without storage answers it too. Use a file of a few KiB'
  ],
  'read-cap-to-write': [
    '10:19: backends.tahoe_read.criteria.canary.cap_file names a file with a cap that cannot write: it must be the ' +
      'write cap of a mutable file (SSK or MDMF)'
  ],
  'verify-cap-to-read': [
    '10:19: backends.tahoe_read.criteria.canary.cap_file names a file with a verify cap: it must be one that can read'
  ],
  'cap-in-the-config-itself': [
    '10:19: backends.tahoe_read.criteria.canary.cap_file must be the path of a file that holds the cap, not the cap ' +
      'itself: whoever has it can use it'
  ],
  'cap-in-a-path': [
    '8:35: backends.tahoe_read.criteria.canary.path holds a Tahoe cap or furl, which whoever reads this file could ' +
      'use: write it into a file of its own, named by cap_file'
  ],
  // the environment
  'env-not-set': [
    '4:10: backends.web.servers.a needs the environment variable WEB_A, which is not set (or a default: ${WEB_A:-default})',
    '5:10: backends.web.servers.b needs the environment variable WEB_B, which is not set (or a default: ${WEB_B:-default})',
    '7:13: backends.web.policy.rise needs the environment variable WEB_RISE, which is not set (or a default: ${WEB_RISE:-default})'
  ],
  'env-not-closed': ['4:10: backends.web.servers.a has a ${ that is not ${NAME} or ${NAME:-default}'],
  'env-in-a-flow-map': [
    '6:22: is not YAML: Unexpected flow-map-start at node end. Within { } and [ ] write "${NAME}" in quotes, or one key a line'
  ],
  'env-of-a-bad-value': [
    '7:13: backends.web.policy.rise must be a whole number, at least 1, is "two"',
    `8:17: backends.web.policy.interval ${DURATION}, is 5`
  ],
  // many
  'mistake-behind-an-alias': [
    `4:10: backends.web.servers.a ${NODE}, is "10.0.0.11"`,
    '6:13: backends.web.policy.rise must be a whole number, at least 1, is 0',
    '11:13: backends.api.policy.fall must be a whole number, at least 1, is 0'
  ],
  'several-at-once': [
    `2:11: agent.listen ${ADDRESS}, or a list of them, is "0.0.0.0"`,
    '4:3: log.levle is not a known key (did you mean level? known: level)',
    '12:21: backends.web.criteria.http.path must be a path that begins with /, is "healthz"',
    `13:38: backends.web.criteria.lag.at_most ${DURATION}, is "fast"`,
    `13:53: backends.web.criteria.lag.on_fail ${ON_FAIL}, is "weight 0%"`,
    `15:17: backends.web.policy.interval ${DURATION}, is 2`,
    '16:15: backends.web.policy.min_up must be a whole number, at least 0, is "two"',
    '19:14: backends.tahoe_write.servers must name at least one server, is empty',
    '21:28: backends.tahoe_write.criteria.storage.at_least must be a whole number, at least 1, is 0',
    `22:23: backends.tahoe_write.criteria.canary.kind ${KINDS}, is "tahoe.wirte"`
  ]
}

const folder = join(root, 'test/fixtures/config')
const env = { BAD_RISE: 'two', BAD_INTERVAL: '5' }

void t.test('every mistake has its fixture, every fixture its words', async (t) => {
  const fixtures = readdirSync(folder).filter(name => name.endsWith('.yaml')).map(name => name.slice(0, -'.yaml'.length))
  t.same(Object.keys(mistakes).sort(), fixtures.sort())
})

void t.test('hcf check says where the mistake is, and what it should be instead', async (t) => {
  for (const [mistake, lines] of Object.entries(mistakes)) {
    const file = join(folder, `${mistake}.yaml`)
    const { code, out, err } = await hcf(['check', '-c', file], env)
    t.equal(err, lines.map(line => `${file}:${line}\n`).join(''), mistake)
    t.same({ code, out }, { code: 2, out: '' }, `${mistake}: the user erred, nothing else is said`)
  }
})

void t.test('no message shows a secret, breaks the line or doubles another', async (t) => {
  for (const [mistake, lines] of Object.entries(mistakes)) {
    const places = lines.map(line => line.split(' ').slice(0, 2).join(' '))
    t.notMatch(lines.join('\n'), /hunter2|a{26}|b{52}|undefined|\[object|NaN/, mistake)
    t.equal(new Set(places).size, lines.length, `${mistake}: one thing of one key`)
    for (const line of lines) t.match(line, /^\d+:\d+: [\x20-\x7e]{10,400}$/, `${mistake}: one line`)
  }
})

void t.test('a config that is not there, or is a directory', async (t) => {
  const nowhere = join(folder, 'no-such-file.yml')
  t.same(await hcf(['check', '-c', nowhere]), { code: 2, out: '', err: `${nowhere}:1:1: the config file does not exist\n` })
  t.same(await hcf(['check', '-c', folder]), { code: 2, out: '', err: `${folder}:1:1: the config file cannot be read (EISDIR)\n` })
})
