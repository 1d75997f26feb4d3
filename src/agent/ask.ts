/** The asking side of an agent-check, as HAProxy does it: connect, send, read a line, close with RST. */
import { connect } from 'node:net'

export type AskAddress =
  | { readonly kind: 'tcp', readonly host: string, readonly port: number }
  | { readonly kind: 'unix', readonly path: string }

/** HAProxy's default agent-inter: its deadline too [agent-check]. */
export const ASK_DEADLINE_MS = 2000
/** tune.bufsize: HAProxy looks no further for a line end. */
const LINE_BYTES_MAX = 16_384

/** Why no line came. `refused`: nobody listens there. */
export class NoAnswer extends Error {
  readonly kind: 'refused' | 'timeout' | 'broken'
  constructor (kind: NoAnswer['kind'], message: string) {
    super(message)
    this.name = 'NoAnswer'
    this.kind = kind
  }
}

/** The reply without its line end. Rejects with NoAnswer. */
export async function askAgent (address: AskAddress, request: string, deadlineMs = ASK_DEADLINE_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host)
    const fail = (kind: NoAnswer['kind'], why: string): void => {
      socket.destroy()
      reject(new NoAnswer(kind, why))
    }
    socket.setTimeout(deadlineMs, () => { fail('timeout', `silent for ${deadlineMs} ms`) })
    socket.on('connect', () => { socket.write(request) })
    socket.on('data', chunk => {
      heard += chunk.toString('latin1')
      const end = heard.search(/[\r\n]/)
      if (end < 0 && heard.length > LINE_BYTES_MAX) fail('broken', `no line end within ${LINE_BYTES_MAX} bytes`)
      if (end < 0) return
      resolve(heard.slice(0, end))
      if (address.kind === 'tcp') socket.resetAndDestroy()
      else socket.destroy()
    })
    socket.on('end', () => { fail('broken', heard === '' ? 'closed without a word' : 'closed before the end of its line: HAProxy would ignore it') })
    socket.on('error', error => {
      const { code = '' } = error as NodeJS.ErrnoException
      fail(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'refused' : 'broken', code === '' ? error.message : code)
    })
  })
}
