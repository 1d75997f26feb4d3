/**
 * One measurement of the decision core of a build: `node decision-run.mjs DIST [PART OF A NAME]`. Prints microseconds as JSON, each the
 * least of several rounds. The unit is a fixed piece of work of the same kind, so that machines can be compared.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, only = ''] = process.argv.slice(2)
const load = async file => import(pathToFileURL(join(dist, 'src', file)).href)
const { advance, newBackend } = await load('core/advance.js')
const { decide } = await load('core/decide.js')
const { toReply } = await load('core/reply.js')
const { encodeReply } = await load('agent/protocol.js')
const { DEFAULT_POLICY } = await load('core/policy.js')
const { judgeReach } = await load('core/reach.js')

const ROUNDS = 9
/** No row is begun anew after so long. */
const PATIENCE_MS = 1500
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

/** A farm polled round after round; `latencyMs`, `storage` and `error` of a server may depend on its index and the round. */
class Played {
  constructor (size, { latencyMs = () => 20, storage = () => 10, error = () => undefined } = {}) {
    this.backend = farm(size)
    this.state = newBackend(this.backend, 0)
    this.nowMs = 0
    this.round = 0
    this.look = { latencyMs, storage, error }
  }

  /** One sample of every server: what a round of polls costs. */
  play () {
    const { servers } = this.backend
    for (let i = 0; i < servers.length; i += 1) {
      const endMs = this.nowMs + Math.floor(i * EVERY_MS / servers.length)
      this.state = advance(this.backend, this.state, { kind: 'sample', server: i, probe: 'p', sample: this.sampleOf(i, endMs) })
    }
    this.nowMs += EVERY_MS
    this.round += 1
  }

  sampleOf (i, endMs) {
    const error = this.look.error(i, this.round)
    if (error !== undefined) return { ok: false, startMs: endMs - 1, endMs, error }
    const latencyMs = this.look.latencyMs(i, this.round) + i / 1000 // no two are alike
    return { ok: true, startMs: endMs - latencyMs, endMs, facts: { storage: this.look.storage(i, this.round), latencyMs } }
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

/** The least microseconds of `run`, for each of `units`. What is slow is not run as often. */
function least (run, units, times) {
  let best = Infinity
  const untilMs = performance.now() + PATIENCE_MS
  for (let round = 0; round < ROUNDS && (round === 0 || performance.now() < untilMs); round += 1) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < times; i += 1) run()
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1000 / units / times)
  }
  return best
}

const play = (size, look, rounds = 16) => {
  const played = new Played(size, look)
  for (let i = 0; i < rounds; i += 1) played.play()
  return played
}
const timesFor = size => Math.ceil(20_000 / size)
const answering = (size, look) => {
  const played = play(size, look)
  return least(() => played.answer(), size, timesFor(size))
}
const writing = (size, look) => {
  const played = play(size, look)
  return least(() => { played.play() }, size, Math.ceil(timesFor(size) / 4))
}

/** The rounds in which a farm changes, from one that is fine: what each sample of them costs on average. */
const changing = (size, look) => {
  const played = play(size, look, CALM_ROUNDS)
  const start = process.hrtime.bigint()
  for (let i = 0; i < CHANGING_ROUNDS; i += 1) played.play()
  return Number(process.hrtime.bigint() - start) / 1000 / size / CHANGING_ROUNDS
}
const CALM_ROUNDS = 4
const CHANGING_ROUNDS = 4

const after = storage => (i, now) => now < CALM_ROUNDS ? 10 : storage(i, now)
const fails = (which, error) => ({ error: (i, round) => round >= CALM_ROUNDS && which(i) ? error : undefined })
const refused = { class: 'refused', message: 'ECONNREFUSED' }
const silent = { class: 'timeout', message: 'no answer within 2 s' }
const LOOKS = {
  '': {},
  ', all fail the same (gate)': { storage: after(() => 0) },
  ', all but one fail the same (gate)': { storage: after(i => i === 0 ? 10 : 0) },
  ', a third slow (peers)': { latencyMs: i => i % 3 === 0 ? 400 : 110 },
  ', half fail (gate, floor)': { storage: after(i => i % 2 === 0 ? 10 : 0) },
  ', half silent (gate, floor)': fails(i => i % 2 === 0, silent),
  ', all refuse (floor)': fails(() => true, refused),
  ', all slow (strain, peers)': { latencyMs: (i, round) => 300 + (i * 7 + round * 13) % 100 }
}
const CHANGES = [', all fail the same (gate)', ', half fail (gate, floor)', ', half silent (gate, floor)', ', all refuse (floor)']
const COMES_BACK = { error: (_, round) => round >= CALM_ROUNDS && round < CALM_ROUNDS + 3 ? refused : undefined }

const ROWS = {
  'decide + encode, 10 servers': () => answering(10, {}),
  'decide + encode, 10 servers, the floor keeps some': () => answering(10, LOOKS[', half fail (gate, floor)']),
  'decide + encode, 1000 servers': () => answering(1000, {}),
  'decide + encode, 5000 servers': () => answering(5000, {}),
  'decide + encode, 5000 servers, a third slow (peers)': () => answering(5000, LOOKS[', a third slow (peers)']),
  'decide + encode, 5000 servers, all come back (ramp)': () => answering(5000, COMES_BACK),
  'sample, 10 servers': () => writing(10, {})
}
for (const size of [100, 1000, 5000]) {
  for (const [name, look] of Object.entries(LOOKS)) ROWS[`sample, ${size} servers${name}`] = () => writing(size, look)
}
for (const size of [1000, 5000]) {
  for (const name of CHANGES) ROWS[`the change, ${size} servers${name}`] = () => changing(size, LOOKS[name])
}
const rows = Object.fromEntries(Object.entries(ROWS).filter(([name]) => name.includes(only)).map(([name, run]) => [name, run()]))
const work = () => JSON.stringify({ state: 'up', weightPercent: 100, because: ['storage: 3 connected, needs 7'], at: 12345 }).length
process.stdout.write(`${JSON.stringify({ unit: least(() => { work() }, 1, 20_000), rows })}\n`)
