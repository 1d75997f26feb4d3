/** How often an HAProxy asks, when it is silent, and who asks for what is not in the config. */
import t, { type Test } from 'tap'
import type { Reply } from '../../src/core/reply.ts'
import { AWAY_MS, Pollers, SILENT_FORGOTTEN_MS, SILENT_MS_MIN, TRIED_FORGOTTEN_MS, UNKNOWN_FORGOTTEN_MS, UNKNOWN_MAX } from '../../src/runtime/pollers.ts'

const UP: Reply = { health: 'up' }
const MINUTE_MS = 60_000
const HAPROXY = '10.0.0.1'

class Bench {
  readonly events: string[] = []
  readonly pollers = new Pollers(
    (from, id) => { this.events.push(`first ${from} ${id}`) },
    {
      onSilent: ({ from, intervalMs, forMs }) => { this.events.push(`silent ${from} ${Math.round(intervalMs)} ${forMs}`) },
      onBack: ({ from, forMs }) => { this.events.push(`back ${from} ${forMs}`) }
    }
  )

  ask (id: string, atMs: readonly number[], from = HAPROXY): this {
    for (const ms of atMs) this.pollers.told(id, from, ms, UP)
    return this
  }

  /** Looks once a second; what was told. */
  tick (fromMs: number, untilMs: number, everyMs = 1000): readonly string[] {
    this.events.length = 0
    for (let ms = fromMs; ms <= untilMs; ms += everyMs) this.pollers.tick(ms)
    return this.events
  }

  view (nowMs: number, from = HAPROXY): unknown {
    return this.pollers.all(nowMs).find(each => each.from === from)
  }
}

const every = (ms: number, times: number, firstMs = 0): readonly number[] => Array.from({ length: times }, (_, i) => firstMs + i * ms)

void t.test('the interval is a running mean of the gaps', async (t) => {
  const rows: ReadonlyArray<readonly [gaps: readonly number[], intervalMs: number | undefined, why: string]> = [
    [[], undefined, 'asked once'],
    [[2000], 2000, 'one gap'],
    [[2000, 2000, 2000], 2000, 'steady'],
    [[2000, 2400], 2100, 'a quarter of what is new'],
    [[2000, 1600], 1900, 'in both directions'],
    [[2000, 6000], 3000, 'three times as long still counts as any gap'],
    [[2000, 6001], 6000, 'longer is an absence, or another pace: three intervals'],
    [[2000, 3_600_000], 6000, 'however long it was'],
        [[0], 1, 'at the same moment'],
    [[2000, 0, 0], 1125, 'twice and thrice at once']
  ]
  for (const [gaps, intervalMs, why] of rows) {
    const b = new Bench()
    let ms = 0
    b.ask('web/a', [0, ...gaps.map(gap => ms += gap)])
    const [seen] = b.pollers.of('web/a')
    t.equal(seen?.intervalMs, intervalMs, why)
  }
  const b = new Bench().ask('web/a', [0, ...every(2000, 12, 10)])
  const [seen] = b.pollers.of('web/a')
  t.ok(Math.abs((seen?.intervalMs ?? 0) - 2000) < 500, 'the true pace is found after a gap that was far too short')
})

void t.test('the pace of an HAProxy is the median over its servers', async (t) => {
  const b = new Bench()
  b.ask('web/a', every(1000, 3))
  t.strictSame(b.view(2000), { from: HAPROXY, servers: 1, intervalMs: 1000, lastMs: 2000, silent: false })
  b.ask('web/b', every(2000, 3)).ask('web/c', every(2200, 3))
  t.match(b.view(4400), { servers: 3, intervalMs: 2000, lastMs: 4400 })
  b.ask('web/d', [4400, 4401])
  t.match(b.view(4401), { servers: 4, intervalMs: 2000 }, 'two times are no pace yet')
  b.ask('web/d', [4402])
  t.match(b.view(4402), { servers: 4, intervalMs: 2000 }, 'of four the upper one of the middle')
  t.strictSame(new Bench().ask('web/a', [0, 50]).view(60), { from: HAPROXY, servers: 1, lastMs: 50, silent: false }, 'absent before it is known')
})

void t.test('what it no longer asks for counts neither as a server nor for its pace', async (t) => {
  const b = new Bench()
  b.ask('api/a', every(100, 3)).ask('api/b', every(100, 3)).ask('web/a', every(MINUTE_MS, 3))
  t.match(b.view(2 * MINUTE_MS), { servers: 1, intervalMs: MINUTE_MS, silent: false }, 'it asks for web/a once a minute')
  t.strictSame(b.tick(2 * MINUTE_MS, 5 * MINUTE_MS), [], 'and is not silent in between')
})

/** Asked for web/a every so often; the silence is told at the first look after it is over the bound. */
const SILENT: ReadonlyArray<readonly [intervalMs: number, patienceMs: number]> = [[2000, 6000], [10_000, 30_000], [400, 1200], [100, SILENT_MS_MIN], [1, SILENT_MS_MIN]]

void t.test('silent after three of its own intervals, told once; and when it is back', async (t) => {
  for (const [intervalMs, patienceMs] of SILENT) {
    const b = new Bench()
    b.ask('web/b', every(intervalMs, 4)).ask('web/a', every(intervalMs, 5))
    const lastMs = 4 * intervalMs
    t.strictSame(b.tick(lastMs + patienceMs - 20, lastMs + patienceMs, 10), [], `${intervalMs}: at the bound`)
    t.match(b.view(lastMs + patienceMs), { silent: false }, `${intervalMs}: shown at the bound`)
    t.match(b.view(lastMs + patienceMs + 1), { silent: true, servers: 2 }, `${intervalMs}: shown`)
    t.strictSame(b.tick(lastMs + patienceMs + 1, lastMs + patienceMs + 9001), [`silent ${HAPROXY} ${intervalMs} ${patienceMs + 1}`], `${intervalMs}: once`)
    const backMs = lastMs + patienceMs + 9500
    b.ask('web/b', [backMs])
    t.match(b.view(backMs + 1), { silent: false }, `${intervalMs}: any server will do`)
    t.strictSame(b.tick(backMs + 100, backMs + 900, 100), [`back ${HAPROXY} ${backMs - lastMs}`], `${intervalMs}: once`)
  }
})

void t.test('nobody is told silent whose pace is not known', async (t) => {
  const b = new Bench()
  b.ask('web/b', [0]).ask('web/a', [0, 10])
  t.strictSame(b.tick(0, 9 * MINUTE_MS), [])
  t.match([b.view(10 + MINUTE_MS - 1), b.view(10 + MINUTE_MS)], [{ silent: false }, { silent: true }], 'though it is shown')
})

void t.test('two HAProxys behind one address are one that asks twice as often', async (t) => {
  const b = new Bench()
  let told = 0
  for (let i = 0; i < 30; i += 1) {
    b.ask('web/a', [i * 2000, i * 2000 + 300])
    if (i > 3) told += b.tick(i * 2000 + 300, i * 2000 + 1999, 100).length
  }
  t.equal(told, 0, 'and not silent in the longer gap')
})

void t.test('when we were away, nobody else was', async (t) => {
  const b = new Bench()
  b.ask('web/a', every(1000, 4))
  const still = (late: number): readonly string[] => {
    const c = new Bench()
    c.ask('web/a', every(1000, 4))
    c.tick(0, 3000)
    return c.tick(3000 + late, 3000 + late)
  }
  t.strictSame(b.tick(0, 3000), [])
  t.strictSame(b.tick(63_000, 66_000), [], 'the look came late: we cannot know')
  t.match(b.view(66_000), { silent: false })
  t.strictSame(b.tick(66_001, 66_001), [`silent ${HAPROXY} 1000 63001`], 'from then on we do')
  t.strictSame(still(AWAY_MS + 1), [], 'late')
  b.ask('web/a', [66_500])
  t.strictSame(b.tick(67_000, 67_000), [`back ${HAPROXY} 63500`])
  const c = new Bench()
  c.ask('web/a', every(900, 4, 0)).tick(0, 2700, 900)
  t.strictSame(c.tick(2700 + AWAY_MS, 2700 + AWAY_MS), [`silent ${HAPROXY} 900 3000`], 'at the bound it is not late')
})

void t.test('who is gone for good is forgotten', async (t) => {
  const told = (b: Bench, ms: number): readonly [readonly string[], number] => [b.tick(ms, ms), b.pollers.all(ms).length + b.pollers.of('web/a').length]
  const tried = new Bench().ask('web/a', [0, 0])
  t.strictSame([TRIED_FORGOTTEN_MS - 1, TRIED_FORGOTTEN_MS].map(ms => told(tried, ms)[1]), [2, 0], 'a person who tried it out')
  tried.events.length = 0
  tried.ask('web/a', [TRIED_FORGOTTEN_MS + 1])
  t.strictSame(tried.events, [`first ${HAPROXY} web/a`], 'and is new when it comes again')
  const haproxy = new Bench().ask('web/a', every(2000, 5))
  haproxy.tick(8000, 20_000)
  t.strictSame([SILENT_FORGOTTEN_MS - 1, SILENT_FORGOTTEN_MS].map(ms => told(haproxy, 8000 + ms)), [[[], 2], [[], 0]], 'an HAProxy, after a day')
})

void t.test('names that are not in the config', async (t) => {
  const b = new Bench()
  const ask = (name: string, ms: number): void => { b.pollers.unknown(name, HAPROXY, ms, ['web/a']) }
  ask('web/aa', 0)
  ask('web/ab', 1000)
  b.pollers.unknown('web/aa', HAPROXY, 2000, undefined)
  b.pollers.unknown('web/aa', '10.0.0.2', 2500, undefined)
  t.strictSame(b.pollers.unknowns(3000), [
    { asked: 'web/ab', from: HAPROXY, near: ['web/a'], times: 1, lastMs: 1000 },
    { asked: 'web/aa', from: HAPROXY, near: ['web/a'], times: 2, lastMs: 2000 },
    { asked: 'web/aa', from: '10.0.0.2', near: [], times: 1, lastMs: 2500 }
  ], 'what is near is kept, where it was looked for')
  const left = (ms: number): number => b.pollers.unknowns(ms).length
  t.strictSame([999, 1000].map(ms => left(UNKNOWN_FORGOTTEN_MS + ms)), [3, 2], 'forgotten')
  b.pollers.forget(new Set())
  t.equal(left(3000), 0, 'with a new config all is new')
  ask('web/\n"evil"\t<b>URI:CHK:aaaabbbb:cccc', 4000)
  t.equal(b.pollers.unknowns(4000)[0]?.asked, "web/ 'evil' 'b'URI:[redacted]", 'a name is text from outside')
})

const names = (t: Test, pollers: Pollers, first: string, last: string, why: string): void => {
  const all = pollers.unknowns(0)
  t.strictSame([all.length, all[0]?.asked, all.at(-1)?.asked], [UNKNOWN_MAX, first, last], why)
}

void t.test(`${UNKNOWN_MAX} unknown names, and one more`, async (t) => {
  const { pollers } = new Bench()
  const ask = (name: string): void => { pollers.unknown(name, HAPROXY, 0, []) }
  for (let i = 0; i < UNKNOWN_MAX; i += 1) ask(`x/${i}`)
  names(t, pollers, 'x/0', 'x/99', 'at the bound')
  ask('x/0')
  names(t, pollers, 'x/1', 'x/0', 'one that is known makes nobody go')
  ask('x/more')
  names(t, pollers, 'x/2', 'x/more', 'the oldest makes room')
})
