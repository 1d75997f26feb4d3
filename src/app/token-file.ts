/** Who may from elsewhere, as the file says now. */
import { readFileSync } from 'node:fs'
import { parseTokens, type Tokens } from '../admin/tokens.ts'
import type { Config } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'

/** Throws ConfigError: the config has looked at the form of the file, a moment ago. */
export function readTokens ({ tokenFile: file }: Config): Tokens | undefined {
  if (file === undefined) return undefined
  const parsed = parseTokens(readText(file))
  if (parsed.ok) return parsed.tokens
  throw new ConfigError(parsed.problems.map(message => ({ file, line: Number(/^line (\d+)/.exec(message)?.[1] ?? 1), column: 1, path: '', message })))
}

function readText (file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message: `the token file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})` }])
  }
}
