/**
 * The baseline: the least that a poller on undici can do. One `Client` an origin, one request at a time, the body collected,
 * one wheel for all deadlines, starts spread over the interval. Judges nothing, keeps nothing, says nothing.
 * `undici.mjs dispatch|request SIZE PORT INTERVAL_MS TIMEOUT_MS`
 */
import { Client } from 'undici'
import { addressOf } from './farm.mjs'

const TICK_MS = 20
const [how, size, port, intervalMs, timeoutMs] = process.argv.slice(2).map((word, i) => i === 0 ? word : Number(word))
const options = { method: 'GET', path: '/', headers: { 'user-agent': 'bare' } }

/** Deadlines in slots, by ticks. */
const slots = Array.from({ length: Math.ceil(timeoutMs / TICK_MS) + 2 }, () => new Set())
let tick = 0
setInterval(() => {
  tick += 1
  const due = slots[tick % slots.length]
  slots[tick % slots.length] = new Set()
  for (const poll of due) poll.expire()
}, TICK_MS)

class Poll {
  constructor (origin) {
    this.client = new Client(origin, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: 16 * 1024 })
    this.isUnderWay = false
  }

  begin () {
    if (this.isUnderWay) return
    this.isUnderWay = true
    this.chunks = []
    this.slot = slots[(tick + slots.length - 1) % slots.length]
    this.slot.add(this)
    if (how === 'dispatch') this.client.dispatch(options, this)
    else void this.request()
  }

  /** Its deadline ends nothing: that would take a signal, which costs as much again. */
  async request () {
    try {
      const { body } = await this.client.request(options)
      this.bytes = (await body.arrayBuffer()).byteLength
    } catch { // the next one may do better
    }
    this.end()
  }

  onRequestStart (controller) { this.controller = controller }
  onResponseStart (_, status) { this.status = status }
  onResponseData (_, chunk) { this.chunks.push(chunk) }
  onResponseEnd () {
    this.bytes = Buffer.concat(this.chunks).length
    this.end()
  }

  onResponseError () { this.end() }
  expire () { this.controller?.abort(new Error('late')) }
  end () {
    this.isUnderWay = false
    this.slot.delete(this)
  }
}

/** Each at its place in the interval. */
function start (i) {
  const poll = new Poll(`http://${addressOf(i)}:${port}`)
  let slotMs = performance.now() + intervalMs * i / size
  const wait = () => { setTimeout(run, Math.max(0, slotMs - performance.now())) }
  const run = () => {
    poll.begin()
    slotMs += intervalMs
    wait()
  }
  wait()
}
for (let i = 0; i < size; i += 1) start(i)
process.stdout.write('begins\n')
