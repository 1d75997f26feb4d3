/**
 * Polling: CPU microseconds of one poll, to those of bare undici in the same run, by turns. The agent is the real one, with its
 * scheduler, probes, verdicts and journal; what undici alone needs for the same polls is the measure.
 *
 * A poll is one that came to the node process, which sees all pollers alike: it also tells how evenly they came. Bytes a node:
 * what the process has with all of its nodes, less what it has with one.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configOf, farm } from './lib/farm.mjs'
import { here, start } from './lib/measured.mjs'
import { median, ms, number, ratio } from './lib/table.mjs'

const INTERVAL_MS = 1000
const TIMEOUT_MS = 2000
const BACKEND = 100
const HANG_PERCENT = 30
/** The first looks are spread over two seconds, and then it takes some for the compiler to be done. */
const WARM_MS = 4500
/** Each of its own CPU per poll, so that one that was disturbed does not count. */
const SLICE_MS = 1000
const SLICES = 5
const pause = wait => new Promise(resolve => { setTimeout(resolve, wait) })

const dispatch = { name: 'undici dispatch', begin: async (size, { port, node }) => bare('dispatch', size, port, node) }
const request = { name: 'undici request', begin: async (size, { port, node }) => bare('request', size, port, node) }
const hcf = (name, backendSize) => ({ name, begin: async (size, deps) => agent(size, backendSize ?? size, deps) })
const hundreds = hcf(`hcf, backends of ${BACKEND}`, BACKEND)
const whole = hcf('hcf, one backend')

const SIZES = [
  { size: 1000, rounds: 1, pollers: [dispatch, request, hundreds] },
  { size: 5000, rounds: 2, pollers: [dispatch, request, hundreds, whole] },
  { size: 5000, rounds: 1, hangPercent: HANG_PERCENT, pollers: [dispatch, hundreds] },
  { size: 10_000, rounds: 1, pollers: [dispatch, hundreds] }
]
const QUICK = [
  { size: 1000, rounds: 1, pollers: [dispatch, hundreds] },
  { size: 5000, rounds: 1, pollers: [dispatch, hundreds] },
  { size: 5000, rounds: 1, hangPercent: HANG_PERCENT, pollers: [dispatch, hundreds] }
]

const bare = async (how, size, port, node) =>
  start(here('undici.mjs'), [how, size, port, INTERVAL_MS, TIMEOUT_MS].map(String), { ready: /begins/, node })

async function agent (size, backendSize, { port, node, dir }) {
  const home = mkdtempSync(join(dir, 'hcf-'))
  const config = join(home, 'hcf.yaml')
  writeFileSync(config, configOf(farm(size, backendSize), { port, intervalMs: INTERVAL_MS, stateDir: join(home, 'state') }))
  return start(here('../../dist/src/main.js'), ['serve', '-c', config], { ready: /answers HAProxy on \S*:(\d+)/, node, log: join(home, 'log') })
}

/** One poller for some seconds: what it used a poll, by slices, and how even it was. */
async function look (poller, size, slices, deps) {
  const { nodes } = deps
  const measured = await poller.begin(size, deps)
  try {
    await pause(WARM_MS)
    await nodes.tell('gaps')
    await measured.meter()
    const us = []
    for (let i = 0; i < slices; i += 1) {
      const [before, first] = [await measured.meter(), await nodes.tell('polls')]
      await pause(SLICE_MS)
      const [after, last] = [await measured.meter(), await nodes.tell('polls')]
      us.push((after.cpuUs - before.cpuUs) / Math.max(1, last.polls + last.hung - first.polls - first.hung))
      if (i + 1 === slices) return { us, rss: after.rssBytes, loop: after.loopMs.p99, ...(await nodes.tell('gaps')).gaps }
    }
  } finally {
    await measured.stop()
  }
}

/** Not measured, so started plainly: `tell` asks it for what it has seen. */
async function nodesWith (hangPercent, node) {
  const child = fork(here('nodes.mjs'), ['0', hangPercent, INTERVAL_MS].map(String), { execPath: node, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  const [line] = await once(child.stdout, 'data')
  const [, port] = /listens on (\d+)/.exec(line.toString())
  return {
    port,
    tell: async what => {
      const said = once(child, 'message')
      child.send(what)
      return (await said)[0]
    },
    stop: async () => {
      const gone = once(child, 'close')
      kill()
      await gone
      process.off('exit', kill)
    }
  }
}

async function measure ({ size, rounds, hangPercent = 0, pollers }, { node, dir, ones }) {
  const nodes = await nodesWith(hangPercent, node)
  const deps = { port: nodes.port, node, dir, nodes }
  const seen = pollers.map(() => [])
  try {
    for (let i = 0; i < rounds; i += 1) {
      for (const [p, poller] of pollers.entries()) {
        if (!ones.has(poller)) ones.set(poller, (await look(poller, 1, 1, deps)).rss)
        seen[p].push(await look(poller, size, SLICES, deps))
      }
    }
  } finally {
    await nodes.stop()
  }
  const usOf = p => median(seen[p].flatMap(({ us }) => us))
  const rssOf = p => Math.max(0, median(seen[p].map(({ rss }) => rss)) - ones.get(pollers[p])) / size
  return pollers.map(({ name }, p) => {
    const each = key => median(seen[p].map(one => one[key]))
    return [
      `${size}${hangPercent > 0 ? `, ${hangPercent}% hang` : ''}`, name, number(usOf(p)), number(Math.min(...seen[p].flatMap(({ us }) => us))),
      ratio(usOf(p) / usOf(0)), ms(each('p99')), `${number(each('p99') / INTERVAL_MS * 100)}%`, ms(each('loop')),
      `${number(rssOf(p) / 1000)} kB`, ratio(rssOf(p) / rssOf(0))
    ]
  })
}

export async function run ({ node, quick = false } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-bench-'))
  const ones = new Map()
  try {
    const rows = []
    for (const one of quick ? QUICK : SIZES) rows.push(...await measure(one, { node, dir, ones }))
    const columns = ['nodes, each a second', 'who', 'us a poll', 'least', 'to dispatch', 'jitter p99', 'of interval', 'loop p99', 'RSS a node', 'to dispatch']
    const notes = ['Jitter: how far from a second two polls of one node came apart, at the node; of nodes that answer. RSS a node: less that of the same poller with one node.']
    return { title: 'Polling', columns, rows, notes }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
