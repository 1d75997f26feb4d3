/** What happens next by itself. How to read the drawings: drawings.ts. */
import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import type { Order } from '../../src/core/order.ts'
import { outlook } from '../../src/core/outlook.ts'
import { BARE, criterion, only, order, ordered, play, reach, web, without, type Story } from './drawings.ts'

const next = ({ backend, state, nowMs }: Story, laterMs = 0): string | undefined =>
  outlook(backend, state, 0, decide(backend, state, 0, nowMs + laterMs), nowMs + laterMs)

void t.test('by the polls', async (t) => {
  const rows: ReadonlyArray<readonly [Story, string | undefined, string]> = [
    [play(web('ab', BARE), 'a .'), undefined, 'nothing is known'],
    [play(web('ab', BARE), 'a ++++'), undefined, 'all is well'],
    [play(web('ab', BARE), 'a ++++x'), 'out if reach fails 2 times more', 'it has begun to fail'],
    [play(web('ab', BARE), 'a ++++xx'), 'out if reach fails once more', 'and goes on'],
    [play(web('ab', BARE), 'a ++++xxx'), 'back when reach has passed 2 times', 'out'],
    [play(web('ab', BARE), 'a ++++xxx+'), 'back when reach has passed once more', 'on its way back'],
    [play(web('ab', BARE, [reach(), criterion('intro', { onFail: { action: 'warn' } })]), 'a ++++\na.intro ++--'), undefined, 'a warning takes nobody out'],
    [play(web('ab', BARE, [reach(), criterion('disk', { fall: 1 }), criterion('space', { fall: 1, rise: 4 })]), 'a ++++\na.disk ++--\na.space ++--'), 'back when space has passed 4 times', 'the slowest of two'],
    [play(web('ab', BARE, [reach(), criterion('disk', { fall: 1, onFail: { action: 'warn' } }), criterion('space', { fall: 1 })]), 'a ++++\na.disk ++--\na.space ++-+'), 'back when space has passed once more', 'not the warning'],
    [play(web('ab', only('hold')), 'a ++xxxx++'), undefined, 'its hold is over'],
    [play(web('ab', only('hold')), 'a ++xxx++'), 'back in 1s if it goes on passing', 'held']
  ]
  for (const [story, wanted, why] of rows) t.equal(next(story), wanted, why)
  const ramping = play(web('abc', without('gate')), `
    a  ++xxxx+++++
    b  +++++++++++
    c  +++++++++++`)
  t.match(next(ramping), /^all its weight in (?:\d+s)$/, 'coming back')
})

void t.test('by orders', async (t) => {
  const story = play(web('ab', BARE), 'a ++++')
  const at = (...orders: readonly Order[]): string | undefined => next(ordered(story, orders))
  const { nowMs } = story
  const ramp = { fromPercent: 100, overMs: 600_000 }
  const rows: ReadonlyArray<readonly [readonly Order[], string | undefined, string]> = [
    [[order('web/a', 'drain')], undefined, 'until it is cleared'],
    [[order('web/a', 'drain', 0, nowMs + 1_500_000)], 'drain ends in 25m', 'an end'],
    [[order('web/a', 'ready', 0, nowMs + 60_000), order('web/*', 'drain')], 'ready ends in 1m', 'of a ready too'],
    [[order('web/a', 'maint', nowMs + 15_000_000, nowMs + 20_000_000)], 'maint in 4h 10m (al: disk)', 'one that comes'],
    [[order('web/a', 'maint', nowMs + 86_400_001)], undefined, 'in more than a day'],
    [[order('web/a', 'drain', 0, nowMs + 60_000), order('web/*', 'maint', nowMs + 3_600_000)], 'drain ends in 1m; maint in 1h (al: disk)', 'both'],
    [[{ ...order('web/a', { weightPercent: 25 }, nowMs), ramp }], 'the cap moves in 40s', 'a walk'],
    [[{ ...order('web/a', { weightPercent: 25 }, nowMs, nowMs + 3_600_000), ramp }], 'the cap moves in 40s; weight 25% ends in 1h', 'with an end'],
    [[order('web/*', 'maint', nowMs + 1000), order('web/a', 'ready', 0, nowMs + 9000)], 'ready ends in 9s', 'what comes is hidden by what holds then'],
    [[order('web/*', 'maint', nowMs + 9000), order('web/a', 'ready', 0, nowMs + 9000)], 'ready ends in 9s; maint in 9s (al: disk)', 'and not by what is over then'],
    [[order('web/b', 'drain', 0, nowMs + 1000)], undefined, 'of another server']
  ]
  for (const [orders, wanted, why] of rows) t.equal(at(...orders), wanted, why)
  const failing = play(web('ab', BARE), 'a +++xxx')
  t.equal(next(ordered(failing, [order('web/a', 'drain', 0, failing.nowMs + 60_000)])), 'drain ends in 1m', 'what the polls will say does not matter yet')
  t.equal(next(ordered(failing, [order('web/a', 'up')])), undefined, 'of one that is forced in')
  t.equal(next(ordered(failing, [order('web/a', { weightPercent: 50 }, 0, failing.nowMs + 60_000)])), 'weight 50% ends in 1m; back when reach has passed 2 times', 'with a cap it does')
})
