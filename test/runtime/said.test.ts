import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FLUSH_MS, fileStore, HEARD_MAX, memoryStore, RELEASE_MS, RESTART_MS, Said } from '../../src/runtime/said.ts'
import { SimClock } from '../../src/sim/clock.ts'
import { matchLines, Sink } from './sink.ts'

class Bench {
  readonly clock = new SimClock()
  readonly sink = new Sink()
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
    this.said = new Said({ clock: this.clock, log: this.sink.log.event, store: fileStore(this.stateDir) })
    return this.said
  }

  ask (from: string): boolean {
    return this.said.release('web/a', from)
  }

  onDisk (): unknown {
    return JSON.parse(readFileSync(this.file, 'utf8'))
  }
}

const bench = (t: Test): Bench => new Bench(t.testdir())

void t.test('what we never said is not taken back', async (t) => {
  const { said, file } = bench(t)
  t.equal(said.release('web/a', 'h1'), false)
  t.equal(said.owes('web/a'), false)
  t.equal(existsSync(file), false, 'and nothing is written')
})

void t.test('each HAProxy that heard the word hears ready for a while, whenever it asks', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  for (const from of ['h1', 'h2', 'h2']) b.said.heard('web/a', from)
  t.equal(b.said.owes('web/a'), true)
  t.equal(b.ask('h3'), false, 'it never heard the drain: its operator may have one of his own')
  t.equal(b.ask('h1'), true)
  await b.clock.advance(RELEASE_MS - 1)
  t.equal(b.ask('h1'), true, 'to the end')
  await b.clock.advance(1)
  t.equal(b.ask('h1'), false, 'and never again')
  t.equal(b.said.owes('web/a'), true, 'h2 has not asked')
  await b.clock.advance(RELEASE_MS * 1000)
  t.equal(b.ask('h2'), true, 'it was away for long')
  await b.clock.advance(RELEASE_MS)
  t.equal(b.ask('h2'), false)
  t.equal(b.said.owes('web/a'), false)
  await b.clock.advance(FLUSH_MS)
  t.strictSame(b.onDisk(), { version: 1, data: {} }, 'all is said')
})

void t.test('a word that nobody heard is not taken back', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'maint')
  t.equal(b.said.release('web/a', 'h1'), false)
  t.match(b.onDisk(), { data: { 'web/a': {} } }, 'nobody who asks waits for the disk')
  await b.clock.advance(FLUSH_MS)
  t.strictSame(b.onDisk(), { version: 1, data: {} })
})

void t.test('a new drain within the release begins all over', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  b.said.heard('web/a', 'h1')
  t.equal(b.said.release('web/a', 'h1'), true)
  b.said.claim('web/a', 'drain')
  await b.clock.advance(RELEASE_MS - 1)
  b.said.heard('web/a', 'h1')
  await b.clock.advance(RELEASE_MS)
  t.equal(b.ask('h1'), true)
  await b.clock.advance(RELEASE_MS - 1)
  t.equal(b.ask('h1'), true)
})

void t.test('a restart forgets nobody, and asks who else may have heard', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  b.said.heard('web/a', 'h1')
  await b.clock.advance(1000)
  b.restart()
  t.equal(b.said.owes('web/a'), true)
  await b.clock.advance(RESTART_MS * 2)
  t.equal(b.ask('h2'), true, 'the first to ask begins the time in which everybody hears it')
  await b.clock.advance(RESTART_MS - 1)
  t.equal(b.ask('h3'), true, 'to its end')
  await b.clock.advance(1)
  t.equal(b.ask('h4'), false, 'and then only who is known to have heard the drain')
  t.equal(b.ask('h1'), true)
  await b.clock.advance(RELEASE_MS)
  t.equal(b.ask('h1'), false)
  await b.clock.advance(FLUSH_MS)
  t.equal(b.restart().owes('web/a'), false, 'what is taken back is')
})

void t.test('HAProxys remembered: the bound and one more', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  for (let i = 0; i <= HEARD_MAX; i += 1) b.said.heard('web/a', `h${i}`)
  t.equal(b.ask(`h${HEARD_MAX - 1}`), true)
  t.equal(b.ask(`h${HEARD_MAX}`), false)
})

void t.test('it is on disk before anybody can hear it', async (t) => {
  const b = bench(t)
  b.said.claim('web/a', 'drain')
  t.strictSame(b.onDisk(), { version: 1, data: { 'web/a': { word: 'drain', heard: [] } } })
  b.said.heard('web/a', 'h1')
  await b.clock.advance(1000)
  t.strictSame(b.onDisk(), { version: 1, data: { 'web/a': { word: 'drain', heard: ['h1'] } } }, 'and soon, who did')
  rmSync(b.file)
  b.said.claim('web/a', 'drain')
  t.equal(existsSync(b.file), false, 'what is there already is not written again')
  b.said.claim('web/a', 'maint')
  t.match(b.onDisk(), { data: { 'web/a': { word: 'maint' } } })
})

void t.test('a file that is not ours stops nobody', async (t) => {
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    ['{"version":1,"data":{"web/a":"dra', 'is torn or not ours', 'torn'],
    ['{"version":7,"data":{"web/a":{"word":"drain","heard":[]}}}', 'has version 7, this hcf reads 1', 'newer']
  ]
  for (const [text, reason, why] of rows) {
    const b = new Bench(t.testdir({ 'said.json': text }))
    t.equal(b.said.owes('web/a'), false, why)
    matchLines(t, b.sink.take(), [{ level: 'warn', event: 'state.set_aside', file: b.file, to: `${b.file}.bad-1`, why: reason }], why)
    b.said.claim('web/a', 'drain')
    t.equal(b.restart().owes('web/a'), true, `${why}: and it goes on`)
  }
})

void t.test('words we do not say are not taken back', async (t) => {
  const data = { 'web/a': { word: 'drain' }, 'web/b': { word: 'ready' }, 'web/c': 7, 'web/d': null, 'web/e': { word: 'maint', heard: 'x' } }
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
  matchLines(t, b.sink.take(), [{ level: 'error', event: 'state.write_failed', file: b.file, why: 'ENOSPC' }])
  b.said.heard('web/a', 'h1')
  t.equal(b.said.owes('web/a'), true, 'as long as we run')
  t.equal(b.restart().owes('web/b'), true, 'the old file is whole')
  t.equal(b.said.owes('web/a'), false, 'what could not be written is lost')

  b.said.claim('web/a', 'drain')
  b.said.heard('web/a', 'h1')
  await b.clock.advance(500) // refused now with who heard it, too
  rmSync(`${b.file}.new`)
  await b.clock.advance(1000)
  b.said.heard('web/a', 'h1') // nothing new: only the retry writes
  t.equal(b.restart().owes('web/a'), true, 'tried again until the disk takes it')
})

void t.test('a disk that refuses is tried again once a second, said once, and left alone when it has it all', async (t) => {
  const [clock, sink] = [new SimClock(), new Sink()]
  let [tries, isFull] = [0, true]
  const write = (): void => {
    tries += 1
    if (isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
  }
  const said = new Said({ clock, log: sink.log.event, store: { path: 'disk', read: () => ({ kind: 'absent' }), write } })
  const triesWithin = async (ms: number, ask: () => void): Promise<number> => {
    const before = tries
    for (let i = 0; i < ms / 100; i += 1) {
      ask()
      await clock.advance(100)
    }
    return tries - before
  }
  said.claim('web/a', 'drain')
  t.equal(tries, 1)
  t.equal(await triesWithin(3000, () => { said.heard('web/a', 'h1') }), 3, 'by who hears the word, with who that is')
  t.equal(await triesWithin(3000, () => { said.release('web/a', 'h1') }), 3, 'by who hears that it is over')
  matchLines(t, sink.take(), [{ event: 'state.write_failed', why: 'ENOSPC' }])
  isFull = false
  t.equal(await triesWithin(3000, () => { said.release('web/a', 'h1') }), 1, 'and it is there')
  t.strictSame(sink.take(), [])
  isFull = true
  said.claim('web/b', 'drain')
  matchLines(t, sink.take(), [{ event: 'state.write_failed' }], 'the next time is said again')
})

void t.test('a state directory that cannot be used', async (t) => {
  const b = new Bench(join(t.testdir({ file: '' }), 'file'))
  matchLines(t, b.sink.take(), [{ event: 'state.set_aside', to: b.file, why: 'cannot be read (ENOTDIR)' }])
  b.said.claim('web/a', 'drain')
  matchLines(t, b.sink.take(), [{ event: 'state.write_failed', why: 'EEXIST' }])
  b.said.heard('web/a', 'h1')
  t.equal(b.said.owes('web/a'), true)
})

void t.test('a store in memory forgets nothing while it is there, and needs no disk', async (t) => {
  const [clock, sink, store] = [new SimClock(), new Sink(), memoryStore()]
  const restart = (): Said => new Said({ clock, log: sink.log.event, store })
  const first = restart()
  t.equal(first.owes('web/a'), false)
  first.claim('web/a', 'drain')
  t.equal(restart().owes('web/a'), true, 'after a restart of the agent')
  t.equal(new Said({ clock, log: sink.log.event, store: memoryStore() }).owes('web/a'), false, 'another store')
  t.strictSame(sink.all(), [], 'and complains of nothing')
})

void t.test('many words, one write; and one that fails half way is no reason never to write again', async (t) => {
  const b = bench(t)
  b.said.together(() => {
    for (const id of ['web/a', 'web/b']) b.said.claim(id, 'drain')
    t.equal(existsSync(b.file), false, 'not before the end')
  })
  t.match(b.onDisk(), { data: { 'web/a': {}, 'web/b': {} } })
  t.throws(() => {
    b.said.together(() => {
      b.said.claim('web/c', 'drain')
      throw new Error('a fault')
    })
  })
  t.match(b.onDisk(), { data: { 'web/c': {} } })
  b.said.claim('web/d', 'maint')
  t.match(b.onDisk(), { data: { 'web/d': {} } })
})
