/** `hcf status`: the farm at a glance, once or again and again. */
import type { StatusBody } from '../admin/api.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { agentOptions, askAdmin, findAdmin, type Admin, type Where } from './admin-client.ts'
import type { Define } from './index.ts'
import { CommandError, cut, EXIT, painter, useColor, type Io } from './io.ts'
import { interruption, pause } from './patience.ts'
import { columnsOf, picture } from './repaint.ts'
import { linesAround, only, statusLines, type Sheet } from './status-view.ts'
import { showPast } from './times.ts'

interface Options extends Where { readonly watch?: true, readonly json?: true, readonly backend?: string }

const LOOK_EVERY_MS = 1000
/** Servers on a terminal that scrolls; into a file or a pipe all of them go. */
const ROWS_MAX = 100

export const define: Define = (command, io, end) => {
  command.option('-w, --watch', 'look again every second, until ctrl-C')
  command.option('--backend <name>', 'only this one')
  agentOptions(command)
  command.action(async (options: Options) => {
    const admin = findAdmin(options, io)
    if (options.watch === true) await watch(admin, options, io)
    else show(await look(admin, options), admin, options, io)
    end(EXIT.ok)
  })
}

async function look (admin: Admin, { backend }: Options, signal?: AbortSignal): Promise<StatusBody> {
  const body = await askAdmin(admin, '/v1/status', signal === undefined ? {} : { signal }) as StatusBody
  if (backend === undefined) return body
  const names = body.backends.map(each => each.backend)
  if (!names.includes(backend)) throw new CommandError(`no backend ${backend}; there is ${names.join(', ')}`, EXIT.usage)
  return only(body, backend)
}

function show (body: StatusBody, admin: Admin, { json }: Options, io: Io): void {
  if (json === true) {
    io.stdout.write(`${JSON.stringify(body, undefined, 2)}\n`)
    return
  }
  const sheet = sheetOf(io, ROWS_MAX)
  const lines = [headline(body, admin), '', ...statusLines(body, sheet)]
  io.stdout.write(trimmed(lines).map(line => `${cut(line, sheet.columns)}\n`).join(''))
}

const headline = ({ version, uptimeMs }: StatusBody, { shown }: Admin): string => `hcf ${version} at ${shown}, running for ${showPast(uptimeMs)}`

function sheetOf (io: Io, rowsMax: number): Sheet {
  const isTerminal = io.stdout.isTTY === true
  return { paint: painter(useColor(io)), columns: isTerminal ? columnsOf(io) - 1 : Infinity, rowsMax: isTerminal ? rowsMax : Infinity, nowWallMs: clock.wall() }
}

const trimmed = (lines: readonly string[]): readonly string[] => lines.slice(0, lines.findLastIndex(line => line !== '') + 1)

/** An agent that is away is waited for: it may just be started anew. */
async function watch (admin: Admin, options: Options, io: Io): Promise<void> {
  const { signal, off } = interruption(io)
  const view = viewOf(admin, options, io)
  try {
    for (let first = true; !signal.aborted; first = false) {
      try {
        view.show(await look(admin, options, signal))
      } catch (error) {
        if (signal.aborted) return
        if (first || !(error instanceof CommandError) || error.exitCode !== EXIT.unavailable) throw error
        view.away(error.message)
      }
      await pause(clock, LOOK_EVERY_MS, signal)
    }
  } finally {
    off()
  }
}

interface View { readonly show: (body: StatusBody) => void, readonly away: (why: string) => void }

function viewOf (admin: Admin, options: Options, io: Io): View {
  if (options.json === true) return { show: body => { io.stdout.write(`${JSON.stringify(body)}\n`) }, away: why => { io.stderr.write(`${why}\n`) } }
  if (io.stdout.isTTY !== true) return { show: body => { show(body, admin, options, io) }, away: why => { io.stderr.write(`${why}\n`) } }
  return liveView(admin, io)
}

const ROWS = 24

function liveView (admin: Admin, io: Io): View {
  const paint = painter(useColor(io))
  const painted = picture(io)
  let last: readonly string[] = []
  let seenMs = clock.now()
  const paintAll = (head: string): void => {
    const room = (io.stdout.rows ?? ROWS) - 1
    const lines = [head, '', ...last]
    painted.show(lines.length <= room ? lines : [...lines.slice(0, room - 1), paint('dim', `… and ${lines.length - room + 1} more lines: a taller window or --backend shows them`)])
  }
  return {
    show: body => {
      seenMs = clock.now()
      last = trimmed(linesThatFit(body, io))
      paintAll(`${headline(body, admin)}  ${paint('dim', 'ctrl-C ends')}`)
    },
    away: why => { paintAll(paint('red', `as it was ${showPast(clock.now() - seenMs)} ago: ${why}`)) } // the end of which may be cut
  }
}

/** As many servers as the window has room for beside all that is said of the farm as a whole. */
function linesThatFit (body: StatusBody, io: Io): readonly string[] {
  const sheet = sheetOf(io, Infinity)
  const around = 3 + linesAround(body, sheet)
  const headAndRest = 2 * body.backends.length
  return statusLines(body, { ...sheet, rowsMax: Math.max(0, (io.stdout.rows ?? ROWS) - around - headAndRest) })
}
