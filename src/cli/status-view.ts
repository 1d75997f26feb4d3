/** The farm at a glance, as lines: what is not as it should be comes before what is. */
import type { OverrideView, PollersBody, ServerStatus, StatusBody } from '../admin/api.ts'
import { clean, count, showAge } from '../core/text.ts'
import { some, table, widthOf, type Paint } from './io.ts'
import { showBegin, showEnd, showOrdered, showState, showWeight } from './order-view.ts'
import { showPast } from './times.ts'

export interface Sheet {
  readonly paint: Paint
  /** Of a terminal; Infinity: nothing is cut. */
  readonly columns: number
  /** Lines there are for the servers of all backends. */
  readonly rowsMax: number
  readonly nowWallMs: number
}

/** Entries shown of a list beside the servers. */
const LIST_MAX = 12

/** Only what concerns one backend. */
export function only (body: StatusBody, backend: string): StatusBody {
  const isOf = (id: string): boolean => id.startsWith(`${backend}/`) || id === '*/*'
  return {
    ...body,
    backends: body.backends.filter(each => each.backend === backend),
    servers: body.servers.filter(({ server }) => isOf(server)),
    overrides: body.overrides.filter(({ scope }) => isOf(scope)),
    unasked: body.unasked.filter(isOf),
    unknown: body.unknown.filter(({ asked }) => isOf(asked))
  }
}

export function statusLines (body: StatusBody, sheet: Sheet): readonly string[] {
  const around = [...orderLines(body, sheet), ...pollerLines(body, sheet), ...journalLines(body, sheet)]
  return [...serverLines(body, sheet), ...around]
}

/** How many lines there are without those of the servers. */
export const linesAround = (body: StatusBody, sheet: Sheet): number =>
  statusLines({ ...body, servers: [] }, sheet).length

type Backend = StatusBody['backends'][number]

function serverLines (body: StatusBody, sheet: Sheet): readonly string[] {
  const groups = body.backends.map(backend => ({ backend, servers: body.servers.filter(({ server }) => server.startsWith(`${backend.backend}/`)) }))
  const shown = share(groups.map(({ servers }) => servers), sheet.rowsMax)
  const all = shown.flat()
  const rows = all.length === 0 ? [] : layout(all, sheet)
  const [head, ...lines] = rows
  return groups.flatMap(({ backend, servers }, i) => {
    const own = lines.splice(0, shown[i]?.length ?? 0)
    return [showBackend(backend, sheet), ...(own.length === 0 ? [] : [head ?? '', ...own]), ...hidden(servers, shown[i] ?? [], sheet), '']
  })
}

/** Room is shared evenly; what a small backend leaves over is the others'. */
function share (groups: ReadonlyArray<readonly ServerStatus[]>, rowsMax: number): ReadonlyArray<readonly ServerStatus[]> {
  let room = rowsMax
  let left = groups.length
  const parts = new Map<readonly ServerStatus[], readonly ServerStatus[]>()
  for (const servers of groups.toSorted((a, b) => a.length - b.length)) {
    const part = worst(servers, Math.max(3, Math.floor(room / left)))
    parts.set(servers, part)
    room -= part.length
    left -= 1
  }
  return groups.map(servers => parts.get(servers) ?? [])
}

const RANKS: Readonly<Record<ServerStatus['state'], number>> = { down: 0, maint: 1, drain: 2, unknown: 3, up: 4 }
const isPlain = ({ state, weightPercent, because, next }: ServerStatus): boolean => state === 'up' && weightPercent === 100 && because.length === 0 && next === undefined
const rank = (server: ServerStatus): number => isPlain(server) ? 5 : RANKS[server.state]

/** Where there is no room for all, those that want a look; in the order of the config. */
function worst (servers: readonly ServerStatus[], max: number): readonly ServerStatus[] {
  if (servers.length <= max) return servers
  const chosen = new Set(servers.toSorted((a, b) => rank(a) - rank(b)).slice(0, max))
  return servers.filter(server => chosen.has(server))
}

function hidden (servers: readonly ServerStatus[], shown: readonly ServerStatus[], { paint }: Sheet): readonly string[] {
  const rest = servers.filter(server => !shown.includes(server))
  if (rest.length === 0) return []
  if (rest.every(isPlain)) return [paint('dim', `  … and ${rest.length} more, up at 100%`)]
  const states = Object.keys(RANKS).flatMap(state => {
    const n = rest.filter(server => server.state === state).length
    return n === 0 ? [] : [`${n} ${state}`]
  })
  return [`  … and ${rest.length} more: ${states.join(', ')}`]
}

/** At least so much of a reason is shown on the narrowest terminal, and at most so much of what comes next is kept free. */
const WHY_COLUMNS_MIN = 20
const NEXT_COLUMNS_MAX = 40

function layout (servers: readonly ServerStatus[], { paint, columns }: Sheet): string[] {
  const whys = servers.map(({ because }) => clean(because.join('; '), 1000))
  const nexts = servers.map(({ next = '' }) => next)
  const fixed = servers.map(server => [`  ${server.server}`, showState(server, paint), showWeight(server), showPast(server.forMs)])
  const taken = [0, 1, 2, 3].reduce((sum, i) => sum + 2 + Math.max(HEAD[i]?.length ?? 0, ...fixed.map(row => widthOf(row[i] ?? ''))), 0)
  const nextColumns = nexts.every(next => next === '') ? 0 : 2 + Math.min(NEXT_COLUMNS_MAX, Math.max(4, ...nexts.map(next => next.length)))
  const room = Math.max(WHY_COLUMNS_MIN, columns - taken - nextColumns)
  const short = (why: string): string => why.length <= room ? why : `${why.slice(0, room - 1)}…`
  const head = [...HEAD, whys.every(why => why === '') ? '' : 'why', nextColumns === 0 ? '' : 'next'].map(word => word === '' ? '' : paint('dim', word))
  return table([head, ...fixed.map((row, i) => [...row, short(whys[i] ?? ''), nexts[i] ?? ''])]).split('\n')
}

const HEAD = ['  server', 'state', 'weight', 'since']

function showBackend (backend: Backend, { paint }: Sheet): string {
  const { servers, need, extra, kept, strained, inService, outByOrder, mode } = backend
  const wants = Math.min(servers, need + extra)
  const style = inService === 0 || inService < wants ? 'red' : inService < servers ? 'yellow' : 'green'
  return [
    `${paint('bold', backend.backend)}  ${paint(style, `${inService} of ${servers} in service`)}, the floor wants ${wants}${extra > 0 ? ` (${extra} of them for the load)` : ''}`,
    ...outByOrder.length > 0 ? [`out by order: ${some(outByOrder)}`] : [],
    ...kept.length > 0 ? [paint('yellow', `kept against their criteria: ${some(kept)}`)] : [],
    ...strained ? [paint('yellow', 'strained')] : [],
    ...mode === 'observe' ? [paint('yellow', 'only watches: HAProxy hears up 100%, and orders')] : []
  ].join('; ')
}

/** On a narrower terminal the reason is worth more than the time of day. */
const CLOCK_COLUMNS_MIN = 110

/** What is in force, and then what comes, soonest first. */
function orderLines ({ overrides }: StatusBody, { paint, columns, nowWallMs }: Sheet): readonly string[] {
  if (overrides.length === 0) return []
  const sorted = overrides.toSorted((a, b) => (a.beginsInMs ?? 0) - (b.beginsInMs ?? 0))
  const clock = columns < CLOCK_COLUMNS_MIN ? undefined : nowWallMs
  const row = (each: OverrideView): readonly string[] => {
    const style = each.status === 'coming' ? 'dim' : 'bold'
    return [`  ${paint(style, showOrdered(each))}`, each.scope, clean(each.by, 64), showBegin(each, clock), showEnd(each, clock), clean(each.reason, 200)]
  }
  const head = ['  order', 'server', 'by', 'since', 'ends', 'reason'].map(word => paint('dim', word))
  return [paint('bold', 'orders and windows'), ...listed(sorted, list => table([head, ...list.map(row)]).split('\n')), '']
}

function listed<T> (items: readonly T[], show: (items: readonly T[]) => readonly string[]): readonly string[] {
  return [...show(items.slice(0, LIST_MAX)), ...items.length > LIST_MAX ? [`  … and ${items.length - LIST_MAX} more`] : []]
}

function pollerLines ({ pollers, unasked, unknown }: PollersBody, { paint }: Sheet): readonly string[] {
  const row = ({ from, servers, intervalMs, agoMs, silent }: PollersBody['pollers'][number]): readonly string[] => [
    `  ${from}`, count(servers, 'server'), intervalMs === undefined ? '' : `every ${showAge(intervalMs)}`, silent ? paint('red', `silent for ${showPast(agoMs)}`) : `last ${showPast(agoMs)} ago`
  ]
  const loudest = pollers.toSorted((a, b) => Number(b.silent) - Number(a.silent))
  return [
    ...pollers.length === 0 ? [] : [paint('bold', 'asked by'), ...listed(loudest, list => table(list.map(row)).split('\n'))],
    ...unasked.length === 0 ? [] : [paint('yellow', `nobody asks for ${some(unasked)}: is agent-check set in haproxy.cfg?`)],
    ...listed(unknown, list => list.map(({ asked, from, near, times, agoMs }) => paint('yellow',
      `asked for, but not in the config: ${clean(asked)} by ${from}, ${count(times, 'time')}, last ${showPast(agoMs)} ago${near.length > 0 ? ` (near: ${near.join(', ')})` : ''}`)))
  ]
}

function journalLines ({ journal: { dropped } }: StatusBody, { paint }: Sheet): readonly string[] {
  return dropped === 0 ? [] : [paint('yellow', `the journal lacks ${count(dropped, 'line')}: the disk was slow or full`)]
}
