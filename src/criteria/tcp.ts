import { z } from 'zod'
import { showDuration } from '../core/text.ts'
import { criterionKind, fail, numberFact, pass } from './kind.ts'
import { wholeNumber } from './scalars.ts'

/** A TCP connection opens, and if wanted says what it should. */
export const tcp = criterionKind({
  summary: 'a TCP connection opens (to `port`, if not the node’s own), and answers `expect` after `send`',
  options: z.strictObject({
    port: wholeNumber(1).max(65_535, { error: 'must be a port from 1 to 65535' }).optional(),
    send: z.string({ error: 'must be a text' }).optional(),
    expect: z.string({ error: 'must be a text' }).min(1).optional()
  }),
  defaults: { onFail: { action: 'down' } },
  ignores: [],
  probe: ({ port, send, expect }) => ({
    kind: 'tcp',
    options: {
      ...(port === undefined ? {} : { port }),
      ...(send === undefined ? {} : { send }),
      ...(expect === undefined ? {} : { expect })
    }
  }),
  judge: ({ expect }) => ({ facts }) => {
    const took = `connected in ${showDuration(numberFact(facts, 'latencyMs') ?? 0)}`
    if (expect === undefined || facts['expected'] === true) return pass('connected', expect === undefined ? 'a connection' : 'the expected text', took)
    return fail('other text', 'the expected text', `${took}, but the answer lacks the text it must contain`)
  }
})
