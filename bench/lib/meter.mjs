/**
 * Preloaded (`node --import`) into every process that is measured, ours and the bare ones alike: tells its parent what it has
 * used so far. Keeps nothing alive that would otherwise end.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 5
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()

/** The delay of the event loop beyond its timer, since the last time it was asked. */
function loopMs () {
  const late = ns => Math.max(0, ns / 1e6 - RESOLUTION_MS)
  const [p50, p99, max] = [late(delay.percentile(50)), late(delay.percentile(99)), late(delay.max)]
  delay.reset()
  return { p50, p99, max }
}

if (process.send !== undefined) {
  process.on('message', message => {
    if (message !== 'meter') return
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed } = process.memoryUsage()
    process.send({ meter: { cpuUs: user + system, atMs: performance.now(), rssBytes: rss, heapBytes: heapUsed, loopMs: loopMs() } })
  })
  process.on('disconnect', () => process.exit(0)) // whoever measures is gone: nothing outlives it
  process.channel.unref()
}
