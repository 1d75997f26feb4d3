/** `GET /uri/<cap>`: a real file, whole. Its content never becomes a fact, only its length and hash [webapi]. */
import { createHash } from 'node:crypto'
import type { HttpProbe } from './kind.ts'
import { capPath, readCap } from './run.ts'

export const tahoeRead: HttpProbe<'tahoe-read'> = ({ capFile }) => async ask => {
  const cap = readCap(capFile)
  const { status, body } = await ask({ method: 'GET', path: capPath(cap) })
  const expected = sizeIn(cap)
  return {
    status,
    bytes: body.length,
    ...(expected === undefined ? {} : { expectedBytes: expected }),
    sha256: createHash('sha256').update(body).digest('hex')
  }
}

/** An immutable file's cap ends in its size: `URI:CHK:key:hash:needed:total:size`. */
export function sizeIn (cap: string): number | undefined {
  const size = /^URI:CHK:[^:]+:[^:]+:\d+:\d+:(\d+)$/.exec(cap)?.[1]
  return size === undefined ? undefined : Number(size)
}
