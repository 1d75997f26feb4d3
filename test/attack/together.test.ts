/** All at once. */
import t from 'tap'
import { besiege, HAPROXY, MANY, STRANGER } from './siege.ts'

t.setTimeout(120_000)

void t.test('every attack at once', async t => {
  await besiege(t, {
    agent: 'allow: [127.0.0.1/32, 127.9.0.0/16], max_connections: 500',
    attacks: [
      { kind: 'idle', connections: 400, perSecond: 400, sources: MANY },
      { kind: 'a byte each 20 ms', connections: 100, perSecond: 200, sources: MANY },
      { kind: 'a byte a second', connections: 300, perSecond: 300, sources: MANY },
      { kind: 'half open', connections: 50, perSecond: 100, sources: MANY },
      { kind: 'never reads', connections: 20, perSecond: 50, sources: MANY },
      { kind: 'long line', connections: 20, perSecond: 50, sources: MANY },
      { kind: 'endless line', connections: 20, perSecond: 50, sources: MANY },
      { kind: 'reset', connections: 100, perSecond: 300, sources: HAPROXY },
      { kind: 'reset after asking', connections: 100, perSecond: 300, sources: MANY },
      { kind: 'stranger', connections: 100, perSecond: 300, sources: STRANGER }
    ]
  })
})
