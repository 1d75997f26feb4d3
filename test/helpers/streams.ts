/** Both ends of a connection without a network. */
import { duplexPair, type Duplex } from 'node:stream'

/** The far end of a stream under test, which notes what it is told. */
export interface Peer {
  readonly stream: Duplex
  /** One entry for each write of the other end. */
  readonly heard: readonly string[]
  /** Whether the other end has said that nothing more will come. */
  readonly ended: boolean
}

/** A peer, and the end that a server gets. */
export function connection (): [Peer, Duplex] {
  const [stream, server] = duplexPair({ allowHalfOpen: true })
  const heard: string[] = []
  const peer = { stream, heard, ended: false }
  stream.on('data', (chunk: Buffer) => { heard.push(chunk.toString('latin1')) })
  stream.on('end', () => { peer.ended = true })
  stream.on('error', () => { /* The other end says what went wrong. */ })
  return [peer, server]
}

/** Lets everything happen that takes no time: streams deliver, promises settle. */
export async function settled (): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise(resolve => { setImmediate(resolve) })
}
