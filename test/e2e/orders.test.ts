/** Operators' hands on real HAProxy with traffic: a rolling restart without a failed request, and orders that outlive the agent. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { GatewayName } from '../../src/sim/balancer.ts'
import { root } from '../helpers/paths.ts'
import { until } from '../helpers/until.ts'
import { startTestFarm, type TestFarm } from './farm.ts'

t.setTimeout(300_000)

/** The loop as the README has it. */
const LOOP = /```sh\n(for gw in [\s\S]*?\ndone\n)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? 'exit 99'

/** Gone for this many answered requests of the others: as a process that is restarted. */
const AWAY_REQUESTS = 40

/** A URL that restarts a gateway and answers when it is back. What the gateway still had under way then is told. */
async function restarter (farm: TestFarm, done: string[], teardown: (run: () => void) => void): Promise<string> {
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1) as GatewayName
    void (async () => {
      const busy = (await farm.stat()).filter(row => row.server === name).map(({ status, sessionsNow }) => `${status} ${sessionsNow}`)
      done.push(`${name}: ${busy.join(', ')}`)
      await farm.gateways[name].wound({ mode: 'refused' })
      await farm.traffic(AWAY_REQUESTS)
      await farm.gateways[name].heal()
      response.end('back\n')
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  teardown(() => { server.close() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

void t.test('a rolling restart in a shell loop: no request fails', async t => {
  const farm = await startTestFarm(t, { runtimeApi: true })
  const done: string[] = []
  const url = await restarter(farm, done, run => { t.teardown(run) })
  const before = farm.client.counts
  const ran = await farm.shell(`restart () { '${process.execPath}' -e 'fetch(process.argv[1]).then(r => r.text())' ${url}/$1; }\n${LOOP}`)
  t.equal(ran.code, 0, ran.text)
  await farm.believes({})
  const [served, failed] = [farm.client.counts.served - before.served, farm.client.counts.failed - before.failed]
  t.equal(failed, 0, `of ${served + failed} requests`)
  t.ok(served > 3 * AWAY_REQUESTS, 'there was traffic all along')
  t.strictSame(done, ['webapi1', 'webapi2', 'webapi3'].map(name => `${name}: DRAIN (agent) 0, DRAIN (agent) 0`), 'each was drained when it was restarted')
  const told = farm.agent.lines.filter(({ event }) => event === 'override.set' || event === 'override.cleared').map(({ event, scope, by }) => `${event} ${String(scope)} ${String(by)}`)
  t.equal(told.length, 12, 'six orders, and each was cleared')
})

void t.test('an order outlives the agent, and its drain is taken back by its name', async t => {
  const farm = await startTestFarm(t, { canaryEvery: '1h' })
  const id = 'tahoe_read/webapi2'
  const drained = await farm.hcf('drain', id, '--reason', 'disk swap')
  t.equal(drained.code, 0, drained.text)
  t.match(await farm.ask(id), /^drain up #drain by \S+: disk swap$/)
  await farm.believes({ [id]: 'DRAIN (agent)' })

  await until('the journal has it', () => readFileSync(join(farm.workDir, 'state/journal/events.jsonl'), 'utf8').includes('override.set') || undefined, () => farm.agent.text)
  farm.agent.signal('SIGKILL')
  await farm.agent.ended()
  farm.restartAgent()
  await farm.agent.logged('agent.listen')
  t.match(await farm.ask(id), /^drain up #drain by \S+: disk swap$/, 'the first answer of the next one')
  const cleared = await farm.hcf('clear', id, '--wait')
  t.equal(cleared.code, 0, cleared.text)
  t.match(await farm.ask(id), /^ready up \d+%/)
  await farm.believes({})

  const { text } = await farm.hcf('events')
  for (const part of [/tahoe_read\/webapi2: drain by \S+: disk swap/, /cleared by/]) t.match(text, part, 'who did what is known, over the restart')
})

void t.test('the last fit server cannot be drained by accident; a cap is a cap', async t => {
  const farm = await startTestFarm(t, { canaryEvery: '1h' })
  const two = await farm.hcf('drain', 'tahoe_read/webapi1', 'tahoe_read/webapi2', '--reason', 'kernel', '--for', '10m')
  t.equal(two.code, 0, two.text)
  const last = await farm.hcf('drain', 'tahoe_read/webapi3', '--reason', 'kernel')
  t.equal(last.code, 1)
  t.match(last.text, /tahoe_read would have 0 of 3 servers .*min_up is 1.*--force/)
  t.equal(await farm.ask('tahoe_read/webapi3'), 'up 100%')

  const eased = await farm.hcf('weight', 'tahoe_write/webapi3', '25%', '--reason', 'cold cache')
  t.equal(eased.code, 0, eased.text)
  await farm.believes({ 'tahoe_read/webapi1': 'DRAIN (agent)', 'tahoe_read/webapi2': 'DRAIN (agent)', 'tahoe_write/webapi3': 'UP 25' })
  await farm.hcf('clear', 'tahoe_read/webapi1', 'tahoe_read/webapi2', 'tahoe_write/webapi3')
})

void t.test('one at a time: the second waits for the first', async t => {
  const farm = await startTestFarm(t, { canaryEvery: '1h' })
  t.equal((await farm.hcf('drain', 'tahoe_write/webapi1', '--reason', 'kernel')).code, 0)
  const refused = await farm.hcf('drain', 'tahoe_write/webapi2', '--reason', 'kernel', '--at-most', '1')
  t.equal(refused.code, 1)
  t.match(refused.text, /at most 1 server out by order, and webapi1 is out by order now/)

  const since = farm.agent.lines.length
  const queued = farm.hcf('drain', 'tahoe_write/webapi2', '--reason', 'queued', '--at-most', '1', '--queue', '2m')
  await farm.agent.logged('override.refused', line => line['reason'] === 'queued', since)
  t.equal(await farm.ask('tahoe_write/webapi2'), 'up 100%', 'not yet')
  t.equal((await farm.hcf('clear', 'tahoe_write/webapi1')).code, 0)
  const { code, text } = await queued
  t.equal(code, 0, text)
  t.match(await farm.ask('tahoe_write/webapi2'), /^drain up #drain by \S+: queued$/)
  t.equal(farm.agent.lines.filter(({ event, reason }) => event === 'override.refused' && reason === 'queued').length, 1, 'told once, however often it was tried')
})
