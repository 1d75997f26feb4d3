/**
 * `npm run soak -- [--minutes 30] [--servers 200]`: whether the agent grows. It polls nodes whose health changes all the while, is
 * asked 500 times a second, and its admin port is used. Its memory is taken every 10 s; the line through the second half
 * says what becomes of it. Exit 1 when it grows. Nothing asks for a collection: heap after one is what V8 did by itself.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build, checkNode, installPackages } from '../scripts/install.mjs'
import { configOf, farm, namesOf } from './lib/farm.mjs'
import { here, start } from './lib/measured.mjs'
import { scratch } from './lib/scratch.mjs'
import { CRITERION, dayOf, grows, trend } from './lib/trend.mjs'

const INTERVAL_MS = 1000
const CHECKS_PER_SECOND = 500
const SAMPLE_MS = 10_000
const ORDER_EVERY = 3 // samples
const SETTLE_MS = 5000
const ANSWER_MS = 10_000
/** For a line; and for a verdict, of samples (a run of ten minutes) and of full collections. */
const FEWEST = 3
const SAMPLES_ENOUGH = 30
const COLLECTIONS_ENOUGH = 8
const LATE_MS = 120_000
const MINUTES_MAX = 24 * 60
const SERVERS_MAX = 10_000

const say = text => { process.stdout.write(`${text}\n`) }
const pause = wait => new Promise(resolve => { setTimeout(resolve, wait) })
const mb = bytes => `${(bytes / 1e6).toFixed(1)} MB`
const kb = bytes => (bytes / 1e3).toFixed(1)

function fail (text) {
  process.stderr.write(`hcf: ${text}. Usage: npm run soak -- [--minutes 30] [--servers 200]\n`)
  process.exit(2)
}

function readArguments () {
  try {
    const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' }, servers: { type: 'string', default: '200' } } })
    const whole = (name, max) => /^[1-9]\d*$/.test(values[name]) && Number(values[name]) <= max
      ? Number(values[name])
      : fail(`--${name} must be a whole number from 1 to ${max}, is ${values[name]}`)
    return { minutes: whole('minutes', MINUTES_MAX), servers: whole('servers', SERVERS_MAX) }
  } catch (error) {
    return fail(error.message)
  }
}

/** Asks the admin port on its socket; what it says as JSON. */
const adminOf = socketPath => async (method, path, body) => new Promise((resolve, reject) => {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const asked = request({ socketPath, method, path, headers, timeout: ANSWER_MS, agent: false }, answer => {
    let text = ''
    answer.on('data', chunk => { text += chunk })
    answer.on('end', () => {
      if (answer.statusCode === 200) resolve(JSON.parse(text))
      else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`))
    })
  })
  asked.on('timeout', () => { asked.destroy(new Error(`${method} ${path}: no answer in ${ANSWER_MS} ms`)) })
  asked.on('error', reject)
  asked.end(body === undefined ? undefined : JSON.stringify(body))
})

/** An order and its end, for a server or for a backend (`b0/*`). */
async function orderAndClear (admin, scope, action) {
  await admin('PUT', `/v1/overrides/${scope}`, { ...action, reason: 'soak', by: 'soak', force: true })
  await admin('DELETE', `/v1/overrides/${scope}?by=soak&force=true`)
}

/** The events that the agent keeps are full from here on, or their filling would look like growth. */
async function fillEvents (admin) {
  const { EVENTS_KEPT_MAX } = await import('../dist/src/runtime/feed.js')
  let kept = 0
  while (kept < EVENTS_KEPT_MAX) {
    await orderAndClear(admin, 'b0/*', { action: 'weight', weightPercent: 50 })
    const { events } = await admin('GET', `/v1/events?limit=${EVENTS_KEPT_MAX}`)
    kept = events.length
  }
}

/** Heap after each full collection, from what V8 wrote into the log: `[minute, bytes]`. */
function collections (log) {
  const lines = readFileSync(log, 'utf8').matchAll(/(\d+) ms: Mark-Compact[^>]*-> ([\d.]+) \(/g)
  return Array.from(lines, ([, atMs, mib]) => [Number(atMs) / 60_000, Number(mib) * 1024 * 1024])
}

async function startAgent (dir, backends, nodesPort) {
  const config = join(dir, 'hcf.yaml')
  const socket = join(dir, 'admin.sock')
  const log = join(dir, 'log')
  const text = configOf(backends, { port: nodesPort, intervalMs: INTERVAL_MS, stateDir: join(dir, 'state') })
  writeFileSync(config, text.replace(/^admin:.*$/m, `admin: { listen: "unix:${socket}" }`))
  const agent = await start(here('../../dist/src/main.js'), ['serve', '-c', config], { ready: /answers HAProxy on \S*:(\d+)/, log, nodeArgs: ['--trace-gc'] })
  return { ...agent, log, admin: adminOf(socket) }
}

/** Samples of memory until the time is up: `{ minute, rssBytes }`. A line a minute. */
async function watch ({ agent, minutes, servers }) {
  const samples = []
  const startMs = performance.now()
  let heldUpMs = 0
  for (let i = 1; i <= minutes * 60_000 / SAMPLE_MS; i += 1) {
    await pause(Math.max(0, startMs + i * SAMPLE_MS - performance.now()))
    const { atMs, rssBytes, heapBytes, loopMs } = await agent.meter()
    samples.push({ minute: atMs / 60_000, rssBytes })
    heldUpMs = Math.max(heldUpMs, loopMs.max)
    const { backends: [{ fit }] } = await agent.admin('GET', '/v1/status')
    if (i % ORDER_EVERY === 0) await orderAndClear(agent.admin, 'b0/s0', { action: 'drain' })
    if (i * SAMPLE_MS % 60_000 !== 0) continue
    const left = collections(agent.log).at(-1)?.[1]
    const after = left === undefined ? '' : `, ${mb(left)} after the last full collection`
    say(`minute ${i * SAMPLE_MS / 60_000}: RSS ${mb(rssBytes)}, heap ${mb(heapBytes)}${after}; ${servers - fit} of ${servers} nodes unfit; held up for ${Math.round(heldUpMs)} ms at most`)
    heldUpMs = 0
  }
  return samples
}

/** Says what the line through `points` is; whether it grows. Fewer than `enough` may all lie on one tooth of the saw. */
function judge (name, points, enough) {
  if (points.length < FEWEST) {
    say(`${name}: ${points.length} samples, too few to say anything`)
    return false
  }
  const line = trend(points)
  const { least, most } = dayOf(line)
  const isLong = points.length >= enough
  const isGrowing = isLong && grows(line)
  const verdict = isGrowing ? 'GROWS' : isLong ? 'does not grow' : `too short to tell (${points.length} samples of ${enough})`
  say(`${name}: slope ${kb(line.slope)} kB a minute, standard error ${kb(line.error)}, at ${mb(line.level)}; in a day ${mb(least)} to ${mb(most)}: ${verdict}`)
  return isGrowing
}

async function soak ({ minutes, servers }) {
  const dir = scratch()
  setTimeout(() => { fail('something hangs: given up') }, minutes * 60_000 + LATE_MS).unref()
  const nodes = await start(here('moody.mjs'), [], { ready: /listens on (\d+)/ })
  const backends = farm(servers)
  const agent = await startAgent(dir, backends, nodes.words[0])
  await pause(SETTLE_MS)
  await fillEvents(agent.admin)
  say(`${servers} servers polled every ${INTERVAL_MS} ms, ${CHECKS_PER_SECOND} checks a second, for ${minutes} min. ${CRITERION}`)
  const load = { port: Number(agent.words[0]), names: namesOf(backends), perSecond: CHECKS_PER_SECOND, checks: CHECKS_PER_SECOND * 60 * minutes }
  const generator = await start(here('load.mjs'), [JSON.stringify(load)], { ready: /begins/ })
  const heard = generator.message()
  const samples = await watch({ agent, minutes, servers })
  const { answered, failed, whys, ms } = await heard
  const full = collections(agent.log)
  for (const child of [generator, agent, nodes]) await child.stop()

  say(`${answered} checks answered, ${failed} not${failed === 0 ? '' : ` (${JSON.stringify(whys)})`}; p50 ${ms.p50.toFixed(1)} ms, p99.9 ${ms.p999.toFixed(1)} ms`)
  const second = samples.slice(samples.length >> 1)
  const since = second[0].minute
  const grown = [
    judge('RSS, second half', second.map(({ minute, rssBytes }) => [minute, rssBytes]), SAMPLES_ENOUGH),
    judge('heap after full collections, second half', full.filter(([minute]) => minute >= since), COLLECTIONS_ENOUGH)
  ]
  process.exitCode = grown.includes(true) ? 1 : 0
}

const wanted = readArguments()
checkNode()
installPackages()
build()
await soak(wanted)
