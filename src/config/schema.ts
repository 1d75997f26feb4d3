/**
 * The shape of hcf.yaml. Criteria are checked in two steps: here only that each is a mapping or `false`; compile.ts
 * merges them over the profile's and checks each by the schema of its kind.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { duration, filePath, percent, sizeIn, wholeNumber } from '../criteria/scalars.ts'
import { profiles, type ProfileName } from '../profiles/index.ts'
import { maintenanceSchema } from './maintenance.ts'
import { group, modeSchema, policySchema } from './policy.ts'

/** Where to listen. Port 0 lets the system choose. */
export type Address =
  | { readonly kind: 'tcp', readonly host: string, readonly port: number }
  | { readonly kind: 'unix', readonly path: string }

export const showAddress = (address: Address): string => {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

const ADDRESS = 'must be an address like 127.0.0.1:9777, [::1]:9777 or unix:/run/hcf/agent.sock'

export function parseAddress (text: string): Address | undefined {
  if (text.startsWith('unix:')) return text.length > 'unix:'.length ? { kind: 'unix', path: text.slice('unix:'.length) } : undefined
  const [, six, four, port = ''] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = six ?? four
  if (host === undefined || Number(port) > 65_535) return undefined
  if (six === undefined ? /^[\d.]+$/.test(host) && isIP(host) !== 4 : isIP(six) !== 6) return undefined
  return { kind: 'tcp', host, port: Number(port) }
}

const addressThat = (is: (address: Address | undefined) => boolean, error: string): z.ZodCodec<z.ZodString, z.ZodCustom<Address, Address>> => z.codec(
  z.string({ error }).refine(text => is(parseAddress(text)), { error }),
  z.custom<Address>(isAddress),
  {
    decode: (text): Address => parseAddress(text) ?? { kind: 'unix', path: text },
    encode: value => isAddress(value) ? showAddress(value) : ''
  }
)
const address = addressThat(parsed => parsed !== undefined, ADDRESS)

const SOCKET = 'must be an address like unix:/run/haproxy/admin.sock or 127.0.0.1:9999'
/** One that can be connected to: port 0 is nowhere. */
const socket = addressThat(parsed => parsed !== undefined && (parsed.kind === 'unix' || parsed.port > 0), SOCKET)
const SOCKETS = 'must be a list of addresses like unix:/run/haproxy/admin.sock or 127.0.0.1:9999'

/** Tells an address from a listener with a server when a config is written back: a union tries each in turn. */
function isAddress (value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value
}

const CIDR = 'must be an address or network like 10.0.0.0/8 or ::1'
const cidr = z.string({ error: CIDR }).refine(isCidr, { error: CIDR })

function isCidr (text: string): boolean {
  const [ip = '', bits, ...rest] = text.split('/')
  const family = isIP(ip)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** HAProxy's alphabet for proxy and server names [cfgparse.c]. */
const name = z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: 'must be a name of letters, digits and _ . : - as in haproxy.cfg' })
const SERVER_ID = 'must be a server like tahoe_read/webapi1'
const LISTEN = `${ADDRESS}, or a list of them`
const listener = z.union([
  address,
  z.strictObject({ address, server: z.string({ error: SERVER_ID }).regex(/^[\w.:-]+\/[\w.:-]+$/, { error: SERVER_ID }).optional() })
], { error: ADDRESS })

const NODE = 'must be a node like http://10.0.0.11:3456, https://gw.example or 10.0.0.11:22 (no path, no credentials)'
const node = z.string({ error: NODE }).refine(text => parseNodeUrl(text) !== undefined, { error: NODE })

/** The parts of a node's URL, or undefined when it has any that a node cannot have. */
export function parseNodeUrl (text: string): { protocol: 'http' | 'https' | 'tcp', host: string, port: number } | undefined {
  const written = text.includes('://') ? text : `tcp://${text}`
  if (!URL.canParse(written)) return undefined
  const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(written)
  if (!/^(?:https?|tcp):$/.test(protocol) || hostname === '' || `${username}${password}${search}${hash}` !== '') return undefined
  if (pathname !== '/' && pathname !== '') return undefined
  const kind = protocol.slice(0, -1) as 'http' | 'https' | 'tcp'
  if ((kind === 'tcp' && port === '') || Number(port || 1) === 0) return undefined
  return { protocol: kind, host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? (kind === 'https' ? 443 : 80) : Number(port) }
}

const isFilled = (record: object): boolean => Object.keys(record).length > 0

const server = z.union([
  node,
  z.strictObject({
    url: node,
    weight: percent.prefault('100%'),
    ca_file: filePath.optional(),
    server_name: z.string({ error: 'must be a host name' }).min(1, { error: 'must be a host name' }).optional(),
    maintenance: maintenanceSchema.optional()
  })
], { error: NODE })

const criterion = z.union([
  z.literal(false),
  z.record(z.string(), z.unknown())
], { error: 'must be a mapping like { kind: latency, at_most: 1s }, or false to drop that of the profile' })

const criterionName = z.string().regex(/^[\w.-]{1,64}$/, { error: 'must be a name of letters, digits and _ . -' })

const PROFILES = Object.keys(profiles) as [ProfileName, ...ProfileName[]]

const backend = z.strictObject({
  profile: z.enum(PROFILES, { error: `must be one of ${PROFILES.join(', ')}` }).optional(),
  admin_state: z.enum(['shared', 'owned'], { error: 'must be shared or owned' }).default('shared'),
  mode: modeSchema,
  servers: z.record(name, server, { error: 'must be a mapping of server names to nodes' })
    .refine(isFilled, { error: 'must name at least one server' }),
  criteria: z.record(criterionName, criterion, { error: 'must be a mapping of criteria by name' }).default({}),
  policy: policySchema.prefault({}),
  maintenance: maintenanceSchema.optional()
}, { error: 'must be a mapping with servers' })

const ALLOW = 'must be a list of addresses and networks'
const DIRECTORY = 'must be the path of a directory'
/** Below this a busy farm's journal holds nothing; above, it is an archive, and belongs elsewhere. */
export const JOURNAL_BYTES_MIN = 1024 ** 2
export const JOURNAL_BYTES_MAX = 64 * 1024 ** 3
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export const fileSchema = z.strictObject({
  agent: z.strictObject({
    listen: z.union([listener, z.array(listener).min(1, { error: LISTEN })], { error: LISTEN }).prefault('127.0.0.1:9777'),
    allow: z.array(cidr, { error: ALLOW }).min(1, { error: ALLOW }).optional(),
    max_connections: wholeNumber(1, 65_536).default(4096),
    line_timeout: duration.prefault('500ms')
  }, { error: 'must be a mapping of agent settings' }).prefault({}),
  admin: z.strictObject({
    listen: address.prefault('127.0.0.1:9778'),
    token_file: filePath.optional()
  }, { error: 'must be a mapping of admin settings' }).prefault({}),
  haproxy: z.strictObject({ sockets: z.array(socket, { error: SOCKETS }).default([]) }, { error: 'must be a mapping with sockets' }).prefault({}),
  state_dir: z.string({ error: DIRECTORY }).min(1, { error: DIRECTORY }).default('hcf-state'),
  log: z.strictObject({
    level: z.enum(LEVELS, { error: `must be one of ${LEVELS.join(', ')}` }).default('info')
  }, { error: 'must be a mapping of log settings' }).prefault({}),
  journal: group({ max_size: sizeIn(JOURNAL_BYTES_MIN, JOURNAL_BYTES_MAX).prefault('64MiB') }),
  backends: z.record(name, backend, { error: 'must be a mapping of backends by name' })
    .refine(isFilled, { error: 'must name at least one backend' })
}, { error: 'must be a mapping with backends' })

export type FileConfig = z.output<typeof fileSchema>
export type BackendFile = FileConfig['backends'][string]
export type ServerFile = BackendFile['servers'][string]
