/** Looks at the servers of an HAProxy, and how many questions they come to. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import t, { type Test } from 'tap'
import { STAT_SHARED_MS, TrafficWatch, type NamedSocket } from '../../src/haproxy/traffic.ts'
import { until } from '../helpers/until.ts'

const HEAD = '# pxname,svname,status,scur,qcur\n'

/** A runtime socket that counts how often it is asked, and answers with what it is told. */
async function haproxy (t: Test, answer: string): Promise<{ readonly socket: NamedSocket, readonly at: { asked: number, answer: string, held: Socket[], holds: boolean } }> {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-tw-'))
  const at = { asked: 0, answer, held: new Array<Socket>(), holds: false }
  const server = createServer(client => {
    client.on('error', () => undefined)
    client.once('data', () => {
      at.asked += 1
      if (at.holds) at.held.push(client)
      else client.end(at.answer)
    })
  })
  const path = join(dir, 's')
  server.listen(path)
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    rmSync(dir, { recursive: true })
  })
  return { socket: { name: `unix:${path}`, path }, at }
}

void t.test('looks at many servers share one question, for as long as it is fresh', async t => {
  let nowMs = 1000
  const watch = new TrafficWatch(() => nowMs)
  const one = await haproxy(t, `${HEAD}web,a,DRAIN (agent),2,1\nweb,b,UP,0,0\n\n`)
  const two = await haproxy(t, `${HEAD}web,a,UP,5,0\n\n`)
  const both = [one.socket, two.socket]
  const [a, b] = await Promise.all([watch.on('web/a', both), watch.on('web/b', both)])
  t.strictSame(a, [{ socket: one.socket.name, status: 'DRAIN (agent)', sessions: 3 }, { socket: two.socket.name, status: 'UP', sessions: 5 }])
  t.strictSame(b, [{ socket: one.socket.name, status: 'UP', sessions: 0 }, { socket: two.socket.name }], 'the other has no such server')
  nowMs += STAT_SHARED_MS - 1
  await watch.on('web/b', both)
  t.strictSame([one.at.asked, two.at.asked], [1, 1])
  one.at.answer = `${HEAD}web,a,DRAIN (agent),0,0\n\n`
  nowMs += 1
  t.match(await watch.on('web/a', [one.socket]), [{ sessions: 0 }])
  t.strictSame([one.at.asked, two.at.asked], [2, 1], 'and no longer')
})

void t.test('an answer is as old as its question', async t => {
  let nowMs = 0
  const watch = new TrafficWatch(() => nowMs)
  const { socket, at } = await haproxy(t, `${HEAD}web,a,DRAIN,0,0\n\n`)
  at.holds = true
  const slow = watch.on('web/a', [socket])
  const shared = watch.on('web/a', [socket])
  await until('it is asked', () => at.held[0], () => '')
  nowMs = STAT_SHARED_MS
  at.holds = false
  t.match(await watch.on('web/a', [socket]), [{ sessions: 0 }], 'one that waits for its answer holds up nobody who comes later')
  t.equal(at.held.length, 1)
  at.held[0]!.end(`${HEAD}web,a,UP,7,0\n\n`)
  t.match(await Promise.all([slow, shared]), [[{ sessions: 7 }], [{ sessions: 7 }]])
  t.match(await watch.on('web/a', [socket]), [{ sessions: 0 }], 'nor does a late one come in its place')
  t.equal(at.asked, 2)
})

void t.test('one that cannot be asked is said so, and holds up nobody else', async t => {
  const watch = new TrafficWatch(() => 0)
  const denied = await haproxy(t, 'Permission denied\n\n')
  const fine = await haproxy(t, `${HEAD}web,a,UP,0,0\n\n`)
  t.strictSame(await watch.on('web/a', [denied.socket, { name: 'gone', path: '/nowhere/s' }, fine.socket]), [
    { socket: denied.socket.name, error: 'show stat is answered with Permission denied' },
    { socket: 'gone', error: 'ENOENT' },
    { socket: fine.socket.name, status: 'UP', sessions: 0 }
  ])
})
