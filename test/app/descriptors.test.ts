import t from 'tap'
import { LIMITS, limitsOf } from '../../src/admin/limits.ts'
import { budgetOf, RESERVED, Shortage, split, type Budget, type Wanted } from '../../src/app/descriptors.ts'
import { parseConfig } from '../../src/config/load.ts'
import { IN_FLIGHT_MAX } from '../../src/runtime/scheduler.ts'
import { Sink } from '../runtime/sink.ts'

const wanted: Wanted = { agent: 4096, admin: 256, polls: 300, hedged: 300, inFlight: 2048, listeners: 2 }
const ENOUGH = RESERVED + 2 + 4096 + 256 + 600

void t.test('who gets how many', async t => {
  const rows: ReadonlyArray<readonly [limit: number | undefined, wanted: Wanted, gets: Omit<Budget, 'short'>, why: string]> = [
    [undefined, wanted, { agent: 4096, admin: 256, inFlight: 2048, kept: 'all' }, 'no limit: all they want'],
    [ENOUGH, wanted, { agent: 4096, admin: 256, inFlight: 2048, kept: 'all' }, 'just enough'],
    [ENOUGH - 1, wanted, { agent: 4095, admin: 256, inFlight: 2048, kept: 'all' }, 'one less: HAProxy has the most to spare'],
    [RESERVED + 2 + 1024, { ...wanted, inFlight: 84 }, { agent: 512, admin: 128, inFlight: 84, kept: 'first' }, 'half, an eighth; second looks have new connections'],
    [RESERVED + 2 + 1024, { ...wanted, inFlight: 85 }, { agent: 512, admin: 128, inFlight: 85, kept: 'none' }, 'and one more under way'],
    [RESERVED + 2 + 1600, wanted, { agent: 800, admin: 200, inFlight: 2048, kept: 'all' }, 'the rest just suffices for both looks of all'],
    [RESERVED + 2 + 1596, wanted, { agent: 798, admin: 199, inFlight: 299, kept: 'none' }, 'it does not any more'],
    [256, wanted, { agent: 95, admin: 23, inFlight: 36, kept: 'none' }, 'places for two looks each'],
    [256, { ...wanted, hedged: 0 }, { agent: 95, admin: 23, inFlight: 72, kept: 'none' }, 'nobody looks twice'],
    [256, { ...wanted, polls: 72, hedged: 0 }, { agent: 95, admin: 23, inFlight: 2048, kept: 'all' }, 'as many polls as places'],
    [256, { ...wanted, polls: 73, hedged: 0 }, { agent: 95, admin: 23, inFlight: 72, kept: 'none' }, 'and one more'],
    [256, { ...wanted, polls: 3, hedged: 3 }, { agent: 161, admin: 23, inFlight: 2048, kept: 'all' }, 'what the polls have no use for is HAProxy’s'],
    [256, { ...wanted, agent: 10 }, { agent: 10, admin: 23, inFlight: 78, kept: 'none' }, 'and the other way round'],
    [20_000, { ...wanted, polls: 10_000, hedged: 10_000 }, { agent: 4096, admin: 256, inFlight: 2048, kept: 'first' }, 'no more second looks at once than polls under way'],
    [64, wanted, { agent: 16, admin: 4, inFlight: 6, kept: 'none' }, 'half of what is less than the reserve'],
    [1, wanted, { agent: 1, admin: 1, inFlight: 1, kept: 'none' }, 'never none']
  ]
  for (const [limit, each, gets, why] of rows) {
    const { short, ...shares } = split(limit, each)
    t.strictSame(shares, gets, `${limit}: ${why}`)
    const needed = RESERVED + each.listeners + each.agent + each.admin + each.polls + each.hedged
    t.strictSame(short, limit === undefined || limit >= needed ? undefined : { limit, needed }, `${limit}: is it short`)
  }
})

void t.test('never more than there are', async t => {
  for (let limit = 128; limit < 6000; limit += 37) {
    for (const agent of [1, 100, 4096]) {
      for (const [polls, hedged] of [[1, 1], [100, 0], [300, 300], [5000, 4000]] as const) {
        const { agent: answers, admin, inFlight, kept } = split(limit, { ...wanted, agent, polls, hedged })
        const seconds = Math.min(inFlight, hedged)
        const nodes = kept === 'all' ? polls + hedged : kept === 'first' ? polls + seconds : Math.min(polls, inFlight) + seconds
        const sum = Math.min(RESERVED + 2, limit >> 1) + answers + admin + nodes
        if (sum > limit || answers < 1) t.fail(`limit ${limit}, agent ${agent}, polls ${polls}, hedged ${hedged}: ${sum}`)
      }
    }
  }
})

const config = (listen: string, profile = 'http'): ReturnType<typeof parseConfig> => parseConfig([
  `agent: { listen: ${listen}, max_connections: 1000 }`,
  `backends: { web: { profile: ${profile}, policy: { ${profile === 'http' ? '' : 'hedge: off'} }, servers: { a: "${profile}://10.0.0.1:80", b: "${profile}://10.0.0.2:80" } } }`
].join('\n'), 'hcf.yaml', { env: {}, readFile: () => '' })

void t.test('what a config wants', async t => {
  const one = '"127.0.0.1:9777"'
  const needed = RESERVED + 2 + 1000 + LIMITS.connections + 4
  t.strictSame(budgetOf(config(one), needed), { agent: 1000, admin: LIMITS.connections, inFlight: IN_FLIGHT_MAX, kept: 'all' })
  t.strictSame(budgetOf(config(one), needed - 1).short, { limit: needed - 1, needed }, 'one less')
  t.strictSame(budgetOf(config(one, 'tcp'), needed - 3).short, { limit: needed - 3, needed: needed - 2 }, 'without second looks')
  const two = budgetOf(config('["127.0.0.1:9777", "127.0.0.1:9779"]'), 1067)
  t.strictSame(two.short, { limit: 1067, needed: needed + 1 + 1000 })
  t.equal(two.agent, 435, 'shared by the listeners')
})

void t.test('the admin port with few connections', async t => {
  t.strictSame(limitsOf(LIMITS.connections), LIMITS)
  t.match(limitsOf(64), { connections: 64, reserved: 32 })
  t.match(limitsOf(63), { connections: 63, reserved: 31 }, 'half of them are this machine’s')
  t.match(limitsOf(1), { connections: 1, reserved: 0 })
})

void t.test('it is said once', async t => {
  const sink = new Sink()
  const shortage = new Shortage(sink.log.event)
  const short = split(256, wanted)
  shortage.look(split(ENOUGH, wanted))
  t.strictSame(sink.take(), [], 'with enough, nothing')
  shortage.look(short)
  t.strictSame(sink.take(), [{
    level: 'warn', event: 'agent.descriptors', limit: 256, needed: ENOUGH, agent: 95, admin: 23, polls: 36, kept: 'none',
    msg: `may have 256 files open, and would use up to ${ENOUGH}: HAProxy gets 95 connections, the admin port 23, polls 36 at once, each on a new connection. Set LimitNOFILE=${ENOUGH} in systemd, or ulimit -n ${ENOUGH}`
  }])
  shortage.look(short)
  t.strictSame(sink.take(), [], 'and not again')
  shortage.look(split(300, wanted))
  t.match(sink.take(), [{ event: 'agent.descriptors', limit: 300 }], 'until the numbers are others')
})
