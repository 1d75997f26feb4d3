/** What time alone changes, and what the operator orders: heard with the very next answer, and told without one. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileStore, RELEASE_MS } from '../../src/runtime/said.ts'
import { Bench, GOOD, only, plain, web, type Ordered } from './monitor-bench.ts'
import { matchLines } from './sink.ts'

void t.test('out, held, back step by step: each told once, the steps only to who wants to know', async (t) => {
  const bench = new Bench(plain('ab', only('hold', 'ramp')))
  await bench.play({ a: '++xxx', b: '+++++' })
  t.equal(bench.ask('a'), 'down 100% #reach: refused by the node')
  await bench.play({ a: '++++', b: '++++' })
  t.equal(bench.ask('a'), 'down 100% #passes again, waits: went out 1 time in 10m', 'five seconds, for the first time')
  bench.sink.all()
  await bench.play({ a: '+', b: '+' })
  t.equal(bench.ask('a'), 'up 10% #coming back step by step')
  t.strictSame(bench.sink.told(), ['info server.state: web/a held -> up: coming back step by step'])

  const heard: string[] = []
  for (let i = 0; i < 30; i += 1) {
    await bench.play({ a: '+', b: '+' })
    heard.push(bench.ask('a'))
  }
  t.strictSame([heard[0], heard[9], heard[28], heard[29]], [
    'up 13% #coming back step by step', 'up 40% #coming back step by step', 'up 97% #coming back step by step', 'up 100%'
  ])
  const steps = bench.sink.all().filter(({ event }) => event === 'server.weight')
  t.equal(steps.length, 30)
  const louder = steps.filter(({ level }) => level !== 'debug').map(({ level, msg }) => `${level} ${msg}`)
  t.strictSame(louder, ['info web/a weight 97% -> 100%'], 'the end of it')
})

void t.test('a verdict that grows old is told by the clock, not only to who asks', async (t) => {
  const bench = new Bench(plain('ab', only('staleAfterMs', 'staleOpenMs')))
  await bench.play({ a: '++xxx', b: '+++++' })
  bench.sink.take()
  await bench.clock.advance(15_000)
  t.equal(bench.ask('a'), 'down 100% #reach: refused by the node', 'still good')
  await bench.clock.advance(1)
  t.equal(bench.ask('a'), 'down 100% #stale, not seen for over 15s: reach: refused by the node', 'marked')
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), [], 'which is no change')
  await bench.clock.advance(120_000)
  t.strictSame(bench.sink.told(), [], 'nobody has looked')
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), [
    'warn server.state: web/a down -> stale: stale: not seen for over 2m, so up',
    'warn server.state: web/b up -> stale: stale: not seen for over 2m, so up'
  ])
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), [], 'once')
  t.equal(bench.monitor.view('web/a')?.sinceMs, 140_001, 'since then')
  await bench.play({ a: 'x', b: '+' })
  t.strictSame(bench.sink.told(), [
    'warn server.state: web/a stale -> down: reach: refused by the node', 'info server.state: web/b stale -> up'
  ], 'until the next look')
})

void t.test('a server never seen is up at last', async (t) => {
  const bench = new Bench(plain('a', only('staleOpenMs')))
  await bench.clock.advance(120_000)
  t.equal(bench.ask('a'), '# no verdict yet')
  await bench.clock.advance(1)
  t.equal(bench.ask('a'), 'up 100% #stale: no verdict for over 2m, so up')
})

void t.test('the floor follows the clock: who is kept for one that has grown old goes out', async (t) => {
  const bench = new Bench(plain('ab', { ...only('staleOpenMs'), minUp: 1 }))
  await bench.play({ a: '++xxx', b: '++xxx' })
  t.strictSame(bench.askAll('ab'), ['up 100% #kept up by the floor: reach: refused by the node', 'down 100% #reach: refused by the node'])
  for (let i = 0; i < 12; i += 1) {
    await bench.clock.advance(10_000)
    bench.seeNow('a', { reach: 'x' })
  }
  bench.sink.take()
  await bench.clock.advance(1000)
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), [
    'info backend.floor: web: enough servers are fit again',
    'warn server.state: web/a kept -> down: reach: refused by the node',
    'warn server.state: web/b down -> stale: stale: not seen for over 2m, so up'
  ])
})

void t.test('an order is heard in the very next answer, and so is its end', async (t) => {
  const bench = new Bench(plain('ab'))
  await bench.play({ a: '++', b: '++' })
  bench.sink.take()
  bench.order(['web/a', 'drain', 10_000])
  t.strictSame(bench.sink.told(), ['info server.state: web/a up -> drain (order): drain by al: disk'], 'told before anybody asks')
  t.strictSame(bench.askAll('ab'), ['drain up #drain by al: disk', 'up 100%'])
  t.equal(bench.look('a'), 'drain up #drain by al: disk')
  await bench.clock.advance(9999)
  t.equal(bench.ask('a'), 'drain up #drain by al: disk')
  await bench.clock.advance(1)
  t.equal(bench.look('a'), 'ready up 100%', 'people see it too')
  t.strictSame(bench.sink.told(), [], 'who looks changes nothing')
  t.equal(bench.ask('a'), 'ready up 100%', 'nobody has ticked')
  t.strictSame(bench.sink.told(), ['info server.state: web/a drain (order) -> up'], 'and the question tells it')
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), [], 'once')
})

void t.test('what each order says', async (t) => {
  const rows: ReadonlyArray<readonly [order: Ordered, a: string, b: string, why: string]> = [
    [['web/a', 'up'], 'up 100% #up by al: disk', 'up 100%', 'down by its criteria, up by order'],
    [['web/b', 'down'], 'down 100% #reach: refused by the node', 'down 100% #down by al: disk', 'down'],
    [['web/b', 'maint'], 'down 100% #reach: refused by the node', 'maint up #maint by al: disk', 'maintenance'],
    [['web/*', 'drain'], 'drain up #drain of web/* by al: disk', 'drain up #drain of web/* by al: disk', 'a whole backend'],
    [['*/*', { weightPercent: 0 }], 'up 0% #weight 0% of */* by al: disk', 'up 0% #weight 0% of */* by al: disk', 'everybody'],
    [['web/b', { weightPercent: 40 }], 'down 100% #reach: refused by the node', 'up 40% #weight 40% by al: disk', 'a cap'],
    [['web/c', 'down'], 'down 100% #reach: refused by the node', 'up 100%', 'for somebody else']
  ]
  for (const [order, a, b, why] of rows) {
    const bench = new Bench(plain('ab'))
    await bench.play({ a: '++xxx', b: '+++++' })
    bench.order(order)
    t.strictSame(bench.askAll('ab'), [a, b], why)
    bench.order()
    t.strictSame(bench.askAll('ab').map(line => line.replace(/^ready /, '')), ['down 100% #reach: refused by the node', 'up 100%'], `${why}: over`)
  }
})

void t.test('an order for later', async (t) => {
  const bench = new Bench(plain('ab'))
  await bench.play({ a: '++', b: '++' })
  bench.monitor.order([{ scope: 'web/a', action: 'maint', fromMs: 5000, by: 'al', reason: 'disk' }])
  t.equal(bench.ask('a'), 'up 100%')
  bench.sink.take()
  await bench.clock.advance(3000)
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), ['info server.state: web/a up -> maint (order): maint by al: disk'])
})

void t.test('orders and the floor: whom an operator takes out is missing, and is not brought back', async (t) => {
  const bench = new Bench(plain('abc', { ...only(), minUp: 2 }))
  await bench.play({ a: '++xxx', b: '+++++', c: '+++++' })
  bench.sink.take()
  bench.order(['web/b', 'maint', 5000])
  t.strictSame(bench.sink.told(), [
    'warn backend.floor: web: the floor keeps a in service against their criteria',
    'warn server.state: web/a down -> kept: kept up by the floor: reach: refused by the node',
    'info server.state: web/b up -> maint (order): maint by al: disk'
  ])
  await bench.clock.advance(5000)
  bench.monitor.tick()
  t.strictSame(bench.sink.told(), [
    'info backend.floor: web: enough servers are fit again',
    'warn server.state: web/a kept -> down: reach: refused by the node',
    'info server.state: web/b maint (order) -> up'
  ])
})

void t.test('a drain by order is on disk as ours before anybody can hear it, and is taken back after a restart', async (t) => {
  const dir = t.testdir()
  const bench = new Bench(web(), { store: fileStore(dir) })
  await bench.see('a', GOOD)
  t.notOk(existsSync(join(dir, 'said.json')), 'up is no word of ours')
  for (const word of ['maint', 'drain'] as const) {
    bench.order(['web/a', word])
    t.match(readFileSync(join(dir, 'said.json'), 'utf8'), `"web/a":{"word":"${word}"`)
    t.equal(bench.ask('a'), `${word} up #${word} by al: disk`)
  }
  bench.restart()
  await bench.see('a', GOOD)
  t.equal(bench.ask('a'), 'ready up 100%', 'the order was not kept')
  await bench.clock.advance(RELEASE_MS)
  t.equal(bench.ask('a'), 'up 100%')
})

void t.test('an order that begins by the clock is claimed with the answer that says it', async (t) => {
  const dir = t.testdir()
  const bench = new Bench(web(), { store: fileStore(dir) })
  await bench.see('a', GOOD)
  bench.monitor.order([{ scope: 'web/a', action: 'drain', fromMs: 5000, by: 'al', reason: 'disk' }])
  await bench.clock.advance(4000)
  t.equal(bench.ask('a'), 'drain up #drain by al: disk')
  t.match(readFileSync(join(dir, 'said.json'), 'utf8'), '"web/a":{"word":"drain"')
})

void t.test('orders outlive a reload, and hold for servers that are new', async (t) => {
  const bench = new Bench(plain('ab'))
  await bench.play({ a: '++', b: '++' })
  bench.order(['web/*', 'drain'])
  bench.askAll('ab')
  bench.sink.take()
  bench.reload(plain('abc'))
  t.match(bench.askAll('abc'), [/^drain up/, /^drain up/, /^drain up/])
  matchLines(t, bench.sink.told(), [/^info server\.state: web\/c unknown -> drain \(order\): /])
  bench.order()
  await bench.play({ a: '++', b: '++', c: '++' })
  t.strictSame(bench.askAll('abc'), ['ready up 100%', 'ready up 100%', 'ready up 100%'], 'each hears that it is over')
})
