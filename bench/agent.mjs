/**
 * The agent port: CPU microseconds of one agent-check, to those of a bare `node:net` responder in the same run. The agent is
 * the real one, with 1,000 servers that it polls all the while: what it uses without a question is taken off.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configOf, farm, namesOf } from './lib/farm.mjs'
import { here, start } from './lib/measured.mjs'
import { median, ms, number, ratio } from './lib/table.mjs'

const SERVERS = 1000
const ROUNDS = 7
const CHECKS = 15_000
const OPEN_PER_SECOND = 2000
const IDLE_MS = 2000

const MODES = {
  'closed loop, 64 at a time': { checks: CHECKS, open: 64 },
  [`open loop, ${OPEN_PER_SECOND}/s`]: { checks: OPEN_PER_SECOND * 4, perSecond: OPEN_PER_SECOND }
}

const NOTES = [
  'A check is a connection, a request, an answer and a reset. In turns; the median of the rounds, and of their ratios; the least of all rounds.',
  'The floor answers the same to all and does not know who asks. Of hcf, what the polls alone use is taken off.'
]

const pause = wait => new Promise(resolve => { setTimeout(resolve, wait) })

/** What `checks` of this load cost the target, and how long they took. */
async function round (target, load, names) {
  const idleBefore = await target.meter()
  await pause(target.idles ? IDLE_MS : 0)
  const before = await target.meter()
  const idlePerMs = target.idles ? (before.cpuUs - idleBefore.cpuUs) / (before.atMs - idleBefore.atMs) : 0
  const generator = await start(here('load.mjs'), [JSON.stringify({ port: target.port, names, ...load })], { ready: /begins/ })
  const said = await generator.message()
  const after = await target.meter()
  await generator.stop()
  const cpuUs = after.cpuUs - before.cpuUs - idlePerMs * (after.atMs - before.atMs)
  return { us: cpuUs / load.checks, ...said.ms, failed: said.failed, neutral: said.neutral, rss: after.rssBytes, loop: after.loopMs.p99 }
}

export async function run ({ node, quick = false } = {}) {
  const rounds = quick ? 2 : ROUNDS
  const dir = mkdtempSync(join(tmpdir(), 'hcf-bench-'))
  const started = []
  const begin = async (...args) => {
    const process = await start(...args)
    started.push(process)
    return process
  }
  try {
    const nodes = await begin(here('nodes.mjs'), [], { ready: /listens on (\d+)/ })
    const backends = farm(SERVERS)
    const config = join(dir, 'hcf.yaml')
    writeFileSync(config, configOf(backends, { port: nodes.words[0], intervalMs: 2000, stateDir: join(dir, 'state') }))
    const names = namesOf(backends)
    const floor = await begin(here('floor.mjs'), [], { ready: /listens on (\d+)/, node })
    const cluster = await begin(here('floor.mjs'), ['cluster'], { ready: /listens on (\d+)/, node })
    const agent = await begin(here('../../dist/src/main.js'), ['serve', '-c', config], { ready: /answers HAProxy on \S*:(\d+)/, node, log: join(dir, 'log') })
    const targets = [
      { name: 'floor: bare node:net', port: Number(floor.words[0]), idles: false, meter: floor.meter },
      { name: 'two floors behind one handle', port: Number(cluster.words[0]), idles: false, meter: cluster.meter },
      { name: `hcf: ${SERVERS} servers, polled`, port: Number(agent.words[0]), idles: true, meter: agent.meter }
    ]
    await pause(4000) // every server has its verdict
    const rows = []
    for (const [mode, load] of Object.entries(MODES)) {
      const seen = targets.map(() => [])
      for (const target of targets) await round(target, { ...load, checks: 3000 }, names) // warm
      for (let i = 0; i < rounds; i += 1) {
        for (const [t, target] of targets.entries()) seen[t].push(await round(target, load, names))
      }
      for (const [t, { name }] of targets.entries()) {
        const each = key => median(seen[t].map(one => one[key]))
        const least = Math.min(...seen[t].map(({ us }) => us))
        const toFloor = t === 0 ? 1 : median(seen[t].map(({ us }, i) => us / seen[0][i].us))
        const lost = seen[t].reduce((sum, { failed }) => sum + failed, 0)
        rows.push([mode, name, number(each('us')), number(least), ratio(toFloor), ms(each('p50')), ms(each('p99')), ms(each('p999')), String(lost), `${Math.round(seen[t].at(-1).rss / 1e6)} MB`])
      }
    }
    return { title: 'Agent port', columns: ['load', 'who', 'us a check', 'least', 'to floor', 'p50', 'p99', 'p99.9', 'unanswered', 'RSS'], rows, notes: NOTES }
  } finally {
    for (const process of started.reverse()) await process.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
