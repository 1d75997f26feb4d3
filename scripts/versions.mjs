/**
 * `npm run test:versions`: the tests on other versions of Node, each fetched from npm where it is not there, each ending with
 * the runner's counts. Arguments are versions (22 and 24, if none) and parts of the names of tests: `-- 24 core agent`.
 */
import { spawnSync } from 'node:child_process'
import { checkNode, installNode } from './install.mjs'
import { prepareTests, runTests } from './run-tests.mjs'

const VERSIONS = ['22', '24']
const isVersion = text => /^\d+(?:\.\d+){0,2}$/.test(text)

const args = process.argv.slice(2)
const asked = args.filter(isVersion)
checkNode()
const nodes = (asked.length > 0 ? asked : VERSIONS).map(installNode)
const files = prepareTests(args.filter(text => !isVersion(text)))

const failed = []
for (const node of nodes) {
  const version = spawnSync(node, ['-v'], { encoding: 'utf8' }).stdout.trim()
  process.stdout.write(`\nNode ${version}\n`)
  if (await runTests(files, node) !== 0) failed.push(version)
}
if (failed.length > 0) process.stdout.write(`\nnot all passed on Node ${failed.join(', ')}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
