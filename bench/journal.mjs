/**
 * `node bench/journal.mjs`: CPU microseconds (all threads, the kernel's share included) of one sample of a real look at a
 * simulated gateway: what the monitor makes of it, and the same with the journal on a real disk, in turns in one run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, root } from '../scripts/install.mjs'

if (process.argv[2] === undefined) build()
const dist = process.argv[2] ?? join(root, 'dist')
const load = async file => import(pathToFileURL(join(dist, 'src', file)).href)
const { parseConfig } = await load('config/load.js')
const { createProbe } = await load('probes/index.js')
const { Deadlines } = await load('probes/deadline.js')
const { systemClock: clock } = await load('runtime/clock.js')
const { Journal } = await load('runtime/journal.js')
const { createLog } = await load('runtime/log.js')
const { Monitor } = await load('runtime/monitor.js')
const { Pollers } = await load('runtime/pollers.js')
const { memoryStore, Said } = await load('runtime/said.js')
const { Gateway } = await load('sim/gateway.js')

const ROUNDS = 5
const SAMPLES = 10_000
/** Samples between two turns of the event loop: at 500 polls a second, what comes in 200 ms. */
const TURN = 100

const dir = mkdtempSync(join(tmpdir(), 'hcf-bench-'))
const gateway = await Gateway.start()

/** Ten gateways, all seen as the one there is. */
const servers = Array.from({ length: 10 }, (_, i) => `w${i}: ${gateway.url.replace('127.0.0.1', `127.0.0.${i + 1}`)}`)
const config = parseConfig(`backends: { read: { profile: tahoe-read, servers: { ${servers.join(', ')} } } }`, join(dir, 'hcf.yaml'), { env: {}, readFile: () => '' })
const looks = await Promise.all(config.polls.map(async poll => {
  const probe = createProbe({ ...poll, node: config.polls[0].node }, { now: () => clock.now(), deadlines: new Deadlines((tick, ms) => clock.every(ms, tick)) })
  const sample = await probe.run()
  probe.close()
  return { poll, sample }
}))
await gateway.stop()

const createMonitor = () => {
  const { event: log } = createLog({ level: 'info', destination: { write: () => undefined } })
  return new Monitor(config, { clock, log, pollers: new Pollers(() => undefined), said: new Said({ clock, log, store: memoryStore() }), encode: () => '' })
}
const createJournal = () => new Journal({
  clock, log: (event, fields, text) => { throw new Error(`${event}: ${text}`) }, // what is dropped costs nothing, and counts for nothing
  dir: join(dir, 'journal'), maxBytes: 64 * 1024 * 1024, nameOf: ({ backend, server }) => `${backend}/w${server}`
})

/** CPU microseconds for each of `samples`. `wait` after each turn, as the disk and the clock would have it. */
async function measure (samples, { monitor, journal, wait }) {
  const before = process.cpuUsage()
  for (let i = 0; i < samples; i += 1) {
    const { poll, sample } = looks[i % looks.length]
    const seen = { ...sample, startMs: sample.startMs + i, endMs: sample.endMs + i }
    journal?.sample(poll, seen)
    monitor?.apply(poll, seen)
    if (i % TURN === TURN - 1) await wait()
  }
  await journal?.close()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / samples
}

const pause = ms => async () => new Promise(resolve => { setTimeout(resolve, ms) })
/** Long enough for any disk to keep up. */
const turn = pause(5)
/** The time in which lines gather, and are written. */
const flush = pause(210)

/** @type {ReadonlyArray<readonly [string, () => Promise<number>]>} */
const rows = [
  ['apply', async () => measure(SAMPLES, { monitor: createMonitor(), wait: turn })],
  ['apply, with the journal', async () => measure(SAMPLES, { monitor: createMonitor(), journal: createJournal(), wait: turn })],
  ['the journal alone', async () => measure(SAMPLES, { journal: createJournal(), wait: turn })],
  [`the journal alone, ${TURN} samples each 200 ms`, async () => measure(TURN * 10, { journal: createJournal(), wait: flush })],
  ['nothing, each 200 ms', async () => measure(TURN * 10, { wait: flush })]
]
try {
  const least = rows.map(() => Infinity)
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [i, [, run]] of rows.entries()) least[i] = Math.min(least[i], await run())
  }
  const bytes = JSON.stringify(looks[0].sample).length
  process.stdout.write(`Node ${process.version}; ${looks.filter(({ sample }) => sample.ok).length} of ${looks.length} looks have facts, about ${bytes} bytes each\n`)
  process.stdout.write(`${'us'.padStart(8)}  ${'to apply'.padStart(9)}\n`)
  for (const [i, name] of rows.map(([name]) => name).entries()) {
    process.stdout.write(`${least[i].toFixed(2).padStart(8)}  ${`${(least[i] / least[0]).toFixed(2)} x`.padStart(9)}  ${name}\n`)
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}
