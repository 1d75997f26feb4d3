/**
 * One agent-check: read the request first, answer in one write, then let the peer close. Takes any stream, so that a
 * test needs no port. Closing first, or an RST over an unread request, loses answers on some HAProxys [check.c].
 */
import type { Duplex } from 'node:stream'
import type { Reply } from '../core/reply.ts'
import { encodeReply, parseRequest, REQUEST_BYTES_MAX, type Request } from './protocol.ts'

/** Without a line end, silence this long ends a request: `set server … agent-send` cannot send one. */
export const QUIET_MS = 30
/** How long a peer that has its answer may keep the connection open. */
export const LINGER_MS = 1000

export interface Timer { stop: () => void }

export interface ConversationDeps {
  readonly after: (ms: number, run: () => void) => Timer
  /** From the first byte to the end of the request; what has come by then is the request. */
  readonly lineTimeoutMs: number
  readonly answer: (request: Request) => Reply
}

const LF = 0x0a
const CR = 0x0d

export function serveAgent (stream: Duplex, deps: ConversationDeps): void {
  const chunks: Buffer[] = []
  let length = 0
  let answered = false
  let timer = deps.after(QUIET_MS / 2, halfQuiet)
  let deadline: Timer | undefined

  function wait (ms: number, run: () => void): void {
    timer.stop()
    timer = deps.after(ms, run)
  }

  /** In two halves: when our own loop was late, what came meanwhile is read before the second one begins. */
  function halfQuiet (): void {
    wait(QUIET_MS / 2, respond)
  }

  function respond (): void {
    if (answered) return
    answered = true
    deadline?.stop()
    const request = parseRequest(Buffer.concat(chunks).toString('latin1'))
    stream.write(encodeReply(deps.answer(request)))
    wait(LINGER_MS, () => { stream.destroy() })
  }

  stream.on('data', (chunk: Buffer) => {
    if (answered) return // read on, so that no unread byte turns the close into an RST
    chunks.push(chunk)
    length += chunk.length
    if (length > REQUEST_BYTES_MAX || chunk.includes(LF) || chunk.includes(CR)) return respond()
    deadline ??= deps.after(deps.lineTimeoutMs, respond)
    wait(QUIET_MS / 2, halfQuiet)
  })
  stream.on('end', () => {
    respond()
    stream.end() // the peer has said all it will: nothing can be lost by closing now
  })
  // An ECONNRESET after a whole answer is how HAProxy ends a check; before one there is nobody left to answer.
  stream.on('error', () => { stream.destroy() })
  stream.on('close', () => {
    timer.stop()
    deadline?.stop()
  })
}
