/** A TCP connection, and if wanted a word sent and an answer that contains another. */
import { connect } from 'node:net'
import type { Facts } from '../core/model.ts'
import type { Node, ProbeOptions } from '../core/probe.ts'
import { showDuration } from '../core/text.ts'
import type { Deadlines } from './deadline.ts'
import { ProbeFailure } from './errors.ts'
import { watchLookup } from './lookup.ts'

/** How much of an answer is looked at for `expect`. */
const ANSWER_BYTES_MAX = 64 * 1024

export async function tcpLook (
  node: Node, { port, send, expect }: ProbeOptions['tcp'], timeoutMs: number, deadlines: Deadlines
): Promise<Facts> {
  const socket = connect({ host: node.host, port: port ?? node.port, noDelay: true })
  const isLookingUp = watchLookup(socket, node.host)
  let connected = false
  let heard = ''
  const wanted = expect === undefined ? undefined : Buffer.from(expect).toString('latin1') // bytes against bytes
  const cancel = deadlines.after(timeoutMs, () => {
    const within = `within ${showDuration(timeoutMs)}`
    if (isLookingUp()) socket.destroy(new ProbeFailure('local', `no address from the name service ${within}`))
    else socket.destroy(connected ? new ProbeFailure('timeout', `no answer ${within}`) : new ProbeFailure('noconn', `no connection ${within}`))
  })
  try {
    return await new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('connect', () => {
        connected = true
        if (send !== undefined) socket.write(send)
        if (wanted === undefined) resolve({})
      })
      socket.on('data', chunk => {
        heard = (heard + chunk.toString('latin1')).slice(-ANSWER_BYTES_MAX)
        if (wanted !== undefined && heard.includes(wanted)) resolve({ expected: true })
      })
      socket.on('end', () => {
        if (heard === '') reject(new ProbeFailure('reset', 'closed without a word'))
        else resolve({ expected: false })
      })
    })
  } finally {
    cancel()
    socket.destroy()
  }
}
