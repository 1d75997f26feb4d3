/**
 * A responder that leaves some checks unanswered, to see whether they are counted: of every fourth server some are taken in
 * silence, one after another, one is closed without a word, one is reset. Says to its parent how many, once each server
 * has asked CHECKS times; from then on it answers all.
 */
import { createServer } from 'node:net'

const CHECKS = 8
const [servers = '0'] = process.argv.slice(2)
const REPLY = Buffer.from('up 100%\n')
const asked = new Map()
let silent = 0
let closed = 0
let reset = 0
let done = 0

/** `time`: the how manieth check of that server it is. */
function treat (socket, name, time) {
  const number = Number(name.slice(name.indexOf('s') + 1))
  const silentFor = 1 + number / 4 % 3
  if (number % 4 !== 0) socket.write(REPLY)
  else if (time >= 2 && time < 2 + silentFor) silent += 1
  else if (time === 5) {
    closed += 1
    socket.end()
  } else if (time === 6) {
    reset += 1
    socket.resetAndDestroy()
  } else socket.write(REPLY)
}

const server = createServer({ noDelay: true }, socket => {
  socket.on('error', () => { socket.destroy() })
  socket.once('data', chunk => {
    const name = chunk.toString('latin1').trim()
    const time = (asked.get(name) ?? 0) + 1
    asked.set(name, time)
    treat(socket, name, time)
    if (time !== CHECKS) return
    done += 1
    if (done === Number(servers)) process.send({ silent, closed, reset })
  })
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => { process.stdout.write(`listens on ${server.address().port}\n`) })
