/** docs/logs.md lists the events there are, with their fields; and the code says each of them. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { createPollers } from '../../src/app/haproxys.ts'
import type { Layer } from '../../src/core/model.ts'
import { EVENTS } from '../../src/runtime/log.ts'
import { fileStore } from '../../src/runtime/said.ts'
import { desk, HOUR_MS, request } from './desk.ts'
import { Bench, GOOD, only, plain, web } from './monitor-bench.ts'

const root = new URL('../../../', import.meta.url) // from dist/test/runtime

interface Row {
  readonly event: string
  readonly levels: readonly string[]
  readonly fields: readonly string[]
  readonly cells: readonly string[]
}
const quoted = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1]!)

/** The rows below the heading of a table, by its first column. */
function table (first: string): ReadonlyArray<readonly string[]> {
  const lines = readFileSync(new URL('docs/logs.md', root), 'utf8').split('\n')
  const below = lines.slice(lines.findIndex(line => line.startsWith(`| ${first} |`)) + 2)
  const end = below.findIndex(line => !line.startsWith('|'))
  return below.slice(0, end).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
}

const rows: readonly Row[] = table('event').map(cells => {
  const [event = '', levels = '', fields = ''] = cells
  return { event: quoted(event)[0]!, levels: levels.split(', '), fields: quoted(fields), cells }
})

void t.test('every event is listed once, with its level first', async (t) => {
  t.strictSame(rows.map(({ event }) => event).toSorted(), Object.keys(EVENTS).toSorted())
  for (const { event, levels, cells } of rows) {
    t.equal(levels[0], EVENTS[event as keyof typeof EVENTS], event)
    t.equal(cells.length, 5, `${event}: event, level, fields, meaning, remedy`)
    t.notOk(cells.includes(''), `${event}: nothing left empty`)
  }
})

void t.test('every event is said somewhere', async (t) => {
  const src = new URL('src/', root)
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts') && file !== 'runtime/log.ts')
  const text = files.map(file => readFileSync(new URL(file, src), 'utf8')).join('\n')
  for (const event of Object.keys(EVENTS)) t.ok(text.includes(`'${event}'`), event)
})

void t.test('the fields are those listed', async (t) => {
  const bench = new Bench(web('ab', 1), { store: fileStore(t.testdir({ 'said.json': 'torn' })) })
  const story = [GOOD, { latency: '-' }, { latency: '+' }, { storage: '-' }, { reach: 'x' }, { reach: 'l' }]
  for (const marks of story) await bench.see('a', marks)
  await bench.see('b', { reach: 'x' })
  await bench.see('b', { reach: '+' })
  const other = new Bench(plain('abc', only('gate', 'strain', 'ramp')))
  await other.play({ a: '++xxx+++', b: '++++++++', c: '++++++++' })
  await other.play({ a: 'tttttt++', b: 'tttttt++', c: 'tttttt++' })
  for (let minute = 0; minute < 5; minute += 1) {
    await other.clock.advance(60_000)
    await other.play({ a: '+', b: '+', c: '+' })
  }

  const orders = await desk(undefined, { windows: [{ scope: 'web/b', at: '03:00', cron: '0 3 * * *', forMs: HOUR_MS, action: 'drain', reason: 'backup' }] })
  orders.operator.give(request({ untilWallMs: orders.bench.clock.wall() + 1000 }))
  orders.operator.give(request({ scopes: ['web/c'] }))
  await orders.bench.clock.advance(1000)
  orders.book.tick()
  orders.book.setWindows([])
  orders.operator.give(request({ scopes: ['app/a'], force: true }))
  orders.operator.clear('app/a', 'bo')

  const { clock, sink } = orders.bench
  const pollers = createPollers(sink.log.event)
  for (let second = 0; second < 20; second += 1) {
    if (second < 5 || second === 19) pollers.told('web/a', '127.0.0.1', clock.now(), {})
    pollers.tick(clock.now())
    await clock.advance(1000)
  }
  pollers.tick(clock.now())

  const lines = [...bench.sink.all(), ...other.sink.all(), ...sink.all()]
  const seen = new Set(lines.map(({ event, level }) => `${event} ${level}`))
  t.strictSame([...seen].toSorted(), [
    'backend.doubt info', 'backend.doubt warn', 'backend.floor info', 'backend.floor warn', 'backend.strain info', 'backend.strain warn',
    'criterion.fail info', 'criterion.pass info', 'override.cleared info', 'override.expired info', 'override.refused warn', 'override.set info',
    'poll.done debug', 'poll.local warn', 'poller.back info', 'poller.first info', 'poller.silent warn', 'server.state info', 'server.state warn',
    'server.weight debug', 'server.weight info', 'state.set_aside warn', 'window.begin info', 'window.end info'
  ])
  for (const line of lines) {
    const row = rows.find(({ event }) => event === line.event)
    const fields = Object.keys(line).filter(key => !['level', 'event', 'msg'].includes(key))
    const optional = line.event === 'override.set' ? ['until'] : line.event === 'override.cleared' ? ['why'] : []
    t.strictSame([...new Set([...fields, ...optional])].toSorted(), row?.fields.toSorted(), line.event)
    t.ok(row?.levels.includes(line.level), `${line.event}: ${line.level}`)
  }
})

void t.test('every layer is listed', async (t) => {
  const layers: Readonly<Record<Layer, true>> = {
    start: true, criteria: true, gate: true, hold: true, floor: true, weight: true, ramp: true, stale: true, order: true, observe: true
  }
  t.strictSame(table('layer').map(([layer]) => quoted(layer!)[0]!).toSorted(), Object.keys(layers).toSorted())
})
