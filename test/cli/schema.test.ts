import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { configSchema } from '../../src/cli/schema.ts'
import { criterionKinds } from '../../src/criteria/index.ts'
import { hcf } from '../helpers/cli.ts'
import { root } from '../helpers/paths.ts'

type Schema = Readonly<Record<string, unknown>>
const KEYWORDS = new Set([
  '$schema', 'title', 'description', 'default', 'type', 'properties', 'required', 'additionalProperties', 'propertyNames', 'items',
  'minItems', 'anyOf', 'not', 'const', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum'
])

const typeOf = (value: unknown): string => value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
const isType = (value: unknown, type: unknown): boolean =>
  type === undefined || typeOf(value) === type || (type === 'integer' && Number.isInteger(value))

/** As an editor does, for the keywords the schema uses; an unknown one throws. */
function accepts (schema: Schema, value: unknown): boolean {
  for (const keyword of Object.keys(schema)) if (!KEYWORDS.has(keyword)) throw new Error(`keyword ${keyword}`)
  if (!isType(value, schema['type']) || ('const' in schema && value !== schema['const'])) return false
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return false
  if (Array.isArray(schema['anyOf']) && !schema['anyOf'].some(one => accepts(one as Schema, value))) return false
  if (schema['not'] !== undefined && accepts(schema['not'] as Schema, value)) return false
  if (typeof value === 'string') return acceptsText(schema, value)
  if (typeof value === 'number') return value >= Number(schema['minimum'] ?? -Infinity) && value <= Number(schema['maximum'] ?? Infinity)
  if (Array.isArray(value)) {
    return value.length >= Number(schema['minItems'] ?? 0) && value.every(item => accepts((schema['items'] ?? {}) as Schema, item))
  }
  return typeof value !== 'object' || value === null || acceptsMap(schema, value as Readonly<Record<string, unknown>>)
}

const acceptsText = (schema: Schema, text: string): boolean =>
  text.length >= Number(schema['minLength'] ?? 0) && text.length <= Number(schema['maxLength'] ?? Infinity) &&
  (typeof schema['pattern'] !== 'string' || new RegExp(schema['pattern'], 'u').test(text))

function acceptsMap (schema: Schema, map: Readonly<Record<string, unknown>>): boolean {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>
  const others = schema['additionalProperties'] ?? {}
  if (((schema['required'] ?? []) as readonly string[]).some(key => !(key in map))) return false
  return Object.entries(map).every(([key, value]) => {
    if (schema['propertyNames'] !== undefined && !accepts(schema['propertyNames'] as Schema, key)) return false
    const own = properties[key]
    return own === undefined ? others !== false && accepts(others as Schema, value) : accepts(own, value)
  })
}

const schema = configSchema()
const yaml = (text: string): unknown => parse(text, { merge: true })
const policy = (text: string): unknown => yaml(`backends: { web: { servers: { a: "http://10.0.0.1" }, policy: { ${text} } } }`)
const windows = (list: string): unknown =>
  yaml(`backends: { web: { servers: { a: { url: "http://10.0.0.1", maintenance: [${list}] } }, maintenance: [${list}] } }`)
const web = (criterion: string): unknown => yaml(`backends: { web: { servers: { a: "http://10.0.0.1" }, criteria: { x: ${criterion} } } }`)

void t.test('hcf schema prints it as JSON', async (t) => {
  const { code, out, err } = await hcf(['schema'])
  t.same({ code, err }, { code: 0, err: '' })
  t.same(JSON.parse(out), JSON.parse(JSON.stringify(schema)))
  t.match(schema, { title: 'hcf.yaml', $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' })
})

void t.test('accepts what the config accepts', async (t) => {
  const rows: ReadonlyArray<readonly [unknown, string]> = [
    [yaml(readFileSync(join(root, 'haproxy/hcf.yaml'), 'utf8')), 'haproxy/hcf.yaml as an editor sees it, variables and all'],
    [yaml('backends: { web: { servers: { a: "10.0.0.1:22" } } }'), 'the shortest'],
    [yaml('agent: { listen: ["127.0.0.1:1", { address: "127.0.0.1:2", server: web/a }] }\nbackends: {}'), 'listeners'],
    [web('false'), 'a criterion dropped'],
    [web('{ at_least: 3 }'), 'a change to that of the profile'],
    [web('{ kind: tahoe.storage, at_least: 3, on_fail: weight 25%, rise: 1, fall: 5, every: 3s, within: 1.5s }'), 'options of all kinds'],
    [web('{ kind: http, status: [200, 204], json: { /db: ok, /n: null, /m: 3 } }'), 'http'],
    [web('{ kind: metric, metric: load, ramp: { low: 1, high: 2.5 } }'), 'a ramp'],
    [web('{ kind: http, path: /lame, solo: true }'), 'a statement of the node itself'],
    [yaml('backends: { web: { mode: observe, servers: { a: "10.0.0.1:22" } } }'), 'a mode'],
    [policy('hedge: off, window: off, gate: false, hold: {}, burst: { share: 50% }, max_out: 0%, stale_after: 20s, stale: hold'), 'a policy'],
    [policy('weight: { quantum: 50%, base: 256 }, peers: { slower: 1000% }, ramp: { for: 5s }'), 'its groups'],
    [yaml('admin: { listen: "0.0.0.0:1", token_file: tokens }\nhaproxy: { sockets: ["unix:/h.sock", "${H}"] }\nbackends: {}'), 'tokens and sockets'],
    [yaml('journal: { max_size: "${SIZE:-1MiB}" }\nbackends: {}'), 'a journal'],
    [yaml('journal: off\nbackends: {}'), 'no journal'],
    [policy('at_most_drained: 1'), 'a limit to orders'],
    [windows('{ at: "Mon,Wed-Fri 3:00", for: 1h, zone: Europe/Zurich, action: weight 0%, reason: x }, { at: "0 3 L * *", for: 1h, reason: x }'), 'windows'],
    [windows('{ at: "1st,15th 03:00", for: "${FOR}", reason: x }, { at: "${AT}", for: 1h, reason: x }'), 'days of the month, and variables'],
    [policy('hedge: "${HEDGE:-700ms}", hold: { max: "${MAX}" }, max_out: "${OUT}"'), 'variables in it'],
    [web('{ kind: tahoe.storage, at_least: "${N}", every: "${EVERY:-3s}" }'), 'variables for numbers and durations']
  ]
  for (const [value, why] of rows) t.ok(accepts(schema, value), why)
})

void t.test('rejects what the config rejects', async (t) => {
  const rows: ReadonlyArray<readonly [unknown, string]> = [
    [yaml('{}'), 'no backends'],
    [yaml('backend: {}\nbackends: {}'), 'an unknown key at the top'],
    [yaml('log: { levle: info }\nbackends: {}'), 'an unknown key in a section'],
    [yaml('log: { level: verbose }\nbackends: {}'), 'no such level'],
    [yaml('backends: { web: {} }'), 'no servers'],
    [yaml('backends: { "web pool": { servers: { a: x } } }'), 'a name HAProxy cannot have'],
    [yaml('backends: { web: { servers: { "a/b": x } } }'), 'nor this one'],
    [yaml('backends: { web: { servers: { a: { uri: x } } } }'), 'an unknown key of a server'],
    [yaml('backends: { web: { servers: { a: x }, policy: { interval: 2 } } }'), 'a duration without a unit'],
    [yaml('backends: { web: { servers: { a: x }, policy: { rise: 0 } } }'), 'a number out of range'],
    [yaml('backends: { web: { mode: watch, servers: { a: x } } }'), 'no such mode'],
    [policy('gate: on'), 'a word that is not off'],
    [policy('at_most_drained: 0'), 'a limit of nothing'],
    [yaml('journal: on\nbackends: {}'), 'a word that is not off'],
    [yaml('journal: { max_size: 64MB }\nbackends: {}'), 'no size'],
    [yaml('haproxy: { sockets: "unix:/h.sock" }\nbackends: {}'), 'no list'],
    [windows('{ at: Sunday 03:00, for: 1h, reason: x }'), 'no time'],
    [windows('{ at: "1st-3rd 03:00", for: 1h, reason: x }'), 'no range of dates'],
    [windows('{ at: "0 3 * *", for: 1h, reason: x }'), 'four fields'],
    [windows('{ at: "03:00", for: 1d, reason: x }'), 'no duration'],
    [windows('{ at: "03:00", for: 1h }'), 'no reason'],
    [windows('{ at: "03:00", for: 1h, reason: " " }'), 'a blank one'],
    [windows('{ at: "03:00", for: 1h, action: up, reason: x }'), 'no action of a window'],
    [policy('window: { fail: 4 }'), 'an unknown key of a group'],
    [policy('hold: { base: 5 }'), 'a duration without a unit, in a group'],
    [policy('max_out: 101%'), 'more than all'],
    [policy('weight: { quantum: 51% }'), 'too large a step'],
    [policy('weight: { base: 257 }'), 'more than HAProxy takes'],
    [policy('peers: { slower: 100% }'), 'not slower'],
    [policy('stale: never'), 'no such word'],
    [web('{ kind: http, solo: 1 }'), 'no truth value'],
    [web('3'), 'no criterion'],
    [web('{ kind: tahoe.storrage, at_least: 3 }'), 'no such kind'],
    [web('{ kind: tahoe.storage, at_last: 3 }'), 'an unknown option'],
    [web('{ kind: tahoe.storage }'), 'an option missing'],
    [web('{ kind: tahoe.storage, at_least: many }'), 'a text for a number'],
    [web('{ kind: "${KIND}", at_least: 3 }'), 'a variable for a kind'],
    [web('{ kind: latency, at_most: fast }'), 'no duration'],
    [web('{ kind: http, method: PUT }'), 'no such method'],
    [web('{ kind: http, json: { db: ok } }'), 'no pointer'],
    [web('{ kind: tcp, on_fail: Down }'), 'no such action'],
    [yaml('backends: { web: { servers: { a: x }, criteria: { "x y": { kind: tcp } } } }'), 'no such name']
  ]
  for (const [value, why] of rows) t.notOk(accepts(schema, value), why)
})

void t.test('has a summary of every kind, for whoever completes one', async (t) => {
  const text = JSON.stringify(schema)
  for (const [kind, { summary }] of Object.entries(criterionKinds)) {
    t.ok(text.includes(`"const":${JSON.stringify(kind)}`), `${kind} is there`)
    t.ok(text.includes(`"description":${JSON.stringify(summary)}`), `${kind} is described`)
  }
  for (const shown of ['2s', '700ms', '34%', '250%', 'enforce']) t.ok(text.includes(`"default":"${shown}"`), `defaults are shown: ${shown}`)
})
