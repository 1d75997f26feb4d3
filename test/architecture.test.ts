/** Who may import whom, and who may touch time, chance and the process. A rule that is not a test is a wish. */
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path/posix'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../../', import.meta.url)) // from dist/test
const LINES_MAX = 300

/** An area is a directory of src, or a file right in it. */
interface Area {
  /** Areas it may import from, besides itself. */
  readonly areas: readonly string[]
  /** Packages it may import. `node:` stands for all built-in modules. */
  readonly packages: readonly string[]
  readonly why: string
}

const EDGES = ['agent', 'admin', 'haproxy', 'probes', 'cluster']
const AREAS: Readonly<Record<string, Area>> = {
  main: { areas: ['cli'], packages: ['node:'], why: 'hands the process to the commands' },
  cli: {
    areas: ['app', ...EDGES, 'config', 'criteria', 'profiles', 'runtime', 'sim', 'core'],
    packages: ['node:', 'commander', 'pino', 'pino-pretty', 'undici', 'eventsource-parser', 'zod', 'yaml'],
    why: 'puts together what a command needs'
  },
  app: { areas: [...EDGES, 'config', 'runtime', 'core'], packages: ['node:'], why: 'the composition root' },
  agent: { areas: ['runtime', 'core'], packages: ['node:'], why: 'an edge; makes room for its unix socket as the app does for the admin one' },
  admin: { areas: ['core'], packages: ['node:', 'fastify', '@fastify/swagger', 'zod'], why: 'an edge; its requests have schemas' },
  haproxy: { areas: ['core'], packages: ['node:'], why: 'an edge' },
  probes: { areas: ['core'], packages: ['node:', 'undici'], why: 'an edge' },
  cluster: {
    areas: ['runtime', 'core'], packages: ['node:', '@nats-io/transport-node', '@nats-io/kv', '@nats-io/jetstream'], why: 'an edge'
  },
  config: {
    areas: ['criteria', 'profiles', 'core'],
    packages: ['node:', 'yaml', 'zod', 'croner', 'fastest-levenshtein'],
    why: 'text into what the program runs on'
  },
  criteria: { areas: ['core'], packages: ['zod'], why: 'pure judges, with the schema of their options' },
  profiles: { areas: ['core'], packages: [], why: 'data' },
  runtime: { areas: ['core'], packages: ['node:', 'pino', 'croner', 'fastest-levenshtein'], why: 'state and time' },
  sim: {
    areas: ['runtime', 'agent', 'haproxy', 'config', 'probes', 'core'],
    packages: ['node:', 'undici', 'zod', 'yaml'],
    why: 'a world to try it in, clients included; a scenario is a file with a schema, and holds what an operator would write'
  },
  core: { areas: [], packages: [], why: 'pure' }
}

/** Where only types may be imported. */
const TYPES_ONLY: ReadonlyArray<readonly [from: string, to: string, why: string]> = [
  ['profiles', 'core', 'a profile is data in the words of the config']
]

/** Where only one file of an area may be imported. */
const ONE_FILE: ReadonlyArray<readonly [from: string, to: string, file: string, why: string]> = [
  ['sim', 'probes', 'src/probes/hedge.ts', 'looks are simulated; only how a second one is sent is the real thing']
]

interface Ban {
  readonly what: string
  readonly pattern: RegExp
  /** Areas and files where it is allowed, and why. */
  readonly allowed: Readonly<Record<string, string>>
}

const BANS: readonly Ban[] = [
  {
    what: 'the process',
    pattern: /(?<![-/.#\w])process\b\s*(?:\?\.|[.[])|\bglobalThis\b|node:process/,
    allowed: { 'src/main.ts': 'argv, env, signals and the exit code; everyone else is handed what it needs' }
  },
  {
    what: 'a timer',
    // `socket.setTimeout()` is not one: it is the patience of a socket, and ends with it.
    pattern: /(?<!\.)\b(?:setTimeout|setInterval|setImmediate)\b|node:timers/,
    allowed: {
      'src/runtime/clock.ts': 'the only place that sets timers',
      'src/sim/': 'simulated nodes are real servers that answer late; the virtual clock lets promises settle'
    }
  },
  {
    what: 'a clock',
    pattern: /\bDate\.now\b|\bperformance\.now\b|\bnew Date\(\)|\bhrtime\b/,
    allowed: {
      'src/runtime/clock.ts': 'the only place that reads clocks',
      'src/sim/': 'simulated nodes tell the time, as real ones do'
    }
  },
  {
    what: 'chance',
    pattern: /\bMath\.random\b|\brandomBytes\b|\brandomUUID\b|\brandomInt\b/,
    allowed: {
      'src/probes/tahoe-write.ts': 'the same bytes twice are one file to Tahoe, and the second upload would write nothing',
      'src/admin/tokens.ts': 'a token is a secret, and a secret is what nobody can work out'
    }
  },
  {
    what: 'a timer of any kind, in pure code',
    pattern: /\bset(?:Timeout|Interval|Immediate)\b/,
    allowed: allBut('src/core/', 'src/criteria/')
  }
]

function allBut (...banned: readonly string[]): Readonly<Record<string, string>> {
  const areas = readdirSync(join(root, 'src'), { withFileTypes: true })
    .map(entry => `src/${entry.name}${entry.isDirectory() ? '/' : ''}`)
  return Object.fromEntries(areas.filter(area => !banned.includes(area)).map(area => [area, 'not pure']))
}

const files = (directory: string): readonly string[] => readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts')).map(file => `${directory}/${file}`).toSorted()
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const sources = files('src')
const areaOf = (file: string): string => file.split('/')[1]!.replace(/\.ts$/, '')

/** Without comments. Strings are kept, so that `//` in one begins no comment. */
const COMMENT = /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/.*|\/\*[\s\S]*?\*\//g
const withoutComments = (text: string): string => text.replace(COMMENT, (_, string?: string) => string ?? ' ')

interface Import { readonly from: string, readonly typesOnly: boolean }
function importsOf (text: string): readonly Import[] {
  const found: Import[] = []
  const code = withoutComments(text)
  for (const match of code.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"\n]+)['"]/gm)) {
    found.push({ from: match[2]!, typesOnly: match[1] !== undefined })
  }
  for (const match of code.matchAll(/\b(?:import|require)\s*\(\s*([^)]*)\)/g)) {
    found.push({ from: /^['"]([^'"]+)['"]$/.exec(match[1]!.trim())?.[1] ?? `a computed name, ${match[1]}`, typesOnly: false })
  }
  return found
}

/** What is wrong with an import of a file, if anything. */
function fault (file: string, { from, typesOnly }: Import): string | undefined {
  const area = areaOf(file)
  const rules = AREAS[area]
  if (rules === undefined) return `${area} is not in the table of areas`
  if (!from.startsWith('.')) {
    const name = from.startsWith('node:') ? 'node:' : from.split('/').slice(0, from.startsWith('@') ? 2 : 1).join('/')
    if (name === 'net') return 'the npm package net is a stranger’s: write node:net'
    if (builtinModules.includes(name)) return `write node:${name}`
    return rules.packages.includes(name) ? undefined : `${area} may not use ${from}`
  }
  const target = join(dirname(file), from)
  if (!sources.includes(target)) return `${from} is no source file`
  const to = areaOf(target)
  if (to === area) return undefined
  if (!rules.areas.includes(to)) return `${area} may not import ${to}`
  if (!typesOnly && TYPES_ONLY.some(([one, other]) => one === area && other === to)) return `${area} may import only types of ${to}`
  const only = ONE_FILE.find(([one, other]) => one === area && other === to)?.[2]
  return only === undefined || only === target ? undefined : `${area} may import only ${only} of ${to}`
}

void t.test('imports follow the table of areas', async (t) => {
  const faults = sources.flatMap(file => importsOf(read(file)).flatMap(each => {
    const why = fault(file, each)
    return why === undefined ? [] : [`${file}: ${why}`]
  }))
  t.strictSame(faults, [])
})

void t.test('the table of areas is the tree', async (t) => {
  const there = new Set(sources.map(areaOf))
  t.strictSame([...there].filter(area => AREAS[area] === undefined), [], 'every area is in the table')
  const reachable = new Set<string>()
  const visit = (area: string, path: readonly string[]): void => {
    t.notOk(path.includes(area), `no circle: ${[...path, area].join(' -> ')}`)
    if (reachable.has(area) || path.includes(area)) return
    for (const next of AREAS[area]?.areas ?? []) visit(next, [...path, area])
    reachable.add(area)
  }
  visit('main', [])
  t.strictSame(Object.keys(AREAS).filter(area => !reachable.has(area)), [], 'every area serves main')
})

void t.test('time, chance and the process are touched only where they are handed out', async (t) => {
  for (const { what, pattern, allowed } of BANS) {
    const places = Object.keys(allowed)
    const faults = sources.filter(file => !places.some(place => place.endsWith('/') ? file.startsWith(place) : file === place))
      .flatMap(file => withoutComments(read(file)).split('\n').filter(line => pattern.test(line)).map(line => `${file}: ${line.trim()}`))
    t.strictSame(faults, [], what)
  }
})

void t.test(`no file is over ${LINES_MAX} lines`, async (t) => {
  const long = [...sources, ...files('test')].map(file => ({ file, lines: read(file).trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > LINES_MAX).map(({ file, lines }) => `${file}: ${lines} lines`)
  t.strictSame(long, [])
})

void t.test('the test reads what it is meant to read', async (t) => {
  const text = `
    import { a } from 'one' // import 'comment'
    import type { b } from "two"
    import {
      c,
      d
    } from './three.ts'
    import 'four'
    export { e } from 'five'
    export * from 'six'
    /* import 'comment' */
    const f = await import('seven')
    const accept = '*/*' // import 'comment'
    const url = 'http://not-a-comment'; const g = await import(name)
    export const h = 'not from'
  `
  t.strictSame(importsOf(text).map(({ from }) => from),
    ['one', 'two', './three.ts', 'four', 'five', 'six', 'seven', 'a computed name, name'])
  t.strictSame(importsOf(text).filter(({ typesOnly }) => typesOnly).map(({ from }) => from), ['two'])

  const wrong: ReadonlyArray<readonly [string, string, string | undefined]> = [
    ['src/core/check.ts', './model.ts', undefined],
    ['src/core/check.ts', '../runtime/clock.ts', 'core may not import runtime'],
    ['src/core/check.ts', 'node:net', 'core may not use node:net'],
    ['src/core/check.ts', './gone.ts', './gone.ts is no source file'],
    ['src/criteria/http.ts', 'zod', undefined],
    ['src/criteria/http.ts', 'undici', 'criteria may not use undici'],
    ['src/agent/server.ts', '../admin/server.ts', 'agent may not import admin'],
    ['src/agent/server.ts', 'net', 'the npm package net is a stranger’s: write node:net'],
    ['src/agent/server.ts', 'fs', 'write node:fs'],
    ['src/runtime/said.ts', '../agent/protocol.ts', 'runtime may not import agent'],
    ['src/profiles/index.ts', '../core/text.ts', 'profiles may import only types of core'],
    ['src/sim/real.ts', '../probes/hedge.ts', undefined],
    ['src/sim/real.ts', '../probes/http.ts', 'sim may import only src/probes/hedge.ts of probes'],
    ['src/nowhere/x.ts', '../core/text.ts', 'nowhere is not in the table of areas']
  ]
  for (const [file, from, why] of wrong) t.equal(fault(file, { from, typesOnly: false }), why, `${file} and ${from}`)

  const bad: Readonly<Record<string, readonly string[]>> = {
    'the process': ['process.env.X', 'process [1]', 'process?.pid', 'globalThis.process', "import p from 'node:process'"],
    'a timer': ['setTimeout(f, 1)', 'setInterval(f)', "import { setTimeout as s } from 'node:timers/promises'"],
    'a clock': ['Date.now()', 'performance.now()', 'new Date()', 'process.hrtime()'],
    chance: ['Math.random()', 'randomUUID()'],
    'a timer of any kind, in pure code': ['socket.setTimeout(1)']
  }
  const good: Readonly<Record<string, readonly string[]>> = {
    'the process': ['child.process.kill()', 'const processed = 1', 'this.#process.pid'],
    'a timer': ['socket.setTimeout(1)'],
    'a clock': ['new Date(wallMs)', 'clock.now()']
  }
  for (const { what, pattern } of BANS) {
    for (const code of bad[what] ?? ['']) t.match(code, pattern, `${what}: ${code}`)
    for (const code of good[what] ?? []) t.notMatch(code, pattern, `not ${what}: ${code}`)
  }
})
