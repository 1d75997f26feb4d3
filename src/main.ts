#!/usr/bin/env node
/** argv, env, signals, exit code. The only user of `process`. */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { runCli } from './cli/index.ts'
import { openFilesMax } from './cli/open-files.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

let survives = false
let complained = false
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', error => {
    const { code = 'error' } = error as NodeJS.ErrnoException
    if (!survives) process.exit(code === 'EPIPE' ? 0 : 1) // `hcf … | head`
    if (complained) return
    complained = true
    process.stderr.write(`hcf: cannot write its log (${code}); goes on answering\n`)
  })
}

process.on('uncaughtException', error => {
  process.stderr.write(`hcf: a bug: ${error.stack ?? error.message}\n`)
  process.exit(70) // HAProxy keeps the last word it heard, so a crash is safe and a wrong guess is not
})

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  version,
  user: whoRuns(),
  openFilesMax: () => openFilesMax(() => process.report.getReport()),
  surviveOutput: () => { survives = true },
  onSignal: (signal, run) => {
    process.on(signal, run)
    return () => { process.off(signal, run) }
  }
})

/** Behind sudo, who became root: `root` tells nobody whom to call. */
function whoRuns (): string {
  try {
    const { username } = userInfo()
    return (username === 'root' ? process.env['SUDO_USER'] : undefined) || username
  } catch { // a uid without a name, as in many containers
    return process.env['USER'] || `uid ${process.getuid?.() ?? '?'}`
  }
}
