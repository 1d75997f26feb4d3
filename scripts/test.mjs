/**
 * `npm test`: every test, after installing what they need. Arguments are names of tests to run instead of all
 * (`npm test -- core`). Ends with the counts of the runner on a line of their own.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { build, checkNode, installHaproxy, installPackages, root, run } from './install.mjs'

checkNode()
installPackages()
build()
installHaproxy()

const tap = `${root}/node_modules/tap/dist/esm/run.mjs`
if (!existsSync(`${root}/.tap/plugins`)) run(process.execPath, [tap, 'build'])

const files = process.argv.slice(2).map(name => `dist/test/**/*${name}*/**/*.test.js,dist/test/**/*${name}*.test.js`).flatMap(globs => globs.split(','))
const report = `${root}/.tap/report.jsonl`
rmSync(report, { force: true })
const { status } = spawnSync(process.execPath, [tap, 'run', '--reporter=terse', '--reporter-file', report, ...files], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
