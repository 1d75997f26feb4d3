/**
 * One measurement of the decision core of a build: `node decision-run.mjs DIST`. Prints microseconds as JSON, each the
 * least of several rounds. The unit is a fixed piece of work of the same kind, so that machines can be compared.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = process.argv[2]
const load = async file => import(pathToFileURL(join(dist, 'src', file)).href)
const { advance, newBackend } = await load('core/advance.js')
const { decide } = await load('core/decide.js')
const { toReply } = await load('core/reply.js')
const { encodeReply } = await load('agent/protocol.js')
const { DEFAULT_POLICY } = await load('core/policy.js')
const { judgeReach } = await load('core/reach.js')

const ROUNDS = 9
const EVERY_MS = 2000
const UNREACHED = ['refused', 'reset', 'noconn', 'timeout', 'tls', 'local']

const judgeStorage = ({ facts }) => ({ pass: facts.storage > 0, value: facts.storage, limit: 'at least 1', reason: `${facts.storage} connected, needs 1` })
const common = { probe: 'p', meaning: '', rise: 2, fall: 3, solo: false }
const criteria = [
  { ...common, name: 'reach', kind: 'reach', onFail: { action: 'down' }, judge: judgeReach, ignores: [] },
  { ...common, name: 'storage', kind: 'storage', onFail: { action: 'drain' }, judge: judgeStorage, ignores: UNREACHED }
]
const farm = size => ({
  name: 'be',
  policy: DEFAULT_POLICY,
  servers: Array.from({ length: size }, (_, i) => ({ backend: 'be', name: `n${i}`, weightPercent: 100, node: `10.0.0.${i}`, timeoutMs: 2000, criteria }))
})

/** A farm polled round after round; `latencyMs` and `storage` of a server may depend on its index and the round. */
class Played {
  constructor (size, { latencyMs = () => 20, storage = () => 10 } = {}) {
    this.backend = farm(size)
    this.state = newBackend(this.backend, 0)
    this.nowMs = 0
    this.round = 0
    this.look = { latencyMs, storage }
  }

  /** One sample of every server: what a round of polls costs. */
  play () {
    const { servers } = this.backend
    for (let i = 0; i < servers.length; i += 1) {
      const endMs = this.nowMs + Math.floor(i * EVERY_MS / servers.length)
      const latencyMs = this.look.latencyMs(i, this.round)
      const sample = { ok: true, startMs: endMs - latencyMs, endMs, facts: { storage: this.look.storage(i, this.round), latencyMs } }
      this.state = advance(this.backend, this.state, { kind: 'sample', server: i, probe: 'p', sample })
    }
    this.nowMs += EVERY_MS
    this.round += 1
  }

  /** The line of every server. */
  answer () {
    let bytes = 0
    for (let i = 0; i < this.backend.servers.length; i += 1) {
      bytes += encodeReply(toReply(decide(this.backend, this.state, i, this.nowMs), 'shared', false)).length
    }
    return bytes
  }
}

/** The least microseconds of `run`, for each of `units`. */
function least (run, units, times) {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < times; i += 1) run()
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1000 / units / times)
  }
  return best
}

const play = (size, look, rounds = 12) => {
  const played = new Played(size, look)
  for (let i = 0; i < rounds; i += 1) played.play()
  return played
}
const timesFor = size => Math.max(4, Math.ceil(20_000 / size))
const answering = (size, look) => {
  const played = play(size, look)
  return least(() => played.answer(), size, timesFor(size))
}
const writing = (size, look) => {
  const played = play(size, look)
  return least(() => { played.play() }, size, Math.ceil(timesFor(size) / 4))
}

const FINE = {}
const SHARED = { storage: (_, round) => round < 4 ? 10 : 0 }
const HALF = { storage: (i, round) => round < 4 || i % 2 === 0 ? 10 : 0 }
const ALL_BUT_ONE = { storage: (i, round) => round < 4 || i === 0 ? 10 : 0 }
const THIRD_SLOW = { latencyMs: i => i % 3 === 0 ? 400 : 110 }
const SLOW = { latencyMs: (i, round) => 300 + (i * 7 + round * 13) % 100 }

const work = () => JSON.stringify({ state: 'up', weightPercent: 100, because: ['storage: 3 connected, needs 7'], at: 12345 }).length
process.stdout.write(`${JSON.stringify({
  unit: least(() => { work() }, 1, 20_000),
  rows: {
    'decide + encode, 10 servers': answering(10, FINE),
    'decide + encode, 10 servers, the floor keeps some': answering(10, HALF),
    'decide + encode, 1000 servers': answering(1000, FINE),
    'sample, 10 servers': writing(10, FINE),
    'sample, 100 servers': writing(100, FINE),
    'sample, 100 servers, all fail the same (gate)': writing(100, SHARED),
    'sample, 100 servers, all but one fail the same (gate)': writing(100, ALL_BUT_ONE),
    'sample, 100 servers, a third slow (peers)': writing(100, THIRD_SLOW),
    'sample, 100 servers, half fail (gate, floor)': writing(100, HALF),
    'sample, 100 servers, all slow (strain, peers)': writing(100, SLOW),
    'sample, 1000 servers': writing(1000, FINE),
    'sample, 1000 servers, all fail the same (gate)': writing(1000, SHARED),
    'sample, 1000 servers, all but one fail the same (gate)': writing(1000, ALL_BUT_ONE),
    'sample, 1000 servers, a third slow (peers)': writing(1000, THIRD_SLOW),
    'sample, 1000 servers, half fail (gate, floor)': writing(1000, HALF),
    'sample, 1000 servers, all slow (strain, peers)': writing(1000, SLOW)
  }
})}\n`)
