/** Connections by the thousand, each of them short. */
import t from 'tap'
import { besiege, HAPROXY, MANY, STRANGER } from './siege.ts'

t.setTimeout(120_000)

void t.test('connect and reset', async t => {
  await besiege(t, { attacks: [{ kind: 'reset', connections: 500, perSecond: 3000, sources: HAPROXY }] })
})

void t.test('ask and reset before the answer', async t => {
  await besiege(t, { attacks: [{ kind: 'reset after asking', connections: 500, perSecond: 3000, sources: MANY }] })
})

void t.test('from an address that may not ask', async t => {
  const agent = await besiege(t, { agent: 'allow: [127.0.0.1/32]', attacks: [{ kind: 'stranger', connections: 1000, perSecond: 3000, sources: STRANGER }] })
  t.equal(agent.logged('request.refused').length, 1, 'told once')
})
