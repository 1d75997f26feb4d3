/**
 * Nodes of which some fail and some hang, in turns: one listener that answers on every loopback address. A node that has its
 * turn answers 503, or nothing, or resets the connection, until the turn goes to another; verdicts change all the while.
 */
import { createServer } from 'node:net'

const TURN_MS = 5000
/** Of so many nodes one answers 503, one hangs and one resets at a time. */
const OUT_OF = 20

const page = (status, body) => Buffer.from(`HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
const FINE = page('200 OK', '{"ok":true}')
const FAILING = page('503 Service Unavailable', '{"ok":false}')
const END = Buffer.from('\r\n\r\n')

const numberOf = address => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const turnOf = address => (numberOf(address) + Math.floor(performance.now() / TURN_MS)) % OUT_OF

/** A poll is small: it comes in one piece. */
function onData (chunk) {
  if (!chunk.subarray(-4).equals(END)) return
  switch (turnOf(this.localAddress ?? '127.0.0.1')) {
    case 0: this.write(FAILING); return
    case 1: return
    case 2: this.resetAndDestroy(); return
    default: this.write(FINE)
  }
}
function onError () { this.destroy() }

const server = createServer({ noDelay: true }, socket => {
  socket.on('data', onData)
  socket.on('error', onError)
})
server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () => { process.stdout.write(`listens on ${server.address().port}\n`) })
