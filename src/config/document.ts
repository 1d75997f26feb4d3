/** YAML text to plain values: syntax in our words, `${NAME}` filled in, and no secret where it does not belong. */
import { LineCounter, isAlias, isPair, isScalar, isSeq, parseDocument, visit, type Document, type Scalar, type YAMLError } from 'yaml'
import { ConfigError, Report, oneLine, type Path, type Problem } from './problems.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** Throws ConfigError when there are no values to go on with. */
export function readDocument (text: string, file: string, env: Env): { readonly raw: unknown, readonly report: Report } {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, merge: true, uniqueKeys: true })
  const report = new Report(file, doc, lines)
  const errors = [...doc.errors, ...doc.warnings]
  if (errors.length > 0) throw new ConfigError(syntaxProblems(errors, text, file))

  const aliases = checkAliases(doc, report)
  visit(doc, {
    Scalar: (place, node, ancestors) => {
      const path = pathOf([...ancestors, node])
      // What every object in JavaScript has under such a name would be taken for what the file says.
      if (place === 'key' && String(node.value) in {}) report.settleAt(startOf(node), 'is a name that cannot be used', path)
      if (place !== 'key' && typeof node.value === 'string') checkText(node, path, env, report)
    }
  })
  if (aliases === 'bad') throw new ConfigError(report.problems)
  try {
    return { raw: doc.toJS({ maxAliasCount: ALIASES_MAX }) ?? {}, report }
  } catch (error) { // it refuses aliases that unfold to a file of any size, and a << of what is no mapping
    if (error instanceof ReferenceError) report.addAt(0, 'has aliases that unfold to far too much')
    else if (error instanceof Error && error.message.startsWith('Merge sources')) report.addAt(0, 'has a << that does not name a mapping, or a list of them')
    else throw error
    throw new ConfigError(report.problems)
  }
}

/** Uses of one anchor, times what it holds of others. */
const ALIASES_MAX = 10_000

const WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'is not YAML: indent with spaces, not with a tab',
  DUPLICATE_KEY: 'is written above already: each key once',
  MULTIPLE_DOCS: 'begins a second document: a config is one, without ---',
  TAG_RESOLVE_FAILED: 'has a tag that means nothing here. A value of the environment is written ${NAME}'
}

/** The first problem of each line, and a tab once: those after it follow from it. */
function syntaxProblems (errors: readonly YAMLError[], text: string, file: string): readonly Problem[] {
  const source = text.split('\n')
  const problems = errors.map(({ code, message, linePos }): Problem => {
    const { line, col } = linePos?.[0] ?? { line: 1, col: 1 }
    const said = (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:$/, '')
    const key = code === 'DUPLICATE_KEY' ? `${/^[^\s:]*/.exec(source[line - 1]?.slice(col - 1) ?? '')?.[0] ?? ''} ` : ''
    return { file, line, column: col, path: '', message: oneLine(key + (WORDS[code] ?? `is not YAML: ${said}${hintAt(source[line - 1] ?? '')}`)) }
  })
  const follows = (a: Problem, b: Problem): boolean =>
    a.line === b.line || (a.message === b.message && a.message === WORDS['TAB_AS_INDENT'])
  return problems.filter((problem, i) => problems.findIndex(other => follows(problem, other)) === i)
}

function hintAt (line: string): string {
  if (line.includes('${')) return '. Within { } and [ ] write "${NAME}" in quotes, or one key a line'
  return /[:,[-]\s+\*/.test(line) ? '. A text that begins with * is written in quotes: "*/15 3 * * *"' : ''
}

function checkAliases (doc: Document, report: Report): 'good' | 'bad' {
  const anchors = new Set<string>()
  let found: 'good' | 'bad' = 'good'
  visit(doc, {
    Value: (_, { anchor }) => {
      if (anchor !== undefined) anchors.add(anchor)
    },
    Alias: (_, node) => {
      if (anchors.has(node.source)) return
      report.addAt(startOf(node), `*${node.source} stands for nothing: no &${node.source} above it`)
      found = 'bad'
    }
  })
  return found
}

const VARIABLE = /\$\{(\w+)(?::-([^}]*))?\}/g
const CAP = /URI(?::|%(?:25)*3A)[\w-]+(?::|%(?:25)*3A)[a-z2-7]{10}|pb:\/\//i

/** `NAME.SECRET` as a person holds it, or a line of the file. */
const TOKEN = /\.[\w-]{43}$|\$scrypt\$/

function checkText (node: Scalar, path: Path, env: Env, report: Report): void {
  const written = String(node.value)
  const start = startOf(node)
  if (written.includes('${')) {
    const text = substitute(written, env, message => { report.settleAt(start, message, path) })
    // Quotes make a text of what would be a number.
    node.value = node.type === 'PLAIN' ? plainValue(text) : text
  }
  if (path.at(-1) === 'token_file' && TOKEN.test(String(node.value))) {
    report.settleAt(start, 'must be the path of a file that holds names with hashes, not a token or a hash itself', path)
    return
  }
  const isCapFile = path.at(-1) === 'cap_file'
  if (!(isCapFile ? /^\s*URI(?::|%3A)/i : CAP).test(String(node.value))) return
  report.settleAt(start, isCapFile
    ? 'must be the path of a file that holds the cap, not the cap itself: whoever has it can use it'
    : 'holds a Tahoe cap or furl, which whoever reads this file could use: write it into a file of its own, named by cap_file', path)
}

/** `${NAME}` and `${NAME:-otherwise}` become the environment's value. As in a shell, `:-` also stands in for an empty one. */
function substitute (written: string, env: Env, report: (message: string) => void): string {
  if (written.replace(VARIABLE, '').includes('${')) report('has a ${ that is not ${NAME} or ${NAME:-default}')
  return written.replace(VARIABLE, (_, name: string, otherwise?: string) => {
    const value = otherwise === undefined ? env[name] : env[name] || otherwise
    if (value === undefined) report(`needs the environment variable ${name}, which is not set (or a default: \${${name}:-default})`)
    return value ?? ''
  })
}

function plainValue (text: string): string | number | boolean {
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text)
  return text === 'true' || text === 'false' ? text === 'true' : text
}

const startOf = (node: { readonly range?: readonly [number, number, number] | null | undefined }): number => node.range?.[0] ?? 0

/** The keys that lead to a node. */
function pathOf (chain: readonly unknown[]): Path {
  return chain.flatMap((each, i): PropertyKey[] => {
    if (isPair(each)) return [isScalar(each.key) ? String(each.key.value) : '?']
    return isSeq(each) && !isAlias(chain[i + 1]) ? [each.items.indexOf(chain[i + 1])] : []
  })
}
