import { z } from 'zod'
import { showSize } from '../core/text.ts'
import { criterionKind, fail, numberFact, pass, showStatus, tookOf } from './kind.ts'
import { filePath, size } from './scalars.ts'

/** A file of at most this many bytes is kept in its cap (LIT) [webapi]. */
const LIT_BYTES_MAX = 55
const UPLOAD_BYTES_MAX = 4 * 1024 ** 2
const LIMIT = 'status 200 or 201'

/**
 * The write canary. With `cap_file` (a write cap) it overwrites a mutable file in place, so nothing piles up on the
 * grid; with `upload` it uploads a new immutable file each time: dearer, but the only probe that sees broken disks.
 * One writer at a time: several agents each need a file of their own [webapi].
 */
export const tahoeWrite = criterionKind({
  summary: 'a mutable file (`cap_file`) can be overwritten, or a new file of `upload` bytes uploaded',
  options: z.strictObject({ cap_file: filePath.optional(), upload: size.optional() }),
  defaults: { onFail: { action: 'down' }, everyMs: 60_000, withinMs: 10_000 },
  contradiction: ({ cap_file: capFile, upload }) => {
    if ((capFile === undefined) === (upload === undefined)) {
      return 'needs cap_file (overwrite in place) or upload (a new file each time), one of them'
    }
    if (upload === undefined || (upload > LIT_BYTES_MAX && upload <= UPLOAD_BYTES_MAX)) return undefined
    const why = 'a smaller file fits into its cap, and no storage server is asked'
    return `upload must be from ${LIT_BYTES_MAX + 1}B (${why}) to ${showSize(UPLOAD_BYTES_MAX)}`
  },
  probe: ({ cap_file: capFile, upload }) => ({
    kind: 'tahoe-write',
    options: capFile === undefined ? { bytes: upload ?? 0 } : { capFile, bytes: 64 }
  }),
  judge: () => sample => {
    const status = numberFact(sample.facts, 'status')
    if (status !== 200 && status !== 201) return fail(status ?? null, LIMIT, `write answered ${showStatus(status)}, needs 200 or 201`)
    return pass(status, LIMIT, `write answered ${status} in ${tookOf(sample)}, needs 200 or 201`)
  }
})
