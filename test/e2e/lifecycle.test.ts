/** The agent's own life beside real HAProxy: killed, restarted, reloaded, stopped; and nodes that leak caps. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { until } from '../helpers/until.ts'
import { GATEWAYS } from '../../src/sim/balancer.ts'
import { impatient, startTestFarm } from './farm.ts'

t.setTimeout(300_000)

void t.test('an agent killed while a server is out takes its own word back when it returns', async t => {
  const farm = await startTestFarm(t, { canaryEvery: '1h' }) // storage alone decides
  const { webapi2 } = farm.gateways
  await webapi2.wound({ storageConnected: 2 })
  const out = { 'tahoe_read/webapi2': 'DRAIN (agent)', 'tahoe_write/webapi2': 'DOWN (agent)' }
  await farm.believes(out)

  farm.agent.signal('SIGKILL')
  t.equal(await farm.agent.ended(), 'SIGKILL')
  await webapi2.heal()
  for (const row of await farm.stat()) {
    t.equal(row.status, out[`${row.backend}/${row.server}` as keyof typeof out] ?? 'UP', `${row.backend}/${row.server} is what it was: HAProxy keeps the last word`)
  }
  const { failed } = await farm.traffic(30)
  t.equal(failed, 0, 'the other two serve on without an agent')

  farm.restartAgent()
  await farm.believes({})
  t.match(await farm.ask('tahoe_read/webapi2'), /^ready up 100%/, 'the drain that was ours is taken back by its name')
  t.match(await farm.ask('tahoe_read/webapi1'), /^up 100%/, 'and no other server hears an admin word')
  await farm.agreesWithModel(t, 'restarted')
})

void t.test('reload: a bad config changes nothing, a good one is swapped in', async t => {
  const config = impatient(t.testdir({}))
  const farm = await startTestFarm(t, { config, canaryEvery: '1h' })
  const good = readFileSync(config, 'utf8')

  writeFileSync(config, good.replace('at_least: 3', 'at_least: three'))
  farm.agent.signal('SIGHUP')
  const rejected = await farm.agent.logged('config.rejected')
  t.match(String(rejected['problems']), /hcf\.yaml:\d+:\d+: backends\.tahoe_read\.criteria\.storage\.at_least must be a whole number/, 'the place and the cure are said')
  t.equal(await farm.ask('tahoe_read/webapi1'), 'up 100%', 'the old config goes on')

  writeFileSync(config, good.replace('at_least: 3', 'at_least: 6'))
  const since = farm.agent.lines.length
  farm.agent.signal('SIGHUP')
  await farm.agent.logged('config.loaded', () => true, since)
  await farm.agent.logged('backend.doubt', line => line['on'] === true, since)
  for (const name of GATEWAYS) {
    let said = ''
    await until(`nobody has 6, so nobody goes out for it: ${name}`, async () => {
      said = await farm.ask(`tahoe_read/${name}`)
      return /^(?:ready )?up \d+% #storage fails, but .*: not taken out/.test(said) || undefined
    }, () => said)
  }
  t.strictSame(farm.agent.lines.slice(since).filter(({ event, to }) => event === 'server.state' && to !== 'up'), [], 'not even the one that was looked at first')
})

void t.test('stop: the HAProxys hear the last word, and keep it', async t => {
  const farm = await startTestFarm(t, { canaryEvery: '1h' }) // storage alone decides
  await farm.gateways.webapi3.wound({ mode: 'refused' })
  const out = { 'tahoe_read/webapi3': 'DOWN (agent)', 'tahoe_write/webapi3': 'DOWN (agent)' }
  await farm.believes(out)

  farm.agent.signal('SIGTERM')
  t.equal(await farm.agent.ended(), 0, 'SIGTERM ends it well')
  t.equal(farm.agent.lines.at(-1)?.event, 'agent.stop')
  t.equal(farm.agent.lines.at(-1)?.['heard'], true, 'every HAProxy heard its last answer')
  for (const row of await farm.stat()) {
    t.match(row.status, new RegExp(`^${(out[`${row.backend}/${row.server}` as keyof typeof out] ?? 'UP').replace(/[()]/g, '\\$&')}$`), `${row.backend}/${row.server} stays`)
  }

  farm.restartAgent()
  await farm.agent.logged('agent.listen')
  const first = await farm.ask('tahoe_read/webapi3')
  t.match(first, /^down 100% #reach: connection refused/, 'one that is soon back knows what it knew')
  const told = farm.agent.lines.filter(({ event, server }) => event === 'server.state' && server === 'tahoe_read/webapi3')
  t.match(told, [{ from: 'unknown', to: 'down' }], 'and says so')
  await farm.gateways.webapi3.heal()
  await farm.believes({})
})

void t.test('a node that puts a cap into every header, error and body: nobody ever shows it', async t => {
  const farm = await startTestFarm(t, { canaryEvery: '1h' }) // storage alone decides
  const { webapi1 } = farm.gateways
  const cap = webapi1.caps.immutable
  const secret = cap.slice('URI:CHK:'.length, 'URI:CHK:'.length + 20)
  const since = farm.agent.lines.length
  await webapi1.wound({ leak: cap, storageConnected: 2, introducerConnected: false })
  await farm.believes({ 'tahoe_read/webapi1': 'DRAIN (agent)', 'tahoe_write/webapi1': 'DOWN (agent)' })
  await farm.agent.logged('criterion.fail', line => line['criterion'] === 'introducer', since)

  const own = await (await fetch(`${webapi1.url}/?t=json`)).text()
  t.ok(own.includes(secret), 'it was there to be shown')
  const line = await farm.ask('tahoe_read/webapi1')
  for (const [what, text] of [['reply', line], ['agent log', farm.agent.text], ['HAProxy log', farm.haproxy.output()]] as const) {
    t.notOk(text.includes(secret), `not in the ${what}`)
  }
})
