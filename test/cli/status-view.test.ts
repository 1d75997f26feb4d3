/** A farm of any size on a terminal of any size. */
import t from 'tap'
import type { ServerStatus, StatusBody } from '../../src/admin/api.ts'
import { cut, painter, some, table, widthOf } from '../../src/cli/io.ts'
import { only, statusLines, type Sheet } from '../../src/cli/status-view.ts'

const plain = (server: string, more: Partial<ServerStatus> = {}): ServerStatus =>
  ({ server, state: 'up', weightPercent: 100, layer: 'criteria', because: [], sentence: '', reply: 'up 100%', forMs: 5000, asked: true, ...more })

function body (servers: readonly ServerStatus[], more: Partial<StatusBody> = {}): StatusBody {
  const names = [...new Set(servers.map(({ server }) => server.split('/')[0]!))]
  const backends = names.map(backend => {
    const of = servers.filter(({ server }) => server.startsWith(`${backend}/`))
    return { backend, mode: 'enforce' as const, servers: of.length, fit: of.length, need: 1, extra: 0, kept: [], strained: false, outByOrder: [], inService: of.length }
  })
  return { version: '1', uptimeMs: 1, backends, servers: [...servers], overrides: [], pollers: [], unasked: [], unknown: [], journal: { on: true, dropped: 0 }, ...more }
}

const sheet = (more: Partial<Sheet> = {}): Sheet => ({ paint: painter(false), columns: Infinity, rowsMax: Infinity, nowWallMs: 0, ...more })
const thousand = Array.from({ length: 1000 }, (_, i) => plain(`web/s${i}`))

void t.test('a thousand servers: all into a file, and on a terminal those that want a look', async t => {
  t.equal(statusLines(body(thousand), sheet()).filter(line => /^ {2}web\/s\d+ +up/.test(line)).length, 1000)

  const wounded = thousand.map((server, i) => i === 700 ? { ...server, state: 'down' as const, because: ['reach: refused'] } : i === 900 ? { ...server, weightPercent: 25 } : server)
  const few = statusLines(body(wounded), sheet({ rowsMax: 10 }))
  t.equal(few.filter(line => line.startsWith('  web/')).length, 10)
  t.match(few.join('\n'), /web\/s0 [^]*web\/s700 +down[^]*web\/s900 +up +25%/, 'the wounded are among them, in the order of the config')
  t.ok(few.includes('  … and 990 more, up at 100%'))

  const dark = thousand.map(server => ({ ...server, state: 'down' as const }))
  t.ok(statusLines(body([...dark.slice(0, 600), ...thousand.slice(600)]), sheet({ rowsMax: 10 })).includes('  … and 990 more: 590 down, 400 up'), 'what is hidden is counted')
})

void t.test('room is shared: what a small backend leaves over is the others’', async t => {
  const lines = statusLines(body([...thousand, plain('api/x')]), sheet({ rowsMax: 20 }))
  t.equal(lines.filter(line => line.startsWith('  web/')).length, 19)
  t.equal(lines.filter(line => line.startsWith('  api/')).length, 1)
  t.equal(statusLines(body(thousand), sheet({ rowsMax: 0 })).filter(line => line.startsWith('  web/')).length, 3, 'a few, whatever the room')
})

void t.test('the reason gives way before what comes next', async t => {
  const server = plain('web/a', { state: 'down', because: ['because '.repeat(20)], next: 'back in 5s' })
  const row = statusLines(body([server]), sheet({ columns: 80 })).find(line => line.startsWith('  web/a'))!
  t.match(row, /because b?e?c?a?u?s?e?.*… {2}back in 5s$/)
  t.ok(row.length <= 80)
})

void t.test('what is said of the farm as a whole', async t => {
  const names = Array.from({ length: 13 }, (_, i) => `web/s${i}`)
  const said = statusLines(body([plain('web/a')], {
    backends: [{ backend: 'web', mode: 'observe', servers: 4, fit: 1, need: 2, extra: 1, kept: ['a', 'b'], strained: true, outByOrder: [], inService: 3 }],
    unasked: names,
    pollers: [{ from: '10.0.0.1', servers: 1, agoMs: 100, silent: false }, { from: '10.0.0.2', servers: 2, intervalMs: 2000, agoMs: 125_000, silent: true }],
    unknown: names.map(asked => ({ asked, from: '10.0.0.1', near: [], times: 2, agoMs: 3000 })),
    journal: { on: true, dropped: 7 }
  }), sheet()).join('\n')
  t.match(said, /^web {2}3 of 4 in service, the floor wants 3 \(1 of them for the load\); kept against their criteria: a, b; strained; only watches: HAProxy hears up 100%, and orders$/m)
  t.match(said, /^asked by\n {2}10\.0\.0\.2 {2}2 servers {2}every 2s {2}silent for 2m 5s\n {2}10\.0\.0\.1 {2}1 server {13}last 0s ago$/m, 'the silent first')
  t.match(said, /^nobody asks for web\/s0, .*web\/s9 and 3 more: is agent-check/m)
  t.match(said, /web\/s11 by 10\.0\.0\.1, 2 times, last 3s ago\n {2}… and 1 more$/m)
  t.match(said, /^the journal lacks 7 lines: the disk was slow or full$/m)
})

void t.test('only: one backend, and what is for all', async t => {
  const order = (scope: string): StatusBody['overrides'][number] => ({ scope, action: 'drain', by: 'ana', reason: 'x', kind: 'override', status: 'counts', from: '2026-01-01T00:00:00Z', ageMs: 1 })
  const both = body([plain('web/a'), plain('webs/a')], { overrides: ['web/a', 'web/*', '*/*', 'webs/*'].map(order), unasked: ['web/a', 'webs/a'] })
  const { servers, backends, overrides, unasked } = only(both, 'web')
  t.same([servers.length, backends.length, overrides.map(({ scope }) => scope), unasked], [1, 1, ['web/a', 'web/*', '*/*'], ['web/a']])
})

void t.test('a line is cut to its columns, colours aside', async t => {
  const red = `\x1b[31m${'x'.repeat(10)}\x1b[0m and more`
  t.equal(cut('short', 5), 'short')
  t.equal(cut('longer', 5), 'long…')
  t.equal(cut(red, 6), '\x1b[31mxxxxx…\x1b[0m', 'and ends its colour')
  t.equal(cut(red, 10), '\x1b[31mxxxxxxxxx…\x1b[0m')
  t.equal(cut(red, 11), '\x1b[31mxxxxxxxxxx\x1b[0m…')
  t.equal(widthOf(red), 19)
  t.equal(table([['a', 'b'], ['long', 'c']]), 'a     b\nlong  c')
  t.equal(some(['a', 'b', 'c'], 2), 'a, b and 1 more')
})
