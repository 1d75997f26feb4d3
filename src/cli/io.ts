/** What a command may touch of the world, handed in by main.ts; and the exit codes. */
import { existsSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** 0 ok, 1 the answer is no, 2 the user erred, 69 the agent cannot be reached, 70 a bug. */
export const EXIT = { ok: 0, no: 1, usage: 2, unavailable: 69, bug: 70 } as const
export type ExitCode = typeof EXIT[keyof typeof EXIT]

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: Writable & { readonly isTTY?: boolean, readonly columns?: number }
  readonly stderr: Writable
  readonly version: string
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
export function findConfig (given: string | undefined): string {
  if (given !== undefined) return given
  const found = CONFIG_PLACES.find(path => existsSync(path))
  if (found === undefined) throw new CommandError(`no config: neither ${CONFIG_PLACES.join(' nor ')} exists. Name one with -c FILE`, EXIT.usage)
  return found
}

export const useColor = ({ env, stdout }: Io): boolean => stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const
export type Paint = (style: keyof typeof STYLES, text: string) => string
export const painter = (color: boolean): Paint => (style, text) => color ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text

/** Columns as wide as their widest cell; colour codes count for nothing. */
export function table (rows: readonly (readonly string[])[]): string {
  // eslint-disable-next-line no-control-regex
  const width = (cell: string): number => cell.replace(/\x1b\[\d+m/g, '').length
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => width(row[i] ?? ''))))
  return rows.map(row => row.map((cell, i) => cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(cell)))).join('  ').trimEnd()).join('\n')
}
