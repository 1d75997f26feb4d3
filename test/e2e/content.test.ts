/** Gateways that answer, badly, against real HAProxy. */
import t from 'tap'
import { startTestFarm } from './farm.ts'
import { playCase, type Case } from './wounds.ts'

const CASES: readonly Case[] = [
  {
    name: 'slow', gateway: 'webapi1', wounds: { delayMs: 1700 },
    // Two slow answers of three are a slow server, long before its own limit says so a third time; and beside peers that
    // answer at once it gets the least there is, not only the 25% of that limit.
    expect: { tahoe_read: 'UP 10', tahoe_write: 'UP 10' }, fall: 2, diagnosed: 200
  },
  {
    name: 'storage lost for writes only', gateway: 'webapi2', wounds: { storageConnected: 3 },
    expect: { tahoe_write: 'DOWN (agent)' }, fall: 3, diagnosed: 200
  },
  {
    name: 'storage lost for reads too', gateway: 'webapi3', wounds: { storageConnected: 2 },
    // The read pool is drained for its storage servers, or down: the canary may notice first.
    expect: { tahoe_read: '(DRAIN|DOWN) (agent)', tahoe_write: 'DOWN (agent)' }, fall: 3, diagnosed: 200
  },
  {
    name: 'storage connections hung', gateway: 'webapi1', wounds: { storageHung: 5 },
    expect: { tahoe_read: 'DOWN (agent)', tahoe_write: 'DOWN (agent)' }, fall: 3, diagnosed: 200
  }
]

t.setTimeout(300_000)

void t.test('a gateway that answers, badly, is halted where it fails', async t => {
  const farm = await startTestFarm(t)
  for (const each of CASES) await playCase(t, farm, each)

  const since = farm.agent.lines.length
  await farm.gateways.webapi2.wound({ introducerConnected: false })
  await farm.agent.logged('criterion.fail', line => line['criterion'] === 'introducer' && line['server'] === 'tahoe_write/webapi2', since)
  await farm.traffic(20)
  await farm.believes({})
  t.notOk(farm.agent.lines.slice(since).some(({ event }) => event === 'server.state'), 'the introducer alone takes nothing out')
  t.match(await farm.ask('tahoe_read/webapi2'), /^(?:ready )?up 100% #warn: introducer: 0 of 1 introducers connected, needs 1/, 'but it is said')
  await farm.agreesWithModel(t, 'introducer lost')
})
