import { z } from 'zod'
import { showSize } from '../core/text.ts'
import { criterionKind, fail, listFact, pass } from './kind.ts'
import { size, wholeNumber } from './scalars.ts'

/**
 * Free space on at least N connected storage servers. A full or read-only server says 0 and stays connected: only this
 * and a write canary see it. A server that says nothing of its space counts as writable [webapi].
 */
export const tahoeSpace = criterionKind({
  summary: 'at least N connected storage servers with `free` space',
  options: z.strictObject({ at_least: wholeNumber(1), free: size.prefault('1GiB') }),
  defaults: { onFail: { action: 'down' } },
  probe: () => ({ kind: 'tahoe-welcome', options: {} }),
  judge: ({ at_least: needed, free }) => ({ facts }) => {
    const spaces = listFact(facts, 'spaces')
    const roomy = spaces.filter(space => space === null || (typeof space === 'number' && space >= free)).length
    const limit = `at least ${needed} with ${showSize(free)} free`
    const measured = `${roomy} of ${spaces.length} connected servers have ${showSize(free)} free, needs ${needed}`
    return roomy >= needed ? pass(roomy, limit, measured) : fail(roomy, limit, measured)
  }
})
