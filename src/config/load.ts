/** YAML text → Config, or every problem in it with its place. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument, stringify, visit, type Document } from 'yaml'
import { z } from 'zod'
import type { Backend } from '../core/model.ts'
import type { Poll } from '../core/probe.ts'
import type { AdminState } from '../core/reply.ts'
import { compileBackend, unitePolls } from './compile.ts'
import { ConfigError, Report, type Path } from './problems.ts'
import { fileSchema, type Address, type FileConfig } from './schema.ts'

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
  readonly stateDir: string
  readonly logLevel: string
  readonly backends: readonly Backend[]
  readonly adminStates: Readonly<Record<string, AdminState>>
  readonly polls: readonly Poll[]
  /** This config in full, as YAML. */
  readonly effective: string
}

/** What of the world a config refers to. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string
}

const LOOPBACK = ['127.0.0.0/8', '::1']

/** Reads and checks a config file. Throws ConfigError with all problems. Relative paths in it are relative to it. */
export function loadConfig (file: string, env: Surroundings['env']): Config {
  const readFile = (path: string): string => readFileSync(path, 'utf8')
  let text: string
  try {
    text = readFile(file)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : `cannot be read: ${(error as Error).message}`
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message: `the config file ${why}` }])
  }
  return parseConfig(text, file, { env, readFile })
}

export function parseConfig (text: string, file: string, surroundings: Surroundings): Config {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, merge: true, uniqueKeys: true })
  const report = new Report(file, doc, lines)
  if (doc.errors.length > 0) throw syntaxErrors(doc, file)

  substituteEnv(doc, file, lines, surroundings.env, report)
  const raw: unknown = doc.toJS({ maxAliasCount: 100 }) ?? {}
  const parsed = fileSchema.safeParse(raw)
  if (!parsed.success) report.addIssues(parsed.error.issues, raw, fileSchema)
  if (!parsed.success) throw new ConfigError(sorted(report))

  const config = build(parsed.data, file, report, surroundings)
  if (report.problems.length > 0) throw new ConfigError(sorted(report))
  return config
}

const sorted = (report: Report): Report['problems'] => report.problems.toSorted((a, b) => a.line - b.line || a.column - b.column)

function syntaxErrors (doc: Document, file: string): ConfigError {
  return new ConfigError(doc.errors.map(({ message, linePos }) => ({
    file, line: linePos?.[0].line ?? 1, column: linePos?.[0].col ?? 1, path: '', message: `is not YAML: ${message.split('\n')[0]?.replace(/ at line \d+, column \d+:$/, '')}`
  })))
}

/** `${NAME}` in values becomes the environment's value, as text that YAML does not read again. */
function substituteEnv (doc: Document, file: string, lines: LineCounter, env: Surroundings['env'], report: Report): void {
  visit(doc, {
    Scalar (key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return
      node.value = node.value.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
        const value = env[name]
        if (value !== undefined) return value
        const { line, col } = lines.linePos(node.range?.[0] ?? 0)
        report.problems.push({ file, line, column: col, path: '', message: `environment variable ${/^\w+$/.test(name) ? name : '(bad name)'} is not set` })
        return ''
      })
    }
  })
}

function build (file: FileConfig, name: string, report: Report, surroundings: Surroundings): Config {
  const compiled = Object.entries(file.backends).map(([backend, written]) => compileBackend(backend, written, report))
  if (compiled.length === 0) report.add(['backends'], 'must name at least one backend')

  const base = dirname(resolve(name))
  const polls = unitePolls(compiled.flatMap(each => each.polls)).map(poll => withAbsoluteFiles(poll, base))
  checkFiles(file, base, report, surroundings)
  const backends = compiled.map(({ backend }) => backend)
  const listen = listenersOf(file)
  checkListeners(file, listen, backends, report)

  return {
    file: name,
    agent: {
      listen,
      allow: file.agent.allow ?? LOOPBACK,
      maxConnections: file.agent.max_connections,
      lineTimeoutMs: file.agent.line_timeout
    },
    adminListen: file.admin.listen,
    stateDir: resolve(base, file.state_dir),
    logLevel: file.log.level,
    backends,
    adminStates: Object.fromEntries(Object.entries(file.backends).map(([backend, { admin_state: state }]) => [backend, state])),
    polls,
    effective: stringify(effective(file, compiled), { lineWidth: 120 })
  }
}

function effective (file: FileConfig, compiled: ReadonlyArray<ReturnType<typeof compileBackend>>): unknown {
  const written = z.encode(fileSchema, file)
  const criteria = Object.fromEntries(compiled.map(({ backend, written: own }) => [backend.name, own]))
  const backends = Object.fromEntries(Object.entries(written.backends).map(([name, { profile: _, ...backend }]) =>
    [name, { ...backend, criteria: criteria[name] }]))
  return { ...written, backends }
}

function listenersOf (file: FileConfig): readonly Listener[] {
  const entries = Array.isArray(file.agent.listen) ? file.agent.listen : [file.agent.listen]
  return entries.map(entry => 'address' in entry
    ? { address: entry.address, ...(entry.server === undefined ? {} : { server: entry.server }) }
    : { address: entry })
}

const isLoopback = (address: Address): boolean =>
  address.kind === 'unix' || address.host === 'localhost' || address.host === '::1' || address.host.startsWith('127.')

function checkListeners (file: FileConfig, listen: readonly Listener[], backends: readonly Backend[], report: Report): void {
  const known = new Set(backends.flatMap(({ servers }) => servers.map(({ backend, name }) => `${backend}/${name}`)))
  for (const [i, { address, server }] of listen.entries()) {
    const path = Array.isArray(file.agent.listen) ? ['agent', 'listen', i] : ['agent', 'listen']
    if (server !== undefined && !known.has(server)) report.add([...path, 'server'], `must be a server of this config, is "${server}"`)
    if (!isLoopback(address) && file.agent.allow === undefined) {
      report.add(path, 'is not loopback: agent.allow must list the addresses of your HAProxys (the agent port has no password)')
    }
  }
  if (!isLoopback(file.admin.listen)) report.add(['admin', 'listen'], 'must be loopback or a unix socket: the admin port has no password')
}

/** Files the config names must be readable now: better an error here than a server taken out at night. */
function checkFiles (file: FileConfig, base: string, report: Report, { readFile }: Surroundings): void {
  const check = (path: Path, written: unknown, rule?: (text: string) => string | undefined): void => {
    if (typeof written !== 'string') return
    try {
      const wrong = rule?.(readFile(resolve(base, written)).trim())
      if (wrong !== undefined) report.add(path, wrong)
    } catch (error) {
      report.add(path, `must be a readable file, is "${written}" (${(error as NodeJS.ErrnoException).code ?? 'cannot be read'})`)
    }
  }
  for (const [name, { servers, criteria }] of Object.entries(file.backends)) {
    for (const [server, written] of Object.entries(servers)) {
      if (typeof written !== 'string') check(['backends', name, 'servers', server, 'ca_file'], written.ca_file)
    }
    for (const [criterion, written] of Object.entries(criteria)) {
      if (written !== false) check(['backends', name, 'criteria', criterion, 'cap_file'], written['cap_file'], capProblem)
    }
  }
}

function capProblem (cap: string): string | undefined {
  if (!/^URI:[\w-]+:\S+$/.test(cap)) return 'must name a file that holds one Tahoe cap (URI:...) and nothing else'
  if (cap.startsWith('URI:LIT:')) return 'holds a LIT cap: its data is in the cap, so a gateway without storage answers it too. Use a file of a few KiB'
  return undefined
}

function withAbsoluteFiles (poll: Poll, base: string): Poll {
  const { request, node } = poll
  const options = 'capFile' in request.options && request.options.capFile !== undefined
    ? { ...request.options, capFile: resolve(base, request.options.capFile) }
    : request.options
  const absolute = node.caFile === undefined ? node : { ...node, caFile: resolve(base, node.caFile) }
  return { ...poll, node: absolute, request: { ...request, options } as Poll['request'] }
}
