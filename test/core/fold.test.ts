/** One sample into the memory of its server. */
import t from 'tap'
import { newBackend } from '../../src/core/advance.ts'
import { fold, withServer } from '../../src/core/fold.ts'
import type { Sample } from '../../src/core/model.ts'
import type { ServerState } from '../../src/core/state.ts'
import { isStrained } from '../../src/core/strain.ts'
import { backend, BARE, content, criterion, only, ownOf, play, reach, sampleOf, server, tell, web, type Story } from './drawings.ts'

const NOBODY = () => []
const seen = ({ backend: farm, state }: Story, sample: Sample, probe = 'reach', index = 0): ServerState | undefined =>
  fold(farm, state, { kind: 'sample', server: index, probe, sample }, NOBODY)

void t.test('what is worth nothing leaves nothing', async (t) => {
  const story = play(web('a', BARE), 'a +')
  const rows: ReadonlyArray<readonly [mark: string, endMs: number, worth: boolean, string]> = [
    ['-', 2001, true, 'newer'],
    ['-', 2000, true, 'as new'],
    ['-', 1999, false, 'older than what we know: an answer that was late'],
    ['x', 1999, false, 'an older error'],
    ['l', 9000, false, 'our own trouble']
  ]
  for (const [mark, endMs, worth, why] of rows) t.equal(seen(story, sampleOf(mark, endMs)!) !== undefined, worth, why)
  t.equal(seen(story, sampleOf('-', 1)!, 'other') !== undefined, true, 'each probe has a time of its own')
  t.equal(seen(story, sampleOf('-', 9000)!, 'reach', 1), undefined, 'no such server')
})

void t.test('what is remembered', async (t) => {
  const story = play(web('a', BARE, [reach(), content('http'), criterion('canary')]), `
    a         +x
    a.canary  -`)
  const own = ownOf(story)
  t.equal(own.lastMs, 4010, 'when it was last seen')
  t.equal(own.reached, 'dead', 'how')
  t.strictSame(Object.keys(own.probes), ['reach', 'canary'])
  t.equal(own.probes['reach']?.endMs, 4010)
  t.equal(own.probes['reach']?.good?.endMs, 2010, 'the last good sample outlives an error')
  t.equal(seen(story, sampleOf('+', 3000)!, 'canary')?.lastMs, 4010, 'a slow probe makes a server no older')
  t.match(seen(story, sampleOf('o', 9000)!, 'canary'), { reached: 'dead', latenciesMs: [5] }, 'how the canary fares says nothing of the node')
  t.match(seen(story, sampleOf('p', 9000)!), { reached: 'ok', latenciesMs: [5] }, 'a bad answer is one, but of no latency')
  t.equal(own.checks[2]?.bad, 1)
  t.same(seen(story, sampleOf('-', 9000)!, 'nobody-reads-this')?.checks, own.checks, 'a probe that nobody reads')
})

void t.test('one poll read by several criteria, reach first', async (t) => {
  const criteria = [reach(), content('big', { fall: 1 }), criterion('small', { probe: 'reach', fall: 2 })]
  const story = play(web('a', BARE, criteria), 'a +-')
  t.strictSame(ownOf(story).checks.map(check => check?.latched), [false, true, false], 'each counts for itself')
  t.strictSame(seen(story, sampleOf('o', 9000)!)?.checks.map(check => check?.bad), [1, 1, 1], 'the same silence twice is one piece of news')
})

void t.test('only the checks that read it change, and nothing that was there before', async (t) => {
  const story = play(web('ab', BARE, [reach(), content('http'), criterion('canary')]), `
    a         +
    a.canary  +
    b         +`)
  const before = structuredClone([...story.state.servers].map(({ checks }) => checks.map(check => check?.bad)))
  const own = seen(story, sampleOf('-', 9000)!)
  t.equal(own?.checks[2], ownOf(story).checks[2], 'the very same check')
  t.not(own?.checks[1], ownOf(story).checks[1])
  t.strictSame([...story.state.servers].map(({ checks }) => checks.map(check => check?.bad)), before)
})

void t.test('a server replaced, and the tally with it', async (t) => {
  const farm = web('ab', only('strain'))
  const state = newBackend(farm, 0)
  const slow: ServerState = { ...state.servers.at(0)!, phase: 'in', latenciesMs: [900, 900, 900] }
  const after = withServer(farm, state, 0, slow)
  t.match(after.tally, { in: 1, troubled: 1 })
  t.equal(isStrained(farm.policy, after.tally), true)
  t.match(withServer(farm, after, 0, state.servers.at(0)!).tally, { in: 0, troubled: 0 }, 'and back')
  t.equal(withServer(farm, state, 2, slow), state, 'no such server')
})

void t.test('the trip of one criterion does not hide that of another', async (t) => {
  const criteria = [reach(), content('http'), content('storage', { onFail: { action: 'drain' } })]
  tell(t, 'both fail at once: the worse one counts', backend([server('a', criteria)], BARE), `
    a  +---  uuud`)
  t.strictSame(ownOf(play(backend([server('a', criteria)], BARE), 'a +---')).checks.map(check => check?.latched), [false, true, true])
})
