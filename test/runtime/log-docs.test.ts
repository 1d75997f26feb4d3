/** docs/logs.md lists the events there are, with their fields; and the code says each of them. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { EVENTS } from '../../src/runtime/log.ts'
import { Bench, GOOD, web } from './monitor-bench.ts'

const root = new URL('../../../', import.meta.url) // from dist/test/runtime

interface Row {
  readonly event: string
  readonly levels: readonly string[]
  readonly fields: readonly string[]
  readonly cells: readonly string[]
}
const quoted = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1]!)

const rows: readonly Row[] = readFileSync(new URL('docs/logs.md', root), 'utf8').split('\n')
  .filter(line => line.startsWith('| `'))
  .map(line => {
    const cells = line.split('|').slice(1, -1).map(cell => cell.trim())
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
  const bench = new Bench(t.testdir({ 'said.json': 'torn' }), web('ab', 1))
  const story = [GOOD, { latency: '-' }, { latency: '+' }, { storage: '-' }, { reach: 'x' }, { reach: 'l' }]
  for (const marks of story) await bench.see('a', marks)
  await bench.see('b', { reach: 'x' })
  const lines = bench.sink.all()
  const seen = new Set(lines.map(({ event }) => event))
  t.strictSame([...seen].toSorted(), [
    'backend.floor', 'criterion.fail', 'criterion.pass', 'poll.done', 'poll.local', 'server.state', 'server.weight', 'state.set_aside'
  ])
  for (const line of lines) {
    const row = rows.find(({ event }) => event === line.event)
    const fields = Object.keys(line).filter(key => !['level', 'event', 'msg'].includes(key))
    t.strictSame(fields.toSorted(), row?.fields.toSorted(), line.event)
    t.ok(row?.levels.includes(line.level), `${line.event}: ${line.level}`)
  }
})
