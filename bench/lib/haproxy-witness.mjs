/**
 * Preloaded (`node --import`) into whoever answers HAProxy, the floor and the agent alike: how many connections it took, and
 * when each server had its answers. Costs either about 2 us a check. Asked on the unix socket HCF_BENCH_WITNESS: `begin`
 * counts anew, anything else only tells.
 */
import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:net'

const LF = 0x0a
const NAME = Symbol('name')

let accepted = 0
/** By server: when it had its last answer, how many, and the longest time without one. */
const seen = new Map()

function onData (chunk) {
  this[NAME] ??= chunk.toString('latin1', 0, chunk.indexOf(LF))
}

/** HAProxy ends a check as soon as it has the line: this is when it had it. */
function onClose () {
  if (!(this.bytesWritten > 0)) return
  const now = performance.now()
  const server = seen.get(this[NAME])
  if (server === undefined) {
    seen.set(this[NAME], { lastMs: now, answers: 1, gapMs: 0 })
    return
  }
  server.gapMs = Math.max(server.gapMs, now - server.lastMs)
  server.lastMs = now
  server.answers += 1
}

/** What was answered before still says when the time without an answer began. */
function begin () {
  accepted = 0
  for (const server of seen.values()) {
    server.answers = 0
    server.gapMs = 0
  }
}

function tell () {
  const now = performance.now()
  let answers = 0
  let gapMs = 0
  for (const server of seen.values()) {
    answers += server.answers
    gapMs = Math.max(gapMs, server.gapMs, now - server.lastMs)
  }
  return { accepted, answers, servers: seen.size, gapMs, atMs: now }
}

const desk = createServer(socket => {
  socket.on('error', () => { socket.destroy() })
  socket.once('data', chunk => {
    socket.end(JSON.stringify(tell()))
    if (chunk.toString().trim() === 'begin') begin()
  })
})
desk.listen(process.env.HCF_BENCH_WITNESS).unref()

/** Only HAProxy comes by TCP: the witness and the admin port listen on unix sockets. */
const isHaproxys = new WeakMap()

subscribe('net.server.socket', ({ socket }) => {
  const { server } = socket
  if (!isHaproxys.has(server)) isHaproxys.set(server, typeof server.address() === 'object')
  if (!isHaproxys.get(server)) return
  accepted += 1
  socket.on('data', onData)
  socket.on('close', onClose)
})
