/** A child process that is measured, or that measures: started, heard, asked for what it used, and ended. */
import { fork } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const METER = new URL('meter.mjs', import.meta.url).href
const START_MS = 60_000
const STOP_MS = 8000

/**
 * @param {string} file what to run
 * @param {string[]} args
 * @param {{ ready: RegExp, node?: string, log?: string, env?: Record<string, string>, nodeArgs?: string[] }} options
 *   `ready`: a line of its output that says it can begin; its groups come back as `words`. `log`: all it says goes there.
 */
export async function start (file, args, { ready, node = process.execPath, log, env = {}, nodeArgs = [] }) {
  const child = fork(file, args, {
    execPath: node, execArgv: ['--import', METER, ...nodeArgs], env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  const gone = new Promise(resolve => { child.on('close', resolve) })
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  if (log !== undefined) child.stdout.pipe(createWriteStream(log))
  let trouble = ''
  child.stderr.on('data', chunk => { trouble = `${trouble}${chunk}`.slice(-4000) })
  const words = await new Promise((resolve, reject) => {
    const late = setTimeout(() => { reject(new Error(`${fileName(file)} did not start within ${START_MS / 1000} s\n${trouble}`)) }, START_MS)
    const lines = createInterface({ input: child.stdout })
    lines.on('line', line => {
      const match = ready.exec(line)
      if (match === null) return
      clearTimeout(late)
      resolve(match.slice(1))
      if (log === undefined) lines.close()
    })
    child.on('close', code => {
      clearTimeout(late)
      reject(new Error(`${fileName(file)} ended with ${code}\n${trouble}`))
    })
  })
  if (log === undefined) child.stdout.resume()
  return {
    pid: child.pid,
    words,
    /** What it used since it began: `{ cpuUs, atMs, rssBytes, heapBytes, loopMs }`. */
    meter: async () => new Promise((resolve, reject) => {
      const hear = message => {
        if (message.meter === undefined) return
        child.off('message', hear)
        resolve(message.meter)
      }
      child.on('message', hear)
      child.send('meter', error => { if (error) reject(error) })
    }),
    /** What it sends by itself, once. */
    message: async () => Promise.race([
      new Promise(resolve => { child.once('message', resolve) }),
      gone.then(() => { throw new Error(`${fileName(file)} ended\n${trouble}`) })
    ]),
    stop: async () => {
      child.kill('SIGTERM')
      const late = setTimeout(kill, STOP_MS)
      await gone
      clearTimeout(late)
      process.off('exit', kill)
    }
  }
}

const fileName = file => file instanceof URL ? fileURLToPath(file) : file
export const here = name => fileURLToPath(new URL(name, import.meta.url))
