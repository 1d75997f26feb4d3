/** Sorts what goes wrong with a connection by what it is evidence of (ErrorClass). */
import type { ErrorClass, ProbeError } from '../core/model.ts'
import { clean } from '../core/text.ts'

const CLASSES: Readonly<Record<string, ErrorClass>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'noconn',
  EHOSTUNREACH: 'noconn',
  EHOSTDOWN: 'noconn',
  // From here on it is we who are in trouble, or our network, or our name service.
  ENETUNREACH: 'local',
  ENETDOWN: 'local',
  EMFILE: 'local',
  ENFILE: 'local',
  ENOBUFS: 'local',
  ENOMEM: 'local',
  EADDRNOTAVAIL: 'local',
  EADDRINUSE: 'local',
  EAFNOSUPPORT: 'local',
  EACCES: 'local',
  EPERM: 'local',
  EAI_AGAIN: 'local',
  EAI_FAIL: 'local',
  EAI_MEMORY: 'local',
  EAI_SYSTEM: 'local',
  ENOTFOUND: 'local',
  UND_ERR_DESTROYED: 'local', // we closed the connection ourselves
  UND_ERR_CLOSED: 'local',
  UND_ERR_INVALID_ARG: 'local', // a request that cannot be sent
  UND_ERR_NOT_SUPPORTED: 'local'
}

const WORDS: Readonly<Record<ErrorClass, string>> = {
  refused: 'connection refused',
  reset: 'connection reset',
  noconn: 'no connection',
  timeout: 'no answer',
  tls: 'TLS failed',
  protocol: 'bad answer',
  local: 'our own trouble'
}

/** An error of a certain class, for probes that know what went wrong. */
export class ProbeFailure extends Error {
  readonly class: ErrorClass
  constructor (kind: ErrorClass, message: string) {
    super(message)
    this.name = 'ProbeFailure'
    this.class = kind
  }
}

export function classify (error: unknown): ProbeError {
  if (error instanceof ProbeFailure) return { class: error.class, message: clean(error.message, 200) }
  if (error instanceof AggregateError && error.errors.length > 0) return strongest(error.errors.map(classify))
  const { code = '', message, cause } = (error instanceof Error ? error : new Error(String(error))) as NodeJS.ErrnoException
  if (CLASSES[code] === undefined && cause !== undefined) return classify(cause)

  const kind = CLASSES[code] ?? (isTls(code, message) ? 'tls' : 'protocol')
  const detail = message.replace(/^(?:connect|read|write) /, '') // Node.js names the system call first
  return { class: kind, message: clean(`${WORDS[kind]} (${code === '' || detail.includes(code) ? detail : `${code} ${detail}`})`, 200) }
}

/** Happy eyeballs: one error an address. That we have no IPv6 says nothing of a node that refused by IPv4. */
const strongest = (errors: readonly ProbeError[]): ProbeError =>
  errors.find(error => error.class !== 'local') ?? errors[0] ?? { class: 'protocol', message: WORDS.protocol }

/** The first part of codes for what can be wrong with TLS and certificates [tls.html]. */
const TLS = /^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|CRL_|UNABLE_TO_|ERROR_IN_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_|PATH_LENGTH)/
const isTls = (code: string, message: string): boolean => TLS.test(code) || /\bssl\b|certificate/i.test(message)
