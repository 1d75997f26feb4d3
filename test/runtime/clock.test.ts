import t from 'tap'
import { systemClock } from '../../src/runtime/clock.ts'
import { SimClock } from '../../src/sim/clock.ts'

void t.test('SimClock: time stands still until it is told to pass', async (t) => {
  const clock = new SimClock({ epochMs: 1_000_000 })
  t.strictSame([clock.now(), clock.wall()], [0, 1_000_000])
  await clock.advance(1500)
  t.strictSame([clock.now(), clock.wall()], [1500, 1_001_500])
  t.equal(new SimClock().wall(), new SimClock().wall(), 'the same in every run')
})

void t.test('SimClock: timers fire when they are due, in order, and see that time', async (t) => {
  const clock = new SimClock()
  const fired: string[] = []
  const note = (name: string) => (): void => { fired.push(`${name} ${clock.now()}`) }
  clock.after(30, note('c'))
  clock.after(10, note('a'))
  clock.after(10, note('b'))
  clock.after(0, note('now'))
  clock.after(-5, note('overdue'))
  clock.after(31, note('later')).stop()
  t.strictSame(fired, [], 'none before time passes')
  await clock.advance(10)
  t.strictSame(fired, ['now 0', 'overdue 0', 'a 10', 'b 10'], 'due at once: in order of creation')
  await clock.advance(19)
  t.equal(fired.length, 4)
  await clock.advance(100)
  t.equal(fired.at(-1), 'c 30')
  t.equal(fired.length, 5, 'a stopped one does not fire')
  t.equal(clock.now(), 129)
  t.equal(clock.waiting, 0)
})

void t.test('SimClock: promises settle between timers', async (t) => {
  const clock = new SimClock()
  const fired: string[] = []
  const slow = async (): Promise<void> => {
    for (let i = 0; i < 50; i += 1) await Promise.resolve()
    fired.push(`settled ${clock.now()}`)
    clock.after(5, () => { fired.push(`then ${clock.now()}`) })
  }
  clock.after(10, () => { void slow() })
  clock.after(20, () => { fired.push('next') })
  await clock.advance(100)
  t.strictSame(fired, ['settled 10', 'then 15', 'next'])
})

void t.test('SimClock: every', async (t) => {
  const clock = new SimClock()
  const fired: number[] = []
  const timer = clock.every(10, () => {
    fired.push(clock.now())
    if (fired.length === 3) timer.stop()
  })
  await clock.advance(25)
  t.strictSame(fired, [10, 20])
  await clock.advance(25)
  t.strictSame(fired, [10, 20, 30], 'stopped from within')
  t.equal(clock.waiting, 0)
  t.throws(() => { clock.every(0, () => undefined) }, { message: 'a period must be above 0 ms, is 0' })
})

void t.test('SimClock: one advance at a time', async (t) => {
  const clock = new SimClock()
  const first = clock.advance(10)
  await t.rejects(clock.advance(10), { message: 'time is passing already: await the advance before' })
  await first
  await clock.advance(1)
  t.equal(clock.now(), 11)
})

void t.test('systemClock: the same contract, on real time', async (t) => {
  const before = [systemClock.now(), Date.now()] as const
  systemClock.after(0, () => { t.fail('stopped before it was due') }).stop()
  await new Promise<void>(resolve => { systemClock.after(1, resolve) })
  let count = 0
  await new Promise<void>(resolve => {
    const timer = systemClock.every(1, () => {
      count += 1
      if (count < 3) return
      timer.stop()
      resolve()
    })
  })
  t.ok(systemClock.now() > before[0])
  t.ok(systemClock.wall() >= before[1])
})
