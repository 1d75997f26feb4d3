/**
 * Who may ask, and who may order. Whoever is on this machine may; from outside a token is needed. A browser on this
 * machine is not its user: it also runs what strangers wrote, and must not order anything for them.
 */
import type { FastifyRequest } from 'fastify'
import { isLocal, isLoopback, plain } from './address.ts'
import { Attempts } from './attempts.ts'
import type { AdminDeps } from './deps.ts'
import { Problem } from './problems.ts'
import type { Holder, Tokens } from './tokens.ts'

/** Whoever was let in. */
export interface Caller {
  /** Absent without a token. */
  readonly holder?: Holder
}

/** Where the port listens, which decides who counts as local. */
export type Place = { readonly unix: true } | { readonly unix: false, readonly host?: string }

const READS = new Set(['GET', 'HEAD', 'OPTIONS'])
const isWrite = ({ method }: Pick<FastifyRequest, 'method'>): boolean => !READS.has(method)

/** A proxy on this machine speaks for somebody who may be anywhere. */
const PROXIED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const

export class Access {
  readonly #tokens: () => Tokens | undefined
  readonly #attempts: Attempts
  /** Guesses under way, by address and token: who sends the same token many times at once has made one. */
  readonly #guesses = new Map<string, Promise<Holder>>()
  place: Place = { unix: false }

  constructor ({ tokens, clock }: Pick<AdminDeps, 'tokens' | 'clock'>) {
    this.#tokens = tokens
    this.#attempts = new Attempts(() => clock.now())
  }

  /** Throws a Problem for who may not. */
  async check (request: FastifyRequest): Promise<Caller> {
    if (isWrite(request)) refuseOtherSites(request)
    const { authorization } = request.headers
    if (authorization === undefined) return this.#withoutToken(request)
    const holder = await this.#holderOf(authorization, this.#from(request))
    if (holder.readOnly && isWrite(request)) throw new Problem(403, `The token ${holder.name} may only read. An order needs one without :read in token_file.`)
    return { holder }
  }

  /**
   * Who is guessing. Behind a proxy on this machine all are one, 127.0.0.1, and share its failures: whom the proxy says
   * it speaks for is a header, and whoever could write it would have as many addresses to guess from as he likes.
   */
  #from (request: FastifyRequest): string {
    return this.place.unix ? 'unix' : request.socket.remoteAddress ?? 'gone' // reset before we looked
  }

  #withoutToken (request: FastifyRequest): Caller {
    const proxied = PROXIED.find(header => request.headers[header] !== undefined)
    if (proxied !== undefined || !(this.place.unix || isLocal(request.socket))) {
      throw needsToken(this.#tokens() === undefined
        ? 'From elsewhere this port answers only with a token, and admin.token_file is not set: ask on the machine hcf runs on.'
        : `${proxied === undefined ? 'From elsewhere' : `Through a proxy (${proxied})`} this port answers only with a token: Authorization: Bearer NAME.SECRET. \`hcf token NAME\` makes one.`)
    }
    this.#refuseStrangeHosts(request)
    return {}
  }

  /** A page of a stranger can give this machine a name of its own [DNS rebinding]; it cannot take away that it has to say it. */
  #refuseStrangeHosts ({ headers: { host }, socket: { localAddress = 'gone' } }: FastifyRequest): void {
    if (this.place.unix || host === undefined) return // a browser always sends one, and cannot reach a unix socket
    const name = host.replace(/:\d*$/, '').toLowerCase()
    const address = plain(name.replace(/^\[(.*)\]$/, '$1'))
    if (name === 'localhost' || name === '[::1]' || isLoopback(name) || name === this.place.host?.toLowerCase()) return
    if (address === plain(localAddress)) return // the one that was connected to; a name that points there is something else
    throw new Problem(403, 'Without a token this port must be asked by a name of this machine: localhost, 127.0.0.1, [::1], or its address in admin.listen.')
  }

  async #holderOf (authorization: string, from: string): Promise<Holder> {
    const tokens = this.#tokens()
    if (tokens === undefined) throw needsToken('A token was given, and there are none to compare it with: admin.token_file is not set. On this machine ask without one.')
    const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1]
    if (token === undefined) throw needsToken('The Authorization must be like: Bearer NAME.SECRET')
    // Before the limit: somebody else's guesses from the same address must not lock out who is known already.
    const known = tokens.known(token)
    if (known !== undefined) return known
    const key = `${from} ${token}`
    const guess = this.#guesses.get(key) ?? this.#guess(token, from).finally(() => { this.#guesses.delete(key) })
    this.#guesses.set(key, guess)
    return guess
  }

  async #guess (token: string, from: string): Promise<Holder> {
    const attempt = await this.#attempts.begin(from)
    if (attempt === 'busy') throw busy()
    if ('waitMs' in attempt) {
      const seconds = Math.ceil(attempt.waitMs / 1000)
      throw new Problem(429, `Too many wrong tokens from your address. Try again in ${seconds} s.`, { headers: { 'retry-after': String(seconds) } })
    }
    let holder: Holder | 'wrong' | 'busy' = 'wrong'
    try {
      holder = await this.#verify(token)
    } finally {
      attempt.end(holder === 'wrong')
    }
    if (holder === 'wrong') throw needsToken('This token is not in token_file. `hcf token NAME` makes one; after a change of the file, reload hcf.', 'error="invalid_token"')
    if (holder === 'busy') throw busy()
    return holder
  }

  /** By the tokens in force when it is done: one that a reload takes out meanwhile is out. */
  async #verify (token: string): Promise<Holder | 'wrong' | 'busy'> {
    const tokens = this.#tokens()
    const holder = await tokens?.verify(token) ?? 'wrong'
    return this.#tokens() === tokens ? holder : this.#verify(token)
  }
}

const busy = (): Problem => new Problem(503, 'Too many tokens are being checked. Try again in a moment.', { headers: { 'retry-after': '1' } })
const needsToken = (detail: string, error?: string): Problem =>
  new Problem(401, detail, { headers: { 'www-authenticate': ['Bearer realm="hcf"', error].filter(part => part !== undefined).join(', ') } })

/** Browsers say where a request comes from; other clients have nothing to say, and nothing to be tricked into. */
function refuseOtherSites ({ headers }: FastifyRequest): void {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') throw new Problem(403, 'Orders from pages of other sites are refused.')
  if (origin !== undefined && hostOf(origin) !== host?.toLowerCase()) throw new Problem(403, 'Orders from pages of other sites are refused: Origin and Host differ.')
}

const hostOf = (origin: string): string | undefined => URL.canParse(origin) ? new URL(origin).host : undefined
