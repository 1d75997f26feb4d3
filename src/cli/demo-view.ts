/** How the demo looks: a table that repaints itself on a terminal, a line for each change anywhere else. */
import type { ServerStatus } from '../admin/api.ts'
import type { ServerStat } from '../haproxy/runtime.ts'
import type { Counts } from '../sim/client.ts'
import { painter, table, useColor, type Io, type Paint } from './io.ts'
import { picture } from './repaint.ts'

export interface Frame {
  readonly elapsedMs: number
  readonly act: string
  readonly note: string
  readonly status: readonly ServerStatus[]
  readonly stat: readonly ServerStat[]
  readonly client: Counts
}

export interface View {
  show: (frame: Frame) => void
  /** A line that stays. */
  say: (line: string) => void
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)}s`

export const createView = (io: Io, title: string): View => io.stdout.isTTY === true ? liveView(io, title) : plainView(io, title)

function liveView (io: Io, title: string): View {
  const paint = painter(useColor(io))
  const painted = picture(io)
  return {
    show: frame => { painted.show(render(frame, title, paint)) },
    say: line => {
      painted.leave('erase')
      io.stdout.write(`${line}\n`)
    }
  }
}

function plainView (io: Io, title: string): View {
  const last = new Map<string, string>()
  io.stdout.write(`${title}\n`)
  return {
    show: ({ elapsedMs, status, stat }) => {
      for (const row of stat) {
        const id = `${row.backend}/${row.server}`
        const ours = status.find(({ server }) => server === id)
        if (ours === undefined) continue
        const line = `${id.padEnd(19)} we say "${ours.reply}"; HAProxy: ${shown(row)}`
        const news = ours.layer === 'ramp' ? `${ours.layer} ${row.status}` : line // its steps are no news
        if (last.get(id) === news) continue
        last.set(id, news)
        io.stdout.write(`${seconds(elapsedMs).padStart(7)}  ${line}\n`)
      }
    },
    say: line => { io.stdout.write(`${line}\n`) }
  }
}

const shown = ({ status, weight }: ServerStat): string => status === 'UP' ? `UP, weight ${weight}` : status

function render ({ elapsedMs, act, note, status, stat, client }: Frame, title: string, paint: Paint): readonly string[] {
  const rows = stat.flatMap(row => {
    const ours = status.find(({ server }) => server === `${row.backend}/${row.server}`)
    if (ours === undefined) return []
    const fine = row.status === 'UP' && row.weight === 100
    const style = fine ? 'green' : row.status === 'UP' ? 'yellow' : 'red'
    return [[ours.server, paint(style, shown(row)), String(row.sessions), String(row.failed), ours.reply]]
  })
  return [
    paint('bold', title),
    `${seconds(elapsedMs)}  ${paint('yellow', act)}${note === '' ? '' : `  ${paint('dim', note)}`}`,
    `client: ${client.served} requests served, ${client.failed} failed`,
    '',
    ...table([['server', 'HAProxy says', 'sessions', 'failed', 'we say, and why'], ...rows]).split('\n')
  ]
}
