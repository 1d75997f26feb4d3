import t from 'tap'
import { EVENTS, type EventName } from '../../src/runtime/log.ts'
import { Sink } from './sink.ts'

const SECRET = 'aaaabbbbccccddddeeeeffff22'
const CAPS = [
  `URI:CHK:${SECRET}:gggg:3:10:1234`, `URI:DIR2:${SECRET}:hhhh`, encodeURIComponent(`URI:SSK:${SECRET}:iiii`),
  `pb://${SECRET}@tcp:10.0.0.1:3456/introducer`
]

void t.test('one line of JSON: level, time, event, fields, message', async (t) => {
  const sink = new Sink()
  sink.log.event('request.unknown', { asked: 'web/x', near: ['web/a'] }, 'who?')
  t.equal(sink.raw.length, 1)
  t.match(sink.raw[0], /^\{.*\}\n$/)
  const { time, ...line } = JSON.parse(sink.raw[0]!) as Record<string, unknown>
  t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  const wanted = { level: 'warn', event: 'request.unknown', asked: 'web/x', near: ['web/a'], msg: 'who?' }
  t.strictSame(line, wanted, 'and no more: no pid, no host')
})

void t.test('each event has its level, which a caller may raise', async (t) => {
  const sink = new Sink()
  for (const event of Object.keys(EVENTS) as EventName[]) {
    sink.log.event(event, {}, 'm')
    t.equal(sink.all()[0]?.level, EVENTS[event], event)
  }
  sink.log.event('server.state', {}, 'm', 'warn')
  t.equal(sink.all()[0]?.level, 'warn')
})

void t.test('the level can change while it runs', async (t) => {
  const sink = new Sink('info')
  sink.log.event('poll.done', {}, 'one')
  sink.log.setLevel('debug')
  sink.log.event('poll.done', {}, 'two')
  sink.log.setLevel('error')
  sink.log.event('backend.floor', {}, 'three')
  sink.log.event('config.rejected', {}, 'four')
  t.strictSame(sink.all().map(({ msg }) => msg), ['two', 'four'])
})

void t.test('no cap and no furl leaves in a log, wherever it is', async (t) => {
  for (const cap of CAPS) {
    const sink = new Sink()
    const error = new Error(`GET /uri/${cap}`)
    const places: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>, string]> = [
      ['message', {}, `lost ${cap}`],
      ['field', { why: cap }, 'm'],
      ['nested field', { a: { b: [{ c: `x ${cap} y` }] } }, 'm'],
      ['key', { [cap]: 1, a: { [cap]: 2 } }, 'm'],
      ['error', { err: error }, 'm'],
      ['error as a message', { error: String(error.stack) }, 'm'],
      ['in quotes', { why: `"${cap}"` }, `"${cap}"`]
    ]
    for (const [place, fields, message] of places) {
      sink.log.event('agent.trouble', fields, message)
      t.equal(sink.all().length, 1, `${place}: still JSON`)
      t.notMatch(sink.raw.at(-1), SECRET, `${place}: ${cap.slice(0, 8)}`)
    }
    sink.log.pino.warn({ err: error }, cap)
    sink.log.pino.child({ cap }).warn('a child of a library')
    t.notMatch(sink.raw.join(''), SECRET, 'by way of a library')
  }
})

void t.test('what is no secret stays as it is', async (t) => {
  const sink = new Sink()
  const node = 'https://10.0.0.1:3456'
  sink.log.event('poll.local', { node, why: 'EMFILE "too many"\n' }, 'curious')
  t.match(sink.all()[0], { node, why: 'EMFILE "too many"\n' })
})
