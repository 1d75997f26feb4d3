/** Bytes without an end: too slow, too long, too many. */
import t from 'tap'
import { besiege, MANY } from './siege.ts'

t.setTimeout(120_000)

void t.test('a byte each 20 ms, on more connections than max_connections', async t => {
  await besiege(t, { agent: 'max_connections: 500', attacks: [{ kind: 'a byte each 20 ms', connections: 1000, perSecond: 2000, sources: MANY }] })
})

void t.test('a byte a second, on thousands of connections', async t => {
  await besiege(t, { agent: 'max_connections: 2000', attacks: [{ kind: 'a byte a second', connections: 3000, perSecond: 4000, sources: MANY }] })
})

void t.test('lines of 1 MB', async t => {
  await besiege(t, { attacks: [{ kind: 'long line', connections: 50, perSecond: 200, sources: MANY }] })
})

void t.test('lines that never end', async t => {
  await besiege(t, { attacks: [{ kind: 'endless line', connections: 100, perSecond: 200, sources: MANY }] })
})
