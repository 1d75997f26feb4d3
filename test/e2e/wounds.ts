/** One wound after another against a farm: it must take the right server out of the right pool, cost nobody anything, and heal. */
import type { Test } from 'tap'
import { request } from 'undici'
import type { GatewayName } from '../../src/sim/balancer.ts'
import type { Wounds } from '../../src/sim/gateway.ts'
import { until } from '../helpers/until.ts'
import type { TestFarm } from './farm.ts'

export interface Case {
  readonly name: string
  readonly gateway: GatewayName
  readonly wounds: Partial<Wounds>
  /** What HAProxy must come to believe: by pool, `STATUS` or `STATUS weight`. Pools not named stay as they are. */
  readonly expect: Readonly<Record<string, string>>
  /** How many polls in a row it takes at least. */
  readonly fall: number
  /** What the diagnostics port gives meanwhile. Absent: the gateway answers nobody, but is reached. */
  readonly diagnosed?: number
}

const REQUESTS_AFTER = 40
/**
 * One poll more may have begun before the wound, and done well; and two more may be waited for until enough of the others
 * have been seen to pass since.
 */
const POLLS_MORE = 3

export async function playCase (t: Test, farm: TestFarm, { name, gateway: who, wounds, expect, fall, diagnosed }: Case): Promise<void> {
  const gateway = farm.gateways[who]
  const expected = Object.fromEntries(Object.entries(expect).map(([pool, status]) => [`${pool}/${who}`, status]))
  const since = farm.agent.lines.length
  await gateway.wound(wounds)
  await farm.believes(expected)

  const node = `http://127.0.0.1:${gateway.port}`
  for (const id of Object.keys(expected)) {
    const changed = farm.agent.lines.findIndex((line, i) => i >= since && ['server.state', 'server.weight'].includes(line.event) && line['server'] === id)
    t.ok(changed >= since, `${name}: the agent says that ${id} changed`)
    // Two see it in each pool: the front page, and the pool's canary.
    const taken = ['tahoe-welcome', id.startsWith('tahoe_read') ? 'tahoe-read' : 'tahoe-write'].map(kind =>
      farm.agent.lines.slice(since, changed).filter(line => line.event === 'poll.done' && line['node'] === node && line['probe'] === kind).length)
    t.ok(taken.some(polls => polls >= fall && polls <= fall + POLLS_MORE), `${name}: ${id} took ${taken.join(' and ')} polls, of one of them ${fall} or a few more`)
  }
  await farm.agreesWithModel(t, name)

  const { failed, served } = await farm.traffic(REQUESTS_AFTER)
  t.equal(failed, 0, `${name}: no request that began after that failed (${served} served)`)

  if (diagnosed === undefined) {
    const { connections } = gateway
    const gone = new AbortController()
    const asked = request(`${farm.haproxy.diagnosticsUrl}/?t=json`, { headers: { host: who }, signal: gone.signal }).catch(() => undefined)
    await until('HAProxy reaches the gateway', () => gateway.connections > connections || undefined, () => name)
    gone.abort()
    await asked
    t.pass(`${name}: the diagnostics port reaches it`)
  } else {
    t.equal(await farm.diagnose(who), diagnosed, `${name}: the diagnostics port reaches it`)
  }

  await gateway.heal()
  await farm.believes({})
  await farm.agreesWithModel(t, `${name}, healed`)
}
