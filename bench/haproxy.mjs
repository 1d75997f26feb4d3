/**
 * Real HAProxy and its agent-checks: 1,000 and 5,000 servers, asked for every second and twice a second, the bare `node:net`
 * responder and the agent in turns. What HAProxy itself says: how long a check took, and which had no answer.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installHaproxy } from '../scripts/install.mjs'
import { farm } from './lib/farm.mjs'
import { provoke } from './lib/haproxy-provoked.mjs'
import { round, startAgent, startFloor } from './lib/haproxy-round.mjs'
import { here, start } from './lib/measured.mjs'
import { median, number, ratio } from './lib/table.mjs'

/** So slow that no round sees a second poll of a node: what it costs to answer, and nothing else. */
const SLOW_MS = 60_000
const NODES = 2000

/** In each, the floor and these agents take turns. A backend has at most as many servers as there are nodes. */
const CASES = [
  { servers: 1000, interMs: 1000, rounds: 2, agents: [slow(1000)] },
  { servers: 1000, interMs: 500, rounds: 2, agents: [slow(1000)] },
  { servers: 5000, interMs: 1000, rounds: 2, agents: [slow(5000)] },
  { servers: 5000, interMs: 500, rounds: 3, agents: [slow(5000), polled()] }
]
const QUICK = [
  { servers: 1000, interMs: 1000, rounds: 1, agents: [slow(1000)] },
  { servers: 5000, interMs: 500, rounds: 1, agents: [polled()] }
]
const WINDOW_MS = 8000
const QUICK_WINDOW_MS = 4000

function slow (servers) {
  return { name: `hcf, ${servers} nodes polled every ${SLOW_MS / 1000} s`, nodes: servers, intervalMs: SLOW_MS, backendSize: servers }
}

/** Every server asked for has a verdict of the last second: a node is a server of up to three backends. */
function polled () {
  return { name: `hcf, ${NODES} nodes polled each second`, nodes: NODES, intervalMs: 1000, backendSize: NODES }
}

const COLUMNS = ['servers x agent-inter', 'who', 'checks/s', 'us a check', 'to floor', 'p50', 'p99', 'max', 'p99 to floor', 'unanswered', 'at start', 'all heard', 'longest without', 'CPU % of a core: it, HAProxy, nodes, bench, others', 'cores busy']

export async function run ({ node, nodeArgs, quick = false } = {}) {
  const title = 'Real HAProxy'
  if (!installHaproxy()) return { title, columns: COLUMNS, rows: [], notes: ['HAProxy is not installed here: not measured.'] }
  const root = mkdtempSync(join(tmpdir(), 'hcf-bench-'))
  const nodes = await start(here('nodes.mjs'), [], { ready: /listens on (\d+)/ })
  try {
    const notes = [await provoke(root)]
    const rows = []
    for (const each of quick ? QUICK : CASES) {
      const seen = await takeTurns(each, { root, nodes, node, nodeArgs, windowMs: quick ? QUICK_WINDOW_MS : WINDOW_MS })
      rows.push(...rowsOf(each, seen))
      notes.push(...notesOf(each, seen))
    }
    return { title, columns: COLUMNS, rows, notes }
  } finally {
    await nodes.stop()
    rmSync(root, { recursive: true, force: true })
  }
}

/** By who answers: what came of each of its rounds. */
async function takeTurns ({ servers, interMs, rounds, agents }, { root, nodes, node, nodeArgs, windowMs }) {
  const common = { root, nodes, interMs, windowMs }
  const turns = [
    { ...common, backends: farm(servers), idles: false, begin: async dir => startFloor(dir, { node }) },
    ...agents.map(({ backendSize, nodes: count, intervalMs }) => {
      const backends = farm(servers, backendSize)
      const farmed = { backends, nodes: count, nodePort: nodes.words[0], intervalMs }
      return { ...common, backends, idles: true, begin: async dir => startAgent(dir, { node, nodeArgs, ...farmed }) }
    })
  ]
  const seen = turns.map(() => [])
  for (let i = 0; i < rounds; i += 1) {
    for (const [t, turn] of turns.entries()) seen[t].push(await round(turn))
  }
  return seen
}

function rowsOf ({ servers, interMs, agents }, seen) {
  const names = ['floor: bare node:net', ...agents.map(({ name }) => name)]
  return seen.map((rounds, t) => {
    const each = key => median(rounds.map(one => one[key]))
    const most = key => Math.max(...rounds.map(one => one[key]))
    const sum = key => rounds.reduce((total, one) => total + one[key], 0)
    const toFloor = of => ratio(median(rounds.map((one, i) => of(one) / of(seen[0][i]))))
    const answersNone = rounds.some(({ us }) => us === undefined)
    const share = key => number(median(rounds.map(({ cpu }) => cpu[key] ?? NaN)), 0)
    return [
      `${servers} x ${interMs} ms`, names[t], number(each('perSecond'), 0), answersNone ? '' : number(each('us')), answersNone ? '' : toFloor(({ us }) => us),
      `${each('p50')} ms`, `${each('p99')} ms`, `${most('max')} ms`, toFloor(({ p99 }) => Math.max(1, p99)),
      String(sum('unanswered')), String(sum('atStart')), `${number(most('firstMs'), 0)} ms`, `${number(most('gapMs'), 0)} ms`,
      ['target', 'haproxy', 'nodes', 'bench', 'others'].map(share).join(', '), `${share('busyPercent')}%`
    ]
  })
}

function notesOf ({ servers, interMs }, seen) {
  const rounds = seen.flat()
  const never = Math.max(...rounds.map(one => one.never))
  const reasons = new Map()
  for (const reason of rounds.flatMap(one => one.reasons)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  return [
    ...never === 0 ? [] : [`${servers} x ${interMs} ms: in one round ${never} servers had no answer at all.`],
    ...reasons.size === 0 ? [] : [`${servers} x ${interMs} ms, unanswered: ${[...reasons].map(([reason, times]) => `${times} x ${reason}`).join(', ')}.`]
  ]
}
