import t from 'tap'
import { ADDRESSES_MAX, Attempts, FAILURES_MAX, WAITING_MAX, WINDOW_MS } from '../../src/admin/attempts.ts'
import { SimClock } from '../../src/sim/clock.ts'

/** One that turns out wrong at once. */
async function fail (attempts: Attempts, address: string): Promise<unknown> {
  const attempt = await attempts.begin(address)
  if (attempt !== 'busy' && 'end' in attempt) attempt.end(true)
  return attempt
}

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
    const attempt = await attempts.begin(address)
    const letIn = attempt !== 'busy' && 'end' in attempt
    out += letIn ? '+' : '-'
    if (letIn) attempt.end(what === 'x')
  }
  return out
}

/** `?` begins; the oldest under way ends wrong [x] or right [o]. What has come of each: `+` let in, `-` refused, `w` it waits, `b` too many wait. */
async function drawAtOnce (run: string): Promise<string> {
  const clock = new SimClock()
  const attempts = new Attempts(() => clock.now())
  const underWay: Array<(wrong: boolean) => void> = []
  const out: string[] = []
  const begin = async (i: number): Promise<void> => {
    const attempt = await attempts.begin('10.0.0.1')
    if (attempt !== 'busy' && 'end' in attempt) underWay.push(attempt.end)
    out[i] = attempt === 'busy' ? 'b' : 'end' in attempt ? '+' : '-'
  }
  for (const what of run) {
    if (what === '?') void begin(out.push('w') - 1)
    else underWay.shift()?.(what === 'x')
    await clock.advance(0)
  }
  return out.join('')
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

void t.test('many at once: no more than may fail, and the others wait for what comes of them', async t => {
  const rows: ReadonlyArray<readonly [run: string, out: string, why: string]> = [
    ['?????', '+++++', 'as many as may fail'],
    ['????????', '+++++www', 'the others wait'],
    ['????????o', '++++++ww', 'for one that is right there is another'],
    ['????????oooooooo', '++++++++', 'all who are right get in'],
    ['????????x', '+++++www', 'for one that is wrong there is none'],
    ['????????xxxx', '+++++www', 'one is still under way, and may be right'],
    ['????????xxxxo', '++++++ww', 'as this one'],
    ['????????xxxxooo', '++++++++', 'and the ones after it'],
    ['????????xxxxx', '+++++---', 'now so many have failed'],
    ['????????xxxxox', '++++++--', 'or now'],
    ['????????xxxxx?', '+++++----', 'whoever comes later need not wait for it'],
    ['????????oooooooo?????x?', '+++++++++++++w', 'nothing is left behind']
  ]
  for (const [run, out, why] of rows) t.equal(await drawAtOnce(run), out, `${why}: ${run}`)
  const full = '?'.repeat(FAILURES_MAX + WAITING_MAX)
  t.equal(await drawAtOnce(full), '+'.repeat(FAILURES_MAX) + 'w'.repeat(WAITING_MAX))
  t.equal(await drawAtOnce(`${full}?`), `${'+'.repeat(FAILURES_MAX)}${'w'.repeat(WAITING_MAX)}b`, 'one too many')
  t.equal(await drawAtOnce(`${full}?o?`), `${'+'.repeat(FAILURES_MAX + 1)}${'w'.repeat(WAITING_MAX - 1)}bw`, 'and one for whom there is room')
})

void t.test('those who wait are of one address', async t => {
  const attempts = new Attempts(() => 0)
  for (let i = 0; i < FAILURES_MAX; i += 1) await attempts.begin('10.0.0.1')
  void attempts.begin('10.0.0.1')
  t.match(await attempts.begin('10.0.0.2'), { end: Function })
})

void t.test('how long to wait', async t => {
  const clock = new SimClock()
  const attempts = new Attempts(() => clock.now())
  for (let i = 0; i < FAILURES_MAX; i += 1) {
    await fail(attempts, '10.0.0.1')
    await clock.advance(1000)
  }
  t.same(await attempts.begin('10.0.0.1'), { waitMs: WINDOW_MS - 5000 })
})

void t.test('how long to wait, when the first to begin was the last to fail', async t => {
  const clock = new SimClock()
  const attempts = new Attempts(() => clock.now())
  const first = await attempts.begin('10.0.0.1')
  await clock.advance(1000)
  for (let i = 1; i < FAILURES_MAX; i += 1) await fail(attempts, '10.0.0.1')
  if (first !== 'busy' && 'end' in first) first.end(true)
  t.same(await attempts.begin('10.0.0.1'), { waitMs: WINDOW_MS - 1000 })
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
    for (let i = 0; i < FAILURES_MAX; i += 1) await fail(attempts, one)
    t.equal('waitMs' in Object(await attempts.begin(other)), same, `${one} and ${other}`)
  }
})

void t.test('so many addresses are remembered; the one not heard of for longest makes room', async t => {
  const full = async (addresses: number): Promise<unknown> => {
    const attempts = new Attempts(() => 0)
    for (let i = 0; i < FAILURES_MAX; i += 1) await fail(attempts, 'first')
    for (let i = 1; i < addresses; i += 1) await fail(attempts, `a${i}`)
    return attempts.begin('first')
  }
  t.match(await full(ADDRESSES_MAX), { waitMs: WINDOW_MS })
  t.match(await full(ADDRESSES_MAX + 1), { end: Function })
  const attempts = new Attempts(() => 0)
  await fail(attempts, 'first')
  for (let i = 1; i < ADDRESSES_MAX; i += 1) await fail(attempts, `a${i}`)
  for (let i = 1; i < FAILURES_MAX; i += 1) await fail(attempts, 'first')
  await fail(attempts, 'one more')
  t.match(await attempts.begin('first'), { waitMs: WINDOW_MS }, 'it has been heard of since')
})
