import t from 'tap'
import type { Decision, State } from '../../src/core/model.ts'
import type { AdminState, Reply } from '../../src/core/reply.ts'
import { TEXT_BYTES_MAX, neutral, toReply } from '../../src/core/reply.ts'

const decide = (state: State, because: readonly string[] = ['disk: 1% free', 'latency']): Decision =>
  ({ state, weightPercent: 40, layer: 'criteria', because })

const TEXT = { text: 'disk: 1% free' }
const OUT = { weightPercent: 40, ...TEXT }

void t.test('toReply: each state, by who owns the admin words and whether we are taking ours back', async (t) => {
  const rows: ReadonlyArray<readonly [State, AdminState, boolean, Reply, string]> = [
    ['up', 'shared', false, { health: 'up', ...OUT }, 'health and weight, the operator keeps the admin words'],
    ['up', 'shared', true, { admin: 'ready', health: 'up', ...OUT }, 'our own drain or maint is taken back'],
    ['up', 'owned', false, { admin: 'ready', health: 'up', ...OUT }, 'an admin word in every answer'],
    ['up', 'owned', true, { admin: 'ready', health: 'up', ...OUT }, 'the same'],
    ['down', 'shared', false, { health: 'down', ...OUT }, 'with the weight it shall have when it is back'],
    ['down', 'shared', true, { admin: 'ready', health: 'down', ...OUT }, 'from maint to down'],
    ['down', 'owned', false, { admin: 'ready', health: 'down', ...OUT }, 'an admin word in every answer'],
    ['down', 'owned', true, { admin: 'ready', health: 'down', ...OUT }, 'the same'],
    ['drain', 'shared', false, { admin: 'drain', health: 'up', ...TEXT }, 'no weight: 2.6 would log at every check'],
    ['drain', 'shared', true, { admin: 'drain', health: 'up', ...TEXT }, 'draining again: nothing is taken back'],
    ['drain', 'owned', false, { admin: 'drain', health: 'up', ...TEXT }, 'the same'],
    ['drain', 'owned', true, { admin: 'drain', health: 'up', ...TEXT }, 'the same'],
    ['maint', 'shared', false, { admin: 'maint', health: 'up', ...TEXT }, 'no weight'],
    ['maint', 'shared', true, { admin: 'maint', health: 'up', ...TEXT }, 'nothing is taken back'],
    ['maint', 'owned', false, { admin: 'maint', health: 'up', ...TEXT }, 'the same'],
    ['maint', 'owned', true, { admin: 'maint', health: 'up', ...TEXT }, 'the same'],
    ['unknown', 'shared', false, TEXT, 'no opinion: no word'],
    ['unknown', 'shared', true, TEXT, 'no opinion: no word'],
    ['unknown', 'owned', false, TEXT, 'no opinion: no word, not even ready'],
    ['unknown', 'owned', true, TEXT, 'no opinion: no word']
  ]
  for (const [state, adminState, releasing, wanted, why] of rows) {
    const name = `${state}, ${adminState}${releasing ? ', releasing' : ''}: ${why}`
    t.strictSame(toReply(decide(state), adminState, releasing), wanted, name)
  }
})

void t.test('toReply: without a reason', async (t) => {
  t.strictSame(toReply(decide('up', []), 'shared', false), { health: 'up', weightPercent: 40 }, 'no description')
  t.strictSame(toReply(decide('drain', []), 'shared', false), { admin: 'drain', health: 'up' })
  t.strictSame(toReply(decide('unknown', []), 'shared', false), { text: 'no verdict yet' })
})

void t.test('toReply: the reason is made fit to show', async (t) => {
  for (const state of ['up', 'down', 'drain', 'maint', 'unknown'] as const) {
    const { text = '' } = toReply(decide(state, ['a\nb "c" URI:LIT:krugkidfnzsc4']), 'shared', false)
    t.equal(text, "a b 'c' URI:[redacted]", state)
    const long = toReply(decide(state, ['x'.repeat(TEXT_BYTES_MAX + 1)]), 'shared', false)
    t.equal(long.text?.length, TEXT_BYTES_MAX, `${state}: at most ${TEXT_BYTES_MAX} bytes`)
  }
})

void t.test('neutral', async (t) => {
  t.strictSame(neutral('unknown web/x'), { text: 'unknown web/x' })
  t.equal(neutral('x'.repeat(TEXT_BYTES_MAX)).text, 'x'.repeat(TEXT_BYTES_MAX), 'at bound')
  t.equal(neutral('x'.repeat(TEXT_BYTES_MAX + 1)).text, `${'x'.repeat(TEXT_BYTES_MAX - 3)}...`, 'at bound + 1')
})
