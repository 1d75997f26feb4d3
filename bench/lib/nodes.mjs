/**
 * Thousands of nodes in one process: one listener that answers on every loopback address with a tiny HTTP page, kept alive.
 * `nodes.mjs PORT HANG_PERCENT INTERVAL_MS`: so many of the addresses take a request and never answer; and the pace at which
 * the others are to be asked, for the jitter.
 *
 * Told `polls` it says how many came so far: `{ polls, hung }`, answered and not. Told `gaps`: how far from the pace the times
 * between two requests to one address were, since it was asked last: `{ gaps: { seen, p50, p99, max } }` in ms.
 */
import { createServer } from 'node:net'

const BODY = '{"ok":true}'
const ANSWER = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`)
const END = Buffer.from('\r\n\r\n')
const [port = '0', hangPercent = '0', intervalMs = '1000'] = process.argv.slice(2)
const lastMs = new Map()
let jitterMs = []
let polls = 0
let hung = 0

/** 127.a.b.c → its number, the same as addresses.mjs gave it. */
const numberOf = address => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) - 0x7f010000
const hangs = number => Number(hangPercent) > 0 && number % 100 < Number(hangPercent)

/** A poll is small: it comes in one piece. */
function onData (chunk) {
  if (!chunk.subarray(-4).equals(END)) return
  polls += 1
  this.write(ANSWER)
  const now = performance.now()
  const before = lastMs.get(this.number)
  lastMs.set(this.number, now)
  if (before !== undefined) jitterMs.push(Math.abs(now - before - Number(intervalMs)))
}
function onHungData () { hung += 1 }
function onError () { this.destroy() }

function gaps () {
  const sorted = Float64Array.from(jitterMs).sort()
  jitterMs = []
  const at = percent => sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * percent / 100))]
  return { seen: sorted.length, p50: at(50), p99: at(99), max: at(100) }
}

const server = createServer({ noDelay: true }, socket => {
  socket.number = numberOf(socket.localAddress ?? '127.1.0.0')
  socket.on('error', onError)
  socket.on('data', hangs(socket.number) ? onHungData : onData)
})
process.on('message', message => {
  if (message === 'polls') process.send({ polls, hung })
  if (message === 'gaps') process.send({ gaps: gaps() })
})
server.listen({ port: Number(port), host: '0.0.0.0', backlog: 4096 }, () => { process.stdout.write(`listens on ${server.address().port}\n`) })
