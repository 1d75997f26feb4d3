import t from 'tap'
import { TICK_MS } from '../../src/probes/deadline.ts'
import { HandTicker } from './bench.ts'

void t.test('a deadline expires at the first tick by which its time has surely passed', async t => {
  const rows: ReadonlyArray<readonly [number, number]> = [
    [0, 1], [1, 2], [TICK_MS, 2], [TICK_MS + 1, 3], [2 * TICK_MS, 3], [300, 16], [2000, 101]
  ]
  for (const [ms, ticks] of rows) {
    const { deadlines, ticker } = wheel()
    let expired = 0
    deadlines.after(ms, () => { expired += 1 })
    ticker.tick(ticks - 1)
    t.equal(expired, 0, `${ms}ms: not at tick ${ticks - 1}`)
    ticker.tick()
    t.equal(expired, 1, `${ms}ms: at tick ${ticks}`)
    ticker.tick(100)
    t.equal(expired, 1, `${ms}ms: once`)
  }
})

function wheel (): { deadlines: HandTicker['deadlines'], ticker: HandTicker } {
  const ticker = new HandTicker()
  return { deadlines: ticker.deadlines, ticker }
}

void t.test('time that passes without a tick expires nothing: a stalled loop blames nobody', async t => {
  const { deadlines, ticker } = wheel()
  let expired = false
  deadlines.after(TICK_MS, () => { expired = true })
  const untilMs = performance.now() + 5 * TICK_MS
  while (performance.now() < untilMs) { /* the loop stalls */ }
  ticker.tick()
  t.equal(expired, false, 'one tick is one tick, however late')
  ticker.tick()
  t.equal(expired, true)
})

void t.test('many deadlines, one ticker, in the order of their times', async t => {
  const { deadlines, ticker } = wheel()
  const order: string[] = []
  deadlines.after(100, () => { order.push('100 a') })
  deadlines.after(40, () => { order.push('40') })
  deadlines.after(100, () => { order.push('100 b') })
  ticker.tick()
  deadlines.after(40, () => { order.push('60') })
  t.equal(ticker.running, 1)
  ticker.tick(5)
  t.same(order, ['40', '60', '100 a', '100 b'])
})

void t.test('a deadline that is called off', async t => {
  const { deadlines, ticker } = wheel()
  const order: string[] = []
  const callOff = deadlines.after(100, () => { order.push('called off') })
  deadlines.after(100, () => { order.push('kept') })
  callOff()
  const alone = deadlines.after(40, () => { order.push('alone') })
  alone()
  deadlines.after(40, () => { order.push('same slot, later') })
  alone()
  ticker.tick(10)
  t.same(order, ['same slot, later', 'kept'], 'calling off twice takes nobody else along')
  callOff()
})

void t.test('one that expires may call off another one of its tick', async t => {
  const { deadlines, ticker } = wheel()
  const order: string[] = []
  const others: Array<() => void> = []
  deadlines.after(20, () => {
    order.push('first')
    for (const callOff of others) callOff()
  })
  others.push(deadlines.after(20, () => { order.push('second') }))
  ticker.tick(5)
  t.same(order, ['first'])
})

void t.test('the ticker runs only while there is a deadline', async t => {
  const { deadlines, ticker } = wheel()
  t.equal(ticker.running, 0, 'idle')
  deadlines.after(20, () => undefined)
  t.equal(ticker.running, 1)
  ticker.tick(2)
  t.equal(ticker.running, 0, 'expired')
  const callOff = deadlines.after(1000, () => undefined)
  t.equal(ticker.running, 1, 'again')
  callOff()
  ticker.tick()
  t.equal(ticker.running, 0, 'called off')
  let again = false
  deadlines.after(20, () => { deadlines.after(20, () => { again = true }) })
  ticker.tick(2)
  t.equal(ticker.running, 1, 'an expiry may set the next deadline')
  ticker.tick(2)
  t.equal(again, true)
  t.equal(ticker.running, 0)
})
