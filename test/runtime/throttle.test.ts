import t from 'tap'
import { KEYS_MAX, Throttle } from '../../src/runtime/throttle.ts'
import { SimClock } from '../../src/sim/clock.ts'

void t.test('once per key and period', async (t) => {
  const clock = new SimClock()
  const throttle = new Throttle(clock, 1000)
  t.equal(throttle.allow('a'), true, 'the first')
  t.equal(throttle.allow('a'), false, 'at once again')
  t.equal(throttle.allow('b'), true, 'another key')
  await clock.advance(999)
  t.equal(throttle.allow('a'), false, 'at the end of the period')
  await clock.advance(1)
  t.equal(throttle.allow('a'), true, 'after it')
  t.equal(throttle.allow('a'), false, 'which begins a new one')
})

void t.test('the period runs from what was let through', async (t) => {
  const clock = new SimClock()
  const throttle = new Throttle(clock, 1000)
  const said: number[] = []
  for (let i = 0; i < 30; i += 1) {
    if (throttle.allow('a')) said.push(clock.now())
    await clock.advance(100)
  }
  t.strictSame(said, [0, 1000, 2000])
})

void t.test('at the bound of keys, and one over', async (t) => {
  const clock = new SimClock()
  const throttle = new Throttle(clock, 1000)
  for (let i = 0; i < KEYS_MAX; i += 1) if (!throttle.allow(`${i}`)) t.fail(`key ${i}`)
  t.equal(throttle.allow('one over'), true, 'one more is still said')
  t.equal(throttle.allow('two over'), false, 'but shares its turn with all that follow')
  t.equal(throttle.allow('one over'), false)
  t.equal(throttle.allow('0'), false, 'those known are counted as before')

  await clock.advance(1000)
  t.equal(throttle.allow('three over'), true, 'old keys make room')
  t.equal(throttle.allow('four over'), true, 'for keys of their own')
  t.equal(throttle.allow('three over'), false)
})

void t.test('fewer keys', async (t) => {
  const clock = new SimClock()
  const throttle = new Throttle(clock, 1000, 2)
  t.strictSame(['a', 'b', 'c', 'd', 'a'].map(key => throttle.allow(key)), [true, true, true, false, false])
  await clock.advance(500)
  t.equal(throttle.allow('e'), false)
  await clock.advance(500)
  t.strictSame(['b', 'a', 'c', 'd'].map(key => throttle.allow(key)), [true, true, true, false], 'in any order')
  await clock.advance(1000)
  t.strictSame(['e', 'f', 'g'].map(key => throttle.allow(key)), [true, true, true], 'nobody old is in the way')
})
