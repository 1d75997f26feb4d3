/** `hcf events`: what happened and who ordered what, from the running agent, or from its files when it is down. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { readDocument } from '../config/document.ts'
import { count } from '../core/text.ts'
import { systemClock } from '../runtime/clock.ts'
import { concerns, type FeedEvent } from '../runtime/feed.ts'
import { eventOf, readEvents, type EventsRead } from '../runtime/journal-files.ts'
import { agentOptions, askAdmin, findAdmin, presentable, Refusal, type Admin, type Where } from './admin-client.ts'
import { follow } from './event-stream.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT, findConfig, painter, useColor, type Io, type Paint } from './io.ts'
import { interruption } from './patience.ts'
import { parseLasting } from './times.ts'

/** The newest so many, when neither --since nor --limit says what is wanted; fewer when others will follow. */
const SHOWN = 100
const SHOWN_BEFORE_FOLLOWING = 10
const LIMIT_MAX = 10_000

interface Options extends Where {
  readonly follow?: true
  readonly since?: string
  readonly backend?: string
  readonly limit?: string
  readonly json?: true
}

interface Wanted {
  readonly since?: { readonly ageMs: number } | { readonly wallMs: number }
  readonly backend?: string
  readonly limit: number
}

export const define: Define = (command, io, end) => {
  agentOptions(command)
  command.option('-f, --follow', `go on with what happens, until ctrl-C (begins with the last ${SHOWN_BEFORE_FOLLOWING})`)
  command.option('--since <time>', 'events since then: 30m, 12h or 7d ago, or a moment like 2026-12-01T06:00 (local time) or 2026-12-01T06:00Z')
  command.option('--backend <name>', 'events of this backend, its servers and their orders only')
  command.option('--limit <n>', `the newest so many, at most ${LIMIT_MAX} (default: ${SHOWN}; with --since: ${LIMIT_MAX})`)
  command.addHelpText('after', '\nTimes are local; with --json, one event a line, in UTC. When the agent is down, its files (state_dir/journal) are read.')
  command.action(async (options: Options) => {
    await events(options, io)
    end(EXIT.ok)
  })
}

async function events (options: Options, io: Io): Promise<void> {
  const wanted = parseWanted(options)
  const admin = findAdmin(options, io)
  const interrupted = interruption(io)
  try {
    const show = writer(io, options.json === true, interrupted.signal)
    const past = await ofAgent(admin, wanted, interrupted.signal).catch((error: unknown) => {
      if (interrupted.signal.aborted) return undefined
      return ofFiles(error, options, wanted, io)
    })
    if (past === undefined) return
    for (const event of past.events) await show(event)
    if (options.follow !== true) return
    const say = (text: string): void => { io.stderr.write(`${text}\n`) }
    await follow({
      admin, clock: systemClock, signal: interrupted.signal, backend: wanted.backend,
      afterId: past.lastId, isAway: past.isAway,
      onEvent: show,
      onLost: why => { say(`lost the agent at ${admin.shown} (${why}): waiting for it; ctrl-C ends`) },
      onFound: () => { say(`the agent at ${admin.shown} is there again`) }
    })
  } finally {
    interrupted.off()
  }
}

function parseWanted ({ since, backend, limit, follow: goesOn }: Options): Wanted {
  const shown = goesOn === true ? SHOWN_BEFORE_FOLLOWING : SHOWN
  return {
    ...(since === undefined ? {} : { since: parseSince(since) }),
    ...(backend === undefined ? {} : { backend }),
    limit: limit === undefined ? (since === undefined ? shown : LIMIT_MAX) : parseLimit(limit)
  }
}

function parseSince (text: string): NonNullable<Wanted['since']> {
  if (/^[\d.]+[a-z]/.test(text)) return { ageMs: parseLasting('--since', text) }
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) // which JavaScript alone takes for midnight in Greenwich
  const wallMs = isDay || /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) ? Date.parse(isDay ? `${text}T00:00` : text) : Number.NaN
  if (Number.isNaN(wallMs)) throw new CommandError(`--since must be a time ago like 30m, 12h or 7d, or a moment like 2026-12-01T06:00, is ${text}`, EXIT.usage)
  return { wallMs }
}

function parseLimit (text: string): number {
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > LIMIT_MAX) throw new CommandError(`--limit must be a whole number from 1 to ${LIMIT_MAX}, is ${text}`, EXIT.usage)
  return limit
}

interface Past {
  readonly events: readonly FeedEvent[]
  /** Nothing older is missing that came before this one. */
  readonly lastId: number
  readonly isAway: boolean
}

async function ofAgent (admin: Admin, { since, backend, limit }: Wanted, signal: AbortSignal): Promise<Past> {
  // First, and of all backends: what happens from here on is followed, also when nothing has happened that is wanted.
  const newest = await ask(admin, new URLSearchParams({ limit: '1' }), signal)
  const query = new URLSearchParams({ limit: String(limit) })
  if (backend !== undefined) query.set('backend', backend)
  if (since !== undefined && 'ageMs' in since) query.set('sinceMs', String(since.ageMs))
  if (since !== undefined && 'wallMs' in since) query.set('since', new Date(since.wallMs).toISOString())
  const found = await ask(admin, query, signal)
  return { events: found, lastId: found.at(-1)?.id ?? newest.at(-1)?.id ?? 0, isAway: false }
}

async function ask (admin: Admin, query: URLSearchParams, signal: AbortSignal): Promise<readonly FeedEvent[]> {
  const { events: found } = await askAdmin(admin, `/v1/events?${query.toString()}`, { signal }) as { readonly events?: readonly unknown[] }
  return (found ?? []).flatMap(event => eventOf(event) ?? [])
}

/** Only for the agent of a config: that of --admin may be on another machine, and these would be another's files. */
function ofFiles (error: unknown, options: Options, { since, backend, limit }: Wanted, io: Io): Past {
  const isDown = error instanceof CommandError && !(error instanceof Refusal) && error.exitCode === EXIT.unavailable
  const isOurs = options.config !== undefined || (options.admin === undefined && (io.env['HCF_ADMIN'] ?? '') === '')
  if (!isDown || !isOurs) throw error
  const dir = journalDir(findConfig(options.config), io)
  if (dir === undefined) throw error
  const sinceWallMs = since === undefined ? -Infinity : 'wallMs' in since ? since.wallMs : systemClock.wall() - since.ageMs
  const read = readEvents(dir, { sinceWallMs, limit, ...(backend === undefined ? {} : { concerns: event => concerns(event, backend) }) })
  if (read.problem !== undefined) throw new CommandError(`${error.message}\nand ${read.problem}: become the user that runs the agent, or a member of its group`, EXIT.unavailable)
  if (!read.isThere) throw new CommandError(`${error.message}\nand there is no journal in ${dir}`, EXIT.unavailable)
  io.stderr.write(`${error.message}\nThis is what it wrote to ${dir}${skippedOf(read)}:\n`)
  const last = readEvents(dir, { limit: 1 }).events.at(-1) // of all backends, as above
  return { events: read.events, lastId: last?.id ?? 0, isAway: true }
}

const skippedOf = ({ skipped }: EventsRead): string =>
  skipped === 0 ? '' : ` (without ${count(skipped, 'line')} that cannot be read)`

/** As findAdmin does: a mistake elsewhere in the config must not hide what has happened. */
function journalDir (file: string, { env }: Io): string | undefined {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch { // not needed to find the agent, which is what is told of
    return undefined
  }
  const { state_dir: stateDir } = readDocument(text, file, env).raw as { readonly state_dir?: unknown }
  return join(resolve(dirname(file), typeof stateDir === 'string' ? stateDir : 'hcf-state'), 'journal')
}

function writer (io: Io, asJson: boolean, signal: AbortSignal): (event: FeedEvent) => Promise<void> {
  const paint = painter(useColor(io))
  const out: Writable = io.stdout
  return async each => {
    const event = presentable(each) // not all come through askAdmin: there are files, and the stream
    const isRoom = out.write(asJson ? `${JSON.stringify(event)}\n` : `${line(event, paint)}\n`)
    if (!isRoom) await once(out, 'drain', { signal }).catch(() => undefined) // aborted: whoever waits looks for that
  }
}

function line ({ at, level, msg }: FeedEvent, paint: Paint): string {
  const shown = level.padEnd(5)
  const word = level === 'error' ? paint('red', shown) : level === 'warn' ? paint('yellow', shown) : shown
  return `${paint('dim', localTime(at))}  ${word}  ${msg.replaceAll('\n', ' ')}`
}

function localTime (at: string): string {
  const time = new Date(at)
  const [month, day, ...clock] = [time.getMonth() + 1, time.getDate(), time.getHours(), time.getMinutes(), time.getSeconds()].map(n => String(n).padStart(2, '0'))
  return `${time.getFullYear()}-${month}-${day} ${clock.join(':')}`
}
