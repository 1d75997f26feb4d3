import { z } from 'zod'
import { criterionKind, fail, numberFact, pass, showStatus } from './kind.ts'
import { filePath, wholeNumber } from './scalars.ts'

/** A file check by the gateway finds the file recoverable. The status is 200 even when nothing is: parse [webapi]. */
export const tahoeCheck = criterionKind({
  summary: 'the check by the gateway itself of the file in `cap_file` finds it recoverable (and `at_least` happy)',
  options: z.strictObject({ cap_file: filePath, at_least: wholeNumber(0).default(0) }),
  defaults: { onFail: { action: 'down' }, everyMs: 30_000, withinMs: 10_000 },
  probe: ({ cap_file: capFile }) => ({ kind: 'tahoe-check', options: { capFile } }),
  judge: ({ at_least: needed }) => ({ facts }) => {
    const status = numberFact(facts, 'status')
    if (status !== 200) return fail(status ?? null, 'status 200', `check answered ${showStatus(status)}, needs 200`)
    const happiness = numberFact(facts, 'happiness') ?? 0
    const good = numberFact(facts, 'sharesGood') ?? 0
    const limit = needed === 0 ? 'recoverable' : `recoverable, happiness at least ${needed}`
    if (facts['recoverable'] !== true) return fail('unrecoverable', limit, `file not recoverable: ${good} good shares, needs ${limit}`)
    if (happiness < needed) return fail(happiness, limit, `recoverable, happiness ${happiness}, ${good} good shares, needs ${limit}`)
    return pass(happiness, limit, `recoverable, happiness ${happiness}, ${good} good shares, needs ${limit}`)
  }
})
