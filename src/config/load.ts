/** YAML text → Config, or every problem in it with its place. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { Document, isMap, isSeq } from 'yaml'
import { z } from 'zod'
import type { Backend } from '../core/model.ts'
import type { Poll } from '../core/probe.ts'
import type { AdminState } from '../core/reply.ts'
import type { Window } from '../core/window.ts'
import { compileBackend, unitePolls, type Compiled } from './compile.ts'
import { readDocument, type Env } from './document.ts'
import { checkFiles, withFiles, type ReadFile } from './files.ts'
import { OFF, writePolicy } from './policy.ts'
import { ConfigError, type Path, type Report } from './problems.ts'
import { checkWhatCanBeRead } from './salvage.ts'
import { fileSchema, showAddress, type Address, type BackendFile, type FileConfig } from './schema.ts'

/** One address we answer HAProxy on. `server`: whom to answer for when no request comes. */
export interface Listener { readonly address: Address, readonly server?: string }

export interface Config {
  readonly file: string
  readonly agent: {
    readonly listen: readonly Listener[]
    /** Addresses and networks that may ask. */
    readonly allow: readonly string[]
    readonly maxConnections: number
    readonly lineTimeoutMs: number
  }
  readonly adminListen: Address
  /** Who may use the admin port from elsewhere. */
  readonly tokenFile?: string
  /** Runtime API of each HAProxy. */
  readonly haproxySockets: readonly Address[]
  readonly stateDir: string
  readonly logLevel: string
  /** All its files together; 0: there is none. */
  readonly journalBytes: number
  readonly backends: readonly Backend[]
  readonly adminStates: Readonly<Record<string, AdminState>>
  readonly polls: readonly Poll[]
  /** Maintenance, of backends and servers. */
  readonly windows: readonly Window[]
  /** This config in full, as YAML. */
  readonly effective: string
}

/** What of the world a config refers to. */
export interface Surroundings { readonly env: Env, readonly readFile: ReadFile }

const LOOPBACK = ['127.0.0.0/8', '::1']

/** Reads and checks a config file. Throws ConfigError with all problems. Relative paths in it are relative to it. */
export function loadConfig (file: string, env: Env): Config {
  const readFile = (path: string): string => readFileSync(path, 'utf8')
  let text: string
  try {
    text = readFile(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'error'})`
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message: `the config file ${why}` }])
  }
  return parseConfig(text, file, { env, readFile })
}

export function parseConfig (text: string, file: string, surroundings: Surroundings): Config {
  const { raw, report } = readDocument(text, file, surroundings.env)
  const parsed = fileSchema.safeParse(raw)
  if (!parsed.success) {
    report.addIssues(parsed.error.issues, raw, fileSchema)
    checkWhatCanBeRead(raw, report)
    throw new ConfigError(report.problems)
  }

  const config = build(parsed.data, file, report, surroundings)
  if (report.problems.length > 0) throw new ConfigError(report.problems)
  return config
}

function build (file: FileConfig, name: string, report: Report, surroundings: Surroundings): Config {
  const compiled = Object.entries(file.backends).map(([backend, written]) => compileBackend(backend, written, report))

  const base = dirname(resolve(name))
  const readFile = once(surroundings.readFile)
  const polls = unitePolls(compiled.flatMap(each => each.polls)).map(poll => withFiles(poll, base, readFile))
  checkFiles(file, compiled, base, report, readFile)
  const backends = compiled.map(({ backend }) => backend)
  const listen = listenersOf(file)
  checkListeners(file, listen, backends, report)
  checkSockets(file, report)

  return {
    file: name,
    agent: {
      listen,
      allow: file.agent.allow ?? LOOPBACK,
      maxConnections: file.agent.max_connections,
      lineTimeoutMs: file.agent.line_timeout
    },
    adminListen: file.admin.listen,
    ...(file.admin.token_file === undefined ? {} : { tokenFile: resolve(base, file.admin.token_file) }),
    haproxySockets: file.haproxy.sockets,
    stateDir: resolve(base, file.state_dir),
    logLevel: file.log.level,
    journalBytes: file.journal === OFF ? 0 : file.journal.max_size,
    backends,
    adminStates: Object.fromEntries(Object.entries(file.backends).map(([backend, { admin_state: state }]) => [backend, state])),
    polls,
    windows: compiled.flatMap(({ windows }) => windows),
    effective: effective(file, compiled)
  }
}

function effective (file: FileConfig, compiled: readonly Compiled[]): string {
  const backends = Object.fromEntries(compiled.map(({ backend: { name, policy }, written: criteria }) => {
    const { profile: _, ...own } = file.backends[name] as BackendFile // compiled is made from these
    return [name, { ...own, criteria, policy: writePolicy(own.policy, policy) }]
  }))
  const doc = new Document(z.encode(fileSchema, { ...file, backends }))
  for (const [name, { servers }] of Object.entries(backends)) {
    const path = ['backends', name]
    flowIn(doc, [...path, 'policy'])
    flowIn(doc, [...path, 'maintenance'])
    for (const server of Object.keys(servers)) flowIn(doc, [...path, 'servers', server, 'maintenance'])
  }
  return doc.toString({ lineWidth: 120 })
}

/** A group, a line; a window, a line. */
function flowIn (doc: Document, path: readonly string[]): void {
  const parent = doc.getIn(path)
  const values = isMap(parent) ? parent.items.map(({ value }) => value) : isSeq(parent) ? parent.items : []
  for (const value of values) if (isMap(value)) value.flow = true
}

function listenersOf (file: FileConfig): readonly Listener[] {
  const entries = Array.isArray(file.agent.listen) ? file.agent.listen : [file.agent.listen]
  return entries.map(entry => 'address' in entry
    ? { address: entry.address, ...(entry.server === undefined ? {} : { server: entry.server }) }
    : { address: entry })
}

const isLoopback = (address: Address): boolean => address.kind === 'unix' ||
  address.host === 'localhost' || address.host === '::1' || (isIP(address.host) === 4 && address.host.startsWith('127.'))

function checkListeners (file: FileConfig, listen: readonly Listener[], backends: readonly Backend[], report: Report): void {
  const known = new Set(backends.flatMap(({ servers }) => servers.map(({ backend, name }) => `${backend}/${name}`)))
  const taken = new Set<string>()
  const check = (path: Path, address: Address): void => {
    const shown = showAddress(address)
    if (taken.has(shown)) report.add(path, `must be an address of its own: ${shown} is listened on already`)
    if (address.kind === 'unix' || address.port !== 0) taken.add(shown) // port 0 is another one each time
  }
  for (const [i, { address, server }] of listen.entries()) {
    const path = Array.isArray(file.agent.listen) ? ['agent', 'listen', i] : ['agent', 'listen']
    check(path, address)
    if (server !== undefined && !known.has(server)) report.addValue([...path, 'server'], 'must be a server of this config', server)
    if (!isLoopback(address) && file.agent.allow === undefined) {
      report.add(path, 'is not loopback: agent.allow must list the addresses of your HAProxys (the agent port has no password)')
    }
  }
  check(['admin', 'listen'], file.admin.listen)
  if (isLoopback(file.admin.listen) || file.admin.token_file !== undefined) return
  report.add(['admin', 'listen'], 'is not loopback: admin.token_file must name a file of those who may (hcf token NAME makes a line of it)')
}

function checkSockets (file: FileConfig, report: Report): void {
  const shown = file.haproxy.sockets.map(showAddress)
  for (const [i, address] of shown.entries()) {
    if (shown.indexOf(address) < i) report.add(['haproxy', 'sockets', i], `must be an address of its own: ${address} is listed already`)
  }
}

/** A file that changes while it is read would be checked as one thing and used as another. */
function once (readFile: ReadFile): ReadFile {
  const texts = new Map<string, string>()
  return path => {
    const text = texts.get(path) ?? readFile(path)
    texts.set(path, text)
    return text
  }
}
