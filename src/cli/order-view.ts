/** Orders, and what they came to, in words. */
import type { GivenBody, OverrideView, ServerStatus } from '../admin/api.ts'
import { clean, showAge } from '../core/text.ts'
import { painter, some, table, useColor, type Io, type Paint } from './io.ts'
import { showLeft, showMoment, showPast } from './times.ts'

/** Rows shown of many. */
const ROWS_MAX = 20

export const takesTraffic = ({ state, weightPercent }: Pick<ServerStatus, 'state' | 'weightPercent'>): boolean => state === 'up' && weightPercent > 0

/** A state in its colour: green serves, yellow wants a look, red does not serve. */
export function showState ({ state, weightPercent, layer }: Pick<ServerStatus, 'state' | 'weightPercent' | 'layer'>, paint: Paint): string {
  if (state === 'unknown') return paint('dim', state)
  if (state === 'down') return paint('red', state)
  const isFine = state === 'up' && weightPercent > 0 && !['floor', 'gate', 'stale', 'observe'].includes(layer)
  return paint(isFine ? 'green' : 'yellow', state)
}

/** Only a server that is up has one that matters. */
export const showWeight = ({ state, weightPercent }: Pick<ServerStatus, 'state' | 'weightPercent'>): string => state === 'up' ? `${weightPercent}%` : '-'

/** `drain`; `weight 25%`; a cap on its way `weight 25% (now 60%)`. */
export function showOrdered ({ action, weightPercent, nowPercent }: Pick<OverrideView, 'action' | 'weightPercent' | 'nowPercent'>): string {
  if (weightPercent === undefined) return action
  return `${action} ${weightPercent}%${nowPercent === undefined || nowPercent === weightPercent ? '' : ` (now ${nowPercent}%)`}`
}

/** After `ends`: `in 25m (03:42)`; of what is to come `after 1h`. Where there is little room, without the clock. */
export function showEnd ({ status, from, until, endsInMs }: OverrideView, nowWallMs?: number): string {
  if (until === undefined) return 'when cleared'
  if (status === 'coming') return `after ${showAge(Date.parse(until) - Date.parse(from))}`
  return `in ${showLeft(endsInMs ?? 0)}${onClock(until, nowWallMs)}`
}

/** `5m ago`; of what is to come `in 2h (Sun 03:00)`. */
export function showBegin ({ status, from, ageMs, beginsInMs }: OverrideView, nowWallMs?: number): string {
  return status === 'coming' ? `in ${showLeft(beginsInMs ?? 0)}${onClock(from, nowWallMs)}` : `${showPast(ageMs ?? 0)} ago`
}

const onClock = (moment: string, nowWallMs: number | undefined): string => nowWallMs === undefined ? '' : ` (${showMoment(moment, nowWallMs)})`

/** `left`: of an order that takes servers out. */
export function renderGiven ({ overrides, servers, backends, notes }: GivenBody, left: boolean, io: Io, nowWallMs: number): string {
  const paint = painter(useColor(io))
  const rows = servers.slice(0, ROWS_MAX).map(server => [
    server.server, `${showState(server, paint)}${server.state === 'up' ? ` ${server.weightPercent}%` : ''}`, `HAProxy will hear: ${clean(server.reply, 200)}`
  ])
  return [
    table(rows),
    ...servers.length > ROWS_MAX ? [`… and ${servers.length - ROWS_MAX} more: hcf status shows them`] : [],
    ...backends.map(({ backend, inService, servers: all }) => paint(inService === 0 ? 'red' : 'bold', `${backend}: ${inService} of ${all} ${left ? 'left ' : ''}in service`)),
    ...ends(overrides, nowWallMs),
    ...notes.map(note => `note: ${clean(note, 400)}`)
  ].filter(line => line !== '').map(line => `${line}\n`).join('')
}

/** One line for all that end alike: a command gives one order to several scopes. */
function ends (overrides: readonly OverrideView[], nowWallMs: number): readonly string[] {
  const alike = new Map<string, OverrideView[]>()
  for (const override of overrides) {
    if (override.status === 'coming') continue
    const key = `${showOrdered(override)} ${override.until ?? ''}`
    alike.set(key, [...alike.get(key) ?? [], override])
  }
  return [...alike.values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return []
    const scopes = [first, ...rest].map(({ scope }) => scope)
    const open = first.action === 'ready' ? 'holds until what it exempts from is over' : `holds until hcf clear ${shellWords(scopes)}`
    const end = first.until === undefined ? open : `ends ${showEnd(first, nowWallMs)}`
    return [`${showOrdered(first)} of ${some(scopes)} ${end}`]
  })
}

export const shellWords = (scopes: readonly string[]): string => scopes.length <= 3 ? scopes.map(quoted).join(' ') : `${scopes.slice(0, 3).map(quoted).join(' ')} …`

/** A star as a shell leaves it alone. */
const quoted = (scope: string): string => scope.includes('*') ? `'${scope}'` : scope
