import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { place } from '../helpers/agent.ts'
import { start } from '../helpers/cli.ts'
import { until } from '../helpers/until.ts'

/** Somebody who speaks as the test wants, after two ordinary answers. */
async function pretender (t: Test, stream: (request: IncomingMessage, answer: ServerResponse, turn: number) => void): Promise<string> {
  const path = join(place(t).dir, 'admin.sock')
  let turn = 0
  const server = createServer((request, answer) => {
    if (request.headers.accept === 'text/event-stream') return stream(request, answer, turn++)
    answer.writeHead(turn > 1 ? 401 : 200, { 'content-type': turn > 1 ? 'application/problem+json' : 'application/json' })
    answer.end(JSON.stringify(turn > 1
      ? { type: 'about:blank', title: 'Unauthorized', status: 401, detail: 'no' }
      : { events: [null, 7, { id: 'x' }, event(5, 'before')] }))
  }).listen(path)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `unix:${path}`
}

const event = (id: number, msg: string): object => ({ id, at: '2026-03-29T00:00:00Z', event: 'x', level: 'info', msg })
const sse = (each: object): string => `data: ${JSON.stringify(each)}\n\n`

void t.test('what is no event is passed over, and what was heard is not heard twice', async (t) => {
  const asked: unknown[] = []
  const admin = await pretender(t, (request, answer, turn) => {
    asked.push(request.headers['last-event-id'])
    if (turn > 1) return answer.writeHead(401).end()
    if (turn === 1) return answer.writeHead(503, { 'content-type': 'text/event-stream' }).end(sse(event(99, 'not heard')))
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    const text = Buffer.from(`: hello\n\nretry: soon\n\ndata: {"torn\n\nfoo: bar\n\n${sse({ id: 9 })}${sse(event(5, 'before'))}${sse(event(8, 'eight ä'))}${sse(event(7, 'late'))}${sse(event(9, 'nine'))}data: {`)
    const middle = text.indexOf(0xc3) + 1 // of the ä
    answer.write(text.subarray(0, middle), () => { setImmediate(() => { setImmediate(() => { answer.end(text.subarray(middle)) }) }) })
  })
  const { code, out, err } = await start(['events', '-f', '--admin', admin]).ended
  t.strictSame(out.split('\n').map(line => line.slice(28)), ['before', 'eight ä', 'nine', ''])
  t.strictSame(asked, ['5', '9', '9'], 'it goes on where it was')
  t.match(err, /^lost the agent at unix:.*\(it ended the connection\): waiting for it; ctrl-C ends\nthe agent at unix:.* no\b/, 'a 503 is waited out; a 401 is not')
  t.equal(code, 2)
})

void t.test('an event without an end is not waited for', async (t) => {
  const admin = await pretender(t, (_, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    const more = (): void => { answer.write('x'.repeat(100_000), error => { if (error === null || error === undefined) more() }) }
    answer.write('data: ')
    more()
  })
  t.match(await start(['events', '-f', '--admin', admin]).ended, { code: 69, err: 'the agent sends what is no event\n' })
})

void t.test('who answers, but is no agent', async (t) => {
  const admin = await pretender(t, (_, answer) => { answer.writeHead(200, { 'content-type': 'text/html' }).end('hello') })
  const following = start(['events', '-f', '--admin', admin])
  await until('word of it', () => /lost the agent at .* \(it answered 200\)/.test(following.err()) || undefined, following.err)
  following.signal('SIGINT')
  t.match(await following.ended, { code: 0, out: /before/ })
})
