/** Where scenarios come from: files, directories of them, or those that ship with the package. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ScenarioError, readScenario, type Scenario } from '../sim/scenario.ts'
import { CommandError, EXIT } from './io.ts'

/** The directory of the scenarios that are played when none is named. */
export const BUILT_IN = fileURLToPath(new URL('../../../scenarios', import.meta.url))

/** Reads all of them, and reports everything that is wrong with any of them at once. */
export function loadScenarios (paths: readonly string[]): readonly Scenario[] {
  const files = (paths.length === 0 ? [BUILT_IN] : paths).flatMap(filesOf)
  const wrong: string[] = []
  const scenarios = files.flatMap(file => {
    try {
      return [readScenario(readText(file), file)]
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error
      wrong.push(error.message)
      return []
    }
  })
  if (wrong.length > 0) throw new CommandError(wrong.join('\n'), EXIT.usage)
  return scenarios
}

const CURE = 'name a scenario (a JSON file) or a directory of them, or none for the built-in ones'

function filesOf (path: string): readonly string[] {
  const isDirectory = attempt(path, () => statSync(path).isDirectory())
  if (!isDirectory) return [path]
  const files = attempt(path, () => readdirSync(path)).filter(name => name.endsWith('.json')).toSorted().map(name => join(path, name))
  if (files.length === 0) throw new CommandError(`${path}: has no *.json in it: ${CURE}`, EXIT.usage)
  return files
}

const readText = (file: string): string => attempt(file, () => readFileSync(file, 'utf8'))

function attempt<T> (path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException
    throw new CommandError(`${path}: ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}: ${CURE}`, EXIT.usage)
  }
}
