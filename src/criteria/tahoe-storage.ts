import { z } from 'zod'
import { criterionKind, fail, numberFact, pass, textFact } from './kind.ts'
import { wholeNumber } from './scalars.ts'

/**
 * At least N storage servers connected. Compare with a number, never with the length of the list: it is empty right
 * after a start, and "all known servers" is true of none. With Foolscap a hung server still says Connected for many
 * minutes: only a canary sees that [webapi].
 */
export const tahoeStorage = criterionKind({
  summary: 'at least N storage servers connected',
  options: z.strictObject({ at_least: wholeNumber(1) }),
  defaults: { onFail: { action: 'down' } },
  probe: () => ({ kind: 'tahoe-welcome', options: {} }),
  judge: ({ at_least: needed }) => ({ facts }) => {
    const connected = numberFact(facts, 'storageConnected') ?? 0
    const total = numberFact(facts, 'storageTotal') ?? 0
    const measured = `${connected} of ${total} storage servers connected, needs ${needed}`
    if (connected >= needed) return pass(connected, `at least ${needed}`, measured)
    const status = textFact(facts, 'storageStatus')
    return fail(connected, `at least ${needed}`, `${measured}${status === '' ? '' : ` (${status})`}`)
  }
})
