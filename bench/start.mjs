/**
 * Cold start: milliseconds from the birth of `hcf serve` to the first line that a HAProxy hears, beyond what `node -e 0` takes
 * in the same run. Whoever asks tries again each millisecond until the port is open.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configOf, farm, namesOf } from './lib/farm.mjs'
import { here, start } from './lib/measured.mjs'
import { median, ms } from './lib/table.mjs'

const SIZES = [3, 1000, 5000]
const ROUNDS = 9
const QUICK_ROUNDS = 3
const INTERVAL_MS = 2000
const TARGET_MS = 400
const AGAIN_MS = 1
const GIVE_UP_MS = 30_000
/** Of Linux's clock of CPU time. */
const TICK_MS = 10

/** Free a moment ago. */
async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function nothing (node) {
  const cpuBeforeMs = childrenCpuMs()
  const startMs = performance.now()
  await once(spawn(node, ['-e', '0'], { stdio: 'ignore' }), 'exit')
  return { tookMs: performance.now() - startMs, cpuMs: childrenCpuMs() - cpuBeforeMs, rss: '' }
}

/** What one try to ask came to: a line, or undefined while nobody listens. */
async function ask (port, name) {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => { socket.write(`${name}\n`) })
    let line = ''
    socket.on('data', chunk => {
      line += chunk
      if (line.includes('\n')) socket.resetAndDestroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => { resolve(line.includes('\n') ? line : undefined) })
  })
}

/** What Linux says of a process, by a pattern with one group; elsewhere NaN. */
function fromProc (file, pattern) {
  try {
    return Number(pattern.exec(readFileSync(`/proc/${file}`, 'utf8'))[1])
  } catch {
    return NaN
  }
}

/** CPU of all threads of all children that have ended, user and system. Hardly depends on who else is at work here. */
const childrenCpuMs = () => TICK_MS * (fromProc('self/stat', /\)(?: \S+){13} (\d+)/) + fromProc('self/stat', /\)(?: \S+){14} (\d+)/))

function rssOf (pid) {
  const kib = fromProc(`${pid}/status`, /VmRSS:\s*(\d+)/)
  return Number.isNaN(kib) ? '' : `${Math.round(kib * 1024 / 1e6)} MB`
}

/** One cold start, with a state directory that nobody has used. */
async function coldStart ({ node, backends, nodesPort }) {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-start-'))
  const agentPort = await freePort()
  const config = join(dir, 'hcf.yaml')
  writeFileSync(config, configOf(backends, { port: nodesPort, intervalMs: INTERVAL_MS, stateDir: join(dir, 'state'), agentPort }))
  const [name] = namesOf(backends)
  const cpuBeforeMs = childrenCpuMs()
  const startMs = performance.now()
  const agent = spawn(node, [here('../../dist/src/main.js'), 'serve', '-c', config], { stdio: ['ignore', 'ignore', 'inherit'] })
  const gone = once(agent, 'exit')
  const kill = () => agent.kill('SIGKILL')
  process.on('exit', kill)
  let answered
  try {
    while (await ask(agentPort, name) === undefined) {
      if (agent.exitCode !== null || performance.now() - startMs > GIVE_UP_MS) throw new Error('hcf serve does not answer')
      await new Promise(resolve => { setTimeout(resolve, AGAIN_MS) })
    }
    answered = { tookMs: performance.now() - startMs, rss: rssOf(agent.pid) }
  } finally {
    kill()
    await gone
    process.off('exit', kill)
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
  return { ...answered, cpuMs: childrenCpuMs() - cpuBeforeMs }
}

export async function run ({ node = process.execPath, quick = false } = {}) {
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const nodes = await start(here('nodes.mjs'), [], { ready: /listens on (\d+)/ })
  const [nodesPort] = nodes.words
  const starts = [
    { what: 'node -e 0, to its end', begin: async () => nothing(node), seen: [] },
    ...SIZES.map(size => {
      const backends = farm(size)
      return { what: `hcf serve, ${size} servers, to its first answer`, begin: async () => coldStart({ node, backends, nodesPort }), seen: [] }
    })
  ]
  try {
    await starts[1].begin() // the files are in the page cache from here on
    for (let round = 0; round < rounds; round += 1) {
      for (const { begin, seen } of starts) seen.push(await begin())
    }
  } finally {
    await nodes.stop()
  }
  return {
    title: 'Cold start',
    columns: ['what', 'median', 'more than node', 'least', 'CPU', 'more than node', 'RSS'],
    rows: rowsOf(starts),
    notes: [`Target: ${SIZES[0]} servers, at most ${TARGET_MS} ms more than \`node -e 0\`. ${rounds} rounds in turns. RSS is that at the first answer.`]
  }
}

function rowsOf (starts) {
  const each = (seen, key) => median(seen.map(one => one[key]))
  const known = value => Number.isNaN(value) ? '' : ms(value)
  const [{ seen: base }] = starts
  return starts.map(({ what, seen }, i) => {
    const more = key => i === 0 ? NaN : median(seen.map((one, round) => one[key] - base[round][key]))
    return [what, ms(each(seen, 'tookMs')), known(more('tookMs')), ms(Math.min(...seen.map(one => one.tookMs))), known(each(seen, 'cpuMs')), known(more('cpuMs')), seen.at(-1).rss]
  })
}
