/** What several gateways share, and how one comes back: the farm as a whole, against real HAProxy. */
import t from 'tap'
import { GATEWAYS } from '../../src/sim/balancer.ts'
import { until } from '../helpers/until.ts'
import { EXAMPLE, startTestFarm } from './farm.ts'

t.setTimeout(300_000)

void t.test('what all gateways fail takes nobody out', async t => {
  const farm = await startTestFarm(t, { canaryEvery: '1h' }) // the front page alone decides
  const all = Object.values(farm.gateways)
  const shared = [
    [{ storageConnected: 2 }, 'storage', /^up 100% #storage fails, but .* not taken out/],
    [{ mode: 'hang' }, 'reach', /^up 100% #reach fails, but .* not taken out/]
  ] as const
  for (const [wounds, criterion, line] of shared) {
    const since = farm.agent.lines.length
    await Promise.all(all.map(async gateway => gateway.wound(wounds)))
    for (const pool of ['tahoe_read', 'tahoe_write']) {
      for (const name of GATEWAYS) {
        const told = await farm.agent.logged('server.state', each => each['server'] === `${pool}/${name}` && each['layer'] === 'gate', since)
        t.match(told, { to: 'up', level: 'info' }, `${criterion}: ${pool}/${name} is doubted`)
      }
      const doubts = farm.agent.lines.slice(since).filter(({ event, backend, on }) => event === 'backend.doubt' && backend === pool && on === true)
      t.match(doubts, [{ level: 'warn', criterion }], `${criterion}: ${pool} says so`)
      t.equal(doubts.length, 1, 'once')
    }
    for (const name of GATEWAYS) t.match(await farm.ask(`tahoe_read/${name}`), line, `${criterion}: what ${name} answers`)
    await farm.believes({})
    t.notOk(farm.agent.lines.slice(since).some(({ to }) => to === 'down' || to === 'drain'), `${criterion}: nobody was out at any time`)

    await Promise.all(all.map(async gateway => gateway.heal()))
    for (const pool of ['tahoe_read', 'tahoe_write']) {
      await farm.agent.logged('backend.doubt', each => each['backend'] === pool && each['on'] === false, since)
    }
  }
  const { failed } = await farm.traffic(30)
  t.equal(failed, 0, 'healed: everybody serves')
})

void t.test('half of a pool is never out: the least bad stays, with little', async t => {
  const farm = await startTestFarm(t, { canaryEvery: '1h' })
  await farm.gateways.webapi1.wound({ mode: 'hang' })
  const out = { 'tahoe_read/webapi1': 'DOWN (agent)', 'tahoe_write/webapi1': 'DOWN (agent)' }
  await farm.believes(out)
  await farm.gateways.webapi2.wound({ storageConnected: 2 })
  await farm.believes({ ...out, 'tahoe_read/webapi2': 'UP 10', 'tahoe_write/webapi2': 'UP 10' })
  t.match(await farm.ask('tahoe_read/webapi2'), /^(?:ready )?up 10% #kept up by the floor: storage: 2 of 5/)
  await farm.agreesWithModel(t, 'kept')
  await farm.gateways.webapi1.heal()
  await farm.believes({ 'tahoe_read/webapi2': 'DRAIN (agent)', 'tahoe_write/webapi2': 'DOWN (agent)' })
  await farm.gateways.webapi2.heal()
  await farm.believes({})
})

void t.test('as it comes: a gateway that is back waits, and gets its load little by little', async t => {
  const farm = await startTestFarm(t, { config: EXAMPLE, canaryEvery: '1h' })
  await farm.gateways.webapi2.wound({ mode: 'refused' })
  await farm.believes({ 'tahoe_read/webapi2': 'DOWN (agent)', 'tahoe_write/webapi2': 'DOWN (agent)' })
  const since = farm.agent.lines.length
  await farm.gateways.webapi2.heal()
  await farm.agent.logged('server.state', line => line['server'] === 'tahoe_read/webapi2' && line['layer'] === 'hold', since)
  const back = await farm.agent.logged('server.state', line => line['server'] === 'tahoe_read/webapi2' && line['layer'] === 'ramp', since)
  t.match(back, { to: 'up', reply: 'up 10% #coming back step by step' })

  const weights: number[] = []
  await until('it has its whole load', async () => {
    const row = (await farm.stat()).find(({ backend, server }) => backend === 'tahoe_read' && server === 'webapi2')
    if (row?.status === 'UP' && row.weight !== weights.at(-1)) weights.push(row.weight)
    return weights.at(-1) === 100 || undefined
  }, () => weights.join(' '))
  t.strictSame(weights, weights.toSorted((a, b) => a - b), `always more: ${weights.join(' ')}`)
  t.ok(weights[0]! <= 25 && weights.length >= 10, 'from little, in many steps')
  await farm.believes({})
  const { failed } = await farm.traffic(30)
  t.equal(failed, 0, 'and nobody notices')
})
