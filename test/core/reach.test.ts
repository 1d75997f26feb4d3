/** Whether a node answered at all. */
import t from 'tap'
import type { ErrorClass, GoodSample } from '../../src/core/model.ts'
import { answeredBadly, judgeReach, reachCheck, reachedBy, showsReach } from '../../src/core/reach.ts'
import type { Reached } from '../../src/core/state.ts'
import { BARE, content, criterion, ownOf, play, reach, sampleOf, server, web } from './drawings.ts'

void t.test('how a sample reached its node', async (t) => {
  const rows: ReadonlyArray<readonly [ErrorClass, Reached | undefined, string]> = [
    ['refused', 'dead', 'the host itself said no'],
    ['reset', 'dead', 'the host itself said no'],
    ['noconn', 'noconn', 'silence'],
    ['timeout', 'noreply', 'silence'],
    ['tls', 'noreply', 'something is there, but it is not this node'],
    ['protocol', 'ok', 'a bad answer is an answer'],
    ['local', undefined, 'no evidence at all']
  ]
  for (const [kind, reached, why] of rows) {
    t.equal(reachedBy({ ok: false, startMs: 0, endMs: 1, error: { class: kind, message: '' } }), reached, `${kind}: ${why}`)
  }
  for (const mark of '+-*%') t.equal(reachedBy(sampleOf(mark, 0)!), 'ok', mark)
})

void t.test('any answer passes, and says how long it took', async (t) => {
  t.strictSame(judgeReach(sampleOf('-', 2000, 1500) as GoodSample, undefined), {
    pass: true, value: '1.5s', limit: 'an answer', reason: 'answered in 1.5s'
  })
  t.strictSame(answeredBadly('no\n"HTTP"'), { pass: true, value: 'a bad answer', limit: 'an answer', reason: "answered, badly: no 'HTTP'" })
})

void t.test('where to look for it', async (t) => {
  const usual = server('a', [reach({ probe: 'p' }), criterion('canary')])
  t.equal(showsReach(usual, 'p'), true)
  t.equal(showsReach(usual, 'canary'), false, 'another probe')
  t.equal(showsReach(server('a', [criterion('p')]), 'p'), false, 'a server without reach')
  const own = ownOf(play(web('a', BARE, [reach(), content('http')]), 'a +'))
  t.equal(reachCheck(server('a', [reach(), content('http')]), own), own.checks[0])
  t.equal(reachCheck(server('a', [content('http'), reach()]), own), undefined, 'it comes first, or not at all')
})
