/** What has changed, as log lines: for criteria, servers and backends. Says; decides nothing. */
import { isFailing, isShared } from '../core/check.ts'
import { nobodyToAsk } from '../core/decide.ts'
import { reasonOf } from '../core/severity.ts'
import { serverId, type Backend, type Decision } from '../core/model.ts'
import type { BackendState } from '../core/state.ts'
import { count } from '../core/text.ts'
import type { LogEvent } from './log.ts'

/** Criteria of one server that began to fail or to pass. */
export function tellCriteria (log: LogEvent, backend: Backend, before: BackendState, after: BackendState, index: number): void {
  const server = backend.servers[index]
  if (server === undefined) return
  for (const [i, criterion] of server.criteria.entries()) {
    const check = after.servers.at(index)?.checks[i]
    const old = before.servers.at(index)?.checks[i]
    if (check === undefined || check === old) continue
    const fails = isFailing(check)
    if (fails === (old !== undefined && isFailing(old))) continue
    const { value, limit, reason } = check.verdict
    const id = serverId(server)
    const message = `${id} ${criterion.name} ${fails ? 'fails' : 'passes'}: ${reason}`
    log(fails ? 'criterion.fail' : 'criterion.pass', { server: id, criterion: criterion.name, value, limit, reason }, message)
  }
}

interface Known { readonly backend: Backend, readonly state: BackendState }

/** What a backend as a whole came to: the floor and the strain. */
export function tellBackend (log: LogEvent, before: Known | undefined, after: Known): void {
  tellFloor(log, before, after)
  tellStrain(log, before, after)
}

function tellFloor (log: LogEvent, before: Known | undefined, after: Known): void {
  if (before?.state.floor === after.state.floor) return
  const held = keptNames(after)
  if (held.join() === (before === undefined ? '' : keptNames(before).join())) return
  const { name } = after.backend
  const on = held.length > 0
  const message = on ? `the floor keeps ${held.join(', ')} in service against their criteria` : 'enough servers are fit again'
  log('backend.floor', { backend: name, on, held }, `${name}: ${message}`, on ? 'warn' : 'info')
}

const keptNames = ({ backend: { servers }, state: { floor } }: Known): readonly string[] =>
  floor.kept.size === 0 ? [] : servers.filter((_, i) => floor.kept.has(i)).map(({ name }) => name)

/** A backend's doubt as far as it has been told: since when, and what about. */
export interface Doubting { readonly criterion: string, readonly lastMs: number }

/** Over only when nobody has been in doubt for so long: the flaky fall in and out of it. */
export const DOUBT_OVER_MS = 15_000

/** Once when it begins, with what we do not believe; and once when it is over. */
export function tellDoubt (log: LogEvent, before: Doubting | undefined, now: Known, nowMs: number): Doubting | undefined {
  const { backend: { name }, state } = now
  if (state.tally.doubted > 0) return { criterion: before?.criterion ?? tellBegin(log, now), lastMs: nowMs }
  if (before === undefined || nowMs - before.lastMs < DOUBT_OVER_MS) return before
  const { criterion } = before
  log('backend.doubt', { backend: name, on: false, held: [], criterion, asked: 0, failing: 0 }, `${name}: no more doubt about ${criterion}`, 'info')
  return undefined
}

function tellBegin (log: LogEvent, now: Known): string {
  const { name } = now.backend
  const on = firstDoubt(now)
  if (on === undefined) return ''
  const { server, criterion, asked, failing, reason } = on
  const others = asked === 0
    ? `and ${nobodyToAsk(criterion)}`
    : `but ${failing} of ${count(asked, 'peer')} ${failing === 1 ? 'fails' : 'fail'} it too`
  const message = `${server} fails ${criterion}, ${others}: a shared fault, or our own eyes; nobody is taken out for it`
  log('backend.doubt', { backend: name, on: true, held: [server], criterion, asked, failing }, `${name}: ${message} (${reason})`)
  return criterion
}

interface Doubted { readonly server: string, readonly criterion: string, readonly asked: number, readonly failing: number, readonly reason: string }

function firstDoubt ({ backend: { servers }, state }: Known): Doubted | undefined {
  for (let i = 0; i < servers.length; i += 1) {
    const at = state.servers.at(i)?.checks.findIndex(check => check?.doubt !== undefined && isShared(check.doubt)) ?? -1
    const check = state.servers.at(i)?.checks[at]
    const criterion = servers[i]?.criteria[at]
    if (check?.doubt?.why !== 'peers' || criterion === undefined) continue
    const { asked, failing } = check.doubt
    return { server: servers[i]?.name ?? '', criterion: criterion.name, asked, failing, reason: reasonOf(criterion, check) }
  }
  return undefined
}

function tellStrain (log: LogEvent, before: Known | undefined, { backend: { name }, state }: Known): void {
  const on = state.extra > 0
  if (on === ((before?.state.extra ?? 0) > 0)) return
  const { in: inService, troubled } = state.tally
  const message = on
    ? `${troubled} of ${count(inService, 'server')} in service ${troubled === 1 ? 'is' : 'are'} slow or silent: bringing able ones back`
    : 'no longer strained: nobody is kept for the load any more'
  log('backend.strain', { backend: name, on, extra: state.extra, troubled, inService }, `${name}: ${message}`, on ? 'warn' : 'info')
}

/** A server in service that gets another share. The steps of one that comes back are no news. */
export function tellWeight (log: LogEvent, id: string, from: Decision, to: Decision): void {
  const fields = { server: id, from: from.weightPercent, to: to.weightPercent, because: to.because }
  log('server.weight', fields, `${id} weight ${from.weightPercent}% -> ${to.weightPercent}%`, to.layer === 'ramp' ? 'debug' : 'info')
}

/** A decision in one word or two. Two that read alike differ at most in weight. */
export function shown ({ state, layer }: Decision): string {
  switch (layer) {
    case 'floor': return 'kept'
    case 'gate': return 'doubted'
    case 'hold': return 'held'
    case 'stale': return 'stale'
    case 'observe': return 'watched'
    case 'order': return `${state} (order)`
    case 'start':
    case 'criteria':
    case 'weight':
    case 'ramp': return state
  }
}

/** Whether an operator should look. */
export const isBad = ({ state, layer }: Decision): boolean =>
  layer !== 'order' && layer !== 'hold' && (state === 'down' || state === 'drain' || layer === 'floor' || layer === 'stale')
