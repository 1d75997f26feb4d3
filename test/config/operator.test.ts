/** The operator's settings as they are written, and what the program runs on. */
import t from 'tap'
import { parseConfig, type Config } from '../../src/config/load.ts'
import { web } from './web.ts'

const parse = (text: string, file = '/etc/hcf/hcf.yaml', tokens = ''): Config => parseConfig(text, file, { env: {}, readFile: () => tokens })
const window = (text: string): string => web(`    maintenance: [{ ${text}, force: true }]\n`)

void t.test('tokens, sockets and the journal, and what they are unless it is said', async (t) => {
  const plain = parse(web())
  t.notOk('tokenFile' in plain, 'no tokens')
  t.same([plain.haproxySockets, plain.journalBytes, plain.windows], [[], 64 * 1024 ** 2, []])

  const config = parse(`admin: { listen: "0.0.0.0:9778", token_file: tokens }
haproxy: { sockets: ["unix:/run/haproxy/admin.sock", "10.0.0.5:9999", "[::1]:9999"] }
journal: { max_size: 1GiB }
${web()}`)
  t.equal(config.tokenFile, '/etc/hcf/tokens', 'relative to the config')
  t.equal(parse(`admin: { token_file: /abs/tokens }\n${web()}`).tokenFile, '/abs/tokens')
  t.same(config.haproxySockets, [
    { kind: 'unix', path: '/run/haproxy/admin.sock' }, { kind: 'tcp', host: '10.0.0.5', port: 9999 }, { kind: 'tcp', host: '::1', port: 9999 }
  ])
  t.equal(config.journalBytes, 1024 ** 3)
  for (const off of ['off', 'false']) t.equal(parse(`journal: ${off}\n${web()}`).journalBytes, 0, off)
  t.same(['1MiB', '64GiB'].map(size => parse(`journal: { max_size: ${size} }\n${web()}`).journalBytes), [1024 ** 2, 64 * 1024 ** 3], 'at the bounds')
})

void t.test('token_file: lines as hcf token prints them, comments, and nothing else', async (t) => {
  const HASH = `$scrypt$ln=15,r=8,p=1$${'c2FsdA'.repeat(3)}$${'a2V5'.repeat(10)}`
  const rows: ReadonlyArray<readonly [text: string, line: number | undefined, why: string]> = [
    ['', undefined, 'nobody'], ['# nobody\n\n', undefined, 'nobody, and it says so'],
    [`ana:${HASH}\n`, undefined, 'one'], [`ana:${HASH}:read`, undefined, 'one who only reads'],
    [`\r\n  a.n-a_2:${HASH}  \r\nbob:${HASH}\r\n`, undefined, 'from another system'],
    [`\n\nana ${HASH}`, 3, 'no colon'], [`ana:${HASH}:`, 1, 'a colon too many'], [`ana:${HASH}:write`, 1, 'another right'],
    [`ana:${HASH}\n#\nana:hunter2\nbob:hunter2`, 3, 'the first that is wrong'], [`:${HASH}`, 1, 'no name'],
    [`an a:${HASH}`, 1, 'a name with a blank'], [`${'a'.repeat(64)}:${HASH}`, undefined, 'a long name'], [`${'a'.repeat(65)}:${HASH}`, 1, 'too long a name'],
    ['ana.c2VjcmV0', 1, 'the token itself'], ['ana:$2b$10$abcdef', 1, 'a hash of another kind'], [`${HASH}:ana`, 1, 'the wrong way round']
  ]
  for (const [text, line, why] of rows) {
    const check = (): unknown => parse(`admin: { token_file: tokens }\n${web()}`, undefined, text)
    if (line === undefined) t.doesNotThrow(check, why)
    else t.throws(check, { message: new RegExp(`^\\S+ admin\\.token_file names a file whose line ${line} is not like [^$]*$`) }, why)
  }
})

void t.test('at_most_drained is below the number of servers', async (t) => {
  const servers = (n: number): string => Array.from({ length: n }, (_, i) => `s${i}: "http://10.0.0.1:${i + 1}"`).join(', ')
  const of = (n: number, most: number): Config => parse(`backends: { web: { servers: { ${servers(n)} }, policy: { at_most_drained: ${most} } } }`)
  t.equal(of(3, 2).backends[0]!.policy.atMostDrained, 2)
  t.equal(of(2, 1).backends[0]!.policy.atMostDrained, 1)
  for (const [n, most] of [[3, 3], [3, 4], [1, 1]] as const) t.throws(() => of(n, most), /must be below the number of servers/, `${most} of ${n}`)
})

void t.test('windows of a backend and of its servers', async (t) => {
  const { windows } = parse(`backends:
  web:
    servers:
      a: { url: http://10.0.0.1, maintenance: [{ at: "0 3 * * SUN", for: 90s, action: maint, reason: own }] }
      b: { url: http://10.0.0.2, maintenance: [] }
      c: http://10.0.0.3
    maintenance:
      - { at: "Sun 03:00", for: 1h, zone: Europe/Zurich, action: weight 25%, reason: "backup: slow" }
      - { at: "03:00", for: 1h, reason: "night\\nly\\e[2J", force: true }
  api:
    servers: { a: http://10.0.0.1 }
    maintenance: [{ at: 1st 03:00, for: 168h, action: down, reason: monthly, force: true }]
`)
  t.same(windows, [
    {
      scope: 'web/*', at: 'Sun 03:00', cron: '0 3 * * SUN', zone: 'Europe/Zurich', forMs: 3_600_000, action: { weightPercent: 25 }, reason: 'backup: slow'
    },
    { scope: 'web/*', at: '03:00', cron: '0 3 * * *', forMs: 3_600_000, action: 'drain', reason: 'night ly [2J' },
    { scope: 'web/a', at: '0 3 * * SUN', cron: '0 3 * * SUN', forMs: 90_000, action: 'maint', reason: 'own' },
    { scope: 'api/*', at: '1st 03:00', cron: '0 3 1 * *', forMs: 604_800_000, action: 'down', reason: 'monthly' }
  ])
  t.notOk('zone' in windows[1]!, 'the machine\'s own: absent')
})

void t.test('one that takes a whole backend out must say that it means it', async (t) => {
  const rows: ReadonlyArray<readonly [action: string, minUp: number, force: string, refused: boolean]> = [
    ['drain', 1, '', true], ['weight 0%', 1, '', true], ['maint', 1, ', force: false', true],
    ['drain', 1, ', force: true', false], ['drain', 0, '', false], ['weight 1%', 1, '', false]
  ]
  for (const [action, minUp, force, refused] of rows) {
    const text = `backends:
  web:
    servers: { a: http://10.0.0.1, b: http://10.0.0.2 }
    policy: { min_up: ${minUp} }
    maintenance: [{ at: "03:00", for: 1h, action: ${action}, reason: x${force} }]
`
    const why = `${action}, min_up ${minUp}${force}`
    if (!refused) t.equal(parse(text).windows.length, 1, why)
    else t.throws(() => parse(text), { message: '/etc/hcf/hcf.yaml:5:19: backends.web.maintenance[0] takes all of it out at once (2 of 2), and min_up is 1: give single servers windows of their own, or say force: true' }, why)
  }
})

void t.test('at: as a person says it, and as cron does', async (t) => {
  const rows: ReadonlyArray<readonly [at: string, cron: string]> = [
    ['03:00', '0 3 * * *'], ['3:05', '5 3 * * *'], ['00:00', '0 0 * * *'], ['23:59', '59 23 * * *'],
    ['Sun 03:00', '0 3 * * SUN'], ['sun  03:00', '0 3 * * SUN'], ['SUN 03:00', '0 3 * * SUN'],
    ['Mon,Wed 03:00', '0 3 * * MON,WED'], ['Mon-Fri 22:30', '30 22 * * MON,TUE,WED,THU,FRI'],
    ['Sat-Mon 22:30', '30 22 * * SAT,SUN,MON'], ['Mon,Thu-Fri 22:30', '30 22 * * MON,THU,FRI'], ['Tue-Tue 22:30', '30 22 * * TUE'],
    ['1st 03:00', '0 3 1 * *'], ['15th 03:00', '0 3 15 * *'], ['02nd,31st 03:00', '0 3 2,31 * *'],
    ['*/30 3 * * *', '*/30 3 * * *'], ['0 3 29 2 *', '0 3 29 2 *'], ['0 3 L JAN-MAR *', '0 3 L JAN-MAR *'], ['0 3 * * FRI#2', '0 3 * * FRI#2']
  ]
  for (const [at, cron] of rows) {
    const { windows: [one] } = parse(window(`at: "${at}", for: 20m, zone: UTC, reason: x`))
    t.same([one?.at, one?.cron], [at, cron], at)
  }
})

void t.test('for: at its bounds', async (t) => {
  const takes = (text: string): boolean => {
    try {
      return parse(window(text)).windows.length === 1
    } catch (error) {
      t.match(String(error), /\.for must be/, text)
      return false
    }
  }
  const rows: ReadonlyArray<readonly [text: string, ok: boolean, why: string]> = [
    ['at: 1st 03:00, for: 168h, zone: UTC', true, 'a week'],
    ['at: 1st 03:00, for: 604801s, zone: UTC', false, 'longer'],
    ['at: "03:00", for: 86399999ms, zone: UTC', true, 'nearly a day'],
    ['at: "03:00", for: 24h, zone: UTC', false, 'a day of each day'],
    ['at: "03:00", for: 82799999ms, zone: Europe/Zurich', true, 'nearly the shortest day'],
    ['at: "03:00", for: 23h, zone: Europe/Zurich', false, 'the shortest day'],
    ['at: "03:00", for: 23h, zone: Australia/Sydney', false, 'which the south has in October'],
    ['at: "30 2,14 * * *", for: 11h, zone: Europe/Zurich', true, 'twice a day, also in the night that has half past two twice'],
    ['at: "*/5 3 * * *", for: 5m, zone: UTC', false, 'every five minutes'],
    ['at: "0 0 31 12 *", for: 168h, zone: UTC', true, 'once a year']
  ]
  for (const [text, ok, why] of rows) t.equal(takes(`${text}, reason: x`), ok, why)
})

void t.test('a reason has room, and may be in any language', async (t) => {
  for (const reason of ['x', 'ä'.repeat(100)]) t.equal(parse(window(`at: "03:00", for: 1h, reason: ${reason}`)).windows[0]!.reason, reason)
})
