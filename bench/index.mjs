/**
 * `npm run bench -- [NAME…] [--quick] [--write] [--against REV] [--nodes 20,22,24]`: the benches, one after another, each a table
 * as soon as it is done. `--write` keeps them in RESULTS.md. `--nodes` runs the agent port's on each of these versions of Node.
 */
import { parseArgs } from 'node:util'
import { build, checkNode, installHaproxy, installNode, installPackages, root } from '../scripts/install.mjs'
import { compareNodes } from './lib/nodes-compared.mjs'
import { machine, markdown, writeSection } from './lib/report.mjs'
import { scratch } from './lib/scratch.mjs'

const RESULTS = `${root}/bench/RESULTS.md`
const NAMES = ['agent', 'polls', 'haproxy', 'start', 'sample', 'decision']
const BY_DEFAULT = NAMES.filter(name => name !== 'decision')
const USAGE = 'Usage: npm run bench -- [NAME…] [--quick] [--write] [--against REV] [--nodes 20,22,24]'

const print = text => { process.stdout.write(`${text}\n`) }
const say = text => { process.stderr.write(`hcf: ${text}\n`) }

function fail (text) {
  say(`${text}. ${USAGE}`)
  process.exit(2)
}

function readArguments () {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false }, against: { type: 'string' }, nodes: { type: 'string' } }
    })
    return check({ names: [...new Set(positionals)], ...values })
  } catch (error) {
    return fail(error.message.replace(/\.$/, ''))
  }
}

function check ({ names, against, nodes, ...rest }) {
  const strange = names.find(name => !NAMES.includes(name))
  if (strange !== undefined) return fail(`no bench is named ${strange}: there are ${NAMES.join(', ')}`)
  if (against !== undefined && !names.includes('decision')) return fail('--against is for the bench decision')
  if (nodes === undefined) return { ...rest, against, names: names.length > 0 ? names : BY_DEFAULT }
  if (names.some(name => name !== 'agent')) return fail('--nodes is for the bench agent')
  const versions = nodes.split(',')
  const wrong = versions.find(version => !/^\d+(?:\.\d+){0,2}$/.test(version))
  if (wrong !== undefined) return fail(`--nodes must be versions of Node like 20,22,24, has ${JSON.stringify(wrong)}`)
  return { ...rest, names: ['nodes'], versions }
}

/** What runs under that name. */
async function benchOf (name, { versions = [], quick, against }) {
  if (name !== 'nodes') {
    const { run } = await import(`./${name}.mjs`)
    return async () => run({ quick, ...(against === undefined ? {} : { against }) })
  }
  const { run } = await import('./agent.mjs')
  const nodes = versions.map(version => ({ version, node: installNode(version) }))
  return async () => compareNodes(run, nodes, say)
}

async function main () {
  const wanted = readArguments()
  checkNode()
  installPackages()
  build()
  if (wanted.names.includes('haproxy')) installHaproxy()
  scratch()
  print(`${machine()}\n`)
  for (const name of wanted.names) {
    say(`${name} begins`)
    try {
      const bench = await benchOf(name, wanted)
      const startMs = performance.now()
      const result = await bench()
      const text = markdown(result, performance.now() - startMs)
      print(text)
      if (wanted.write && result.rows !== undefined) writeSection(RESULTS, name, text)
    } catch (error) {
      say(`${name}: ${error.stack}`)
      process.exitCode = 1
    }
  }
}

await main()
