/** A name service that hangs is our trouble, not the node's: while a name is looked up, no node has been asked anything. */
import { isIP, type Socket } from 'node:net'

/** Whether the name of `host` is still being looked up for this connecting socket. Watch it from its start. */
export function watchLookup (socket: Socket, host: string): () => boolean {
  let looking = isIP(host) === 0
  socket.once('lookup', () => { looking = false })
  return () => looking && socket.connecting
}
