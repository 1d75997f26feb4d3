/**
 * What a Tahoe-LAFS gateway says, word for word where a probe reads it: pure, and without any idea of time or sockets.
 * Wordings and content types are those of Tahoe-LAFS 1.20 [webapi].
 */

import { createHash } from 'node:crypto'

export type StorageProtocol = 'foolscap' | 'http'

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
  /** Content-Length of an answer to HEAD, whose body nobody may have. */
  readonly length?: number
}

/** One storage server as the front page shows it. */
export interface StorageRow {
  readonly nodeid: string
  readonly nickname: string
  readonly status: string
  readonly space: number
  /** Unix seconds. */
  readonly heardAt: number
}

export interface Encoding { readonly needed: number, readonly total: number }

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** Tahoe's base32: RFC 4648's letters in lower case, without padding. */
function base32 (bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let pending = 0
  for (const byte of bytes) {
    pending = (pending << 8 | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += BASE32.charAt(pending >> (bits - 5) & 31)
  }
  return bits === 0 ? text : text + BASE32.charAt(pending << (5 - bits) & 31)
}

/** The bytes of a base32 text; what does not fill a byte is padding. */
function unbase32 (text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let pending = 0
  for (const letter of text) {
    pending = (pending << 5 | BASE32.indexOf(letter)) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push(pending >> bits & 255)
    }
  }
  return Buffer.from(bytes)
}

/** `bytes` bytes that follow from the seed alone. */
export const seeded = (seed: string, bytes: number): Buffer =>
  createHash('shake256', { outputLength: bytes }).update(seed).digest()

const letters = (seed: string, bytes: number): string => base32(seeded(seed, bytes))

/** A storage server's identity, `v0-` and 52 letters. */
export const nodeId = (seed: string): string => `v0-${letters(seed, 32)}`

/** A storage index, 26 letters. */
export const storageIndex = (seed: string): string => letters(`index ${seed}`, 16)

/** A cap of the right form that opens nothing outside this simulation. */
export const immutableCap = (seed: string, size: number, { needed, total }: Encoding): string =>
  `URI:CHK:${letters(`key ${seed}`, 16)}:${letters(`hash ${seed}`, 32)}:${needed}:${total}:${size}`

/** The caps of one SDMF file: same fingerprint, another key. */
export function mutableCaps (seed: string): { readonly read: string, readonly write: string } {
  const fingerprint = letters(`fingerprint ${seed}`, 32)
  return {
    read: `URI:SSK-RO:${letters(`read ${seed}`, 16)}:${fingerprint}`,
    write: `URI:SSK:${letters(`write ${seed}`, 16)}:${fingerprint}`
  }
}

/** Files up to this size lie in their cap, and no storage server is asked. */
export const LITERAL_BYTES_MAX = 55

/** The cap of a file so small that it is its own cap. */
export const literalCap = (data: Buffer): string => `URI:LIT:${base32(data)}`

/** What lies in a LIT cap; undefined for any other text. */
export function literal (cap: string): Buffer | undefined {
  const text = /^URI:LIT:([a-z2-7]*)$/.exec(cap)?.[1]
  return text === undefined ? undefined : unbase32(text)
}

/** Whether the text is an immutable or mutable file's cap, known or not. */
export const wellFormed = (cap: string): boolean =>
  /^URI:(?:CHK:[a-z2-7]{26}:[a-z2-7]{52}:\d+:\d+:\d+|SSK(?:-RO)?:[a-z2-7]{26}:[a-z2-7]{52})$/.test(cap)

/** The size that an immutable cap gives away. */
export const sizeIn = (cap: string): number | undefined =>
  cap.startsWith('URI:CHK:') ? Number(cap.slice(cap.lastIndexOf(':') + 1)) : undefined

const DEFER = ['defer.py:916:errback', 'defer.py:984:_startRunCallbacks', 'defer.py:1078:_runCallbacks']
const INLINE = ['defer.py:1949:_gotResultInlineCallbacks', '--- <exception caught here> ---']
const REQUEST = ['defer.py:1999:_inlineCallbacks', 'failure.py:519:throwExceptionIntoGenerator']
const PICK = 'storage_client.py:1354:_pick_server_and_get_version'
const VERSION = ['http_client.py:598:get_version', 'http_client.py:603:_get_version']

function failure (what: string, frames: readonly string[]): string {
  const lines = frames.map(frame => {
    if (frame.startsWith('-')) return frame
    const home = /^(?:storage|http)_client/.test(frame) ? 'allmydata' : 'twisted/internet'
    return `/usr/lib/python3/site-packages/${home}/${frame}`
  })
  return `failure: [Failure instance: Traceback: ${what}\n${lines.join('\n')}\n]`
}

const REFUSED = failure("<class 'twisted.internet.error.ConnectionRefusedError'>: " +
  'Connection was refused by other side: 111: Connection refused.',
[...DEFER, ...INLINE, ...REQUEST, PICK, ...REQUEST, ...VERSION, ...REQUEST, 'http_client.py:485:request'])

const NEVER_RECEIVED = failure("<class 'twisted.web._newclient.ResponseNeverReceived'>: " +
  '[<twisted.python.failure.Failure twisted.internet.defer.CancelledError: >]',
[...DEFER, ...INLINE, 'defer.py:809:convertCancelled', PICK, ...REQUEST, ...VERSION])

/** How a connection to a storage server or an introducer is worded. `silent`: it was there, and stopped answering. */
export function connectionStatus (
  protocol: StorageProtocol, state: 'connected' | 'refused' | 'silent', index: number
): string {
  if (protocol === 'http') return state === 'connected' ? 'connected' : state === 'refused' ? REFUSED : NEVER_RECEIVED
  if (state === 'connected') return `Connected to tcp:127.0.0.1:${23400 + index} via tcp`
  return `Reconnecting in ${10 + index} seconds (last attempt ${2 + index}s ago)`
}

/** `GET /?t=json`. */
export function welcome (introducer: string, rows: readonly StorageRow[], leak: string): Answer {
  const servers = rows.map(row => ({
    nodeid: row.nodeid,
    connection_status: row.status + leak,
    available_space: row.space,
    nickname: row.nickname + leak,
    version: `tahoe-lafs/1.20.0${leak}`,
    last_received_data: row.heardAt
  }))
  const body = JSON.stringify({ introducers: { statuses: [introducer + leak] }, servers }, null, 1)
  return { status: 200, type: 'application/json; charset=utf-8', body: `${body}\n` }
}

/** `GET /statistics`, as JSON or as OpenMetrics. */
export function statistics (
  form: string | null, counters: Readonly<Record<string, number>>, stats: Readonly<Record<string, number>>, leak: string
): Answer {
  if (form === 'json') {
    const said = leak === '' ? counters : { ...counters, [leak]: 1 }
    return { status: 200, type: 'text/plain', body: JSON.stringify({ counters: said, stats }, null, 1) }
  }
  if (form !== 'openmetrics') return page(200, 'Node Statistics', leak)
  const lines: string[] = []
  const add = (kind: string, name: string, suffix: string, value: number): void => {
    const metric = `tahoe_${kind}_${name.replaceAll('.', '_')}`
    lines.push(`# TYPE ${metric} ${kind === 'stats' ? 'gauge' : 'counter'}`, `${metric}${suffix} ${value}`)
  }
  for (const [name, value] of Object.entries(counters)) add('counters', name, '_total', value)
  for (const [name, value] of Object.entries(stats)) add('stats', name, '', value)
  if (leak !== '') lines.push(`# HELP ${leak}`)
  return {
    status: 200,
    type: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    body: `${lines.join('\n')}\n# EOF\n`
  }
}

/** `POST /uri/<cap>?t=check&output=JSON`: 200 whatever it found. `shares`: each one's number and server. */
export function checkResults (
  index: string, shares: ReadonlyArray<readonly [number, string]>, { needed, total }: Encoding, leak: string
): Answer {
  const hosts = [...new Set(shares.map(([, nodeid]) => nodeid))]
  const good = shares.length
  const results = {
    'count-happiness': hosts.length,
    'count-shares-good': good,
    'count-shares-needed': needed,
    'count-shares-expected': total,
    'count-good-share-hosts': hosts.length,
    'count-corrupt-shares': 0,
    'list-corrupt-shares': [],
    'servers-responding': hosts,
    sharemap: Object.fromEntries(shares.map(([number, nodeid]) => [String(number), [nodeid]])),
    'count-wrong-shares': 0,
    'count-recoverable-versions': good >= needed ? 1 : 0,
    'count-unrecoverable-versions': good >= needed ? 0 : 1,
    healthy: good >= total,
    recoverable: good >= needed
  }
  const summary = good >= total ? 'Healthy' : `Not Healthy: ${good} shares (enc ${needed}-of-${total})`
  const body = JSON.stringify({ 'storage-index': index, summary: summary + leak, results }, null, 1)
  return { status: 200, type: 'text/plain', body }
}

/** A file's content. */
export const fileAnswer = (data: Buffer): Answer => ({ status: 200, type: 'text/plain', body: data })

/** What an upload gives back. */
export const capAnswer = (cap: string): Answer => ({ status: 200, type: 'text/html', body: cap })

/** An error in one line, and the way humans read it: text/plain;charset=utf-8. */
export const plainError = (status: number, text: string, leak: string): Answer =>
  ({ status, type: 'text/plain;charset=utf-8', body: text + leak })

/** 410: what is left of the file is less than what is needed. */
export function gone (shares: number, needed: number, mutable: boolean, leak: string): Answer {
  const learn = 'You should perform a filecheck on this object to learn more.'
  if (mutable) {
    return plainError(410, 'UnrecoverableFileError: the directory (or mutable file) could not be retrieved, because ' +
      `there were insufficient good shares. This might indicate that no servers were connected. ${learn}`, leak)
  }
  const what = shares === 0
    ? 'NoSharesError: no shares could be found. Zero shares usually indicates a corrupt URI, or that no servers were ' +
      'connected, but it might also indicate severe corruption.'
    : 'NotEnoughSharesError: This indicates that some servers were unavailable, or that shares have been lost to ' +
      'server departure, hard drive failure, or disk corruption.'
  return plainError(410, `${what} ${learn}\n\nThe full error message is:\n` +
    `ran out of shares: complete= pending= overdue= unused= need ${needed}. Last failure: None`, leak)
}

/** A small HTML page. */
export const page = (status: number, title: string, leak: string): Answer => ({
  status,
  type: 'text/html',
  body: `<html><head><title>${title}</title></head><body><h1>${title}</h1><p>${leak}</p></body></html>\n`
})

const FRAMES = 34
const FRAME = '<div class="frame"><div class="location"><span class="filename">' +
  '/usr/lib/python3/site-packages/twisted/internet/defer.py</span>:<span class="lineno">1078</span> in ' +
  '<span class="function">_runCallbacks</span></div><div class="snippet"><code class="snippetHighlightLine">' +
  'current.result = callback(*args, **kwargs)</code></div></div>\n'

/** 500: an uncaught exception of the node as Twisted shows it, 11 kB of HTML. */
export function traceback (exception: string, leak: string): Answer {
  const title = 'web.Server Traceback (most recent call last)'
  const body = `<html><head><title>${title}</title></head><body><b>${title}:</b>\n<div class="stackTrace">\n` +
    `${FRAME.repeat(FRAMES)}</div>\n<div class="error"><span>${exception}${leak}</span></div></body></html>\n`
  return { status: 500, type: 'text/html', body }
}

/** 500: a new file found too few servers to take it. */
export const unhappy = (servers: number, happy: number, needed: number, leak: string): Answer => traceback(
  `allmydata.interfaces.UploadUnhappinessError: shares could be placed or found on only ${servers} server(s). ` +
  `We were asked to place shares on at least ${happy} server(s) such that any ${needed} of them have enough shares ` +
  'to recover the file.', leak)
