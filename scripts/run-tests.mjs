/** The tests, run by tap: what `npm test` and `npm run test:versions` share. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { build, checkNode, installHaproxy, installPackages, root, run } from './install.mjs'

const tap = `${root}/node_modules/tap/dist/esm/run.mjs`

/** Installs what the tests need; the compiled tests whose path has one of `names` in it, or all. Ends the process where there are none. */
export function prepareTests (names) {
  checkNode()
  installPackages()
  build()
  installHaproxy()
  if (!existsSync(`${root}/.tap/plugins`)) run(process.execPath, [tap, 'build'])

  const all = readdirSync(`${root}/dist/test`, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.test.js'))
  const files = all.filter(file => names.length === 0 || names.some(name => file.includes(name))).map(file => `dist/test/${file}`)
  if (files.length > 0) return files.sort()
  process.stderr.write(`hcf: no test is named ${names.join(' or ')}\n`)
  return process.exit(2)
}

/** Runs them by that Node: a line for each file; of a file that failed, everything it said; then the counts. The exit code. */
export async function runTests (files, node = process.execPath) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` } // for who says `node`
  const child = spawn(node, [tap, 'run', '--reporter=tap', ...files], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => { child.on('close', resolve) })
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
  const code = await ended
  if (code !== 0) process.stdout.write(`${said.join('\n')}\n`)

  const count = name => Number(totals[name] ?? 0)
  const skipped = count('skip') + count('todo')
  process.stdout.write(`\n${count('pass')} passed, ${count('fail')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
  return code ?? 1
}
