/** `hcf explain`: the whole story of a server, from a running agent. */
import t from 'tap'
import { until } from '../helpers/until.ts'
import { farDay, farm } from './farm.ts'

const WHY = ['--reason', 'kernel update']

void t.test('explain: criteria, orders, floor, and what HAProxy has heard', async t => {
  const at = await farm(t)
  await at.hcf('drain', 'web/*', ...WHY, '--force')
  await at.hcf('weight', 'web/a', '25%', ...WHY, '--for', '2h', '--by', 'bo')
  await at.ask('a')
  const { out } = await at.hcf('explain', 'web/a')
  t.match(out, /^web\/a {2}up for \d/m)
  t.match(out, /^Next: weight 25% ends in (?:2h|1h 59m)$/m)
  t.match(out, /^pass {2}reach +0\/1 bad +\d+ms +an answer +down +\d/m)
  t.match(out, /^orders {4}weight 25% of web\/a by bo: kernel update; \d+s ago, ends in (?:2h|1h 59m) \(.*\)$/m, 'the one that counts')
  t.match(out, /^ {10}drain of web\/\* by ana: kernel update; \d+s ago, ends when cleared; hidden by a narrower one$/m)
  t.match(out, /^backend {3}1 of 3 servers in service, the floor wants 2; out by order: b, c$/m)
  t.match(out, /^reply {5}(?:ready )?up 25% #weight 25% by bo: kernel update$/m)

  at.deaf = true
  await at.hcf('clear', 'web/a', '--force')
  t.match((await at.hcf('explain', 'web/a')).out, /^asked by {2}unix, \d+s ago, every \d+ms; it last heard: (?:ready )?up 25% #weight 25% by bo: kernel update$/m, 'HAProxy does not know yet')
  at.deaf = false
  await until('it has heard it', async () => /; it has heard this$/m.exec((await at.hcf('explain', 'web/a')).out)?.[0], () => '')
  t.match(JSON.parse((await at.hcf('explain', 'web/a', '--json')).out), { server: 'web/a', state: 'drain', overrides: [{ scope: 'web/*', status: 'counts' }] })
})

void t.test('explain: a window to come', async t => {
  const at = await farm(t, { more: [`    maintenance: [{ at: "0 3 ${farDay()} * *", for: 1h, action: maint, force: true, reason: patching }]`] })
  t.match((await at.hcf('explain', 'web/a')).out, /^orders {4}maint of web\/\* by maintenance: patching; begins in .* \(.*\), ends after 1h$/m)
})
