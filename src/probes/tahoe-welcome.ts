/** `GET /?t=json`: what the gateway thinks of its introducers and storage servers [webapi]. */
import type { Facts, Scalar } from '../core/model.ts'
import { clean } from '../core/text.ts'
import { ProbeFailure } from './errors.ts'
import type { HttpProbe } from './kind.ts'
import { isRecord, jsonOf } from './run.ts'

const STATUS_CHARS_MAX = 60
/** More servers than any grid has: what comes after is not looked at. */
export const SERVERS_MAX = 4096

export const tahoeWelcome: HttpProbe<'tahoe-welcome'> = () => async ask => {
  const answer = await ask({ method: 'GET', path: '/?t=json' })
  const date = Date.parse(String(answer.headers['date'] ?? ''))
  return welcomeFacts(jsonOf(answer, 'GET /?t=json'), Number.isNaN(date) ? undefined : date)
}

/** Connected reads `connected` over HTTP and `Connected to …` over Foolscap. Anything else is not. */
const isConnected = (status: unknown): boolean => typeof status === 'string' && /^connected\b/i.test(status)

/** `gatewayMs`: the gateway's own clock, from its Date header, for ages. */
export function welcomeFacts (json: unknown, gatewayMs: number | undefined): Facts {
  if (!isRecord(json) || !Array.isArray(json['servers'])) {
    throw new ProbeFailure('protocol', 'GET /?t=json is not the front page of a gateway')
  }

  const statuses = introducerStatuses(json['introducers'])
  const servers = json['servers'].slice(0, SERVERS_MAX).filter(isRecord)
  const connected = servers.filter(server => isConnected(server['connection_status']))
  return {
    introducersConnected: statuses.filter(isConnected).length,
    introducersTotal: statuses.length,
    introducerStatus: shown(statuses.find(status => !isConnected(status))),
    storageConnected: connected.length,
    storageTotal: servers.length,
    storageStatus: shown(servers.map(server => server['connection_status']).find(status => !isConnected(status))),
    ids: connected.map(server => clean(textOf(server['nodeid']), 80)),
    spaces: connected.map(server => numberOrNull(server['available_space'])),
    agesMs: connected.map(server => age(server['last_received_data'], gatewayMs))
  }
}

function introducerStatuses (introducers: unknown): readonly unknown[] {
  const statuses = isRecord(introducers) ? introducers['statuses'] : undefined
  return Array.isArray(statuses) ? statuses.slice(0, SERVERS_MAX) : []
}

/** A status is text from strangers, sometimes a traceback of many lines: its first words are enough. */
const shown = (status: unknown): string => status === undefined ? '' : clean(errorIn(textOf(status)).replace(/ in \d+ seconds? \(.*$/, ''), STATUS_CHARS_MAX)

/** Of a traceback, the error's own name and message: `ConnectionRefusedError: Connection was refused by other side: …`. */
function errorIn (status: string): string {
  const [, name, message = ''] = /<class '(?:\w+\.)*(\w+)'>(: [^[\n]+)?/.exec(status) ?? []
  return name === undefined ? status : `${name}${message}`
}

const textOf = (value: unknown): string => typeof value === 'string' ? value : JSON.stringify(value) ?? ''

const numberOrNull = (value: unknown): Scalar => typeof value === 'number' && Number.isFinite(value) ? value : null

function age (lastSeconds: unknown, gatewayMs: number | undefined): Scalar {
  if (typeof lastSeconds !== 'number' || gatewayMs === undefined) return null
  return Math.max(0, Math.round(gatewayMs - lastSeconds * 1000))
}
