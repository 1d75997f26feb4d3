/**
 * A load generator that behaves as HAProxy: connects, sends agent-send, reads to the line end, closes with RST. Told what to
 * do as JSON on its command line, says what came of it as one message to its parent, and ends: bounded by `checks`.
 *
 * closed loop: `open` conversations at a time, a new one for each that ends. open loop: `perSecond` begin whatever happens.
 */
import { connect } from 'node:net'

const CHECK_MS = 2000 // agent-inter: what takes longer is no answer
const { port, host = '127.0.0.1', checks, open = 64, perSecond, names } = JSON.parse(process.argv[2])

const requests = names.map(name => Buffer.from(`${name}\n`))
const tookUs = new Float64Array(checks)
const whys = {}
let begun = 0
let answered = 0
let failed = 0
let neutral = 0

function finish () {
  const sorted = tookUs.subarray(0, answered).sort()
  const at = percent => sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * percent / 100))] / 1000
  process.send({ answered, failed, neutral, whys, ms: { p50: at(50), p99: at(99), p999: at(99.9), max: at(100) } }, () => process.exit(0))
}

function ended (next) {
  if (answered + failed === checks) finish()
  else next?.()
}

function check (next) {
  const request = requests[begun % requests.length]
  begun += 1
  const startMs = performance.now()
  const socket = connect({ host, port, noDelay: true })
  let done = false
  const fail = why => {
    if (done) return
    done = true
    failed += 1
    whys[why] = (whys[why] ?? 0) + 1
    socket.destroy()
    ended(next)
  }
  socket.setTimeout(CHECK_MS, () => { fail('timeout') })
  socket.on('connect', () => { socket.write(request) })
  socket.on('data', chunk => {
    if (done || !chunk.includes(0x0a)) return
    done = true
    tookUs[answered] = (performance.now() - startMs) * 1000
    answered += 1
    if (chunk[0] === 0x23) neutral += 1 // `#`: no opinion
    socket.resetAndDestroy()
    ended(next)
  })
  socket.on('end', () => { fail('closed without a line') })
  socket.on('error', error => { fail(error.code) })
}

function closedLoop () {
  const next = () => { if (begun < checks) check(next) }
  for (let i = 0; i < Math.min(open, checks); i += 1) next()
}

function openLoop () {
  const startMs = performance.now()
  const ticker = setInterval(() => {
    const due = Math.min(checks, Math.floor((performance.now() - startMs) * perSecond / 1000))
    while (begun < due) check()
    if (begun === checks) clearInterval(ticker)
  }, 1)
}

process.stdout.write('begins\n')
if (perSecond === undefined) closedLoop()
else openLoop()
