/** What HAProxy hears, and what the log says, sample by sample. What outlives a drain is in monitor-release.test.ts. */
import t from 'tap'
import type { Server } from '../../src/core/model.ts'
import { Bench, GOOD, web, webServer } from './monitor-bench.ts'
import { BARE, criterion, reach, sampleOf, server } from './samples.ts'
import { matchLines } from './sink.ts'

void t.test('what HAProxy hears', async (t) => {
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, string, string]> = [
    [{}, '# no verdict yet', 'nothing seen'],
    [{ reach: '+' }, '# no verdict yet', 'not enough seen'],
    [{ reach: 'l' }, '# no verdict yet', 'our own trouble'],
    [GOOD, 'up 100%', 'all is well'],
    [{ ...GOOD, latency: '-' }, 'up 25% #latency: is not ok', 'less weight'],
    [{ ...GOOD, latency: '4' }, 'up 40% #latency: is ok', 'a ramp'],
    [{ ...GOOD, introducer: '-' }, 'up 100% #warn: introducer: is not ok', 'a warning'],
    [{ ...GOOD, storage: '-' }, 'drain up #storage: is not ok', 'drain: without a weight'],
    [{ ...GOOD, storage: '-', latency: '-' }, 'drain up #storage: is not ok', 'drain, and slow'],
    [{ ...GOOD, reach: 'x' }, 'down 100% #reach: refused by the node', 'down'],
    [{ reach: 't' }, 'down 100% #reach: timeout by the node', 'a failing down needs no more'],
    [{ ...GOOD, reach: 'x', latency: '-' }, 'down 100% #reach: refused by the node', 'a server that is out has no weight of its own']
  ]
  for (const [marks, line, why] of rows) {
    const bench = new Bench(web())
    await bench.see('a', marks)
    t.equal(bench.ask('a'), line, why)
    t.equal(bench.look('a'), line, `${why}: people see the same`)
    t.equal(bench.ask('b'), '# no verdict yet', `${why}: the other server`)
    t.equal(bench.ask('z'), 'unknown')
    t.equal(bench.look('z'), 'unknown')
  }
})

void t.test('one line for each change, and none for what goes on', async (t) => {
  const bench = new Bench(web())
  t.strictSame(bench.sink.told(), [], 'a start is no change')
  const rows: ReadonlyArray<readonly [Readonly<Record<string, string>>, readonly string[], string]> = [
    [GOOD, ['info server.state: web/a unknown -> up'], 'the first verdict'],
    [GOOD, [], 'steady'],
    [{ reach: 'l' }, ['warn poll.local: cannot poll, and the node is not to blame'], 'our own trouble'],
    [{ latency: '-' }, [
      'info criterion.fail: web/a latency fails: is not ok', 'info server.weight: web/a weight 100% -> 25%'
    ], 'less weight'],
    [{ latency: '-' }, [], 'steady'],
    [{ introducer: 'x' }, ['info criterion.fail: web/a introducer fails: refused by the node'], 'a warning changes no answer'],
    [{ storage: '-' }, [
      'info criterion.fail: web/a storage fails: is not ok', 'warn server.state: web/a up -> drain: storage: is not ok'
    ], 'drain'],
    [{ latency: '+' }, ['info criterion.pass: web/a latency passes: is ok'], 'a weight that nobody is told'],
    [{ reach: 't' }, [
      'info criterion.fail: web/a reach fails: timeout by the node', 'warn server.state: web/a drain -> down: reach: timeout by the node'
    ], 'down'],
    [{ reach: 'x' }, [], 'another reason is no change'],
    [{ latency: '-' }, ['info criterion.fail: web/a latency fails: is not ok'], 'out is out'],
    [{ storage: '+' }, ['info criterion.pass: web/a storage passes: is ok'], 'one of two'],
    [{ reach: '+' }, [
      'info criterion.pass: web/a reach passes: answered in 5ms', 'info server.state: web/a down -> up: latency: is not ok'
    ], 'back, with less weight']
  ]
  for (const [marks, told, why] of rows) {
    await bench.see('a', marks)
    t.strictSame(bench.sink.told(), told, why)
  }
})

void t.test('the fields of those lines', async (t) => {
  const bench = new Bench(web('ab', 1))
  await bench.see('a', GOOD)
  t.match(bench.sink.all()[0], { level: 'debug', event: 'poll.done', node: 'http://a', probe: 'tcp', ok: true, ms: 5 })
  await bench.see('a', { latency: '-' })
  t.strictSame(bench.sink.take(), [
    {
      level: 'info', event: 'criterion.fail', server: 'web/a', criterion: 'latency',
      value: false, limit: 'true', reason: 'is not ok', msg: 'web/a latency fails: is not ok'
    },
    {
      level: 'info', event: 'server.weight', server: 'web/a', from: 100, to: 25,
      because: ['latency: is not ok'], msg: 'web/a weight 100% -> 25%'
    }
  ])
  await bench.see('a', { reach: 'x' })
  t.match(bench.sink.take()[1], {
    event: 'server.state', server: 'web/a', from: 'up', to: 'down', layer: 'criteria',
    reply: 'down 100% #reach: refused by the node',
    because: ['reach: refused by the node', 'latency: is not ok']
  })
})

void t.test('the floor: who is kept, said when it changes', async (t) => {
  const bench = new Bench(web('ab', 1))
  await bench.see('a', GOOD)
  await bench.see('b', GOOD)
  await bench.see('a', { reach: 'x' })
  bench.sink.take()
  await bench.see('b', { storage: '-' })
  t.strictSame(bench.sink.take().slice(1), [
    {
      level: 'warn', event: 'backend.floor', backend: 'web', on: true, held: ['b'],
      msg: 'web: the floor keeps b in service against their criteria'
    },
    {
      level: 'warn', event: 'server.state', server: 'web/b', from: 'up', to: 'up', layer: 'floor',
      because: ['kept up by the floor: storage: is not ok'], reply: 'up 100% #kept up by the floor: storage: is not ok',
      msg: 'web/b up -> kept: kept up by the floor: storage: is not ok'
    }
  ])
  t.equal(bench.ask('b'), 'up 100% #kept up by the floor: storage: is not ok', 'no admin word: it was never drained')
  await bench.see('b', { storage: '-' })
  t.strictSame(bench.sink.told(), [], 'steady')

  await bench.see('b', { reach: 'x' })
  bench.sink.take()
  await bench.see('a', { reach: 't' })
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), [
    'warn backend.floor: web: the floor keeps a in service against their criteria',
    'warn server.state: web/a down -> kept: kept up by the floor: reach: timeout by the node',
    'warn server.state: web/b kept -> down: reach: refused by the node'
  ], 'silence is better than refusal')

  await bench.see('a', { reach: '+' })
  t.strictSame(bench.sink.told(), [
    'info criterion.pass: web/a reach passes: answered in 5ms',
    'info backend.floor: web: enough servers are fit again',
    'info server.state: web/a kept -> up'
  ])
})

void t.test('kept beside a server that is fit: a tenth, and all of it when that one goes', async (t) => {
  const bench = new Bench(web('abc', 2))
  for (const name of 'abc') await bench.see(name, GOOD)
  await bench.see('a', { reach: 'x' })
  await bench.see('b', { reach: 'x' })
  t.strictSame(Array.from('abc').map(name => bench.ask(name)), [
    'down 100% #reach: refused by the node', 'up 10% #kept up by the floor: reach: refused by the node', 'up 100%'
  ])
  bench.sink.take()
  await bench.see('c', { reach: 'x' })
  t.strictSame(Array.from('abc').map(name => bench.ask(name)), [
    'down 100% #reach: refused by the node', 'up 100% #kept up by the floor: reach: refused by the node',
    'up 100% #kept up by the floor: reach: refused by the node'
  ])
  matchLines(t, bench.sink.told(), [
    'info criterion.fail', 'warn backend.floor: web: the floor keeps b, c in', 'info server.weight: web/b weight 10% -> 100%',
    'warn server.state: web/c up -> kept'
  ])
})

void t.test('since when', async (t) => {
  const bench = new Bench(web())
  const since = (): number | undefined => bench.monitor.view('web/a')?.sinceMs
  t.equal(since(), 0)
  await bench.see('a', GOOD)
  t.equal(since(), 1000)
  await bench.see('a', { latency: '-' })
  t.equal(since(), 1000, 'a weight is no state')
  await bench.see('a', { reach: 'x' })
  t.equal(since(), 3000)
  await bench.see('a', { reach: 't' })
  t.equal(since(), 3000)
  bench.reload(web('ba'))
  t.equal(since(), 3000, 'a reload that changes nothing')
  await bench.clock.advance(1000)
  bench.reload({ ...web('ba'), policy: { ...BARE, mode: 'observe' } })
  t.equal(since(), 5000, 'a reload that changes the decision')
})

void t.test('reload: state stays with what means the same', async (t) => {
  const bench = new Bench(web())
  await bench.see('a', GOOD)
  await bench.see('b', { ...GOOD, reach: 'x' })
  bench.ask('a')
  bench.sink.take()
  bench.reload(web('cba'))
  t.strictSame(Array.from('abc').map(name => bench.ask(name)), ['up 100%', 'down 100% #reach: refused by the node', '# no verdict yet'])
  t.strictSame(bench.sink.told(), [], 'and nothing changes for those that stay')
  t.strictSame(bench.monitor.ids, ['web/c', 'web/b', 'web/a'])
  await bench.see('a', { reach: 't' })
  t.equal(bench.ask('a'), 'down 100% #reach: timeout by the node', 'samples go to the new place')

  bench.reload(web('bc'))
  t.equal(bench.ask('a'), 'unknown', 'a server that is gone')
  t.strictSame(bench.pollers.of('web/a'), [], 'and who asked for it')
  t.equal(bench.pollers.of('web/b').length, 1)
})

void t.test('reload: a change it makes is told like any other', async (t) => {
  const bench = new Bench(web('ab', 1))
  await bench.see('a', { ...GOOD, storage: '-' })
  await bench.see('b', { ...GOOD, latency: '-' })
  bench.sink.take()
  const without = (name: string): Server => {
    const all = webServer(name)
    return { ...all, criteria: all.criteria.filter(each => each.name !== 'storage' && each.name !== 'latency') }
  }
  const [a, b] = [without('a'), without('b')]
  bench.reload({ ...web('ab', 1), servers: [a, b] })
  matchLines(t, bench.sink.told(), [/^\w+ server\.state: web\/a drain -> (?:held|down)/], 'a criterion that is gone holds nobody out')
  await bench.see('a', { reach: '+' })
  await bench.see('b', { reach: '+' })
  matchLines(t, bench.sink.told(), [/^info server\.state: web\/a \w+ -> up$/, 'info server.weight: web/b weight 25% -> 100%'], 'with the next look')

  const canary = criterion('canary')
  bench.reload({ ...web('ab', 1), servers: [{ ...a, criteria: [...a.criteria, canary] }, b] })
  t.strictSame([bench.ask('a'), bench.sink.told()], ['up 100%', []], 'a criterion that is new changes nothing')
  bench.reload({ ...web('ab', 1), servers: [a, b] })
  await bench.see('a', { reach: 'x' })
  bench.sink.take()
  bench.reload({ ...web('ab', 2), servers: [a, b] })
  t.strictSame(bench.sink.told(), [
    'warn backend.floor: web: the floor keeps a in service against their criteria',
    'warn server.state: web/a down -> kept: kept up by the floor: reach: refused by the node'
  ], 'a new floor')
})

void t.test('a poll is for all its readers, and for nobody who is gone', async (t) => {
  const bench = new Bench(web())
  const readers = [{ backend: 'web', server: 0 }, { backend: 'web', server: 1 }, { backend: 'gone', server: 0 }]
  bench.monitor.apply({ ...bench.poll('a', 'reach'), readers }, sampleOf('x', 1000)!)
  t.strictSame([bench.ask('a'), bench.ask('b')], Array.from({ length: 2 }, () => 'down 100% #reach: refused by the node'))
  t.equal(bench.sink.all().filter(({ event }) => event === 'poll.done').length, 1, 'polled once')
  const gone = { ...bench.poll('a', 'storage'), readers: [{ backend: 'gone', server: 0 }, { backend: 'web', server: 9 }] }
  t.equal(bench.monitor.isUndecided(gone), false, 'nor is there any hurry for them')
})

void t.test('the pace: quick while any reader is undecided', async (t) => {
  const slow = server('a', [reach()])
  const bench = new Bench({ ...web(), servers: [slow, { ...slow, name: 'b' }] })
  const readers = [{ backend: 'web', server: 0 }, { backend: 'web', server: 1 }]
  const undecided = (): boolean => bench.monitor.isUndecided({ ...bench.poll('a', 'reach'), readers })
  t.equal(undecided(), true, 'no sample')
  await bench.see('a', { reach: '+' })
  t.equal(undecided(), true, 'one of two')
  await bench.see('b', { reach: '+' })
  t.equal(undecided(), false)
  await bench.see('b', { reach: 'x' })
  t.equal(undecided(), true, 'in the middle of a run')
  await bench.see('b', { reach: '+' })
  t.equal(undecided(), false)
})

void t.test('our own trouble is said once a minute for each node', async (t) => {
  const bench = new Bench(web())
  const said = (): readonly unknown[] => bench.sink.take().map(({ event, node }) => `${event} ${String(node)}`)
  await bench.see('a', { reach: 'l', storage: 'l' })
  t.strictSame(said(), ['poll.local http://a'])
  await bench.see('b', { reach: 'l' })
  t.strictSame(said(), ['poll.local http://b'], 'another node')
  for (let i = 0; i < 58; i += 1) await bench.see('a', { reach: 'l' })
  t.strictSame(said(), [], 'within the minute')
  await bench.see('a', { reach: 'l' })
  t.strictSame(said(), ['poll.local http://a'], 'after it')
  await bench.see('a', { reach: 'x' })
  t.notMatch(said(), ['poll.local'], 'a node that refuses is its own trouble')
})

void t.test('names near one that is not known', async (t) => {
  const farm = { ...web(), servers: ['webapi1', 'webapi2', 'webapi3', 'webapi10', 'other'].map(webServer) }
  const { monitor } = new Bench(farm)
  const rows: ReadonlyArray<readonly [string, readonly string[], string]> = [
    ['web/webapi', ['web/webapi1', 'web/webapi2', 'web/webapi3'], 'at most three, in the order of the config'],
    ['web/webapi11', ['web/webapi1', 'web/webapi10', 'web/webapi2'], 'the nearest first'],
    ['webapi3', [], 'four letters are too far for a short one'],
    ['webfarm/webapi3', ['web/webapi3', 'web/webapi1', 'web/webapi2'], 'but not for a long one'],
    ['web/othr', ['web/other'], 'a letter lost'],
    ['', [], 'nothing is near to nothing'],
    ['db/something-else', [], 'nor is everything to everything']
  ]
  for (const [asked, near, why] of rows) t.strictSame(monitor.nearest(asked), near, `${asked}: ${why}`)
})
