/** The only place that reads a clock or sets a timer. Tests and the simulation hand in their own. */
export interface Timer { stop: () => void }

export interface Clock {
  /** Monotonic milliseconds: for ages, intervals, latencies. */
  now: () => number
  /** Unix milliseconds: for what people read and what outlives the process. */
  wall: () => number
  after: (ms: number, run: () => void) => Timer
  every: (ms: number, run: () => void) => Timer
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return { stop: () => { clearTimeout(timer) } }
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms)
    return { stop: () => { clearInterval(timer) } }
  }
}
