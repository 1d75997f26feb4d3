import { z } from 'zod'
import { criterionKind, fail, numberFact, pass, textFact } from './kind.ts'
import { wholeNumber } from './scalars.ts'

/**
 * Connected to at least N introducers. A warning by default: in no measured run did a read or write fail because the
 * introducer was gone; storage connections live on without it [webapi].
 */
export const tahoeIntroducer = criterionKind({
  summary: 'connected to at least N introducers',
  options: z.strictObject({ at_least: wholeNumber(0).default(1) }),
  defaults: { onFail: { action: 'warn' }, fall: 5 },
  probe: () => ({ kind: 'tahoe-welcome', options: {} }),
  judge: ({ at_least: needed }) => ({ facts }) => {
    const connected = numberFact(facts, 'introducersConnected') ?? 0
    const total = numberFact(facts, 'introducersTotal') ?? 0
    const measured = `${connected} of ${total} introducers connected, needs ${needed}`
    if (connected >= needed) return pass(connected, `at least ${needed}`, measured)
    const status = textFact(facts, 'introducerStatus')
    return fail(connected, `at least ${needed}`, `${measured}${status === '' ? '' : ` (${status})`}`)
  }
})
