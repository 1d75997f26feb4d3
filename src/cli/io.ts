/** What a command may touch of the world, handed in by main.ts; and the exit codes. */
import { existsSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** 0 ok, 1 the answer is no, 2 the user erred, 69 the agent cannot be reached, 70 a bug. */
export const EXIT = { ok: 0, no: 1, usage: 2, unavailable: 69, bug: 70 } as const
export type ExitCode = typeof EXIT[keyof typeof EXIT]

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: Writable & { readonly isTTY?: boolean, readonly columns?: number, readonly rows?: number }
  readonly stderr: Writable
  readonly version: string
  /** Who runs us: the author of an order. */
  readonly user: string
  /** How many files, sockets among them, we may have open; undefined where nobody knows. */
  readonly openFilesMax: () => number | undefined
  /** From now on output that cannot be written (a closed pipe, a full disk) does not end us: an agent goes on answering. */
  readonly surviveOutput: () => void
  /** Calls `run` at each signal; returns how to stop that. */
  readonly onSignal: (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', run: () => void) => () => void
}

/** A mistake of the user's, or of the world's: a message without a stack, and an exit code. */
export class CommandError extends Error {
  readonly exitCode: ExitCode
  constructor (message: string, exitCode: ExitCode) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

const CONFIG_PLACES = ['./hcf.yaml', '/etc/hcf/hcf.yaml']

/** The config file to use: the one given, or the first that exists. */
export function findConfig (given: string | undefined, cure = 'Name one with -c FILE'): string {
  if (given !== undefined) return given
  const found = CONFIG_PLACES.find(path => existsSync(path))
  if (found === undefined) throw new CommandError(`no config: neither ${CONFIG_PLACES.join(' nor ')} exists. ${cure}`, EXIT.usage)
  return found
}

/** `backend/server` in its two parts. */
export function parseServerId (id: string): readonly [backend: string, server: string] {
  const [backend = '', server = '', ...rest] = id.split('/')
  if (backend === '' || server === '' || rest.length > 0) throw new CommandError(`a server is written backend/server, is ${id}`, EXIT.usage)
  return [backend, server]
}

export const useColor = ({ env, stdout }: Io): boolean => stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const
export type Paint = (style: keyof typeof STYLES, text: string) => string
export const painter = (color: boolean): Paint => (style, text) => color ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text

// eslint-disable-next-line no-control-regex
const CODE = /(\x1b\[\d+m)/g
/** How wide a text is on a terminal; colour codes count for nothing. */
export const widthOf = (text: string): number => text.replace(CODE, '').length

/** Columns as wide as their widest cell. */
export function table (rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))
  return rows.map(row => row.map((cell, i) => cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(cell)))).join('  ').trimEnd()).join('\n')
}

/** Cuts a line to so many columns, and shows that it did. Colours go on to their end. */
export function cut (line: string, columns: number): string {
  if (widthOf(line) <= columns) return line
  let room = Math.max(0, columns - 1)
  let full = false
  return line.split(CODE).map(part => {
    if (part.startsWith('\x1b[')) return part
    const kept = part.slice(0, room)
    const mark = !full && part.length > room ? '…' : ''
    full ||= part.length > room
    room -= kept.length
    return kept + mark
  }).join('')
}

/** The words of a list, but not a screen full of them: `a, b, c and 97 more`. */
export function some (words: readonly string[], max = 10): string {
  return words.length <= max ? words.join(', ') : `${words.slice(0, max).join(', ')} and ${words.length - max} more`
}
