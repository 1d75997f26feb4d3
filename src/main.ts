#!/usr/bin/env node
/** argv, env, signals, exit code. The only user of `process`. */
import { readFileSync } from 'node:fs'
import { runCli } from './cli/index.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0) // `hcf … | head`
  throw error
})

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  version,
  onSignal: (signal, run) => {
    process.on(signal, run)
    return () => { process.off(signal, run) }
  }
})
