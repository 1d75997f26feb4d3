/** Our own stalls, on a clock that stands where it is put: what was seen meanwhile is not held against a node. */
import t from 'tap'
import type { Sample } from '../../src/core/model.ts'
import { LATE_MS, Lateness } from '../../src/runtime/lateness.ts'

const TICK_MS = 100

/** An event loop. While it is blocked time passes and no timer fires. */
class Loop {
  readonly late: number[] = []
  readonly lateness: Lateness
  #nowMs = 0
  #ticker: (() => void) | undefined

  constructor () {
    const every = (ms: number, run: () => void): { stop: () => void } => {
      if (ms !== TICK_MS) throw new Error(`a ticker of ${ms} ms`)
      this.#ticker = run
      return { stop: () => { this.#ticker = undefined } }
    }
    this.lateness = new Lateness({ now: () => this.#nowMs, every }, ms => { this.late.push(ms) })
  }

  get now (): number {
    return this.#nowMs
  }

  get ticks (): boolean {
    return this.#ticker !== undefined
  }

  /** Nothing happens. */
  block (ms: number): void {
    this.#nowMs += ms
  }

  tick (): void {
    this.#ticker?.()
  }

  /** All is well. */
  pass (ms: number): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.block(Math.min(left, TICK_MS))
      this.tick()
    }
  }

  /** A poll of these times, handled now, as what is made of it: `as it is`, `believed` as an answer, or `ours`. */
  taint (startMs: number, endMs: number, ok: boolean): string {
    const sample: Sample = ok
      ? { ok, startMs, endMs, facts: { load: 1 } }
      : { ok, startMs, endMs, error: { class: 'timeout', message: 'no answer within 2s' } }
    const made = this.lateness.taint(sample)
    if (made === sample) return 'as it is'
    return made.ok ? 'believed' : made.error.class === 'local' ? 'ours' : 'changed'
  }
}

void t.test('which polls a stall spoils', async (t) => {
  // The loop ticks until 1000, then stands still until 1500, and goes on.
  const rows: ReadonlyArray<readonly [startMs: number, endMs: number, ok: string, failed: string, why: string]> = [
    [500, 999, 'as it is', 'as it is', 'over before it'],
    [500, 1000, 'believed', 'ours', 'over when it began'],
    [1100, 1400, 'believed', 'ours', 'within it'],
    [900, 1600, 'believed', 'ours', 'around it'],
    [1500, 1600, 'believed', 'ours', 'begun when it was over'],
    [1501, 1600, 'as it is', 'as it is', 'begun after it']
  ]
  for (const [startMs, endMs, ok, failed, why] of rows) {
    const loop = new Loop()
    loop.pass(1000)
    loop.block(500)
    loop.tick()
    loop.pass(500)
    t.equal(loop.taint(startMs, endMs, true), ok, `${why}: an answer`)
    t.equal(loop.taint(startMs, endMs, false), failed, `${why}: a failure`)
  }
})

void t.test('what becomes of a sample', async (t) => {
  const loop = new Loop()
  loop.block(1000)
  const times = { startMs: 100, endMs: 1000 }
  t.strictSame(loop.lateness.taint({ ok: true, ...times, facts: { load: 1 } }), { ok: true, ...times, facts: { load: 1 }, tainted: true })
  t.strictSame(loop.lateness.taint({ ok: false, ...times, error: { class: 'refused', message: 'connection refused' } }),
    { ok: false, ...times, error: { class: 'local', message: 'hcf itself was held up: connection refused' } }, 'and what it was is still told')
})

void t.test('an answer that is handled before the ticker finds the stall itself', async (t) => {
  const loop = new Loop()
  loop.pass(1000)
  loop.block(700)
  t.equal(loop.taint(900, 1700, false), 'ours')
  t.strictSame(loop.late, [600], 'and says so: how much later than a tick')
  loop.tick()
  t.strictSame(loop.late, [600], 'once')
  loop.pass(300)
  t.equal(loop.taint(1650, 2000, false), 'ours', 'what was under way then')
  t.equal(loop.taint(1750, 2000, false), 'as it is', 'and no more')
})

void t.test('a stall that goes on after an answer was handled in it', async (t) => {
  const loop = new Loop()
  loop.block(500)
  loop.taint(100, 500, true)
  loop.block(500)
  t.equal(loop.taint(501, 1000, false), 'ours', 'begun after that answer, without a tick in between')
  loop.tick()
  t.strictSame(loop.late, [400], 'and is still one: told when it was found')
})

void t.test('how late is late', async (t) => {
  for (const [blockedMs, late] of [[TICK_MS, []], [TICK_MS + LATE_MS, []], [TICK_MS + LATE_MS + 1, [LATE_MS + 1]]] as const) {
    const loop = new Loop()
    loop.block(blockedMs)
    const made = loop.taint(0, blockedMs, false)
    t.equal(made, late.length > 0 ? 'ours' : 'as it is', `${blockedMs} ms without a tick`)
    t.strictSame(loop.late, late, `${blockedMs} ms without a tick`)
  }
})

void t.test('a tick that comes a little late each time is no stall', async (t) => {
  const loop = new Loop()
  for (let i = 0; i < 100; i += 1) {
    loop.block(TICK_MS + LATE_MS)
    loop.tick()
  }
  t.strictSame(loop.late, [])
})

void t.test('each stall is said once, and the last one counts', async (t) => {
  const loop = new Loop()
  for (const ms of [500, 900]) {
    loop.block(ms)
    for (let i = 0; i < 3; i += 1) loop.taint(loop.now - 10, loop.now, true)
    loop.tick()
    loop.pass(1000)
  }
  t.strictSame(loop.late, [400, 800])
  t.equal(loop.taint(1450, 1490, false), 'as it is', 'between the two')
})

void t.test('it stops', async (t) => {
  const loop = new Loop()
  loop.lateness.stop()
  t.equal(loop.ticks, false)
})
