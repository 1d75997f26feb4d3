/**
 * A small JSON file that is whole at any moment: written beside, synced, renamed. What cannot be understood is set
 * aside for a person to look at, and never stops the agent.
 */
import { closeSync, copyFileSync, constants, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type ReadResult =
  | { readonly kind: 'absent' }
  | { readonly kind: 'data', readonly data: unknown }
  | { readonly kind: 'set-aside', readonly to: string, readonly why: string }

/** Reads a file of `version`; one that is torn, foreign or of another version is renamed to `….bad-N`. */
export function readStateFile (path: string, version: number): ReadResult {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' }
    return { kind: 'set-aside', to: setAside(path), why: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})` }
  }
  const parsed = parse(text)
  if (parsed?.version === version) return { kind: 'data', data: parsed.data }
  const why = parsed === undefined ? 'is torn or not ours' : `has version ${String(parsed.version)}, this hcf reads ${version}`
  return { kind: 'set-aside', to: setAside(path), why }
}

function parse (text: string): { readonly version: unknown, readonly data: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && 'version' in value && 'data' in value) return value
  } catch { // not JSON: said by the caller
  }
  return undefined
}

/** Renames what is not understood; returns where to, or `path` when it had to stay. */
export const setAside = (path: string): string => aside(path, to => { renameSync(path, to) })

/** The same with a copy, where the file goes on without what was not understood. */
export const copyAside = (path: string): string => aside(path, to => { copyFileSync(path, to, constants.COPYFILE_EXCL) })

function aside (path: string, move: (to: string) => void): string {
  let n = 1
  while (existsSync(`${path}.bad-${n}`)) n += 1
  const to = `${path}.bad-${n}`
  try {
    move(to)
    return to
  } catch { // a read-only directory: the file stays, and is overwritten or not by the next write
    return path
  }
}

/** Throws when the disk refuses; the old file then stays as it was. */
export function writeStateFile (path: string, version: number, data: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
  const fresh = `${path}.new`
  const fd = openSync(fresh, 'w', 0o640)
  try {
    writeFileSync(fd, `${JSON.stringify({ version, data })}\n`) // all of it: writeSync may stop half way on a full disk
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(fresh, path)
  syncDirectory(dirname(path))
}

/** The name outlives a power cut too, not only a kill. */
function syncDirectory (directory: string): void {
  try {
    const fd = openSync(directory, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch { // some file systems cannot; and the new file is there already, so that throwing would tell the wrong story
  }
}
