import fc from 'fast-check'
import t from 'tap'
import type { Sample } from '../../src/core/model.ts'
import type { Poll, Probe } from '../../src/core/probe.ts'
import { hedged } from '../../src/probes/hedge.ts'
import { Scheduler } from '../../src/runtime/scheduler.ts'
import { FarmClock } from '../../src/sim/farm-clock.ts'

void t.test('timers fire in the order of their due times, then of their creation', async () => {
  const act = fc.record({ atMs: fc.nat(50), stop: fc.boolean() })
  await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 40 }), fc.nat(60), async (acts, untilMs) => {
    const clock = new FarmClock()
    const fired: Array<readonly [number, number]> = []
    for (const [i, { atMs, stop }] of acts.entries()) {
      const timer = clock.after(atMs, () => { fired.push([clock.now(), i]) })
      if (stop) timer.stop()
    }
    await clock.advance(untilMs)
    const wanted = acts.flatMap(({ atMs, stop }, i) => stop || atMs > untilMs ? [] : [[atMs, i] as const])
      .sort(([a, i], [b, j]) => a - b || i - j)
    return clock.now() === untilMs && JSON.stringify(fired) === JSON.stringify(wanted)
  }))
})

void t.test('a timer may set others, and a ticker goes on until it is stopped', async (t) => {
  const clock = new FarmClock()
  const fired: string[] = []
  const say = (text: string): void => { fired.push(`${clock.now()} ${text}`) }
  const ticker = clock.every(100, () => {
    say('tick')
    if (clock.now() === 300) ticker.stop()
  })
  clock.after(150, () => {
    say('one')
    clock.after(0, () => { say('at once') })
    clock.after(1000, () => { say('later') })
  })
  await clock.advance(500)
  t.strictSame(fired, ['100 tick', '150 one', '150 at once', '200 tick', '300 tick'])
  t.equal(clock.wall() - Date.UTC(2026, 0, 1), 500)
  t.equal(clock.advance(600), undefined, 'nothing to wait for')
  t.throws(() => clock.every(0, () => undefined), RangeError)
})

void t.test('blocked, nothing fires; afterwards all that fell due does, late and in its order', async (t) => {
  const clock = new FarmClock()
  const fired: string[] = []
  clock.every(100, () => { fired.push(`${clock.now()} tick`) })
  clock.after(250, () => { fired.push(`${clock.now()} two`) })
  clock.after(210, () => { fired.push(`${clock.now()} one`) })
  await clock.advance(150)
  clock.blocked = true
  t.equal(clock.advance(1000), undefined)
  t.equal(clock.now(), 1000, 'time passes all the same')
  t.strictSame(fired, ['100 tick'])
  clock.blocked = false
  await clock.advance(1000)
  t.strictSame(fired.slice(1), ['1000 tick', '1000 one', '1000 two'], 'a ticker makes up for nothing')
  await clock.advance(1100)
  t.strictSame(fired.slice(4), ['1100 tick'])
})

const POLL: Poll = {
  key: 'poll', node: { key: 'node', protocol: 'http', host: 'node', port: 80 }, request: { kind: 'tahoe-welcome', options: {} },
  intervalMs: 1000, fastMs: 500, timeoutMs: 900, readers: []
}

/** Answers after 20 ms, through `depth` promises more than it needs. */
function probe (clock: FarmClock, depth: number): Probe {
  const run = async (): Promise<Sample> => new Promise(resolve => {
    const startMs = clock.now()
    clock.after(20, () => {
      clock.answered()
      resolve({ ok: true, startMs, endMs: clock.now(), facts: {} })
    })
  })
  const wrapped = async (left: number): Promise<Sample> => left === 0 ? run() : wrapped(left - 1)
  return { run: async () => wrapped(depth), close: () => undefined }
}

void t.test('whoever waits for an answer goes on before the next timer fires', async (t) => {
  for (const [name, lane, make] of [
    ['plainly', {}, (clock: FarmClock) => probe(clock, 0)],
    ['a look inside a look', {}, (clock: FarmClock) => probe(clock, 2)],
    ['one lane for all', { lane: 'lane' }, (clock: FarmClock) => probe(clock, 2)],
    ['hedged', { lane: 'lane' }, (clock: FarmClock) => hedged(probe(clock, 0), () => probe(clock, 0), 700, clock)]
  ] as const) {
    const clock = new FarmClock()
    clock.every(1, () => undefined)
    for (let atMs = 0; atMs < 6000; atMs += 0.25) clock.after(atMs, () => undefined)
    const lateMs = new Set<number>()
    let seen = 0
    const scheduler = new Scheduler({
      clock,
      createProbe: () => make(clock),
      onSample: (_, { endMs }) => {
        seen += 1
        lateMs.add(clock.now() - endMs)
      },
      isUndecided: () => false,
      isAwaited: () => false,
      wanted: () => []
    })
    scheduler.set(['a', 'b', 'c'].map(key => ({ ...POLL, ...lane, key })))
    for (let nowMs = 0; nowMs <= 6000; nowMs += 100) await clock.advance(nowMs)
    t.strictSame([...lateMs], [0], name)
    t.ok(seen >= 15, `${name}: ${seen} looks`)
  }
})
