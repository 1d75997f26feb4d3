/** The files a config names: readable now, or better an error here than a server taken out at night. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Poll } from '../core/probe.ts'
import type { Compiled } from './compile.ts'
import type { Path, Report } from './problems.ts'
import type { FileConfig } from './schema.ts'

/** Throws when the file cannot be read. */
export type ReadFile = (path: string) => string

export function checkFiles (file: FileConfig, compiled: readonly Compiled[], base: string, report: Report, readFile: ReadFile): void {
  const check = (path: Path, written: unknown, rule?: (text: string) => string | undefined): void => {
    if (typeof written !== 'string') return
    let text: string
    try {
      text = readFile(resolve(base, written))
    } catch (error) {
      report.add(path, `must be a readable file, is "${written}" (${(error as NodeJS.ErrnoException).code ?? 'cannot be read'})`)
      return
    }
    const wrong = rule?.(text)
    if (wrong !== undefined) report.add(path, wrong)
  }
  check(['admin', 'token_file'], file.admin.token_file, tokenProblem)
  for (const { backend: { name }, written } of compiled) {
    for (const [server, node] of Object.entries(file.backends[name]?.servers ?? {})) {
      if (typeof node !== 'string') check(['backends', name, 'servers', server, 'ca_file'], node.ca_file, certificateProblem)
    }
    for (const [criterion, { kind, cap_file: capFile }] of Object.entries(written)) {
      check(['backends', name, 'criteria', criterion, 'cap_file'], capFile, cap => capProblem(cap.trim(), String(kind)))
    }
  }
}

const certificateProblem = (pem: string): string | undefined =>
  pem.includes('-----BEGIN CERTIFICATE-----') ? undefined : 'names a file that holds no certificate (PEM)'

const TOKEN_LINE = /^[\w.-]{1,64}:\$scrypt\$ln=\d+,r=\d+,p=\d+\$[^\s:$]+\$[^\s:$]+(?::read)?$/

/** The first line that is not one, by its number: what stands there may be a token or its hash. */
function tokenProblem (text: string): string | undefined {
  const wrong = text.split('\n').findIndex(line => !/^\s*(?:#|$)/.test(line) && !TOKEN_LINE.test(line.trim()))
  if (wrong < 0) return undefined
  return `names a file whose line ${wrong + 1} is not like name:hash or name:hash:read: hcf token NAME makes one that is right`
}

/** Never shows the cap. */
function capProblem (cap: string, kind: string): string | undefined {
  if (!/^URI:[\w-]+:\S+$/.test(cap)) return 'must name a file that holds one Tahoe cap and nothing else'
  if (/^URI:(?:DIR2-)?LIT:/.test(cap)) {
    return 'names a file with a LIT cap: its data is in the cap, so a gateway without storage answers it too. Use a file of a few KiB'
  }
  if (kind === 'tahoe.write' && !/^URI:(?:SSK|MDMF):/.test(cap)) {
    return 'names a file with a cap that cannot write: it must be the write cap of a mutable file (SSK or MDMF)'
  }
  if (kind === 'tahoe.read' && cap.includes('-Verifier:')) return 'names a file with a verify cap: it must be one that can read'
  return undefined
}

export function withFiles (poll: Poll, base: string, readFile: ReadFile): Poll {
  const { request, node } = poll
  const options = 'capFile' in request.options && request.options.capFile !== undefined
    ? { ...request.options, capFile: resolve(base, request.options.capFile) }
    : request.options
  return { ...poll, node: withAuthorities(node, base, readFile), request: { ...request, options } as Poll['request'] }
}

function withAuthorities (node: Poll['node'], base: string, readFile: ReadFile): Poll['node'] {
  if (node.caFile === undefined) return node
  const caFile = resolve(base, node.caFile)
  try {
    return { ...node, caFile, caDigest: createHash('sha256').update(readFile(caFile)).digest('hex').slice(0, 16) }
  } catch { // checkFiles says it
    return { ...node, caFile }
  }
}
