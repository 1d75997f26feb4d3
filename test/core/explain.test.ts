import t from 'tap'
import { decide } from '../../src/core/decide.ts'
import { explain, showOnFail } from '../../src/core/explain.ts'
import { backend, criterion, play, reach, server, type Drawing } from './drawings.ts'

const farm = (minUp = 0) => backend(['a', 'b'].map(name => server(name, [
  reach({ kind: 'reach' }),
  criterion('storage', { kind: 'tahoe.storage', onFail: { action: 'drain' }, rise: 1, fall: 2 }),
  criterion('latency', { onFail: { action: 'weight', percent: 25 } })
])), minUp)
const GOOD = { reach: '+', storage: '+', latency: '+' }

void t.test('one sentence for every layer', async (t) => {
  const rows: ReadonlyArray<readonly [number, Drawing, string, string]> = [
    [0, {}, 'No opinion yet, so HAProxy keeps what it knows: no sample yet: reach, storage, latency.', 'start'],
    [0, { a: GOOD }, 'Up at 100%: every criterion passes.', 'all is well'],
    [0, { a: { ...GOOD, latency: '-' } }, 'Up at 25%: latency: is not ok.', 'less weight'],
    [0, { a: { ...GOOD, storage: '-' } }, 'Drained by its criteria: storage: is not ok.', 'drain'],
    [0, { a: { ...GOOD, storage: '-', latency: '-' } }, 'Drained by its criteria: storage: is not ok (and 1 more).', 'two reasons'],
    [0, { a: { ...GOOD, reach: 't' } }, 'Down by its criteria: reach: timeout by the node.', 'down'],
    [0, { a: { reach: 'x', storage: '-', latency: '-' } }, 'Down by its criteria: reach: refused by the node (and 2 more).', 'three'],
    [2, { a: { ...GOOD, storage: '-' }, b: GOOD },
      'Up against its criteria, at 10%: kept up by min_up 2: storage: is not ok.', 'floor'],
    [1, { a: { reach: '+', storage: '-', latency: '-' }, b: { reach: 'x' } },
      'Up against its criteria, at 25%: kept up by min_up 1: storage: is not ok (and 1 more).', 'floor, alone']
  ]
  for (const [minUp, drawing, sentence, why] of rows) {
    const of = farm(minUp)
    const state = play(of, drawing)
    const story = explain(of, state, 0)
    t.equal(story.sentence, sentence, why)
    t.strictSame(story.decision, decide(of, state, 0), `${why}: the decision is the decision`)
  }
})

void t.test('every criterion with its counter, value and limit', async (t) => {
  const of = farm()
  const { criteria } = explain(of, play(of, { a: { reach: '+++', storage: '+--' } }), 0)
  t.strictSame(criteria, [
    {
      name: 'reach', kind: 'reach', onFail: 'down', rise: 2, fall: 3,
      status: 'pass', health: 4, value: '5ms', limit: 'an answer', reason: 'answered in 5ms', sinceMs: 1000
    },
    {
      name: 'storage', kind: 'tahoe.storage', onFail: 'drain', rise: 1, fall: 2,
      status: 'fail', health: 0, value: false, limit: 'true', reason: 'is not ok', sinceMs: 3000
    },
    { name: 'latency', kind: 'test', onFail: 'weight 25%', rise: 2, fall: 3, status: 'no sample' }
  ])
  const story = explain(of, play(of, { a: { reach: '+xx' } }), 0).criteria[0]
  t.match(story, { status: 'pass', health: 2, reason: 'refused by the node' }, 'passing by its counter, though the last sample did not')
})

void t.test('what a criterion does when it fails', async (t) => {
  t.equal(showOnFail({ action: 'down' }), 'down')
  t.equal(showOnFail({ action: 'drain' }), 'drain')
  t.equal(showOnFail({ action: 'warn' }), 'warn')
  t.equal(showOnFail({ action: 'weight', percent: 40 }), 'weight 40%')
})
