/** `PUT /uri/<writecap>` or `PUT /uri`: the gateway can store something. The new cap in the answer is thrown away [webapi]. */
import { randomUUID } from 'node:crypto'
import type { HttpProbe } from './kind.ts'
import { capPath, readCap } from './run.ts'

export const tahoeWrite: HttpProbe<'tahoe-write'> = ({ capFile, bytes }) => async ask => {
  // Other content each time, or an immutable upload finds its shares already there and writes nothing.
  const body = Buffer.alloc(bytes, `hcf write canary ${randomUUID()}\n`)
  const { status } = await ask({ method: 'PUT', path: capFile === undefined ? '/uri' : capPath(readCap(capFile)), body })
  return { status }
}
