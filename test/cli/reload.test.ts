/** `hcf reload`: a config that is good is in force, one that is not changes nothing. */
import { appendFileSync } from 'node:fs'
import t from 'tap'
import { farm } from './farm.ts'

void t.test('reload', async t => {
  const at = await farm(t)
  t.match(await at.hcf('reload'), { code: 0, out: `${at.file}: in force: 1 backend, 3 servers\n` })
  t.match(JSON.parse((await at.hcf('reload', '--json')).out), { config: at.file, backends: 1, servers: 3 })

  appendFileSync(at.file, 'agnet: {}\nlog: { level: loud }\n')
  const bad = await at.hcf('reload')
  t.match(bad, { code: 2, out: '', err: /hcf\.yaml:\d+:\d+: .*agnet[^]*hcf\.yaml:\d+:\d+: log\.level must be one of[^]*\nthe old config stays in force\n$/ }, 'all mistakes, with their places')
  t.match(JSON.parse((await at.hcf('reload', '--json')).out), { status: 422, problems: [/agnet/, /log\.level/] })
  t.equal(await at.ask('a'), 'up 100%')
})
