/**
 * The agent-check protocol as text: requests in, one reply line out. Pure; sockets are server.ts's.
 *
 * Source of the rules: HAProxy's configuration manual, `agent-check` [agent-check], and tcpcheck.c.
 */
import type { AdminWord, HealthWord, Reply } from '../core/reply.ts'
import { TEXT_BYTES_MAX } from '../core/reply.ts'
import { clean } from '../core/text.ts'

/** Longest request we read. agent-send may be longer; the answer is then neutral. */
export const REQUEST_BYTES_MAX = 512

/** What an HAProxy asked for: a server by `backend/server`, nothing at all, or something that is no name. */
export type Request =
  /** `peeks`: a person looks on, who is not told anything and takes nothing back. */
  | { readonly kind: 'server', readonly id: string, readonly peeks?: true }
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed', readonly why: string }

/** After a name: `hcf ask`, which is no HAProxy and shall not be taken for one. */
export const PEEK = ' ?'

/** HAProxy's own alphabet for proxy and server names [cfgparse.c: invalid_char]. */
const NAME = /^[A-Za-z0-9_.:-]+\/[A-Za-z0-9_.:-]+$/

/**
 * The bytes that came before the line end, EOF or silence. A newline is not required: HAProxy's
 * `set server … agent-send` cannot send one.
 */
export function parseRequest (bytes: string): Request {
  if (bytes.length > REQUEST_BYTES_MAX) return { kind: 'malformed', why: `request over ${REQUEST_BYTES_MAX} bytes` }
  const end = bytes.search(/[\r\n]/)
  const line = (end < 0 ? bytes : bytes.slice(0, end)).trim()
  if (line === '') return { kind: 'absent' }
  const peeks = line.endsWith(PEEK)
  const id = peeks ? line.slice(0, -PEEK.length) : line
  if (!NAME.test(id)) return { kind: 'malformed', why: `not a backend/server name: ${clean(line, 40)}` }
  return { kind: 'server', id, ...(peeks ? { peeks } : {}) }
}

/**
 * One reply line, LF included. Words first, the description last after a blank: everything before `#` acts, and `#`
 * counts only at the start of a word. Without words the line is neutral: HAProxy notes an answer and changes nothing.
 */
export function encodeReply (reply: Reply): string {
  const words: string[] = []
  if (reply.admin !== undefined) words.push(reply.admin)
  if (reply.health !== undefined) words.push(reply.health)
  if (reply.weightPercent !== undefined) words.push(`${reply.weightPercent}%`) // `weight:N` is read since 3.1 only
  const text = clean(reply.text ?? '', TEXT_BYTES_MAX)
  if (text !== '') words.push(reply.health === undefined ? `# ${text}` : `#${text}`)
  return `${words.join(' ')}\n`
}

/** A line as HAProxy reads it, with what it would say about words it does not know. */
export interface ParsedReply {
  readonly admin?: AdminWord
  readonly health?: HealthWord
  /** The weight word as written: `50%`, or what followed `weight:`. The last one wins. */
  readonly weight?: string
  /** What followed `maxconn:`. The last one wins. */
  readonly maxconn?: string
  readonly text?: string
  /** The first unknown word. HAProxy reports it; all known words still act. */
  readonly unknown?: string
}

const HEALTH: ReadonlySet<string> = new Set<HealthWord>(['up', 'down', 'stopped', 'fail'])
const ADMIN: ReadonlySet<string> = new Set<AdminWord>(['ready', 'drain', 'maint'])

/**
 * A whole line, without its line end, by HAProxy's grammar [tcpcheck.c: tcpcheck_agent_expect_reply].
 * `weightWord`: whether `weight:N` is understood (HAProxy 3.1 and later).
 */
export function parseReply (line: string, { weightWord = false } = {}): ParsedReply {
  const parsed: { -readonly [K in keyof ParsedReply]: ParsedReply[K] } = {}
  let at = 0
  while (at < line.length) {
    const rest = line.slice(at)
    const blank = /^[ \t,]+/.exec(rest)
    if (blank !== null) {
      at += blank[0].length
      continue
    }
    if (rest.startsWith('#')) {
      parsed.text = rest.slice(1).replace(/^[ \t]+/, '')
      break
    }
    const word = /^[^ \t,]+/.exec(rest)?.[0] ?? ''
    at += word.length
    takeWord(parsed, word, weightWord)
  }
  return parsed
}

function takeWord (parsed: { -readonly [K in keyof ParsedReply]: ParsedReply[K] }, word: string, weightWord: boolean): void {
  const lower = word.toLowerCase()
  if (HEALTH.has(lower)) parsed.health = lower as HealthWord
  else if (ADMIN.has(lower)) parsed.admin = lower as AdminWord
  else if (/^\d/.test(word) && word.includes('%')) parsed.weight = word
  else if (lower.startsWith('maxconn:')) parsed.maxconn = word.slice('maxconn:'.length)
  else if (weightWord && lower.startsWith('weight:')) parsed.weight = word.slice('weight:'.length)
  else parsed.unknown ??= word
}
