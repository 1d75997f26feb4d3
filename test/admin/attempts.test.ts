import t from 'tap'
import { ADDRESSES_MAX, Attempts, FAILURES_MAX, WINDOW_MS } from '../../src/admin/attempts.ts'
import { SimClock } from '../../src/sim/clock.ts'

/** One letter an attempt: `x` fails, `o` turns out right, `.` lets 10 s pass. What comes out: `+` let in, `-` refused. */
async function draw (run: string, address = '10.0.0.1'): Promise<string> {
  const clock = new SimClock()
  const attempts = new Attempts(() => clock.now())
  let out = ''
  for (const what of run) {
    if (what === '.') {
      await clock.advance(10_000)
      out += '.'
      continue
    }
    const attempt = attempts.begin(address)
    out += 'forgive' in attempt ? '+' : '-'
    if (what === 'o' && 'forgive' in attempt) attempt.forgive()
  }
  return out
}

void t.test('some failures, then none', async t => {
  const rows: ReadonlyArray<readonly [run: string, out: string, why: string]> = [
    ['xxxxx', '+++++', 'as many as may fail'],
    ['xxxxxx', '+++++-', 'and one more'],
    ['xxxxxo', '+++++-', 'a right one too: nobody looks at it'],
    ['oooooooo', '++++++++', 'who is right may come as often as he likes'],
    ['xxxxoooox', '+++++++++', 'the right ones count for nothing'],
    ['xxxxooooxx', '+++++++++-', 'and forgive nothing'],
    ['xxxxx.....x', '+++++.....-', 'not for 50 s'],
    ['xxxxx......x', '+++++......+', 'but for a minute'],
    ['xxxxxxxxx......xxxxxx', '+++++----......+++++-', 'who is refused has not failed once more'],
    ['x.x.x.x.x.x.x', '+.+.+.+.+.-.+', 'it is any minute that counts']
  ]
  for (const [run, out, why] of rows) t.equal(await draw(run), out, `${why}: ${run}`)
  t.equal(FAILURES_MAX, 5, 'the drawings are for this many')
})

void t.test('how long to wait', async t => {
  const clock = new SimClock()
  const attempts = new Attempts(() => clock.now())
  for (let i = 0; i < FAILURES_MAX; i += 1) {
    attempts.begin('10.0.0.1')
    await clock.advance(1000)
  }
  t.same(attempts.begin('10.0.0.1'), { waitMs: WINDOW_MS - 5000 })
})

void t.test('whose failures they are', async t => {
  const rows: ReadonlyArray<readonly [one: string, other: string, same: boolean]> = [
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.2', false],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:5::1', true],
    ['2001:db8::1', '2001:db8:0:1::1', false],
    ['fe80::1%eth0', 'fe80::2%eth0', true],
    ['::1', '::2', true],
    ['unix', 'gone', false]
  ]
  for (const [one, other, same] of rows) {
    const attempts = new Attempts(() => 0)
    for (let i = 0; i < FAILURES_MAX; i += 1) attempts.begin(one)
    t.equal('waitMs' in attempts.begin(other), same, `${one} and ${other}`)
  }
})

void t.test('so many addresses are remembered; the one not heard of for longest makes room', async t => {
  const full = (addresses: number): Attempts => {
    const attempts = new Attempts(() => 0)
    for (let i = 0; i < FAILURES_MAX; i += 1) attempts.begin('first')
    for (let i = 1; i < addresses; i += 1) attempts.begin(`a${i}`)
    return attempts
  }
  t.ok('waitMs' in full(ADDRESSES_MAX).begin('first'))
  t.ok('forgive' in full(ADDRESSES_MAX + 1).begin('first'))
})
