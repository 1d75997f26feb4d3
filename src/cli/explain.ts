/** `hcf explain`: the whole story of a server, from the running agent. */
import type { ServerBody } from '../admin/api.ts'
import { clean, count, showAge } from '../core/text.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { agentOptions, askAdmin, findAdmin, type Where } from './admin-client.ts'
import type { Define } from './index.ts'
import { EXIT, painter, parseServerId, table, useColor, type Io, type Paint } from './io.ts'
import { showBegin, showEnd, showOrdered, showState } from './order-view.ts'
import { showPast } from './times.ts'

export const define: Define = (command, io, end) => {
  command.argument('<backend/server>', 'the server to explain')
  agentOptions(command)
  command.action(async (id: string, options: Where & { readonly json?: true }) => {
    const [backend, server] = parseServerId(id)
    const path = `/v1/servers/${encodeURIComponent(backend)}/${encodeURIComponent(server)}`
    const body = await askAdmin(findAdmin(options, io), path) as ServerBody
    io.stdout.write(options.json ? `${JSON.stringify(body, undefined, 2)}\n` : `${render(body, io)}\n`)
    end(EXIT.ok)
  })
}

function render (body: ServerBody, io: Io): string {
  const paint = painter(useColor(io))
  return [
    `${paint('bold', body.server)}  ${showState(body, paint)} for ${showPast(body.forMs)}`,
    body.sentence,
    ...body.next === undefined ? [] : [`Next: ${body.next}`],
    '',
    table([['', 'criterion', 'counter', 'value', 'limit', 'on fail', 'for', 'measured'], ...body.criteria.map(criterion => row(criterion, paint))]),
    '',
    ...labelled('orders', orders(body, paint)),
    `backend   ${showBackend(body.backend)}`,
    `reply     ${body.reply}`,
    ...labelled('asked by', body.pollers.length === 0 ? ['nobody: is agent-check set in haproxy.cfg?'] : askers(body, paint))
  ].join('\n')
}

const labelled = (label: string, lines: readonly string[]): readonly string[] => lines.map((line, i) => `${(i === 0 ? label : '').padEnd(8)}  ${line}`)

/** `drain by ana: kernel update; 5m ago, ends in 25m (03:42)`. What does not count says so first. */
function orders ({ overrides }: ServerBody, paint: Paint): readonly string[] {
  const now = clock.wall()
  return overrides.map(override => {
    const { scope, by, reason, status } = override
    const begin = showBegin(override, now)
    const times = `${status === 'coming' ? `begins ${begin}` : begin}, ends ${showEnd(override, now)}`
    const text = `${showOrdered(override)} of ${scope} by ${clean(by, 64)}: ${clean(reason, 200)}; ${times}`
    if (status === 'counts') return paint('bold', text)
    return status === 'hidden' ? paint('dim', `${text}; hidden by a narrower one`) : text
  })
}

function showBackend ({ servers, fit, need, extra, kept, strained, inService, outByOrder }: ServerBody['backend']): string {
  const floor = `the floor wants ${Math.min(servers, need + extra)}${extra > 0 ? ` (${extra} of them for the load)` : ''}`
  return [
    `${inService} of ${count(servers, 'server')} in service, ${floor}`,
    ...inService === fit ? [] : [`${fit} by their own verdict`],
    ...outByOrder.length > 0 ? [`out by order: ${outByOrder.join(', ')}`] : [],
    ...kept.length > 0 ? [`kept against their criteria: ${kept.join(', ')}`] : [],
    ...strained ? ['strained'] : []
  ].join('; ')
}

/** What each HAProxy believes, as far as we told it. */
function askers ({ pollers, reply }: ServerBody, paint: Paint): readonly string[] {
  return pollers.map(({ from, agoMs, intervalMs, told, heard }) => {
    const pace = intervalMs === undefined ? '' : `, every ${showAge(intervalMs)}`
    if (heard && told === reply) return `${from}, ${showPast(agoMs)} ago${pace}; it has heard this`
    return `${from}, ${showPast(agoMs)} ago${pace}; ${paint('yellow', `it last heard: ${clean(told, 200)}`)}`
  })
}

/** The counter as HAProxy shows it: how far up to `rise`, or how many failures of `fall` while passing. */
function row (criterion: ServerBody['criteria'][number], paint: Paint): readonly string[] {
  const { status, name, health, rise, fall, value, limit, onFail, forMs, reason } = criterion
  const counter = health === undefined ? '-' : status === 'doubt' ? `${fall}/${fall} bad` : health >= rise ? `${rise + fall - 1 - health}/${fall} bad` : `${health}/${rise} good`
  const shown = paint(status === 'pass' ? 'green' : status === 'fail' ? 'red' : 'yellow', status)
  return [shown, name, counter, String(value ?? '-'), limit ?? '-', onFail, forMs === undefined ? '-' : showPast(forMs), reason ?? '-']
}
