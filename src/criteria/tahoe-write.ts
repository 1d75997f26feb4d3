import { z } from 'zod'
import { showDuration } from '../core/text.ts'
import { criterionKind, fail, numberFact, pass } from './kind.ts'
import { filePath, size } from './scalars.ts'

/**
 * The write canary. With `cap_file` (a write cap) it overwrites a mutable file in place, so nothing piles up on the
 * grid; with `upload` it uploads a new immutable file each time: dearer, but the only probe that sees broken disks.
 * One writer at a time: several agents each need a file of their own [webapi].
 */
export const tahoeWrite = criterionKind({
  summary: 'a mutable file (`cap_file`) can be overwritten, or a new file of `upload` bytes uploaded',
  options: z.strictObject({ cap_file: filePath.optional(), upload: size.optional() }),
  defaults: { onFail: { action: 'down' }, everyMs: 60_000, withinMs: 10_000 },
  contradiction: ({ cap_file: capFile, upload }) =>
    (capFile === undefined) === (upload === undefined) ? 'needs cap_file (overwrite in place) or upload (a new file each time), one of them' : undefined,
  probe: ({ cap_file: capFile, upload }) => ({
    kind: 'tahoe-write',
    options: capFile === undefined ? { bytes: upload ?? 0 } : { capFile, bytes: 64 }
  }),
  judge: () => ({ facts }) => {
    const status = numberFact(facts, 'status')
    if (status !== 200 && status !== 201) return fail(status ?? null, 'status 200', `write answered ${status}, needs 200`)
    return pass(status, 'status 200', `written in ${showDuration(numberFact(facts, 'latencyMs') ?? 0)}`)
  }
})
