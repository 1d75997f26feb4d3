import t from 'tap'
import { Conversations, LINGER_MS, QUIET_MS, SURPLUS_BYTES_MAX, TICK_MS } from '../../src/agent/conversation.ts'
import { REQUEST_BYTES_MAX, type Request } from '../../src/agent/protocol.ts'
import { connection, settled } from '../helpers/streams.ts'
import { ANSWER, LINE_TIMEOUT_MS, room, somebody, talk } from './room.ts'

const NAME = 'web/a'

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
        await clock.advance(1 + TICK_MS)
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
    await clock.advance(1 + TICK_MS)
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
  await clock.advance(1 + TICK_MS)
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
    await clock.advance(TICK_MS)
    t.equal(clock.waiting, 0, `${why}: nothing is waited for`)
  }
})

void t.test('a peer that says nothing is answered when it has been quiet', async t => {
  const { clock, peer, asked } = talk()
  await clock.advance(QUIET_MS - 1)
  t.same(peer.heard, [], 'not before')
  await clock.advance(1 + TICK_MS)
  t.same(asked, [{ kind: 'absent' }])
  t.same(peer.heard, [ANSWER])
})

void t.test('a loop that was late reads what came meanwhile before it calls a peer quiet', async t => {
  const asked: string[] = []
  let tick: (() => void) | undefined
  const conversations = new Conversations({ maxConnections: 10, lineTimeoutMs: LINE_TIMEOUT_MS }, {
    after: (_, run) => {
      tick = run
      return { stop: () => { tick = undefined } }
    },
    answer: request => {
      asked.push(request)
      return Buffer.from(ANSWER)
    },
    onCrowded: () => undefined
  })
  const [peer, stream] = connection()
  conversations.serve(stream, somebody('10.0.0.1'))
  for (let i = 0; i < QUIET_MS / TICK_MS - 1; i += 1) tick?.()
  peer.stream.write(`${NAME}\n`)
  tick?.() // due long ago, and run before the request that has come is read
  t.same(asked, [])
  await settled()
  t.same(asked, [`${NAME}\n`])
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
    else await clock.advance(QUIET_MS + TICK_MS)
    t.same(asked, [request], why)
  }
})

void t.test('a sender that never pauses and never ends its line is cut off', async t => {
  const { clock, peer, asked, say } = talk()
  await clock.advance(QUIET_MS - 10)
  const startMs = clock.now()
  let sent = ''
  while (peer.heard.length === 0 && sent.length < 100) {
    await say('a')
    sent += 'a'
    await clock.advance(QUIET_MS - 5)
  }
  const tookMs = clock.now() - startMs
  t.ok(tookMs >= LINE_TIMEOUT_MS && tookMs <= LINE_TIMEOUT_MS + QUIET_MS, `counted from its first byte: ${tookMs} ms`)
  t.same(asked, [{ kind: 'malformed', why: `not a backend/server name: ${sent}` }])
  t.same(peer.heard, [ANSWER])
})

void t.test('what comes after the line is read and ignored', async t => {
  const { clock, peer, stream, asked, say } = talk()
  await say(`${NAME}\nweb/b\n`)
  await say('web/c\n')
  await clock.advance(QUIET_MS)
  await say('x'.repeat(SURPLUS_BYTES_MAX / 2))
  t.same(asked, [server(NAME)])
  t.same(peer.heard, [ANSWER])
  t.equal(stream.readableLength, 0, 'an unread byte would turn our close into an RST')
  await clock.advance(LINGER_MS - QUIET_MS + TICK_MS)
  t.equal(stream.destroyed, true, 'it does not buy time')
})

void t.test('what comes after the answer: the bound and one more', async t => {
  const { clock, peer, stream, asked, say } = talk()
  await say(`${NAME}\n`)
  for (let sent = 0; sent < SURPLUS_BYTES_MAX; sent += SURPLUS_BYTES_MAX / 8) await say('x'.repeat(SURPLUS_BYTES_MAX / 8))
  t.equal(stream.destroyed, false, 'at the bound')
  await say('x')
  t.equal(stream.destroyed, true, 'one more')
  t.same([asked.length, peer.heard], [1, [ANSWER]])
  await clock.advance(TICK_MS)
  t.equal(clock.waiting, 0)
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
      await clock.advance(TICK_MS)
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
  await clock.advance(TICK_MS)
  t.equal(stream.destroyed, true)
  t.equal(clock.waiting, 0)
})

void t.test('one timer looks after all of them, and no longer than there are any', async t => {
  const { clock, come, conversations } = room()
  t.equal(clock.waiting, 0, 'nobody is there')
  const [first, second] = [come(), come()]
  await first.say(NAME)
  await second.say(`${NAME}\n`)
  t.equal(clock.waiting, 1)
  await clock.advance(5 * TICK_MS)
  t.equal(clock.waiting, 1, 'as long as they are there')
  first.peer.stream.end()
  second.peer.stream.end()
  await clock.advance(TICK_MS)
  t.equal(clock.waiting, 0)

  const third = come()
  t.equal(clock.waiting, 1, 'and again')
  conversations.close()
  t.equal(clock.waiting, 0)
  t.equal(third.stream.destroyed, true)
})
