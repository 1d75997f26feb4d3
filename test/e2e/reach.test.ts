/** Gateways that do not answer, each in its own way, against real HAProxy. */
import t from 'tap'
import { startTestFarm } from './farm.ts'
import { playCase, type Case } from './wounds.ts'

const OUT = { tahoe_read: 'DOWN (agent)', tahoe_write: 'DOWN (agent)' }
const CASES: readonly Case[] = [
  { name: 'refused', gateway: 'webapi1', wounds: { mode: 'refused' }, expect: OUT, fall: 3, diagnosed: 503 },
  { name: 'hang', gateway: 'webapi2', wounds: { mode: 'hang' }, expect: OUT, fall: 3 },
  { name: 'reactor blocked', gateway: 'webapi3', wounds: { mode: 'blocked' }, expect: OUT, fall: 3 },
  { name: 'accept, then close', gateway: 'webapi1', wounds: { mode: 'accept-close' }, expect: OUT, fall: 3 }
]

t.setTimeout(300_000)

void t.test('a gateway that does not answer is halted, and comes back', async t => {
  const farm = await startTestFarm(t)
  for (const each of CASES) await playCase(t, farm, each)
  t.notMatch(farm.haproxy.output(), /URI(?::|%3A)/i, 'no cap in HAProxy’s log')
  t.notMatch(farm.agent.text, /URI(?::|%3A)(?!\[redacted\])/i, 'no cap in the agent’s log')
})
