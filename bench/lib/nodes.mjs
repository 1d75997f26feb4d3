/**
 * Thousands of nodes in one process: one listener that answers on every loopback address with a tiny HTTP page, kept alive.
 * `nodes.mjs PORT HANG_PERCENT`: so many of the addresses take a request and never answer.
 */
import { createServer } from 'node:net'

const BODY = '{"ok":true}'
const ANSWER = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`)
const [port = '0', hangPercent = '0'] = process.argv.slice(2)
let polls = 0

/** 127.a.b.c → its number, the same as addresses.mjs gave it. */
const numberOf = address => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) - 0x7f010000

/** A poll is small: it comes in one piece. */
function onData (chunk) {
  if (!chunk.subarray(-4).equals(END)) return
  polls += 1
  this.write(ANSWER)
}
const END = Buffer.from('\r\n\r\n')
function onError () { this.destroy() }

const server = createServer({ noDelay: true }, socket => {
  socket.on('error', onError)
  if (Number(hangPercent) > 0 && numberOf(socket.localAddress ?? '127.1.0.0') % 100 < Number(hangPercent)) {
    socket.resume()
    return
  }
  socket.on('data', onData)
})
process.on('message', message => { if (message === 'polls') process.send({ polls }) })
server.listen({ port: Number(port), host: '0.0.0.0', backlog: 4096 }, () => { process.stdout.write(`listens on ${server.address().port}\n`) })
