/** One round: somebody who answers, a real HAProxy that asks, and what came of it in a steady window. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { agentConfigOf, haproxyConfigOf } from './haproxy-config.mjs'
import { parseLog, unansweredIn } from './haproxy-log.mjs'
import { converse, startHaproxy } from './haproxy-process.mjs'
import { agentChecks } from './haproxy-stat.mjs'
import { here, start } from './measured.mjs'

const WITNESS = new URL('haproxy-witness.mjs', import.meta.url).href
const IDLE_MS = 2000
const CALM_MS = 500
/** At start HAProxy asks for many servers at once; the pattern loosens over some intervals. */
const SETTLE_MS = 2500
const LOOK_MS = 1000
const DECIDED_MS = 30_000

const pause = wait => new Promise(resolve => { setTimeout(resolve, wait) })
const at = (sorted, percent) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * percent / 100))]

async function startWitnessed (file, args, dir, options) {
  const witness = join(dir, 'witness.sock')
  const { nodeArgs = [] } = options
  const target = await start(file, args, { ...options, nodeArgs: ['--import', WITNESS, ...nodeArgs], env: { HCF_BENCH_WITNESS: witness } })
  return { ...target, port: Number(target.words[0]), witness: async word => JSON.parse(await converse(witness, word)) }
}

export const startFloor = async (dir, { node }) => startWitnessed(here('floor.mjs'), [], dir, { node, ready: /listens on (\d+)/ })

/** The agent, with a verdict on every server. `farm`: of `agentConfigOf`. */
export async function startAgent (dir, { node, nodeArgs, backends, ...farm }) {
  const config = join(dir, 'hcf.yaml')
  writeFileSync(config, agentConfigOf(backends, { ...farm, dir }))
  const agent = await startWitnessed(here('../../dist/src/main.js'), ['serve', '-c', config], dir, {
    node, nodeArgs, ready: /answers HAProxy on \S*:(\d+)/, log: join(dir, 'agent.log')
  })
  await allDecided(join(dir, 'admin.sock'))
  return agent
}

async function allDecided (socketPath) {
  const deadline = performance.now() + DECIDED_MS
  for (;;) {
    const { servers } = await getJson(socketPath, '/v1/status')
    const open = servers.filter(({ reply }) => reply.startsWith('#')).length
    if (open === 0) return
    if (performance.now() > deadline) throw new Error(`the agent has no verdict on ${open} servers after ${DECIDED_MS / 1000} s`)
    await pause(300)
  }
}

async function getJson (socketPath, path) {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, answer => {
      const chunks = []
      answer.on('data', chunk => { chunks.push(chunk) })
      answer.on('end', () => { resolve(JSON.parse(Buffer.concat(chunks).toString())) })
    })
    asked.on('error', reject)
    asked.end()
  })
}

const busyUs = () => cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) * 1000, 0)

/** What each has used so far, in microseconds. */
async function usage ({ target, haproxy, nodes }) {
  const [mine, theirs] = await Promise.all([target.meter(), nodes.meter()])
  const { user, system } = process.cpuUsage()
  return { atMs: performance.now(), target: mine.cpuUs, rssBytes: mine.rssBytes, haproxy: haproxy?.cpuUs(), nodes: theirs.cpuUs, bench: user + system, all: busyUs() }
}

/** Percent of one core, by who used it, from `before` to `after`. */
function sharesOf (before, after) {
  const share = key => (after[key] - before[key]) / (after.atMs - before.atMs) / 10
  const { target, haproxy, nodes, bench, all } = Object.fromEntries(['target', 'haproxy', 'nodes', 'bench', 'all'].map(key => [key, share(key)]))
  return { target, haproxy, nodes, bench, others: Math.max(0, all - target - (haproxy || 0) - nodes - bench), busyPercent: all / cpus().length }
}

/**
 * `begin(dir)`: starts who answers. `idles`: what it uses without a question is taken off. Milliseconds, microseconds,
 * percent; counts are of the window, `atStart` of what was before.
 */
export async function round ({ root, begin, idles, backends, interMs, windowMs, nodes }) {
  const dir = mkdtempSync(join(root, 'r'))
  const target = await begin(dir)
  let haproxy
  try {
    haproxy = await startHaproxy(dir, socket => haproxyConfigOf(backends, { agentPort: target.port, interMs, socket }))
    await pause(SETTLE_MS)
    await target.witness('begin')
    const [before, fromMs] = [await usage({ target, haproxy, nodes }), Date.now()]
    const looks = await lookFor(haproxy, windowMs)
    const [after, untilMs, witness] = [await usage({ target, haproxy, nodes }), Date.now(), await target.witness('tell')]
    const lost = Number(/^DroppedLogs: (\d+)/m.exec(await haproxy.ask('show info'))?.[1] ?? 0)
    if (lost > 0) throw new Error(`HAProxy dropped ${lost} lines of its log: what it did not hear cannot be counted`)
    const heard = heardBy(haproxy, { backends, interMs, fromMs, untilMs })
    await haproxy.stop()
    const idle = idles ? await idleUsPerMs(target, nodes) : 0
    return { ...seenBy({ looks, witness, idle, before, after }), ...heard }
  } finally {
    await haproxy?.stop()
    endAtOnce(target.pid)
    await target.stop()
  }
}

/** A stopping agent waits until HAProxy has heard its last word, and there is no HAProxy any more. */
function endAtOnce (pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error // gone already: what it died of is told by whoever asked it
  }
}

/** After the checks, when it has been running for a while: what is put off for the start is done. */
async function idleUsPerMs (target, nodes) {
  await pause(CALM_MS)
  const before = await usage({ target, nodes })
  await pause(IDLE_MS)
  const after = await usage({ target, nodes })
  return (after.target - before.target) / (after.atMs - before.atMs)
}

/** How long the last check of each server took, looked at again and again. */
async function lookFor (haproxy, windowMs) {
  const looks = []
  const endMs = performance.now() + windowMs
  for (let dueMs = performance.now() + LOOK_MS; dueMs <= endMs; dueMs += LOOK_MS) {
    await pause(Math.max(0, dueMs - performance.now()))
    looks.push(...agentChecks(await haproxy.ask('show stat')).map(({ ms }) => ms))
  }
  await pause(Math.max(0, endMs - performance.now()))
  return looks.sort((a, b) => a - b)
}

function seenBy ({ looks, witness, idle, before, after }) {
  const spentMs = after.atMs - before.atMs
  return {
    perSecond: witness.answers / spentMs * 1000,
    us: witness.answers === 0 ? undefined : (after.target - before.target - idle * spentMs) / witness.answers,
    gapMs: witness.gapMs,
    p50: at(looks, 50),
    p99: at(looks, 99),
    max: looks.at(-1),
    rssBytes: after.rssBytes,
    idlePercent: idle / 10,
    cpu: sharesOf(before, after)
  }
}

function heardBy (haproxy, { backends, interMs, fromMs, untilMs }) {
  const events = parseLog(haproxy.log()).filter(({ atMs }) => atMs < untilMs)
  const unanswered = unansweredIn(events, { interMs, untilMs })
  const first = new Map()
  for (const { server, answered, atMs } of events) if (answered && !first.has(server)) first.set(server, atMs - haproxy.startedMs)
  return {
    unanswered: unanswered.filter(({ atMs }) => atMs >= fromMs).length,
    atStart: unanswered.filter(({ atMs }) => atMs < fromMs).length,
    reasons: unanswered.map(({ reason }) => reason),
    firstMs: Math.max(0, ...first.values()),
    never: backends.reduce((sum, [, servers]) => sum + servers.length, 0) - first.size
  }
}
