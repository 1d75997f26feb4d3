import { z } from 'zod'
import { criterionKind, fail, numberFact, pass, textFact } from './kind.ts'
import { filePath, size } from './scalars.ts'
import { showDuration } from '../core/text.ts'

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
  judge: ({ bytes, sha256 }) => ({ facts }) => {
    const status = numberFact(facts, 'status')
    const got = numberFact(facts, 'bytes') ?? 0
    const expected = bytes ?? numberFact(facts, 'expectedBytes')
    if (status !== 200) return fail(status ?? null, 'status 200', `read answered ${status}, needs 200`)
    if (expected !== undefined && got !== expected) return fail(got, `${expected} bytes`, `read ${got} bytes, needs ${expected}`)
    if (sha256 !== undefined && textFact(facts, 'sha256') !== sha256.toLowerCase()) {
      return fail('other content', 'the SHA-256 given', `read ${got} bytes whose SHA-256 is not the one given`)
    }
    return pass(got, expected === undefined ? 'status 200' : `${expected} bytes`, `read ${got} bytes in ${showDuration(numberFact(facts, 'latencyMs') ?? 0)}`)
  }
})
