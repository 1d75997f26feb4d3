import t from 'tap'
import { LINGER_MS, QUIET_MS, serveAgent } from '../../src/agent/conversation.ts'
import { REQUEST_BYTES_MAX, type Request } from '../../src/agent/protocol.ts'
import type { Duplex } from 'node:stream'
import { SimClock } from '../../src/sim/clock.ts'
import { connection, settled, type Peer } from '../helpers/streams.ts'

const LINE_TIMEOUT_MS = 500
const ANSWER = 'up 100%\n'
const NAME = 'web/a'

interface Talk {
  readonly clock: SimClock
  readonly peer: Peer
  readonly stream: Duplex
  /** What the answer was asked for. */
  readonly asked: readonly Request[]
  say: (text: string) => Promise<void>
}

function talk (): Talk {
  const clock = new SimClock()
  const [peer, stream] = connection()
  const asked: Request[] = []
  serveAgent(stream, {
    after: (ms, run) => clock.after(ms, run),
    lineTimeoutMs: LINE_TIMEOUT_MS,
    answer: request => {
      asked.push(request)
      return { health: 'up', weightPercent: 100 }
    }
  })
  const say = async (text: string): Promise<void> => {
    peer.stream.write(text, 'latin1')
    await settled()
  }
  return { clock, peer, stream, asked, say }
}

const server = (id: string): Request => ({ kind: 'server', id })

void t.test('a request in one piece or in two, cut anywhere, with any line end or none', async t => {
  for (const end of ['\n', '\r', '\r\n', '']) {
    const bytes = NAME + end
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const why = `${JSON.stringify(bytes)} cut at ${cut}`
      const { clock, peer, asked, say } = talk()
      if (cut > 0) await say(bytes.slice(0, cut))
      if (cut < bytes.length) {
        if (!/[\r\n]/.test(bytes.slice(0, cut))) t.same(peer.heard, [], `${why}: no answer before the request is read`)
        await clock.advance(QUIET_MS - 1)
        await say(bytes.slice(cut))
      }
      if (end === '') {
        await clock.advance(QUIET_MS - 1)
        t.same(peer.heard, [], `${why}: no answer before it is quiet`)
        await clock.advance(1)
      }
      t.same(asked, [server(NAME)], why)
      t.same(peer.heard, [ANSWER], `${why}: one write`)
    }
  }
})

void t.test('a request byte by byte', async t => {
  for (const end of ['\n', '\r', '\r\n', '']) {
    const { clock, peer, asked, say } = talk()
    for (const byte of NAME + end) {
      await say(byte)
      await clock.advance(QUIET_MS - 1)
    }
    await clock.advance(1)
    t.same(asked, [server(NAME)], JSON.stringify(end))
    t.same(peer.heard, [ANSWER], JSON.stringify(end))
  }
})

void t.test('a line end is answered at once, and nothing follows the answer', async t => {
  const { clock, peer, stream, say } = talk()
  await say(`${NAME}\n`)
  t.same(peer.heard, [ANSWER], 'no time has passed')
  t.equal(peer.ended, false, 'HAProxy closes, not we')
  await clock.advance(LINGER_MS - 1)
  t.equal(stream.destroyed, false, 'the peer has time to close')
  await clock.advance(1)
  t.equal(stream.destroyed, true, 'but no more than its time')
  t.same(peer.heard, [ANSWER], 'one line is all it heard')
})

void t.test('the end of what the peer says ends the request, and the connection', async t => {
  const rows: ReadonlyArray<readonly [string, Request, string]> = [
    [NAME, server(NAME), 'EOF for a line end'],
    [`${NAME}\n`, server(NAME), 'EOF after a line end'],
    ['', { kind: 'absent' }, 'EOF alone']
  ]
  for (const [bytes, request, why] of rows) {
    const { clock, peer, asked } = talk()
    peer.stream.end(bytes, 'latin1')
    await settled()
    t.same(asked, [request], why)
    t.same(peer.heard, [ANSWER], `${why}: answered at once`)
    t.equal(peer.ended, true, `${why}: we close too`)
    t.equal(clock.waiting, 0, `${why}: nothing is waited for`)
  }
})

void t.test('a peer that says nothing is answered when it has been quiet', async t => {
  const { clock, peer, asked } = talk()
  await clock.advance(QUIET_MS - 1)
  t.same(peer.heard, [], 'not before')
  await clock.advance(1)
  t.same(asked, [{ kind: 'absent' }])
  t.same(peer.heard, [ANSWER])
})

void t.test('a loop that was late reads what came meanwhile before it calls a peer quiet', async t => {
  const [peer, stream] = connection()
  const asked: Request[] = []
  const timers: Array<() => void> = []
  serveAgent(stream, {
    after: (_, run) => {
      timers.push(run)
      return { stop: () => { timers.splice(timers.indexOf(run), 1) } }
    },
    lineTimeoutMs: LINE_TIMEOUT_MS,
    answer: request => {
      asked.push(request)
      return {}
    }
  })
  peer.stream.write(`${NAME}\n`)
  timers.shift()?.() // due long ago, and run before the request that has come is read
  t.same(asked, [])
  await settled()
  t.same(asked, [server(NAME)])
})

void t.test('length: the bound and one more', async t => {
  const longest = `web/${'a'.repeat(REQUEST_BYTES_MAX - 'web/'.length)}`
  const why = `request over ${REQUEST_BYTES_MAX} bytes`
  const rows: ReadonlyArray<readonly [readonly string[], Request, string]> = [
    [[longest], server(longest), 'at the bound'],
    [[`${longest}a`], { kind: 'malformed', why }, 'one more'],
    [[longest, 'a'], { kind: 'malformed', why }, 'one more, on its own']
  ]
  for (const [parts, request, why] of rows) {
    const { clock, peer, asked, say } = talk()
    for (const part of parts) await say(part)
    if (request.kind === 'malformed') t.same(peer.heard, [ANSWER], `${why}: answered without waiting for more`)
    else await clock.advance(QUIET_MS)
    t.same(asked, [request], why)
  }
})

void t.test('a sender that never pauses and never ends its line is cut off', async t => {
  const { clock, peer, asked, say } = talk()
  await clock.advance(QUIET_MS - 10)
  const startMs = clock.now()
  for (let sent = 0; peer.heard.length === 0 && sent < 100; sent += 1) {
    await say('a')
    await clock.advance(QUIET_MS - 5)
  }
  t.equal(clock.now() - startMs, LINE_TIMEOUT_MS, 'counted from its first byte')
  t.same(asked, [{ kind: 'malformed', why: `not a backend/server name: ${'a'.repeat(LINE_TIMEOUT_MS / (QUIET_MS - 5))}` }])
  t.same(peer.heard, [ANSWER])
})

void t.test('what comes after the line is read and ignored', async t => {
  const { clock, peer, stream, asked, say } = talk()
  await say(`${NAME}\nweb/b\n`)
  await say('web/c\n')
  await clock.advance(QUIET_MS)
  await say('x'.repeat(100_000))
  t.same(asked, [server(NAME)])
  t.same(peer.heard, [ANSWER])
  t.equal(stream.readableLength, 0, 'an unread byte would turn our close into an RST')
  await clock.advance(LINGER_MS - QUIET_MS)
  t.equal(stream.destroyed, true, 'it does not buy time')
})

void t.test('a peer that goes away', async t => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  const rows: ReadonlyArray<readonly [string, number, string]> = [
    ['', 0, 'without a word'],
    ['we', 0, 'in the middle of its request'],
    [`${NAME}\n`, 1, 'after its answer']
  ]
  for (const [bytes, answers, why] of rows) {
    for (const error of [reset, undefined]) {
      const how = `${why}, ${error === undefined ? 'closed' : 'reset'}`
      const { clock, peer, stream, asked, say } = talk()
      if (bytes !== '') await say(bytes)
      stream.destroy(error)
      await settled()
      t.equal(clock.waiting, 0, `${how}: no timer is left`)
      await clock.advance(LINE_TIMEOUT_MS + LINGER_MS)
      t.equal(asked.length, answers, `${how}: nobody is answered who is gone`)
      t.equal(peer.heard.length, answers, how)
    }
  }
})

void t.test('an error that does not close the stream does', async t => {
  const { stream, clock } = talk()
  stream.emit('error', new Error('EPIPE'))
  await settled()
  t.equal(stream.destroyed, true)
  t.equal(clock.waiting, 0)
})

void t.test('no timer outlives the connection', async t => {
  const { clock, peer, say } = talk()
  for (const byte of 'web') await say(byte)
  t.equal(clock.waiting, 2, 'quiet and line timeout')
  await say('/a\n')
  t.equal(clock.waiting, 1, 'the answered peer has its time to close')
  peer.stream.end()
  await settled()
  t.equal(clock.waiting, 0)
})
