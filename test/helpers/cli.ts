/** Runs a command of hcf in this process, as main.ts does, and keeps what it says. */
import { Writable } from 'node:stream'
import { runCli } from '../../src/cli/index.ts'
import type { ExitCode } from '../../src/cli/io.ts'

export interface Ran { readonly code: ExitCode, readonly out: string, readonly err: string }

export interface Running {
  readonly ended: Promise<Ran>
  readonly out: () => string
  readonly err: () => string
  readonly signal: (name: 'SIGTERM' | 'SIGINT' | 'SIGHUP') => void
}

/** A terminal of this size; without one, output goes to a file, as it were. */
export interface Terminal { readonly columns: number, readonly rows: number }

class Sink extends Writable {
  text = ''
  override _write (chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}

export function start (args: readonly string[], env: Readonly<Record<string, string>> = {}, terminal?: Terminal): Running {
  const stdout = Object.assign(new Sink(), terminal === undefined ? {} : { isTTY: true, ...terminal })
  const stderr = new Sink()
  const handlers = new Map<string, () => void>()
  const ended = runCli(args, {
    env, stdout, stderr, version: '1.2.3', user: 'ana', openFilesMax: () => undefined, surviveOutput: () => undefined,
    onSignal: (signal, run) => {
      handlers.set(signal, run)
      return () => { handlers.delete(signal) }
    }
  }).then(code => ({ code, out: stdout.text, err: stderr.text }))
  return { ended, out: () => stdout.text, err: () => stderr.text, signal: name => { handlers.get(name)?.() } }
}

export const hcf = async (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran> => start(args, env).ended
