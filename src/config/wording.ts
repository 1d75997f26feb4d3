/** Zod's findings in words: what a value must be, and what it is. */
import { closest, distance } from 'fastest-levenshtein'
import type { z } from 'zod'

type Path = readonly PropertyKey[]

const VALUE_CHARS_MAX = 80

/** `must be a duration like 2s, is "fast"`, or `is missing: it must be a duration like 2s`. */
export function mustBe (must: string, value: unknown, path: Path): string {
  if (value === undefined) return `is missing: it ${must}`
  return path.includes('headers') && typeof value === 'string' ? must : `${must}, is ${show(value)}` // a header may hold a password
}

export function wording (issue: z.core.$ZodIssue, value: unknown, path: Path): string {
  return mustBe(/^(?:Invalid|Too) /.test(issue.message) ? fallback(issue) : issue.message, value, path)
}

function fallback (issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    return `must be a ${issue.expected === 'record' || issue.expected === 'object' ? 'mapping' : issue.expected}`
  }
  return issue.code === 'too_small' ? 'must not be empty' : 'has a value that is not allowed'
}

/** A value as the file has it; of `user:password@host` only the host. */
function show (value: unknown): string {
  if (value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'nothing'
  const text = value.replace(/[^\s/@]+@/g, '...@')
  return JSON.stringify(text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX)}...`)
}

/** The keys a schema knows at a path, through records, unions and defaults. */
export function keysAt (schema: z.core.$ZodType, path: Path): readonly string[] {
  const { def } = schema._zod as unknown as { def: SchemaDef }
  const inner = def.innerType ?? (def.type === 'pipe' ? def.in : undefined)
  if (inner !== undefined) return keysAt(inner, path)
  if (def.options !== undefined) return def.options.map(option => keysAt(option, path)).find(keys => keys.length > 0) ?? []

  const [key, ...rest] = path
  if (key === undefined) return Object.keys(def.shape ?? {})
  const next = def.shape?.[String(key)] ?? def.valueType ?? def.element
  return next === undefined ? [] : keysAt(next, rest)
}

interface SchemaDef {
  readonly type: string
  readonly innerType?: z.core.$ZodType
  readonly in?: z.core.$ZodType
  readonly options?: readonly z.core.$ZodType[]
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  readonly valueType?: z.core.$ZodType
  readonly element?: z.core.$ZodType
}

/** The known key that was probably meant: at most a third of it is wrong. */
export function near (key: string, known: readonly string[]): string | undefined {
  const best = known.length === 0 ? undefined : closest(key, [...known])
  return best !== undefined && distance(key, best) <= Math.ceil(best.length / 3) ? best : undefined
}

export function unknownKey (key: string, known: readonly string[]): string {
  if (known.length === 0) return 'is not a known key'
  const meant = near(key, known)
  return `is not a known key (${meant === undefined ? '' : `did you mean ${meant}? `}known: ${known.join(', ')})`
}
