/** What is wrong with a config, where, and what it should be instead. All of it at once. */
import { closest } from 'fastest-levenshtein'
import { isMap, isPair, isScalar, type Document, type LineCounter } from 'yaml'
import type { z } from 'zod'
import { clean } from '../core/text.ts'

export type Path = readonly PropertyKey[]

export interface Problem {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The key's path, like `backends.web.policy.rise`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  constructor (problems: readonly Problem[]) {
    super(problems.map(showProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export const showProblem = ({ file, line, column, path, message }: Problem): string =>
  `${file}:${line}:${column}: ${path === '' ? '' : `${path} `}${message}`

/** Finds the place of a key in the YAML, and collects problems. */
export class Report {
  readonly problems: Problem[] = []
  readonly #file: string
  readonly #doc: Document
  readonly #lines: LineCounter

  constructor (file: string, doc: Document, lines: LineCounter) {
    this.#file = file
    this.#doc = doc
    this.#lines = lines
  }

  /** `at: 'key'` points at the key itself, not its value. A path that does not exist points at its nearest parent. */
  add (path: Path, message: string, at: 'key' | 'value' = 'value'): void {
    const { line, col } = this.#lines.linePos(this.#offset(path, at))
    const text = clean(message, 300)
    this.problems.push({ file: this.#file, line: Math.max(1, line), column: Math.max(1, col), path: path.map(String).join('.'), message: text })
  }

  /** Everything zod found. `under` is where in the file the value stands that `schema` checked. */
  addIssues (issues: readonly z.core.$ZodIssue[], root: unknown, schema: z.core.$ZodType, under: Path = []): void {
    for (const issue of issues) {
      const path = [...under, ...issue.path]
      if (issue.code === 'unrecognized_keys') {
        const known = keysAt(schema, issue.path)
        for (const key of issue.keys) this.add([...path, key], unknownKey(key, known), 'key')
      } else if (issue.code === 'invalid_key') {
        this.add(path, issue.issues[0]?.message ?? issue.message, 'key')
      } else if (issue.code === 'invalid_union' && issue.errors.length > 0) {
        this.#addUnion(issue, root, schema, under)
      } else {
        this.add(path, wording(issue, valueAt(root, issue.path)))
      }
    }
  }

  /** Of a union's branches, report the one that fits the kind of value that stands there. */
  #addUnion (issue: z.core.$ZodIssueInvalidUnion, root: unknown, schema: z.core.$ZodType, under: Path): void {
    const value = valueAt(root, issue.path)
    const deeper = typeof value === 'object' && value !== null
      ? issue.errors.find(errors => errors.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'))
      : undefined
    if (deeper === undefined) this.add([...under, ...issue.path], wording(issue, value))
    else this.addIssues(deeper.map(inner => ({ ...inner, path: [...issue.path, ...inner.path] })), root, schema, under)
  }

  #offset (path: Path, at: 'key' | 'value'): number {
    for (let length = path.length; length > 0; length -= 1) {
      const parent = this.#doc.getIn(path.slice(0, length - 1), true)
      const key = path[length - 1]
      if (isMap(parent)) {
        const pair = parent.items.find(item => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key))
        if (pair === undefined) continue
        const place = at === 'key' || length < path.length ? pair.key : pair.value ?? pair.key
        return rangeStart(place) ?? rangeStart(pair.key) ?? 0
      }
      const node = this.#doc.getIn(path.slice(0, length), true)
      const start = rangeStart(node)
      if (start !== undefined) return start
    }
    return 0
  }
}

function rangeStart (node: unknown): number | undefined {
  return (node as { range?: [number, number, number] | null } | null | undefined)?.range?.[0]
}

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], root)

function wording (issue: z.core.$ZodIssue, value: unknown): string {
  const message = issue.message.startsWith('Invalid input') || issue.message.startsWith('Too') ? fallback(issue) : issue.message
  return value === undefined ? `is missing: it ${message}` : `${message}, is ${show(value)}`
}

function fallback (issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `must be a ${issue.expected === 'record' || issue.expected === 'object' ? 'mapping' : issue.expected}`
  if (issue.code === 'too_small') return 'must not be empty'
  return 'has a value that is not allowed'
}

function show (value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a mapping'
  return clean(JSON.stringify(value) ?? 'nothing', 80).replaceAll("'", '"')
}

/** The keys a schema knows at a path, through records, unions and defaults. */
function keysAt (schema: z.core.$ZodType, path: Path): readonly string[] {
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

function unknownKey (key: string, known: readonly string[]): string {
  const near = known.length === 0 ? undefined : closest(key, [...known])
  return near === undefined ? 'is not a known key' : `is not a known key (did you mean ${near}? known: ${known.join(', ')})`
}
