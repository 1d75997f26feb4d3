import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { POLLER_FORGET_MS, Pollers } from '../../src/runtime/pollers.ts'
import { RELEASE_MS, Said } from '../../src/runtime/said.ts'
import { SimClock } from '../../src/sim/clock.ts'
import { Sink } from './sink.ts'

class Bench {
  readonly clock = new SimClock()
  readonly sink = new Sink()
  readonly pollers = new Pollers(() => undefined)
  readonly stateDir: string
  said: Said

  constructor (stateDir: string) {
    this.stateDir = stateDir
    this.said = this.restart()
  }

  get file (): string {
    return join(this.stateDir, 'said.json')
  }

  restart (): Said {
    this.said = new Said({ clock: this.clock, log: this.sink.log.event, pollers: this.pollers, stateDir: this.stateDir })
    return this.said
  }

  /** As the agent port does: first what to say, then who was told. */
  ask (from: string): boolean {
    const ready = this.said.release('web/a')
    this.pollers.told('web/a', from, this.clock.now())
    return ready
  }
}

const bench = (t: Test): Bench => new Bench(t.testdir())

void t.test('what we never said is not taken back', async (t) => {
  const { said, file } = bench(t)
  t.equal(said.release('web/a'), false)
  t.equal(said.owes('web/a'), false)
  t.equal(existsSync(file), false, 'and nothing is written')
})

void t.test('ready is said for its time, then no more', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  await b.clock.advance(RELEASE_MS * 10)
  t.equal(b.ask('h1'), true, 'however long the drain was')
  await b.clock.advance(RELEASE_MS - 1)
  t.equal(b.ask('h1'), true, 'to the end of the window')
  await b.clock.advance(1)
  t.equal(b.ask('h1'), false, 'and then not')
  t.equal(b.said.owes('web/a'), false)
  t.equal(b.ask('h1'), false)
})

void t.test('the window begins when the first one asks', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'maint')
  t.equal(b.said.owes('web/a'), true)
  await b.clock.advance(RELEASE_MS * 3)
  t.equal(b.said.owes('web/a'), true, 'looking begins nothing')
  t.equal(b.ask('h1'), true)
  await b.clock.advance(RELEASE_MS - 1)
  t.equal(b.ask('h1'), true)
})

void t.test('ready is said until everyone who heard the drain has heard it', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  b.pollers.told('web/a', 'h1', 0)
  b.pollers.told('web/a', 'h2', 0)
  await b.clock.advance(1000)
  t.equal(b.ask('h1'), true)
  await b.clock.advance(RELEASE_MS * 2)
  t.equal(b.ask('h1'), true, 'h2 has not asked since')
  t.equal(b.ask('h2'), true, 'now it has')
  t.equal(b.ask('h1'), false)
  t.equal(b.ask('h2'), false)
})

void t.test('one that is gone for good is not waited for', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  b.pollers.told('web/a', 'gone', 0)
  await b.clock.advance(1000)
  t.equal(b.ask('h1'), true)
  await b.clock.advance(POLLER_FORGET_MS - 1001)
  t.equal(b.ask('h1'), true)
  await b.clock.advance(1)
  t.equal(b.ask('h1'), false)
})

void t.test('a new drain within the window begins all over', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  b.ask('h1')
  await b.clock.advance(RELEASE_MS - 1)
  b.said.claim('web/a', 'drain')
  await b.clock.advance(10)
  t.equal(b.ask('h1'), true)
  await b.clock.advance(RELEASE_MS - 1)
  t.equal(b.ask('h1'), true, 'a whole window')
  await b.clock.advance(1)
  t.equal(b.ask('h1'), false)
})

void t.test('a restart forgets nothing', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  b.said.claim('web/b', 'maint')
  t.equal(b.restart().owes('web/a'), true, 'within the drain')
  b.ask('h1')
  await b.clock.advance(RELEASE_MS - 1)
  b.restart()
  t.equal(b.ask('h1'), true, 'within the window')
  await b.clock.advance(RELEASE_MS - 1)
  t.equal(b.ask('h1'), true, 'which begins anew')
  await b.clock.advance(1)
  t.equal(b.ask('h1'), false)
  t.equal(b.restart().owes('web/a'), false, 'what is taken back is')
  t.equal(b.said.owes('web/b'), true, 'and nothing else')
})

void t.test('it is on disk before anybody can hear it', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  t.strictSame(JSON.parse(readFileSync(b.file, 'utf8')), { version: 1, data: { 'web/a': 'drain' } })
  rmSync(b.file)
  b.said.claim('web/a', 'drain')
  t.equal(existsSync(b.file), false, 'what is there already is not written again')
  b.said.claim('web/a', 'maint')
  t.strictSame(JSON.parse(readFileSync(b.file, 'utf8')), { version: 1, data: { 'web/a': 'maint' } })
})

void t.test('a file that is not ours stops nobody', async (t) => {
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    ['{"version":1,"data":{"web/a":"dra', 'is torn or not ours', 'torn'],
    ['{"version":7,"data":{"web/a":"drain"}}', 'has version 7, this hcf reads 1', 'newer']
  ]
  for (const [text, reason, why] of rows) {
    const b = new Bench(t.testdir({ 'said.json': text }))
    t.equal(b.said.owes('web/a'), false, why)
    t.match(b.sink.take(), [{ level: 'warn', event: 'state.set_aside', file: b.file, to: `${b.file}.bad-1`, why: reason }], why)
    b.said.claim('web/a', 'drain')
    t.equal(b.restart().owes('web/a'), true, `${why}: and it goes on`)
  }
})

void t.test('words we do not say are not taken back', async (t) => {
  const data = { 'web/a': 'drain', 'web/b': 'ready', 'web/c': 7, 'web/d': null, 'web/e': 'maint' }
  const { said } = new Bench(t.testdir({ 'said.json': JSON.stringify({ version: 1, data }) }))
  t.strictSame(Object.keys(data).filter(id => said.owes(id)), ['web/a', 'web/e'])
  for (const other of ['[]', 'null', '"drain"', '7']) {
    const b = new Bench(t.testdir({ 'said.json': `{"version":1,"data":${other}}` }))
    t.equal(b.said.owes('web/a'), false, other)
  }
})

void t.test('a disk that refuses is said, and remembered all the same', { skip: !existsSync('/dev/full') }, async (t) => {
  const b = bench(t)
  b.said.claim('web/b', 'drain')
  symlinkSync('/dev/full', `${b.file}.new`)
  b.said.claim('web/a', 'drain')
  t.match(b.sink.take(), [{ level: 'error', event: 'state.write_failed', file: b.file, why: 'ENOSPC' }])
  t.equal(b.ask('h1'), true, 'as long as we run')
  t.equal(b.restart().owes('web/b'), true, 'the old file is whole')
  t.equal(b.said.owes('web/a'), false, 'what could not be written is lost')
})

void t.test('a state directory that cannot be used', async (t) => {
  const b = new Bench(join(t.testdir({ file: '' }), 'file'))
  t.match(b.sink.take(), [{ event: 'state.set_aside', to: b.file, why: 'cannot be read (ENOTDIR)' }])
  b.said.claim('web/a', 'drain')
  t.match(b.sink.take(), [{ event: 'state.write_failed', why: 'EEXIST' }])
  t.equal(b.ask('h1'), true)
})
