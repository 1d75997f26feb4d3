/** Agent-checks without a network, in a time that passes when it is told to. */
import type { Duplex } from 'node:stream'
import { Conversations, type Peer } from '../../src/agent/conversation.ts'
import { parseRequest, type Request } from '../../src/agent/protocol.ts'
import { SimClock } from '../../src/sim/clock.ts'
import { connection, settled, type Peer as FarEnd } from '../helpers/streams.ts'

export const LINE_TIMEOUT_MS = 500
export const ANSWER = 'up 100%\n'

/** One connection, from both sides. */
export interface Talk {
  readonly peer: FarEnd
  readonly stream: Duplex
  say: (text: string) => Promise<void>
}

export interface Room {
  readonly clock: SimClock
  readonly conversations: Conversations
  /** What an answer was asked for. */
  readonly asked: Request[]
  readonly crowded: string[]
  come: (from?: Peer) => Talk
}

export const somebody = (from: string): Peer => ({ from, asking: 0 })

export function room (maxConnections = 10): Room {
  const clock = new SimClock()
  const asked: Request[] = []
  const crowded: string[] = []
  const conversations = new Conversations({ maxConnections, lineTimeoutMs: LINE_TIMEOUT_MS }, {
    after: (ms, run) => clock.after(ms, run),
    answer: request => {
      asked.push(parseRequest(request))
      return Buffer.from(ANSWER)
    },
    onCrowded: (from, why) => { crowded.push(`${from}: ${why}`) }
  })
  const come = (from = somebody('10.0.0.1')): Talk => {
    const [peer, stream] = connection()
    conversations.serve(stream, from)
    const say = async (text: string): Promise<void> => {
      peer.stream.write(text, 'latin1')
      await settled()
    }
    return { peer, stream, say }
  }
  return { clock, conversations, asked, crowded, come }
}

/** A room with one connection in it. */
export function talk (): Talk & Pick<Room, 'clock' | 'asked'> {
  const { clock, asked, come } = room()
  return { clock, asked, ...come() }
}
