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
  EACCES: 'local',
  EPERM: 'local',
  EAI_AGAIN: 'local',
  ENOTFOUND: 'local'
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
  if (error instanceof ProbeFailure) return { class: error.class, message: clean(`${WORDS[error.class]}: ${error.message}`, 200) }
  const { code = '', message = String(error), cause, errors } = error as NodeJS.ErrnoException & { cause?: unknown, errors?: unknown[] }
  if (errors?.[0] !== undefined) return classify(errors[0]) // happy eyeballs: one error an address, the first says enough
  if (CLASSES[code] === undefined && cause !== undefined) return classify(cause)

  const kind = CLASSES[code] ?? (isTls(code, message) ? 'tls' : 'protocol')
  return { class: kind, message: clean(`${WORDS[kind]}: ${code === '' || message.includes(code) ? message : `${code} ${message}`}`, 200) }
}

const isTls = (code: string, message: string): boolean =>
  /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO)/.test(code) || /\bssl\b|certificate/i.test(message)
