/**
 * One measurement of what becomes of a sample, in a build: `node sample-run.mjs DIST [PART OF A NAME]`. Prints microseconds as
 * JSON, the least of several rounds: what the monitor makes of it, what the scheduler asks about it, what the journal keeps.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { configOf, farm } from './lib/farm.mjs'

const [dist, only = ''] = process.argv.slice(2)
const load = async file => import(pathToFileURL(join(dist, 'src', file)).href)
const { parseConfig } = await load('config/load.js')
const { systemClock } = await load('runtime/clock.js')
const { Journal } = await load('runtime/journal.js')
const { createLog } = await load('runtime/log.js')
const { Monitor } = await load('runtime/monitor.js')
const { Pollers } = await load('runtime/pollers.js')
const { memoryStore, Said } = await load('runtime/said.js')

const ROUNDS = 5
/** No row is begun anew after so long. */
const PATIENCE_MS = 2000
const INTERVAL_MS = 2000
const CALM_ROUNDS = 10
const CHANGING_ROUNDS = 4
/** Samples between two turns of the event loop. */
const TURN = 100
/** Long enough for any disk to keep up. */
const TURN_MS = 10

const dir = mkdtempSync(join(tmpdir(), 'hcf-bench-'))
const turn = async () => new Promise(resolve => { setTimeout(resolve, TURN_MS) })
const cpuUs = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const GOOD = () => ({ ok: true, facts: { status: 200, bytes: 11, latencyMs: 20 + Math.random() * 10 } })
const REFUSED = () => ({ ok: false, error: { class: 'refused', message: 'ECONNREFUSED' } })
const SILENT = () => ({ ok: false, error: { class: 'timeout', message: 'no answer within 2 s' } })
const SHUT = () => ({ ok: true, facts: { status: 503, bytes: 11, latencyMs: 20 + Math.random() * 10 } })
const half = look => i => i % 2 === 0 ? look() : GOOD()

/** A monitor as the agent has it, and its polls, one round after another. */
class Farm {
  nowMs = 1000
  events = 0

  constructor (size, backendSize) {
    const text = configOf(farm(size, backendSize), { port: 80, intervalMs: INTERVAL_MS, stateDir: dir })
    this.config = parseConfig(text, join(dir, 'hcf.yaml'), { env: {}, readFile: () => '' })
    const clock = { ...systemClock, now: () => this.nowMs }
    const { event } = createLog({ level: 'info', destination: { write: () => { this.events += 1 } } })
    this.monitor = new Monitor(this.config, { clock, log: event, pollers: new Pollers(() => undefined), said: new Said({ clock, log: event, store: memoryStore() }), encode: () => '' })
  }

  /** One sample of every server. Returns the microseconds of the one that took longest. */
  round (look, journal) {
    const { config: { polls }, monitor } = this
    let longest = 0
    for (const [i, poll] of polls.entries()) {
      this.nowMs += INTERVAL_MS / polls.length
      const sample = { ...look(i), startMs: this.nowMs - 20, endMs: this.nowMs }
      const startMs = performance.now()
      journal?.sample(poll, sample)
      monitor.apply(poll, sample)
      monitor.isAwaited(poll)
      monitor.wanted(poll)
      monitor.isUndecided(poll)
      longest = Math.max(longest, performance.now() - startMs)
    }
    monitor.tick()
    return longest * 1000
  }
}

/** The least of `run`, which says itself what it took. What is slow is not run as often. */
async function least (run) {
  let best = Infinity
  const untilMs = performance.now() + PATIENCE_MS
  for (let round = 0; round < ROUNDS && (round === 0 || performance.now() < untilMs); round += 1) best = Math.min(best, await run())
  return best
}

function calm (size, backendSize) {
  const played = new Farm(size, backendSize)
  for (let i = 0; i < CALM_ROUNDS; i += 1) played.round(GOOD)
  return played
}

async function steady (size, backendSize, look = GOOD) {
  const played = calm(size, backendSize)
  if (look !== GOOD) for (let i = 0; i < CALM_ROUNDS; i += 1) played.round(look)
  const times = Math.ceil(10_000 / size)
  return least(() => {
    const before = cpuUs()
    for (let i = 0; i < times; i += 1) played.round(look)
    return (cpuUs() - before) / size / times
  })
}

/** The rounds in which a farm changes: what each sample of them costs on average; or the one that costs most. */
function changing (size, backendSize, look, which) {
  const played = calm(size, backendSize)
  const before = cpuUs()
  let longest = 0
  for (let i = 0; i < CHANGING_ROUNDS; i += 1) longest = Math.max(longest, played.round(look))
  return which === 'longest' ? longest : (cpuUs() - before) / size / CHANGING_ROUNDS
}

const looking = async (size, look) => {
  const played = calm(size, size)
  return least(() => {
    const startMs = performance.now()
    look(played.monitor)
    return (performance.now() - startMs) * 1000
  })
}

const SAMPLES = 10_000
const createJournal = () => new Journal({
  clock: systemClock, log: (event, fields, text) => { throw new Error(`${event}: ${text}`) }, // what is dropped costs nothing, and counts for nothing
  dir: join(dir, 'journal'), maxBytes: 64 * 1024 * 1024, nameOf: ({ backend, server }) => `${backend}/s${server}`
})
const TAHOE = {
  ok: true,
  facts: {
    title: 'Tahoe-LAFS - Welcome', nickname: 'gateway-1', version: 'tahoe-lafs/1.20.0', storageConnected: 10, storageKnown: 12, introducersConnected: 1,
    introducersKnown: 1, blessed: ['v0-aaaaaaaaaaaaaaaaaaaa', 'v0-bbbbbbbbbbbbbbbbbbbb', 'v0-cccccccccccccccccccc'], latencyMs: 21.375, freshMs: 1830
  }
}

/** CPU microseconds of a sample, all threads and the kernel's share included, on a real disk. */
async function journalled (facts) {
  const { config: { polls } } = new Farm(1000, 100)
  return least(async () => {
    const journal = createJournal()
    const before = cpuUs()
    for (let i = 0; i < SAMPLES; i += 1) {
      journal.sample(polls[i % polls.length], { ...facts, startMs: 12345.678 + i, endMs: 12367.89012 + i })
      if (i % TURN === TURN - 1) await turn()
    }
    await journal.close()
    return (cpuUs() - before) / SAMPLES
  })
}
async function idle () {
  return least(async () => {
    const before = cpuUs()
    for (let i = 0; i < SAMPLES / TURN; i += 1) await turn()
    return (cpuUs() - before) / SAMPLES
  })
}

const ROWS = {
  'a sample, 100 servers': () => steady(100, 100),
  'a sample, 1000 servers': () => steady(1000, 1000),
  'a sample, 1000 servers, backends of 100': () => steady(1000, 100),
  'a sample, 5000 servers': () => steady(5000, 5000),
  'a sample, 5000 servers, backends of 100': () => steady(5000, 100),
  'a sample, 5000 servers, half unfit': () => steady(5000, 5000, half(SHUT)),
  'a sample, 5000 servers, half silent': () => steady(5000, 5000, half(SILENT)),
  'a sample as 1000 begin to refuse': () => changing(1000, 1000, REFUSED),
  'a sample as 5000 begin to refuse': () => changing(5000, 5000, REFUSED),
  'a sample as 5000 begin to refuse, the longest': () => changing(5000, 5000, REFUSED, 'longest'),
  'a sample as half of 5000 are unfit': () => changing(5000, 5000, half(SHUT)),
  'a sample as half of 5000 are unfit, the longest': () => changing(5000, 5000, half(SHUT), 'longest'),
  'all there is at a glance, 5000 servers': () => looking(5000, monitor => monitor.views()),
  'one tick, 5000 servers': () => looking(5000, monitor => { monitor.tick() }),
  'the journal, a page': () => journalled(GOOD()),
  'the journal, a gateway': () => journalled(TAHOE),
  'no journal': () => idle()
}

try {
  const rows = {}
  for (const [name, run] of Object.entries(ROWS)) if (name.includes(only)) rows[name] = await run()
  process.stdout.write(`${JSON.stringify({ rows })}\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
