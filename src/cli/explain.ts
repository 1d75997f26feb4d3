/** `hcf explain`: the whole story of a server, from the running agent. */
import type { ServerDetail } from '../admin/server.ts'
import { count, showDuration } from '../core/text.ts'
import { askAdmin, findAdmin } from './admin-client.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT, painter, table, useColor, type Io, type Paint } from './io.ts'

export const define: Define = (command, io, end) => {
  command.argument('<backend/server>', 'the server to explain')
  command.option('-c, --config <file>', 'config file, to find the agent (default: ./hcf.yaml, then /etc/hcf/hcf.yaml)')
  command.option('--admin <address>', 'admin address of the agent (default: HCF_ADMIN, then the config)')
  command.option('--json', 'print JSON')
  command.action(async (id: string, options: { config?: string, admin?: string, json?: true }) => {
    const [backend, server, ...rest] = id.split('/')
    if (backend === undefined || server === undefined || rest.length > 0) throw new CommandError(`a server is written backend/server, is ${id}`, EXIT.usage)
    const path = `/v1/servers/${encodeURIComponent(backend)}/${encodeURIComponent(server)}`
    const detail = await askAdmin(findAdmin(options, io), path) as ServerDetail
    io.stdout.write(options.json ? `${JSON.stringify(detail, undefined, 2)}\n` : `${render(detail, io)}\n`)
    end(EXIT.ok)
  })
}

function render (detail: ServerDetail, io: Io): string {
  const paint = painter(useColor(io))
  const pollers = detail.pollers.map(({ from, agoMs }) => `${from}, ${showDuration(agoMs)} ago`)
  return [
    `${paint('bold', detail.server)}  ${paint(detail.state === 'up' ? 'green' : 'red', detail.state)} for ${showDuration(detail.forMs)}`,
    detail.sentence,
    '',
    table([['', 'criterion', 'counter', 'value', 'limit', 'on fail', 'for', 'measured'], ...detail.criteria.map(criterion => row(criterion, paint))]),
    '',
    `backend   ${showBackend(detail.backend)}`,
    `reply     ${detail.reply}`,
    `asked by  ${pollers.length === 0 ? 'nobody: is agent-check set in haproxy.cfg?' : pollers.join('; ')}`
  ].join('\n')
}

function showBackend ({ servers, fit, need, extra, kept, strained }: ServerDetail['backend']): string {
  const floor = `the floor wants ${Math.min(servers, need + extra)}${extra > 0 ? ` (${extra} of them for the load)` : ''}`
  const held = kept.length > 0 ? `; kept against their criteria: ${kept.join(', ')}` : ''
  return `${fit} of ${count(servers, 'server')} fit, ${floor}${held}${strained ? '; strained' : ''}`
}

/** The counter as HAProxy shows it: how far up to `rise`, or how many failures of `fall` while passing. */
function row (criterion: ServerDetail['criteria'][number], paint: Paint): readonly string[] {
  const { status, name, health, rise, fall, value, limit, onFail, forMs, reason } = criterion
  const counter = health === undefined ? '-' : status === 'doubt' ? `${fall}/${fall} bad` : health >= rise ? `${rise + fall - 1 - health}/${fall} bad` : `${health}/${rise} good`
  const shown = paint(status === 'pass' ? 'green' : status === 'fail' ? 'red' : 'yellow', status)
  return [shown, name, counter, String(value ?? '-'), limit ?? '-', onFail, forMs === undefined ? '-' : showDuration(forMs), reason ?? '-']
}
