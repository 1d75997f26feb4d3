/** What all share, and what the others cannot carry: nobody goes out for it, and it is told once for the backend. */
import t from 'tap'
import type { Server } from '../../src/core/model.ts'
import { DOUBT_OVER_MS } from '../../src/runtime/changes.ts'
import { Bench, only, plain } from './monitor-bench.ts'
import { backend, criterion, reach, server } from './samples.ts'
import { matchLines } from './sink.ts'

const steady = (names: string, seconds: number): Readonly<Record<string, string>> =>
  Object.fromEntries(Array.from(names).map(name => [name, '+'.repeat(seconds)]))

void t.test('all fall silent: said once for the backend, and once when it is over', async (t) => {
  const bench = new Bench(plain('abc', only('gate')))
  await bench.play(steady('abc', 2))
  bench.sink.take()
  await bench.play({ a: 'ttt', b: 'ttt', c: 'ttt' })
  const doubt = 'reach fails, but 2 of 2 peers fail it too: not taken out'
  t.strictSame(bench.askAll('abc'), Array.from('abc').map(() => `up 100% #${doubt}`))
  t.strictSame(bench.sink.told(), [
    'info criterion.fail: web/a reach fails: timeout by the node',
    'warn backend.doubt: web: a fails reach, but 2 of 2 peers fail it too: a shared fault, or our own eyes; nobody is taken out for it '
      + '(reach: timeout by the node)',
    `info server.state: web/a up -> doubted: ${doubt}`,
    'info criterion.fail: web/b reach fails: timeout by the node', `info server.state: web/b up -> doubted: ${doubt}`,
    'info criterion.fail: web/c reach fails: timeout by the node', `info server.state: web/c up -> doubted: ${doubt}`
  ])
  await bench.play({ a: 'tttt', b: 'tttt', c: 'tttt' })
  t.strictSame(bench.sink.told(), [], 'and no more of it')

  await bench.play({ a: '+', b: '+', c: 't' })
  await bench.play({ a: '+', b: '+', c: '+' })
  t.notOk(bench.sink.told().some(line => line.includes('backend.doubt')), 'it may come back')
  await bench.play(steady('abc', 10))
  t.strictSame(bench.sink.told(), [], 'nor is it over yet')
  await bench.play(steady('abc', 6))
  t.strictSame(bench.sink.told(), ['info backend.doubt: web: no more doubt about reach'])
})

void t.test('the end of a doubt is told by the clock', async (t) => {
  const bench = new Bench(plain('abc', only('gate')))
  await bench.play({ a: '++ttt+', b: '++ttt+', c: '++ttt+' })
  bench.sink.take()
  await bench.clock.advance(DOUBT_OVER_MS)
  t.strictSame(bench.sink.told(), [], 'nobody has looked')
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), ['info backend.doubt: web: no more doubt about reach'])
})

void t.test('a doubt that turns out to be true takes out those that go on failing', async (t) => {
  const bench = new Bench(plain('abc', only('gate')))
  await bench.play(steady('abc', 2))
  await bench.play({ a: 'ttt', b: 'ttt', c: 'ttt' })
  bench.sink.take()
  await bench.play({ a: 'ttt', b: '+++', c: '+++' })
  t.strictSame(bench.sink.told().filter(line => line.includes('web/a') || line.includes('backend')), [
    'warn server.state: web/a doubted -> down: reach: timeout by the node'
  ])
  await bench.play({ a: 't'.repeat(16), b: '+'.repeat(16), c: '+'.repeat(16) })
  t.strictSame(bench.sink.told().filter(line => line.includes('backend.doubt')), ['info backend.doubt: web: no more doubt about reach'])
})

void t.test('the fields of a doubt', async (t) => {
  const two = (name: string): Server => server(name, [reach(), criterion('storage')])
  const bench = new Bench(backend(['a', 'b', 'c', 'd'].map(two), only('gate')))
  const look = async (marks: string): Promise<void> => {
    await bench.clock.advance(1000)
    for (const [i, name] of Array.from('abcd').entries()) bench.seeNow(name, { reach: '+', storage: marks[i]! })
  }
  for (const marks of ['++++', '++++', '---+', '---+', '----']) await look(marks)
  matchLines(t, bench.sink.take().filter(({ event }) => event === 'backend.doubt'), [
    { level: 'warn', backend: 'web', on: true, held: ['a'], criterion: 'storage', asked: 3, failing: 2 }
  ], 'one of three is too few')
  for (let i = 0; i < 17; i += 1) await look('++++')
  matchLines(t, bench.sink.take().filter(({ event }) => event === 'backend.doubt'), [
    { level: 'info', backend: 'web', on: false, held: [], criterion: 'storage', asked: 0, failing: 0 }
  ])
})

void t.test('a reload that takes the doubted criterion away ends the doubt', async (t) => {
  const two = (name: string): Server => server(name, [reach(), criterion('storage')])
  const bench = new Bench(backend(['a', 'b'].map(two), only('gate')))
  for (const mark of '++---') {
    await bench.clock.advance(1000)
    for (const name of 'ab') bench.seeNow(name, { reach: '+', storage: mark })
  }
  bench.sink.take()
  bench.reload(plain('ab', only('gate')))
  t.strictSame(bench.sink.told(), [
    'info server.state: web/a doubted -> up', 'info server.state: web/b doubted -> up'
  ])
})

void t.test('the only node of a backend asks those of the others', async (t) => {
  const rows: ReadonlyArray<readonly [theirs: string, a: string, why: string]> = [
    ['+++', 'down 100% #reach: timeout by the node', 'they answer: it is the node'],
    ['ttt', 'up 100% #reach fails, but 1 of 1 peer fails it too: not taken out', 'they are silent too: it is us'],
    ['xxx', 'down 100% #reach: timeout by the node', 'one that is known to be out says nothing'],
    ['...', 'up 100% #reach fails, but none of 1 peer has passed it since: not taken out', 'nobody has looked since']
  ]
  for (const [theirs, a, why] of rows) {
    const bench = new Bench([plain('a', only('gate')), plain('z', only('gate'), 'db')])
    for (let i = 0; i < 5; i += 1) {
      await bench.clock.advance(1000)
      bench.seeNow('z', { reach: i < 2 ? '+' : theirs[i - 2]! }, 'db')
      bench.seeNow('a', { reach: i < 2 ? '+' : 't' })
    }
    t.equal(bench.ask('a'), a, why)
  }
})

void t.test('a backend of its own node twice has no voice from outside', async (t) => {
  const bench = new Bench([plain('a', only('gate')), plain('a', only('gate'), 'db')])
  for (const mark of '++ttt') {
    await bench.clock.advance(1000)
    bench.seeNow('a', { reach: '+' }, 'db')
    bench.seeNow('a', { reach: mark })
  }
  t.equal(bench.ask('a'), 'down 100% #reach: timeout by the node', 'the same node is no second witness, and nobody at all believes it')
})

void t.test('strain: able ones are brought back, and nobody else goes out', async (t) => {
  const drained = (name: string): Server => server(name, [reach(), criterion('storage', { onFail: { action: 'drain' }, rise: 1, fall: 1 })])
  const bench = new Bench(backend(['a', 'b', 'c', 'd'].map(drained), only('gate', 'strain', 'weight')))
  const look = async (marks: readonly string[], storage = '-+++'): Promise<void> => {
    await bench.clock.advance(1000)
    for (const [i, name] of Array.from('abcd').entries()) bench.seeNow(name, { reach: marks[i]!, storage: storage[i]! })
    bench.monitor.tick()
  }
  for (let i = 0; i < 3; i += 1) await look(['+', '+', '+', '+'])
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
  bench.sink.take()
  for (let i = 0; i < 5; i += 1) await look(['+', 'z', 'z', '+'])
  t.strictSame(bench.sink.take(), [
    { level: 'warn', event: 'backend.floor', backend: 'web', on: true, held: ['a'], msg: 'web: the floor keeps a in service against their criteria' },
    {
      level: 'warn', event: 'backend.strain', backend: 'web', on: true, extra: 4, troubled: 2, inService: 3,
      msg: 'web: 2 of 3 servers in service are slow or silent: bringing able ones back'
    },
    {
      level: 'warn', event: 'server.state', server: 'web/a', from: 'drain', to: 'up', layer: 'floor', because: ['kept up by the floor: storage: is not ok'],
      reply: 'ready up 100% #kept up by the floor: storage: is not ok', msg: 'web/a drain -> kept: kept up by the floor: storage: is not ok'
    }
  ])
  for (let i = 0; i < 3; i += 1) await look(['+', 'z', 'z', '+'], '-++-')
  t.equal(bench.ask('d'), 'up 100% #storage fails, but the others are strained: not taken out')
  for (let i = 0; i < 300; i += 1) await look(['+', '+', '+', '+'], '-+++')
  matchLines(t, bench.sink.take().filter(({ event }) => ['backend.floor', 'backend.strain'].includes(event)), [
    { event: 'backend.floor', on: false },
    { level: 'info', event: 'backend.strain', backend: 'web', on: false, extra: 0, troubled: 0, inService: 3 }
  ])
  t.equal(bench.ask('a'), 'drain up #storage: is not ok')
})

void t.test('one after another: who waits is told why', async (t) => {
  const bench = new Bench(plain('abcdef', only('burst')))
  await bench.play(steady('abcdef', 2))
  await bench.play({ a: 'ttt', b: 'ttt', ...steady('cdef', 3) })
  t.strictSame(bench.askAll('ab'), [
    'down 100% #reach: timeout by the node', 'up 100% #reach fails, but others have only just gone out: not taken out yet'
  ])
  t.notOk(bench.sink.told().some(line => line.includes('backend.doubt')), 'which is no doubt')
  await bench.play({ a: 'ttttttt', b: 'ttttttt', ...steady('cdef', 7) })
  t.equal(bench.ask('b'), 'down 100% #reach: timeout by the node')
})

void t.test('observe: what would be, and what is said', async (t) => {
  const bench = new Bench(plain('ab', { ...only(), mode: 'observe' }))
  await bench.play({ a: '++xxx', b: '+++++' })
  t.equal(bench.ask('a'), 'up 100% #observe, would be down: reach: refused by the node')
  matchLines(t, bench.sink.told().slice(2), [
    'info criterion.fail: web/a reach fails', 'info server.state: web/a up -> watched: observe, would be down: reach: refused by the node'
  ])
})

void t.test('wanted: the polls of those whose word is missing', async (t) => {
  const slow = (name: string): Server => server(name, [reach(), criterion('canary', { probe: `canary of ${name}` })])
  const bench = new Bench(backend(['a', 'b', 'c'].map(slow), only('gate')))
  const canary = (name: string): ReturnType<Bench['poll']> => bench.poll(name, `canary of ${name}`)
  for (const mark of '++---') {
    await bench.clock.advance(1000)
    for (const name of 'abc') if (mark === '+' || name === 'a') bench.seeNow(name, { reach: '+', [`canary of ${name}`]: mark })
  }
  t.equal(bench.ask('a'), 'up 100% #canary fails, but none of 2 peers has passed it since: not taken out', 'nobody has looked since')
  t.strictSame(bench.monitor.wanted(canary('a')), ['canary of b', 'canary of c'])
  t.strictSame(bench.monitor.wanted(bench.poll('a', 'reach')), [], 'another poll of its own')
  t.strictSame(bench.monitor.wanted(canary('b')), [], 'b has no doubts')
  t.strictSame(bench.monitor.wanted({ ...canary('a'), readers: [{ backend: 'gone', server: 0 }, { backend: 'web', server: 9 }] }), [])

  await bench.clock.advance(1000)
  bench.seeNow('b', { 'canary of b': '+' })
  t.strictSame(bench.monitor.wanted(canary('a')), ['canary of c'], 'b has looked')
  await bench.clock.advance(1000)
  bench.seeNow('a', { 'canary of a': '-' })
  t.equal(bench.ask('a'), 'down 100% #canary: is not ok', 'one of two is enough')
  t.strictSame(bench.monitor.wanted(canary('a')), [])
})
