/**
 * Who may use the admin port from outside: a file of names with hashed secrets. A person holds `NAME.SECRET`, the file
 * has `NAME:HASH` or `NAME:HASH:read`, so that one hash tells whether a token is right, and a stolen file opens nothing.
 */
import { createHash, randomBytes } from 'node:crypto'
import { encodeHash, hashOf, isSame, LOG_COST, parseHash, SALT_BYTES, type Hash } from './hash.ts'

/** Whom a token belongs to. */
export interface Holder { readonly name: string, readonly readOnly: boolean }

export type ParsedTokens =
  | { readonly ok: true, readonly tokens: Tokens }
  /** One sentence a mistake, with its line and the cure; never the hash. */
  | { readonly ok: false, readonly problems: readonly string[] }

export const TOKENS_MAX = 1000
/** Longer than any token there is: it is not even looked at. */
export const TOKEN_CHARACTERS_MAX = 256
const SECRET_BYTES = 32
/** Hashes are made in the thread pool of four: files and names must get their turn there, whoever guesses. */
export const HASHES_AT_ONCE = 2
export const HASHES_WAITING_MAX = 32

const NAME = /^[A-Za-z0-9_.-]{1,64}$/
export const isTokenName = (name: string): boolean => NAME.test(name)

interface Entry extends Holder { readonly hash: Hash }

/** The text of a token_file. An empty one is right: it opens to nobody. */
export function parseTokens (text: string): ParsedTokens {
  const entries = new Map<string, Entry>()
  const problems: string[] = []
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const entry = parseLine(line)
    if (typeof entry === 'string') problems.push(`line ${i + 1} ${entry}`)
    else if (entries.has(entry.name)) problems.push(`line ${i + 1} has the name ${entry.name} once more: remove one of the two`)
    else entries.set(entry.name, entry)
  }
  if (entries.size > TOKENS_MAX) problems.push(`has ${entries.size} tokens: at most ${TOKENS_MAX}`)
  return problems.length > 0 ? { ok: false, problems } : { ok: true, tokens: new Tokens([...entries.values()]) }
}

const CURE = '`hcf token NAME` prints one that is right'

/** The words never hold what they are about: who takes the token for the line would find it in the log. */
function parseLine (line: string): Entry | string {
  const [name = '', text, right, ...more] = line.split(':')
  if (text === undefined || more.length > 0) return `is not like name:hash or name:hash:read: ${CURE}`
  if (!isTokenName(name)) return 'has a name that is not 1 to 64 of the characters A-Z a-z 0-9 _ . -'
  if (right !== undefined && right !== 'read') return 'ends in something other than :read, which is all that may follow the hash'
  const hash = parseHash(text)
  return hash === undefined ? `has no hash that hcf can read: ${CURE}` : { name, readOnly: right === 'read', hash }
}

/** A new token, and the line by which the file knows it. */
export async function makeToken (name: string, { readOnly = false, logCost = LOG_COST } = {}): Promise<{ readonly token: string, readonly line: string }> {
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const hash = await hashOf(secret, randomBytes(SALT_BYTES), logCost)
  return { token: `${name}.${secret}`, line: `${name}:${encodeHash(hash)}${readOnly ? ':read' : ''}` }
}

/** Those of one file, as it was when it was read. */
export class Tokens {
  readonly #entries: ReadonlyMap<string, Entry>
  /** By digest. One for each entry at most, for there is one right token each. */
  readonly #right = new Map<string, Holder>()
  readonly #turns: Array<() => void> = []
  #busy = 0

  constructor (entries: readonly Entry[]) {
    this.#entries = new Map(entries.map(entry => [entry.name, entry]))
  }

  get size (): number {
    return this.#entries.size
  }

  /** The holder of a token that has been right before; costs nothing. */
  known (token: string): Holder | undefined {
    return this.#right.get(digest(token))
  }

  /** Slow by design. `busy`: too many guess at once; ask again. A name that is not there takes as long as a wrong secret. */
  async verify (token: string): Promise<Holder | 'wrong' | 'busy'> {
    const known = this.known(token)
    if (known !== undefined) return known
    if (token.length > TOKEN_CHARACTERS_MAX) return 'wrong'
    if (this.#busy >= HASHES_AT_ONCE && this.#turns.length >= HASHES_WAITING_MAX) return 'busy'
    const dot = token.lastIndexOf('.') // a name may have dots, a secret has none
    const entry = this.#entries.get(token.slice(0, Math.max(0, dot)))
    const { hash } = entry ?? this.#entries.values().next().value ?? NOBODY
    const made = await this.#inTurn(async () => hashOf(token.slice(dot + 1), hash.salt, hash.logCost))
    if (!isSame(made, hash) || entry === undefined) return 'wrong'
    const holder = { name: entry.name, readOnly: entry.readOnly }
    this.#right.set(digest(token), holder)
    return holder
  }

  async #inTurn<T> (run: () => Promise<T>): Promise<T> {
    if (this.#busy >= HASHES_AT_ONCE) await new Promise<void>(resolve => { this.#turns.push(resolve) })
    else this.#busy += 1
    try {
      return await run()
    } finally {
      const next = this.#turns.shift() // takes the place over, so that nobody slips in between
      if (next === undefined) this.#busy -= 1
      else next()
    }
  }
}

/** Guesses against an empty file take as long as against a full one. */
const NOBODY = { hash: { logCost: LOG_COST, salt: Buffer.alloc(SALT_BYTES), key: Buffer.alloc(32) } }

const digest = (token: string): string => createHash('sha256').update(token).digest('base64')
