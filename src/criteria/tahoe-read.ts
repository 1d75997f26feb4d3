import { z } from 'zod'
import { criterionKind, fail, numberFact, pass, showStatus, textFact, tookOf } from './kind.ts'
import { filePath, size } from './scalars.ts'

/**
 * The canary: a real file can be read, whole. The only kind that sees a gateway whose storage connections or threads
 * hang while its front page answers in 5 ms. Length and hash are checked: an error after the first byte ends the body early [webapi].
 */
export const tahoeRead = criterionKind({
  summary: 'a real file, whose cap is in `cap_file`, can be read whole',
  options: z.strictObject({
    cap_file: filePath,
    bytes: size.optional(),
    sha256: z.string({ error: 'must be 64 hex digits' }).regex(/^[0-9a-f]{64}$/i, { error: 'must be 64 hex digits' }).optional()
  }),
  defaults: { onFail: { action: 'down' }, everyMs: 15_000, withinMs: 5000 },
  probe: ({ cap_file: capFile }) => ({ kind: 'tahoe-read', options: { capFile } }),
  judge: ({ bytes, sha256 }) => sample => {
    const { facts } = sample
    const status = numberFact(facts, 'status')
    const got = numberFact(facts, 'bytes') ?? 0
    const expected = bytes ?? numberFact(facts, 'expectedBytes')
    if (status !== 200) return fail(status ?? null, 'status 200', `read answered ${showStatus(status)}, needs 200`)
    // An answer that breaks off before its first byte is short too, when nobody knows how long it should be.
    const limit = expected === undefined ? 'at least 1 byte' : `${expected} bytes`
    if (expected === undefined ? got < 1 : got !== expected) return fail(got, limit, `read ${got} bytes, needs ${limit}`)
    const hash = textFact(facts, 'sha256')
    if (sha256 !== undefined && hash !== sha256.toLowerCase()) {
      return fail('other content', 'the SHA-256 given', `read ${got} bytes of SHA-256 ${shortHash(hash)}, needs ${shortHash(sha256)}`)
    }
    return pass(got, limit, `read ${got} bytes in ${tookOf(sample)}, needs ${limit}`)
  }
})

const shortHash = (hash: string): string => hash === '' ? 'unknown' : `${hash.slice(0, 8).toLowerCase()}...`
