/** Orders that return when HAProxy has done what they say. */
import { join } from 'node:path'
import t from 'tap'
import { until } from '../helpers/until.ts'
import { farm, runtimeSocket } from './farm.ts'

const WHY = ['--reason', 'kernel update']

void t.test('drain --wait returns when no session is left and everybody has heard', async t => {
  const at = await farm(t)
  at.shows['a'] = { status: 'UP', sessions: 3 }
  at.deaf = true
  const waiting = at.start(['drain', 'web/a', ...WHY, '--wait'])
  await until('it says what is left', () => waiting.err().includes(`web/a: 3 sessions on unix:${at.socket}; unix has not heard it yet\n`) || undefined, waiting.err)
  t.match(waiting.out(), /^web\/a {2}drain /, 'the order is in force at once')

  at.deaf = false
  await until('it was heard', () => waiting.err().includes(`web/a: 3 sessions on unix:${at.socket}\n`) || undefined, waiting.err)
  at.shows['a'] = { status: 'DRAIN (agent)', sessions: 1 }
  await until('one less', () => waiting.err().includes(`web/a: 1 session on unix:${at.socket}\n`) || undefined, waiting.err)
  at.shows['a'] = { status: 'DRAIN (agent)', sessions: 0 }
  t.match(await waiting.ended, { code: 0, err: /web\/a: no session left\n$/ })

  at.looks = 0
  at.shows['b'] = { status: 'DRAIN (agent)', sessions: 0 }
  await at.hcf('drain', 'web/b', ...WHY, '--force', '--wait')
  t.ok(at.looks >= 2, 'one look proves nothing: a session may begin before HAProxy has heard it')
})

void t.test('drain --wait: what is left when the time is over, and that the order stays', async t => {
  const at = await farm(t)
  at.shows['b'] = { status: 'UP', sessions: 2 }
  const late = await at.hcf('drain', 'web/a', 'web/b', ...WHY, '--wait', '10ms')
  t.match(late, { code: 1, err: /^not within 10ms:\n(?: {2}web\/a: .*\n)? {2}web\/b: 2 sessions on unix:.*\nThe drain stays, until hcf clear web\/a web\/b$/m })
  t.match(await at.ask('b'), /^drain /)

  const stopped = at.start(['maint', 'web/b', ...WHY, '--wait'])
  await until('it waits', () => stopped.err().includes('2 sessions') || undefined, stopped.err)
  stopped.signal('SIGINT')
  t.match(await stopped.ended, { code: 1, err: /^no longer waited for:\n {2}web\/b: 2 sessions .*\nThe maint stays, until hcf clear web\/b$/m })

  const ended = at.start(['maint', 'web/b', ...WHY, '--for', '1s', '--wait'])
  await until('its order has ended', () => ended.err().includes('web/b: takes traffic again: the order has ended') || undefined, ended.err)
  at.shows['b'] = { status: 'UP', sessions: 0 }
  ended.signal('SIGINT')
  t.equal((await ended.ended).code, 1, 'no session is no reason to go on, while it takes traffic')
})

void t.test('drain --wait: HAProxy may go on sending clients to a server without sessions', async t => {
  const at = await farm(t)
  const waiting = at.start(['drain', 'web/a', ...WHY, '--wait'])
  await until('it is still in', () => waiting.err().includes(`web/a: UP on unix:${at.socket}\n`) || undefined, waiting.err)
  at.shows['a'] = { status: 'no check', sessions: 0 }
  await until('so is it here', () => waiting.err().includes(`web/a: no check on unix:${at.socket}\n`) || undefined, waiting.err)
  at.says = 'Permission denied\n\n'
  await until('no answer', () => waiting.err().includes(`web/a: unix:${at.socket} cannot be asked (show stat is answered with Permission denied)\n`) || undefined, waiting.err)
  at.says = undefined
  delete at.shows['a']
  await until('another name', () => waiting.err().includes('web/a: no HAProxy of haproxy.sockets has this server: is its name in haproxy.cfg the same?\n') || undefined, waiting.err)
  at.shows['a'] = { status: 'DRAIN (agent)', sessions: 0 }
  t.match(await waiting.ended, { code: 0, err: /web\/a: no session left\n$/ })
})

void t.test('drain --wait: looks at several servers share a question to HAProxy', async t => {
  const at = await farm(t)
  for (const name of ['a', 'b', 'c']) at.shows[name] = { status: 'DRAIN (agent)', sessions: 0 }
  t.match(await at.hcf('drain', 'web/*', ...WHY, '--force', '--wait'), { code: 0 })
  t.ok(at.looks < 6, `two looks at each of three servers came to ${at.looks} questions`)
})

void t.test('drain --wait: one of several HAProxys has the server', async t => {
  const at = await farm(t, { sockets: ['haproxy.sock', 'other.sock'] })
  await runtimeSocket(t, join(at.dir, 'other.sock'), () => '# pxname,svname,status,scur,qcur\nother,x,UP,1,0\n\n')
  at.shows['a'] = { status: 'DRAIN (agent)', sessions: 0 }
  t.match(await at.hcf('drain', 'web/a', ...WHY, '--wait'), { code: 0, err: /web\/a: no session left\n$/ })
})

void t.test('drain --wait without sockets: nobody who asks is nobody who has heard', async t => {
  const at = await farm(t, { sockets: [] })
  await at.close() // and who asked before is forgotten
  at.deaf = true
  await at.open(['a'])
  await at.ask('b') // before the order, and once, as a person does who tries it out
  const waiting = at.start(['drain', 'web/b', ...WHY, '--wait'])
  await until('nobody asks', () => waiting.err().includes('web/b: no HAProxy has asked since\n') || undefined, waiting.err)
  await at.ask('b')
  t.match(await waiting.ended, { code: 0, err: /web\/b: every HAProxy that asks has heard it/ })
})

void t.test('drain --wait: who has an order of its own to stay is told, waited for by nobody, and the answer is no', async t => {
  const at = await farm(t)
  at.shows['a'] = at.shows['b'] = { status: 'DRAIN (agent)', sessions: 0 }
  at.shows['c'] = { status: 'UP', sessions: 9 }
  await at.hcf('up', 'web/c', ...WHY)
  const kept = await at.hcf('drain', 'web/*', ...WHY, '--force', '--wait')
  t.match(kept, { code: 1, err: /^web\/c: keeps its traffic, so is not waited for: Up at 100% by order/m })
  t.match(kept.err, /web\/a: no session left\n[^]*web\/b: no session left\n$/, 'the others are waited for all the same')
})

void t.test('ready, clear and up --wait return when HAProxy shows it in service', async t => {
  const at = await farm(t)
  await at.hcf('maint', 'web/a', ...WHY)
  at.shows['a'] = { status: 'MAINT', sessions: 0 }
  const waiting = at.start(['clear', '--wait', 'web/a'])
  await until('HAProxy has not done it', () => waiting.err().includes(`web/a: MAINT on unix:${at.socket} though it has heard us: set there by hand, or by an hcf that has lost its state_dir? \`set server web/a state ready\` there ends it`) || undefined, waiting.err)
  at.shows['a'] = { status: 'DOWN 1/2', sessions: 0 }
  await until('its own check has to pass', () => waiting.err().includes(`web/a: DOWN 1/2 on unix:${at.socket}\n`) || undefined, waiting.err)
  at.shows['a'] = { status: 'UP 1/3', sessions: 0 }
  t.match(await waiting.ended, { code: 0, err: /web\/a: takes traffic\n$/ })
})

void t.test('ready --wait: one that its criteria or another order keep out', async t => {
  const at = await farm(t)
  await at.hcf('drain', 'web/a', ...WHY)
  at.nodes['a']!.close()
  await until('its node is gone', async () => (await at.hcf('explain', 'web/a')).out.includes('The polls say down') || undefined, () => '')
  const out = await at.hcf('ready', 'web/a', ...WHY, '--wait', '10ms')
  t.match(out, { code: 1, err: /^not within 10ms:\n {2}web\/a: down: reach: connection refused/m })

  await at.hcf('drain', 'web/*', ...WHY, '--force')
  await at.hcf('drain', 'web/b', ...WHY)
  const held = await at.hcf('clear', 'web/b', '--wait')
  t.match(held, { code: 1, err: /^web\/b: another order keeps it out: Drained by order: drain of web\/\* by ana/m }, 'nothing to wait for')
})

void t.test('--wait goes on while the agent is started anew', async t => {
  const at = await farm(t)
  at.shows['a'] = { status: 'UP', sessions: 1 }
  const waiting = at.start(['drain', 'web/a', ...WHY, '--wait'])
  await until('it waits', () => waiting.err().includes('1 session') || undefined, waiting.err)
  await at.close()
  await until('it misses the agent', () => waiting.err().includes('no agent at') || undefined, waiting.err)
  at.shows['a'] = { status: 'DRAIN (agent)', sessions: 0 }
  await at.open()
  t.match(await waiting.ended, { code: 0, err: /web\/a: no session left\n$/ })
})

void t.test('an HAProxy that cannot be asked may have sessions; without sockets, who has heard it counts', async t => {
  const gone = await farm(t, { sockets: ['gone.sock'] })
  t.match(await gone.hcf('drain', 'web/a', ...WHY, '--wait', '10ms'), { code: 1, err: /gone\.sock cannot be asked \(ENOENT\)/ })
  const none = await farm(t, { sockets: [] })
  t.match(await none.hcf('drain', 'web/a', ...WHY, '--wait', '10s'), { code: 0, err: /web\/a: every HAProxy that asks has heard it/ })
})
