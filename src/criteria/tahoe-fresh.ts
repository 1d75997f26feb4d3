import { z } from 'zod'
import type { Scalar } from '../core/model.ts'
import { showDuration } from '../core/text.ts'
import { criterionKind, fail, listFact, pass } from './kind.ts'
import { duration, wholeNumber } from './scalars.ts'

/**
 * At least N storage servers heard from within a time, by the gateway's own clock. Use it beside a canary that asks all
 * servers every P, with `within` 2 P + 10 s: alone on an idle grid a healthy Foolscap server is silent for up to 426 s [webapi].
 */
export const tahoeFresh = criterionKind({
  summary: 'at least N connected storage servers heard from within `heard_within` (use beside a canary)',
  options: z.strictObject({ at_least: wholeNumber(1), heard_within: duration }),
  defaults: { onFail: { action: 'down' } },
  probe: () => ({ kind: 'tahoe-welcome', options: {} }),
  judge: ({ at_least: needed, heard_within: within }) => ({ facts }) => {
    const ids = listFact(facts, 'ids')
    const ages = listFact(facts, 'agesMs')
    const isFresh = (age: Scalar | undefined): boolean => typeof age === 'number' && age <= within
    const fresh = ages.filter(isFresh).length
    const limit = `at least ${needed} within ${showDuration(within)}`
    const measured = `${fresh} of ${ages.length} connected servers heard from within ${showDuration(within)}, needs ${needed}`
    if (fresh >= needed) return pass(fresh, limit, measured)
    const silent = ids.filter((_, i) => !isFresh(ages[i])).map(id => String(id).slice(0, 11))
    return fail(fresh, limit, `${measured} (silent: ${silent.slice(0, 3).join(', ') || 'none known'})`)
  }
})
