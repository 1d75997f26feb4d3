/** Asks the running agent over its admin port. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { Client, type Dispatcher } from 'undici'
import { readDocument } from '../config/document.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { parseAddress, showAddress, type Address } from '../config/schema.ts'
import { printable } from '../core/text.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { CommandError, EXIT, findConfig, type ExitCode, type Io } from './io.ts'

const TIMEOUT_MS = 5000
const ANSWER_BYTES_MAX = 64 * 1024 * 1024
const DEFAULT_LISTEN = '127.0.0.1:9778'

/** What every command that asks the agent takes. */
export interface Where { readonly config?: string, readonly admin?: string, readonly tokenFile?: string }

export const agentOptions = (command: Command): Command => command
  .option('-c, --config <file>', 'config file, to find the agent (default: ./hcf.yaml, then /etc/hcf/hcf.yaml)')
  .option('--admin <address>', 'admin address of the agent, like 127.0.0.1:9778, unix:/path or https://host (default: HCF_ADMIN, then the config)')
  .option('--token-file <file>', 'file that holds the token, for an agent that wants one (default: the token in HCF_TOKEN)')
  .option('--json', 'print JSON')

/** An agent's admin port, and how we come in. */
export interface Admin {
  /** As a person writes it. */
  readonly shown: string
  /** Without a slash at its end. */
  readonly url: string
  readonly socketPath?: string
  readonly token?: string
}

/** --admin, then HCF_ADMIN, then the config. */
export function findAdmin (where: Where, io: Pick<Io, 'env'>): Admin {
  const given = where.admin ?? filled(io.env['HCF_ADMIN'])
  const token = findToken(where, io)
  return { ...(given === undefined ? ofConfig(where.config, io) : parseAdmin(given)), ...(token === undefined ? {} : { token }) }
}

const filled = (text: string | undefined): string | undefined => text === '' ? undefined : text

const WORDS = 'the admin address must be like 127.0.0.1:9778, unix:/path or https://host'

function parseAdmin (given: string): Admin {
  if (/^https?:\/\//.test(given)) return parseUrl(given)
  const address = parseAddress(given)
  if (address === undefined) throw noAddress(given)
  return ofAddress(address)
}

/** Not repeated where it may hold a secret: what is before an `@` often is one. */
function noAddress (given: string): CommandError {
  if (given.includes('@')) return new CommandError('the admin address must not hold a password: give the token by --token-file or HCF_TOKEN', EXIT.usage)
  return new CommandError(looksLikeToken(given) ? WORDS : `${WORDS}, is ${given}`, EXIT.usage)
}

/** As hcf token shows one. */
const looksLikeToken = (text: string): boolean => /^[^/]*\.[\w-]{40,}$/.test(text.trim())

function parseUrl (given: string): Admin {
  const url = URL.canParse(given) && !given.includes('@') ? new URL(given) : undefined
  if (url === undefined) throw noAddress(given)
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  return { shown: base, url: base }
}

/** Who listens on all addresses is found on this machine's own. */
const NEARBY: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

function ofAddress (address: Address): Admin {
  if (address.kind === 'unix') return { shown: showAddress(address), url: 'http://localhost', socketPath: address.path }
  const shown = showAddress({ ...address, host: NEARBY[address.host] ?? address.host })
  return { shown, url: `http://${shown}` }
}

/**
 * Only this one key is read: a config with a mistake in it, or with a secret file that this person may not read, must
 * not stand between an operator and an agent that runs.
 */
function ofConfig (config: string | undefined, { env }: Pick<Io, 'env'>): Admin {
  const file = findConfig(config, 'Name one with -c FILE, or the agent with --admin ADDRESS')
  const listen = attempt(() => adminListen(file, env))
  const address = parseAddress(listen ?? DEFAULT_LISTEN) ?? loadConfig(file, env).adminListen // which throws, with the place
  if (address.kind === 'tcp' && address.port === 0) {
    throw new CommandError(`${file}: admin.listen has port 0, so the system chooses one: name it with --admin (the agent logs it as it starts)`, EXIT.usage)
  }
  return ofAddress(address)
}

/** A file that is no YAML says nothing of where the agent is, which may well run on. */
function attempt<T> (read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new CommandError(`${error.message}\nso it is not known where the agent is: name it with --admin, by default ${DEFAULT_LISTEN}`, EXIT.usage)
  }
}

function adminListen (file: string, env: Io['env']): string | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return showAddress(loadConfig(file, env).adminListen) // which throws in its own words
  }
  const { admin } = readDocument(text, file, env).raw as { readonly admin?: { readonly listen?: unknown } | null }
  return typeof admin?.listen === 'string' || admin?.listen === undefined ? admin?.listen : '' // which is no address
}

/** The file, then HCF_TOKEN. Never shown. */
function findToken ({ tokenFile }: Where, { env }: Pick<Io, 'env'>): string | undefined {
  const from = tokenFile === undefined ? 'HCF_TOKEN' : tokenFile
  const text = (tokenFile === undefined ? filled(env['HCF_TOKEN']) : readToken(tokenFile))?.trim()
  if (text === undefined) return undefined
  if (text.includes('$scrypt$')) throw new CommandError(`${from} holds what the agent keeps of a token (its hash), not the token: that is what hcf token showed once`, EXIT.usage)
  if (!/^[\x21-\x7e]{1,512}$/.test(text)) throw new CommandError(`${from} must hold one token, as hcf token showed it, and nothing else`, EXIT.usage)
  return text
}

function readToken (file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (looksLikeToken(file)) throw new CommandError('--token-file takes the name of a file that holds the token, not the token', EXIT.usage)
    throw new CommandError(`--token-file: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`, EXIT.usage)
  }
}

/** How undici speaks to it. Close it after use. */
const openAdmin = ({ url, socketPath }: Admin): Client =>
  new Client(new URL(url).origin, { maxResponseSize: ANSWER_BYTES_MAX, ...(socketPath === undefined ? {} : { socketPath }) })

/** The path as seen from outside, and what shows who we are. */
export function requestTo ({ url, token }: Admin, path: string): { readonly path: string, readonly headers: Readonly<Record<string, string>> } {
  return { path: `${new URL(url).pathname.replace(/\/$/, '')}${path}`, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: object
  readonly timeoutMs?: number
  /** Ends it before its time. */
  readonly signal?: AbortSignal
}

/** RFC 9457, as far as we read it. */
export interface Problem { readonly status: number, readonly detail: string, readonly code?: string, readonly problems?: readonly string[] }

/** The agent's own no, in its own words. */
export class Refusal extends CommandError {
  readonly problem: Problem
  constructor (problem: Problem, message: string, exitCode: ExitCode) {
    super(message, exitCode)
    this.name = 'Refusal'
    this.problem = problem
  }
}

/** The JSON at `path`. Throws CommandError with what a person can do about it. */
export async function askAdmin (admin: Admin, path: string, { method = 'GET', body, timeoutMs = TIMEOUT_MS, signal }: Question = {}): Promise<unknown> {
  const client = openAdmin(admin)
  const unsure = method === 'GET' ? '' : UNSURE
  const patience = patienceOf(admin, timeoutMs, signal, unsure)
  try {
    const to = requestTo(admin, path)
    const answer = await client.request({
      path: to.path,
      method,
      headers: { ...to.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal: patience.signal
    })
    return await read(admin, answer)
  } catch (error) {
    throw error instanceof CommandError ? error : unreachable(admin, error as NodeJS.ErrnoException, unsure)
  } finally {
    patience.off()
    await client.destroy()
  }
}

const UNSURE = '. What was asked may have been done all the same: hcf status shows it'

/** Aborts when the time is over or we are told to stop, for a reason that can be shown. */
function patienceOf ({ shown }: Admin, ms: number, outer: AbortSignal | undefined, unsure: string): { readonly signal: AbortSignal, readonly off: () => void } {
  const inner = new AbortController()
  const end = (why: string): void => { inner.abort(new CommandError(`${why}${unsure}`, EXIT.unavailable)) }
  const stop = (): void => { end(`the answer of the agent at ${shown} was not waited for`) }
  if (outer?.aborted === true) stop()
  outer?.addEventListener('abort', stop)
  const timer = clock.after(ms, () => { end(`the agent at ${shown} does not answer`) })
  return {
    signal: inner.signal,
    off: () => {
      timer.stop()
      outer?.removeEventListener('abort', stop)
    }
  }
}

async function read (admin: Admin, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<unknown> {
  const text = await body.text()
  const answer = isJson(headers['content-type']) ? parsed(text) : undefined
  if (answer === undefined) throw new CommandError(`${admin.shown} answers, but not as the admin port of hcf does (status ${statusCode})`, EXIT.unavailable)
  if (statusCode === 200) return answer
  throw refusal(admin, { detail: 'it gives no reason', ...answer, status: statusCode })
}

const isJson = (type: string | readonly string[] | undefined): boolean => /^application\/(?:problem\+)?json\b/.test(String(type))

function parsed (text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? presentable(value) : undefined
  } catch {
    return undefined // cut off, or somebody else's
  }
}

/** What a node or an operator of elsewhere said reaches this terminal: nothing in it moves the cursor. */
export function presentable<T> (value: T): T {
  if (typeof value === 'string') return printable(value) as T
  if (Array.isArray(value)) return value.map(presentable) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [printable(key), presentable<unknown>(each)])) as T
}

/** What a refusal comes to; other statuses are the agent's own trouble. */
const EXITS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage, 401: EXIT.usage, 403: EXIT.usage, 404: EXIT.usage, 409: EXIT.no, 413: EXIT.usage, 422: EXIT.usage, 429: EXIT.usage, 507: EXIT.no
}

function refusal ({ shown }: Admin, problem: Problem): Refusal {
  const { status, detail } = problem
  const code = EXITS[status]
  if (code === undefined) return new Refusal(problem, `the agent at ${shown} answered ${status}: ${detail}`, EXIT.unavailable)
  if (status === 401) return new Refusal(problem, `the agent at ${shown} refuses: ${detail} Here it is given by --token-file FILE or HCF_TOKEN.`, code)
  return new Refusal(problem, detail, code)
}

const CURES: Readonly<Record<string, string>> = {
  EACCES: 'this user may not open the socket: become a member of its group, or use sudo',
  ENOTFOUND: 'there is no such host',
  CERT_HAS_EXPIRED: 'its certificate has expired'
}

function unreachable ({ shown }: Admin, { code, message }: NodeJS.ErrnoException, unsure: string): CommandError {
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET') return new CommandError(`the agent at ${shown} hung up${unsure}`, EXIT.unavailable)
  const cure = CURES[code ?? ''] ?? 'Is hcf serve running? hcf probe looks at a server without it'
  return new CommandError(`no agent at ${shown} (${code ?? message}). ${cure}`, EXIT.unavailable)
}
