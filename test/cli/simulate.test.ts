import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hcf } from '../helpers/cli.ts'
import { root } from '../helpers/paths.ts'

const HANG = {
  nodes: 4, load_rps: 160, duration_s: 90,
  timeline: [{ t: 30, nodes: [2], set: { mode: 'hang' } }, { t: 60, nodes: [2], set: { mode: 'ok' } }]
}
const CALM = { name: 'calm', why: 'nothing is wrong', nodes: 2, load_rps: 60, duration_s: 40 }

/** A directory with two scenarios, and what no scenario is. */
function directory (t: Test, more: Readonly<Record<string, string>> = {}): string {
  return t.testdir({ 'hang.json': JSON.stringify(HANG), 'calm.json': JSON.stringify(CALM), 'notes.txt': 'not a scenario', ...more })
}

const policiesIn = (out: string): readonly string[] => [...out.matchAll(/^(\w+) +[\d.]+% /gm)].map(([, policy]) => policy ?? '')

void t.test('a scenario, a policy a row, the servers in service over time, and a last line over all', async t => {
  const dir = directory(t)
  const { code, out, err } = await hcf(['simulate', join(dir, 'hang.json'), join(dir, 'calm.json')])
  t.strictSame([code, err], [0, ''])
  t.match(out, /^hang\n4 nodes at 40% of what they can carry, roundrobin, 90s\n\npolicy +available +failed +slow /)
  t.match(out, /^calm: nothing is wrong\n2 nodes at 30% /m)
  t.strictSame(policiesIn(out), ['none', 'immediate', 'risefall', 'hcf', 'none', 'immediate', 'risefall', 'hcf'])
  t.match(out, /servers in service, the least of each 2 seconds \(▁ none, █ all\)\nnone {7}█{45}\n/, 'HAProxy alone sees no hang')
  t.match(out, /^hcf {8}█+▆+█+$/m, 'three of four while it hangs')
  t.match(out, /\n\n2 scenarios, mean availability: none [\d.]+% \(0 false out\), immediate .*, hcf [\d.]+% \(0 false out\)\n$/)
})

void t.test('what is better is said to be: an agent that sees the hang', async t => {
  const { out } = await hcf(['simulate', join(directory(t), 'hang.json'), '--json'])
  const results = JSON.parse(out) as ReadonlyArray<{ readonly policy: string, readonly availability: number, readonly haltSeconds: number | null }>
  const of = (policy: string): number => results.find(result => result.policy === policy)?.availability ?? 0
  t.ok(of('hcf') > of('none') + 3, out)
  t.ok((results.at(-1)?.haltSeconds ?? 99) < 12, out)
})

void t.test('--json: an array, its fields, and nothing else', async t => {
  const dir = directory(t)
  const { code, out, err } = await hcf(['simulate', dir, '--json', '--policy', 'hcf', '--policy', 'none', '--policy', 'hcf'])
  t.strictSame([code, err], [0, ''])
  const results = JSON.parse(out) as ReadonlyArray<Readonly<Record<string, unknown>>>
  t.strictSame(results.map(({ scenario, policy }) => [scenario, policy]), [['calm', 'hcf'], ['calm', 'none'], ['hang', 'hcf'], ['hang', 'none']])
  for (const result of results) {
    t.strictSame(Object.keys(result), ['scenario', 'policy', 'availability', 'failed', 'falseEjections', 'flips', 'haltSeconds'])
    for (const field of ['availability', 'failed', 'falseEjections', 'flips']) t.type(result[field], 'number', field)
  }
  t.strictSame(results.map(({ haltSeconds }) => haltSeconds === null ? 'null' : typeof haltSeconds), ['null', 'null', 'number', 'null'])
  t.match(results[0], { availability: 100, failed: 0, falseEjections: 0, flips: 0 })
})

void t.test('the same seed, the same figures', async t => {
  const dir = t.testdir({ 'loss.json': JSON.stringify({ ...HANG, timeline: [...HANG.timeline, { t: 20, prober: { loss: 0.3 } }] }) })
  const run = async (...args: readonly string[]): Promise<string> => (await hcf(['simulate', dir, '--policy', 'immediate', '--json', ...args])).out
  t.equal(await run(), await run('--seed', '1'))
  t.not(await run(), await run('--seed', '2'))
})

void t.test('--timeline: what happened, of hcf or of the policies named', async t => {
  const dir = directory(t)
  const one = await hcf(['simulate', join(dir, 'hang.json'), '--timeline'])
  t.strictSame(one.out.match(/what happened, with \w+/g), ['what happened, with hcf'])
  t.match(one.out, /^ {3}30\.0s {2}n2: .*\n(?: +[\d.]+s {2}.*\n)* +3\d\.\ds {2}be\/n2 up -> down: reach: no answer/m)
  const named = await hcf(['simulate', join(dir, 'hang.json'), '--timeline', '--policy', 'none'])
  t.match(named.out, /what happened, with none\n {3}30\.0s {2}n2: /)
})

void t.test('as wide as the terminal', async t => {
  const dir = t.testdir({ 'long.json': JSON.stringify({ ...HANG, duration_s: 290 }) })
  const { out } = await hcf(['simulate', dir, '--policy', 'hcf'])
  t.match(out, /the least of each 4 seconds/)
  const bars = /^hcf {2}([▁-█]+)$/m.exec(out)?.[1] ?? ''
  t.equal(bars.length, 73, 'on no terminal: a hundred columns')
})

void t.test('without a name: those that ship with the package', async t => {
  const { code, out } = await hcf(['simulate', '--json', '--policy', 'none'])
  const names = (JSON.parse(out) as ReadonlyArray<{ readonly scenario: string }>).map(({ scenario }) => `${scenario}.json`)
  t.equal(code, 0)
  t.strictSame(names, readdirSync(join(root, 'scenarios')).toSorted())
  t.ok(names.length >= 6)
})

const CONFIG = `
backends:
  read:
    servers: { gw1: "http://10.0.0.1", gw2: "http://10.0.0.2", gw3: "http://10.0.0.3" }
    criteria: { http: { kind: http, fall: 1 } }
`
const WRITE = `  write:
    servers: { gw1: "http://10.0.0.1", gw2: "http://10.0.0.2" }
    criteria: { http: { kind: http, on_fail: warn } }
`

void t.test('-c: a config’s own backend is hcf, and the farm is as large as it', async t => {
  const dir = directory(t, { 'one.yaml': CONFIG, 'two.yaml': CONFIG + WRITE })
  const one = await hcf(['simulate', join(dir, 'hang.json'), '-c', join(dir, 'one.yaml'), '--timeline'])
  t.equal(one.code, 0, one.err)
  t.match(one.out, new RegExp(`^hcf is read of ${join(dir, 'one.yaml')}: 3 servers\n\n`))
  t.match(one.out, /4 nodes at 40% .*; played with the 3 servers of the config, faults and load in proportion\n/)
  t.match(one.out, /read\/gw\d up -> down/, 'in the names of the config')

  const file = join(dir, 'two.yaml')
  const write = await hcf(['simulate', join(dir, 'hang.json'), '-c', file, '--backend', 'write', '--json'])
  const read = await hcf(['simulate', join(dir, 'hang.json'), '-c', file, '--backend', 'read', '--json'])
  t.strictSame([write.code, read.code], [0, 0])
  t.not(write.out, read.out)
})

void t.test('what is asked for wrongly is said with its cure, and exit code 2', async t => {
  const dir = directory(t, {
    'broken.json': '{ "nodes": 3,, }', 'wrong.json': JSON.stringify({ ...HANG, timeline: [{ t: 30, nodes: [4], set: { mode: 'hung' } }] }),
    'two.yaml': CONFIG + WRITE, 'bad.yaml': 'backends: 3\n'
  })
  const at = (file: string): string => join(dir, file)
  const cases: ReadonlyArray<readonly [args: readonly string[], says: RegExp, why: string]> = [
    [[at('nowhere.json')], /nowhere\.json: does not exist: name a scenario \(a JSON file\) or a directory of them, or none for /, 'no such file'],
    [[at('broken.json')], /broken\.json: is not JSON: /, 'no JSON'],
    [[at('wrong.json')],
      /wrong\.json: timeline\[0\]\.nodes\[0\]: must be 0 … 3, is 4\n.*wrong\.json: timeline\[0\]\.set\.mode: must be one of /, 'all at once'],
    [[dir], /broken\.json: is not JSON[^]*wrong\.json: timeline/, 'all files at once'],
    [['--policy', 'best'], /--policy must be one of none, immediate, risefall, panic, hcf, is best/, 'no such policy'],
    [['--seed', 'x'], /--seed must be a whole number of at most 9 digits, is x/, 'no seed'],
    [['--json', '--timeline'], /--json has no timeline: leave out one of the two/, 'two forms'],
    [['--backend', 'read'], /--backend is one of a config: name its file with -c/, 'a backend of nothing'],
    [['-c', at('two.yaml')], /two\.yaml has read, write: choose one with --backend/, 'which backend'],
    [['-c', at('two.yaml'), '--backend', 'reed'], /no backend reed in .*two\.yaml; it has read, write/, 'no such backend'],
    [['-c', at('bad.yaml')], /bad\.yaml:1:11: backends must be /, 'no config'],
    [['--sed', '1'], /unknown option '--sed'/, 'no such option']
  ]
  for (const [args, says, why] of cases) {
    const { code, out, err } = await hcf(['simulate', ...args])
    t.equal(code, 2, `${why}: exit code`)
    t.equal(out, '', `${why}: nothing on stdout`)
    t.match(err, says, why)
    t.notMatch(err, /\n {4}at /, `${why}: no stack`)
  }
  const bare = t.testdir({ 'only.txt': '' })
  t.match(await hcf(['simulate', bare]), { code: 2, err: /has no \*\.json in it: name a scenario/ })
})

void t.test('--help explains the columns', async t => {
  const { out } = await hcf(['simulate', '--help'])
  t.match(out, /Columns:\n {2}available +share of the requests that did not fail\n/)
})
