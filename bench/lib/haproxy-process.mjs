/** A real HAProxy as a child, for a while: its configuration, its log, what it says on its runtime socket, its end. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

const START_MS = 20_000
const STOP_MS = 3000
const SILENT_MS = 5000
const CLOCK_TICKS_PER_S = 100 // USER_HZ, the same on every Linux

/** HAProxy lives as long as the pipe to this shell is open: it ends with us, however we end. */
const KEEPER = 'haproxy -db -f "$1" & pid=$!; cat > /dev/null; kill -9 "$pid"; wait "$pid"'

/** All that is said on a unix socket after `line` was written to it. Rejects with the system's error, or when it is silent. */
export async function converse (path, line) {
  return new Promise((resolve, reject) => {
    const chunks = []
    const socket = connect(path, () => { socket.write(`${line}\n`) })
    socket.setTimeout(SILENT_MS, () => { socket.destroy(new Error(`${path} is silent for ${SILENT_MS} ms`)) })
    socket.on('data', chunk => { chunks.push(chunk) })
    socket.on('error', reject)
    socket.on('end', () => { resolve(Buffer.concat(chunks).toString('latin1')) })
  })
}

/**
 * `configOf(socket)`: the text of haproxy.cfg. In `dir` it leaves its log, with a time for each line. Rejects, with what
 * HAProxy said, when it does not start.
 */
export async function startHaproxy (dir, configOf) {
  const [config, socket, log, said] = ['haproxy.cfg', 'haproxy.sock', 'haproxy.log', 'haproxy.err'].map(name => join(dir, name))
  writeFileSync(config, configOf(socket))
  const files = [log, said].map(file => openSync(file, 'w')) // a file takes every line, where a pipe may be full
  const startedMs = Date.now()
  const child = spawn('sh', ['-c', KEEPER, 'sh', config], { stdio: ['pipe', ...files] })
  files.forEach(closeSync)
  const gone = new Promise(resolve => { child.on('close', resolve) })
  child.on('error', () => undefined) // without a shell there is no socket either
  child.stdin.on('error', () => undefined)
  const stop = async () => {
    child.stdin.end()
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await gone
    clearTimeout(late)
  }
  try {
    const pid = pidOf(await firstWord(socket, startedMs))
    return {
      /** When it was begun, as its log tells time. */
      startedMs,
      log: () => readFileSync(log, 'latin1'),
      ask: async command => converse(socket, command),
      /** What it used since it began; undefined where there is no /proc. */
      cpuUs: () => cpuUsOf(pid),
      stop
    }
  } catch (error) {
    await stop()
    throw new Error(`HAProxy did not start: ${error.message}\n${readFileSync(said, 'latin1').slice(0, 2000)}`)
  }
}

async function firstWord (socket, startedMs) {
  for (;;) {
    try {
      return await converse(socket, 'show info')
    } catch (error) {
      if (Date.now() - startedMs > START_MS) throw error
      await new Promise(resolve => { setTimeout(resolve, 50) })
    }
  }
}

const pidOf = info => Number(/^Pid: (\d+)$/m.exec(info)?.[1])

function cpuUsOf (pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 1e6 / CLOCK_TICKS_PER_S
  } catch { // no /proc here, or HAProxy is gone: there is nothing to say
    return undefined
  }
}
