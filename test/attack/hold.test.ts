/** Connections that take a place and give it back as late as they can. */
import t from 'tap'
import { besiege, HAPROXY, MANY } from './siege.ts'

t.setTimeout(120_000)

void t.test('4,096 idle connections', async t => {
  await besiege(t, { attacks: [{ kind: 'idle', connections: 4096, perSecond: 5000, sources: MANY }] })
})

void t.test('more idle connections than max_connections', async t => {
  await besiege(t, { agent: 'max_connections: 1000', attacks: [{ kind: 'idle', connections: 2000, perSecond: 3000, sources: MANY }] })
})

void t.test('more idle connections than max_connections, from the address of HAProxy', async t => {
  await besiege(t, { agent: 'max_connections: 500', attacks: [{ kind: 'idle', connections: 1000, perSecond: 2000, sources: HAPROXY }] })
})

void t.test('peers that close their half', async t => {
  await besiege(t, { agent: 'max_connections: 500', attacks: [{ kind: 'half open', connections: 600, perSecond: 2000, sources: MANY }] })
})

void t.test('peers that never read', async t => {
  await besiege(t, { agent: 'max_connections: 100', attacks: [{ kind: 'never reads', connections: 150, perSecond: 500, sources: MANY }] })
})
