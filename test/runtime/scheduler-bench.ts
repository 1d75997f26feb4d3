import type { Sample } from '../../src/core/model.ts'
import type { Poll, Probe } from '../../src/core/probe.ts'
import { Scheduler } from '../../src/runtime/scheduler.ts'
import { SimClock } from '../../src/sim/clock.ts'

export const poll = (key: string, options: Partial<Poll> = {}): Poll => ({
  key,
  node: { key: `http://${key}`, protocol: 'http', host: key, port: 80 },
  request: { kind: 'tcp', options: {} },
  intervalMs: 2000,
  fastMs: 500,
  timeoutMs: 1000,
  readers: [{ backend: 'web', server: 0 }],
  ...options
})

/** A scheduler with probes that take as long as they are told, and notes of all they did. */
export class Bench {
  readonly clock = new SimClock()
  readonly scheduler: Scheduler
  readonly undecided = new Set<string>()
  readonly awaited = new Set<string>()
  /** By poll: the keys of those it wants sooner. */
  readonly wanted = new Map<string, readonly string[]>()
  readonly tookMs = new Map<string, number>()
  /** Those that fail, after as long as they take. */
  readonly failing = new Set<string>()
  readonly created: string[] = []
  readonly closed: string[] = []
  readonly started: Array<readonly [string, number]> = []
  readonly delivered: Array<readonly [Poll, Sample]> = []
  readonly running = new Map<string, number>()
  /** Of one poll, and of all. */
  mostAtOnce = 0
  mostInFlight = 0
  #inFlight = 0

  constructor () {
    this.scheduler = new Scheduler({
      clock: this.clock,
      createProbe: each => this.#createProbe(each),
      onSample: (each, sample) => { this.delivered.push([each, sample]) },
      isUndecided: ({ key }) => this.undecided.has(key),
      isAwaited: ({ key }) => this.awaited.has(key),
      wanted: ({ key }) => this.wanted.get(key) ?? []
    })
  }

  /** When polls of a key started, since the last look. */
  starts (key: string): readonly number[] {
    const times = this.started.filter(([each]) => each === key).map(([, ms]) => ms)
    this.started.splice(0, this.started.length, ...this.started.filter(([each]) => each !== key))
    return times
  }

  #createProbe ({ key }: Poll): Probe {
    this.created.push(key)
    return { run: async () => this.#look(key), close: () => { this.closed.push(key) } }
  }

  async #look (key: string): Promise<Sample> {
    const startMs = this.clock.now()
    this.started.push([key, startMs])
    const atOnce = (this.running.get(key) ?? 0) + 1
    this.running.set(key, atOnce)
    this.mostAtOnce = Math.max(this.mostAtOnce, atOnce)
    this.#inFlight += 1
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight)
    const tookMs = this.tookMs.get(key) ?? 0
    if (tookMs > 0) await new Promise<void>(resolve => { this.clock.after(tookMs, resolve) })
    this.running.set(key, atOnce - 1)
    this.#inFlight -= 1
    const endMs = this.clock.now()
    return this.failing.has(key) ? { ok: false, startMs, endMs, error: { class: 'timeout', message: 'no answer' } } : { ok: true, startMs, endMs, facts: {} }
  }
}
