/**
 * `npm test`: every test, after installing what they need. Arguments are parts of the names of tests to run instead of
 * all (`npm test -- core/check`). Ends with the runner's counts on a line of their own.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { build, checkNode, installHaproxy, installPackages, root, run } from './install.mjs'

checkNode()
installPackages()
build()
installHaproxy()

const tap = `${root}/node_modules/tap/dist/esm/run.mjs`
if (!existsSync(`${root}/.tap/plugins`)) run(process.execPath, [tap, 'build'])

const names = process.argv.slice(2)
const all = readdirSync(`${root}/dist/test`, { recursive: true }).filter(file => file.endsWith('.test.js'))
const files = all.filter(file => names.length === 0 || names.some(name => file.includes(name))).map(file => `dist/test/${file}`)
if (files.length === 0) {
  process.stderr.write(`hcf: no test is named ${names.join(' or ')}\n`)
  process.exit(2)
}

// A line for each file; of a file that failed, everything it said.
const child = spawn(process.execPath, [tap, 'run', '--reporter=tap', ...files.sort()], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
let said = []
let totals = {}
for await (const line of createInterface({ input: child.stdout })) {
  const counts = /^# \{ (.*) \}$/.exec(line)
  if (counts !== null) totals = Object.fromEntries(counts[1].split(', ').map(part => part.split(': ')))
  if (/^(?:not )?ok \d+ - /.test(line)) {
    if (line.startsWith('not ok')) process.stdout.write(`${said.join('\n')}\n`)
    process.stdout.write(`${line}\n`)
    said = []
  } else {
    said.push(line)
  }
}
const code = child.exitCode ?? await new Promise(resolve => { child.on('close', resolve) })
if (code !== 0) process.stdout.write(`${said.join('\n')}\n`)

const count = name => Number(totals[name] ?? 0)
const skipped = count('skip') + count('todo')
process.stdout.write(`\n${count('pass')} passed, ${count('fail')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exitCode = code ?? 1
