/** Two looks of which the first good one counts: by a clock of our own. */
import t from 'tap'
import type { ErrorClass, Sample } from '../../src/core/model.ts'
import type { Probe } from '../../src/core/probe.ts'
import { hedged, type Look } from '../../src/probes/hedge.ts'

const AFTER_MS = 700
const CLASSES: readonly ErrorClass[] = ['refused', 'reset', 'noconn', 'timeout', 'tls', 'protocol', 'local']

/** A probe whose answers the test gives. */
class Asked implements Look {
  readonly spent: Array<number | undefined> = []
  closed = 0
  readonly #bench: Bench
  #startMs = 0
  #resolve: ((sample: Sample) => void) | undefined

  constructor (bench: Bench) {
    this.#bench = bench
  }

  run = async (spentMs?: number): Promise<Sample> => {
    if (this.#resolve !== undefined) throw new Error('two looks of one probe at once')
    this.spent.push(spentMs)
    this.#startMs = this.#bench.nowMs
    return new Promise(resolve => { this.#resolve = resolve })
  }

  close = (): void => { this.closed += 1 }

  async answers (): Promise<void> {
    const latencyMs = this.#bench.nowMs - this.#startMs
    await this.#end({ ok: true, startMs: this.#startMs, endMs: this.#bench.nowMs, facts: { latencyMs } })
  }

  async fails (kind: ErrorClass): Promise<void> {
    await this.#end({ ok: false, startMs: this.#startMs, endMs: this.#bench.nowMs, error: { class: kind, message: kind } })
  }

  async #end (sample: Sample): Promise<void> {
    this.#resolve?.(sample)
    this.#resolve = undefined
    await settled()
  }
}

const settled = async (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

class Bench {
  nowMs = 5000
  readonly timers = new Map<object, { readonly dueMs: number, readonly run: () => void }>()
  readonly first = new Asked(this)
  readonly seconds: Asked[] = []
  readonly probe: Probe
  readonly samples: Sample[] = []

  constructor () {
    const after = (ms: number, run: () => void): { stop: () => void } => {
      const timer = { stop: () => { this.timers.delete(timer) } }
      this.timers.set(timer, { dueMs: this.nowMs + ms, run })
      return timer
    }
    const second = (): Asked => {
      const made = new Asked(this)
      this.seconds.push(made)
      return made
    }
    this.probe = hedged(this.first, second, AFTER_MS, { now: () => this.nowMs, after })
  }

  get second (): Asked {
    if (this.seconds.length !== 1) throw new Error(`${this.seconds.length} second probes were made`)
    return this.seconds[0]!
  }

  get last (): Sample | undefined {
    return this.samples.at(-1)
  }

  look (): void {
    void this.probe.run().then(sample => { this.samples.push(sample) })
  }

  async pass (ms: number): Promise<void> {
    this.nowMs += ms
    for (const [timer, { dueMs, run }] of this.timers) {
      if (dueMs > this.nowMs) continue
      this.timers.delete(timer)
      run()
    }
    await settled()
  }
}

void t.test('an answer in time: nobody else is asked', async t => {
  const bench = new Bench()
  for (const turn of [1, 2]) {
    bench.look()
    await bench.pass(AFTER_MS - 1)
    await bench.first.answers()
    t.equal(bench.samples.length, turn)
    t.same(bench.timers.size, 0, 'and nothing is left to come')
  }
  t.same(bench.last, { ok: true, startMs: 5699, endMs: 6398, facts: { latencyMs: 699 } })
  t.equal(bench.seconds.length, 0)
})

void t.test('a failure in time, of any kind: at once, and nobody else is asked', async t => {
  for (const kind of CLASSES) {
    const bench = new Bench()
    bench.look()
    await bench.pass(AFTER_MS - 1)
    await bench.first.fails(kind)
    t.same(bench.last, { ok: false, startMs: 5000, endMs: 5699, error: { class: kind, message: kind } }, kind)
    await bench.pass(AFTER_MS)
    t.same([bench.seconds.length, bench.timers.size], [0, 0], kind)
  }
})

void t.test('silence: a second look, and the first good answer counts', async t => {
  const bench = new Bench()
  bench.look()
  await bench.pass(AFTER_MS - 1)
  t.equal(bench.seconds.length, 0, 'not a moment too soon')
  await bench.pass(1)
  t.same(bench.second.spent, [AFTER_MS], 'it has the rest of the time')
  t.equal(bench.last, undefined, 'which nobody waits for twice')
  await bench.pass(20)
  await bench.second.answers()
  t.same(bench.last, { ok: true, startMs: 5000, endMs: 5720, facts: { latencyMs: 20 } }, 'from the first look on, but the answer took its own time')
  await bench.first.answers()
  t.equal(bench.samples.length, 1, 'the other one came too late')

  const late = new Bench()
  late.look()
  await late.pass(AFTER_MS)
  await late.pass(50)
  await late.first.answers()
  t.same(late.last, { ok: true, startMs: 5000, endMs: 5750, facts: { latencyMs: 750 } }, 'the first may still be the first')
  await late.second.answers()
  t.equal(late.samples.length, 1)
})

void t.test('one fails: the other one may still be good', async t => {
  for (const kind of CLASSES) {
    for (const failing of ['first', 'second'] as const) {
      const bench = new Bench()
      bench.look()
      await bench.pass(AFTER_MS)
      await bench[failing].fails(kind)
      t.equal(bench.last, undefined, `${kind} of the ${failing}: not the last word`)
      await bench.pass(10)
      await bench[failing === 'first' ? 'second' : 'first'].answers()
      t.match(bench.last, { ok: true, startMs: 5000, endMs: 5710 }, `${kind} of the ${failing}`)
    }
  }
})

void t.test('both fail: the error is that of the first look, the end that of the last', async t => {
  for (const [one, other] of [['first', 'second'], ['second', 'first']] as const) {
    const bench = new Bench()
    bench.look()
    await bench.pass(AFTER_MS)
    await bench[one].fails(one === 'first' ? 'timeout' : 'noconn')
    await bench.pass(10)
    await bench[other].fails(other === 'first' ? 'timeout' : 'noconn')
    t.same(bench.last, { ok: false, startMs: 5000, endMs: 5710, error: { class: 'timeout', message: 'timeout' } }, `${one} before ${other}`)
    bench.look()
    t.same(bench.first.spent, [0, 0], 'and the first begins again')
  }
})

void t.test('whose connection works begins next time, and none is made anew', async t => {
  const bench = new Bench()
  bench.look()
  await bench.pass(AFTER_MS)
  await bench.second.answers()
  bench.look()
  t.same([bench.first.spent, bench.second.spent], [[0], [AFTER_MS, 0]], 'at once, though the first still waits for its answer')
  await bench.pass(10)
  await bench.second.answers()
  t.same(bench.last, { ok: true, startMs: 5700, endMs: 5710, facts: { latencyMs: 10 } })
  await bench.first.fails('timeout')

  bench.look()
  await bench.pass(AFTER_MS)
  t.same([bench.first.spent, bench.second.spent], [[0, AFTER_MS], [AFTER_MS, 0, 0]], 'now the first is the second')
  await bench.first.answers()
  await bench.second.answers()
  bench.look()
  t.same(bench.first.spent, [0, AFTER_MS, 0], 'and back')
  await bench.first.answers()
  t.equal(bench.samples.length, 4)
})

void t.test('no third look: one that still waits for its last answer is not asked again', async t => {
  const bench = new Bench()
  bench.look()
  await bench.pass(AFTER_MS)
  await bench.second.answers()
  bench.look()
  await bench.pass(AFTER_MS)
  t.same([bench.first.spent.length, bench.second.spent.length], [1, 2])
  await bench.first.answers()
  t.equal(bench.samples.length, 1, 'that was an answer to the look before')
  await bench.second.fails('timeout')
  t.match(bench.last, { ok: false, startMs: 5700, endMs: 6400 })
  bench.look()
  await bench.pass(AFTER_MS)
  t.same([bench.first.spent.length, bench.second.spent.length], [2, 3], 'when it is through, it is')
})

void t.test('closing', async t => {
  const alone = new Bench()
  alone.probe.close()
  t.same([alone.first.closed, alone.seconds.length], [1, 0], 'what was never there is not made to be closed')

  const both = new Bench()
  both.look()
  await both.pass(AFTER_MS)
  both.probe.close()
  t.same([both.first.closed, both.second.closed], [1, 1], 'both')
  await both.first.fails('local')
  await both.second.fails('local')
  t.match(both.last, { ok: false, error: { class: 'local' } })
  t.equal(both.timers.size, 0)

  const early = new Bench()
  early.look()
  early.probe.close()
  await early.pass(AFTER_MS)
  t.equal(early.seconds.length, 0, 'nobody is asked any more')
  await early.first.fails('timeout')
  t.equal(early.samples.length, 1)
})
