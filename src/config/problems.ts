/** What is wrong with a config, where, and what it should be instead. All of it at once. */
import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Pair } from 'yaml'
import type { z } from 'zod'
import { tidy } from '../core/text.ts'
import { keysAt, mustBe, near, unknownKey, wording } from './wording.ts'

export type Path = readonly PropertyKey[]

export interface Problem {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The key's path, like `backends.web.policy.rise` or `agent.listen[0]`; empty for the file as a whole. */
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

const MESSAGE_CHARS_MAX = 400

/** One line, without secrets. Unlike a reply to HAProxy it may hold quotes, and letters beyond ASCII. */
export const oneLine = (text: string): string => tidy(text, MESSAGE_CHARS_MAX)

const showPath = (path: Path): string =>
  path.map(key => typeof key === 'number' ? `[${key}]` : `.${String(key)}`).join('').replace(/^\./, '')

interface Pairs { readonly items: readonly Pair[] }

/** Finds the place of a key in the YAML, and collects problems. */
export class Report {
  readonly #problems: Problem[] = []
  readonly #file: string
  readonly #doc: Document
  readonly #lines: LineCounter
  readonly #settled = new Set<number>()

  constructor (file: string, doc: Document, lines: LineCounter) {
    this.#file = file
    this.#doc = doc
    this.#lines = lines
  }

  /** In the order of the file. */
  get problems (): readonly Problem[] {
    return this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  }

  /** `at: 'key'` points at the key itself, not its value. A path that does not exist points at its nearest parent. */
  add (path: Path, message: string, at: 'key' | 'value' = 'value'): void {
    this.addAt(this.#offset(path, at), message, path)
  }

  /** A value that is missing, or is not what it must be. */
  addValue (path: Path, must: string, value: unknown): void {
    this.add(path, mustBe(must, value, path))
  }

  /** At an offset into the text. Aliases lead several paths to one place: what is wrong there is said once. */
  addAt (offset: number, text: string, path: Path = []): void {
    const { line, col } = this.#lines.linePos(offset)
    const place = { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) }
    const message = oneLine(text)
    const said = this.#problems.some(other => other.line === place.line && other.column === place.column && other.message === message)
    if (!said && !this.#settled.has(offset)) this.#problems.push({ ...place, path: oneLine(showPath(path)), message })
  }

  /** The last word about the value at an offset: whatever else would be said of it follows from this. */
  settleAt (offset: number, message: string, path: Path): void {
    this.addAt(offset, message, path)
    this.#settled.add(offset)
  }

  /** Everything zod found. `under` is where in the file the value stands that `schema` checked. */
  addIssues (issues: readonly z.core.$ZodIssue[], root: unknown, schema: z.core.$ZodType, under: Path = []): void {
    const meant = new Set<string>()
    for (const issue of issues) {
      if (issue.code !== 'unrecognized_keys') continue
      const known = keysAt(schema, issue.path)
      for (const key of issue.keys) {
        const path = [...issue.path, key]
        this.add([...under, ...path], unknownKey(key, known), 'key')
        meant.add(showPath([...issue.path, near(key, known) ?? key]))
      }
    }
    for (const issue of issues) {
      const path = [...under, ...issue.path]
      const value = valueAt(root, issue.path)
      // A key that was misspelt is not missing as well.
      if (issue.code === 'unrecognized_keys' || (value === undefined && meant.has(showPath(issue.path)))) continue
      if (issue.code === 'invalid_key') this.add(path, mustBe(issue.issues[0]?.message ?? issue.message, path.at(-1), []), 'key')
      else if (issue.code === 'invalid_union' && issue.errors.length > 0) this.#addUnion(issue, root, schema, under)
      else this.add(path, wording(issue, value, path))
    }
  }

  /** Of a union's branches, report the one that fits the kind of value that stands there. */
  #addUnion (issue: z.core.$ZodIssueInvalidUnion, root: unknown, schema: z.core.$ZodType, under: Path): void {
    const value = valueAt(root, issue.path)
    const path = [...under, ...issue.path]
    const deeper = typeof value === 'object' && value !== null
      ? issue.errors.find(errors => errors.every(({ code, path: inner }) => inner.length > 0 || code === 'unrecognized_keys'))
      : undefined
    if (deeper === undefined) this.add(path, wording(issue, value, path))
    else this.addIssues(deeper.map(inner => ({ ...inner, path: [...issue.path, ...inner.path] })), root, schema, under)
  }

  /** Follows aliases and merged maps to where a value is really written. */
  #offset (path: Path, at: 'key' | 'value'): number {
    let node: unknown = this.#doc.contents
    let start = 0
    for (const [i, key] of path.entries()) {
      const parent = this.#resolve(node)
      if (isMap(parent)) {
        const pair = this.#pair(parent, key)
        if (pair === undefined) return start
        const wanted = at === 'value' && i === path.length - 1 ? rangeStart(pair.value) : undefined
        start = wanted ?? rangeStart(pair.key) ?? start
        node = pair.value
      } else if (isSeq(parent)) {
        node = parent.items[Number(key)]
        start = rangeStart(node) ?? start
      } else {
        return start
      }
    }
    return start
  }

  #resolve = (node: unknown): unknown => isAlias(node) ? node.resolve(this.#doc) : node

  #pair (map: Pairs, key: PropertyKey): Pair | undefined {
    const named = (wanted: string): Pair | undefined =>
      map.items.find(item => isScalar(item.key) && keyText(item.key.value) === wanted)
    const own = named(String(key))
    const merged = this.#resolve(named('<<')?.value)
    if (own !== undefined || merged === undefined) return own
    const sources = isSeq(merged) ? merged.items.map(this.#resolve) : [merged]
    return sources.map(source => isMap(source) ? this.#pair(source as Pairs, key) : undefined).find(pair => pair !== undefined)
  }
}

/** A merge key `<<` is a symbol, once parsed. */
const keyText = (key: unknown): string => typeof key === 'symbol' ? key.description ?? '' : String(key)

const rangeStart = (node: unknown): number | undefined =>
  (node as { readonly range?: readonly [number, number, number] | null } | null | undefined)?.range?.[0]

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], root)
