import { z } from 'zod'
import { criterionKind, fail, pass, quote, tookOf } from './kind.ts'
import { wholeText } from './scalars.ts'

const RANGE = 'must be a port from 1 to 65535'
const PORT = z.int({ error: RANGE }).min(1, { error: RANGE }).max(65_535, { error: RANGE })

/** A TCP connection opens, and if wanted says what it should. */
export const tcp = criterionKind({
  summary: 'a TCP connection opens (to `port`, if not that of the node), and answers `expect` after `send`',
  options: z.strictObject({
    port: PORT.optional(),
    send: z.string({ error: 'must be a text' }).optional(),
    expect: wholeText.optional()
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
  judge: ({ expect }) => sample => {
    const took = `connected in ${tookOf(sample)}`
    if (expect === undefined) return pass('connected', 'a connection', `${took}, needs a connection`)
    const limit = `answer with ${quote(expect)}`
    return sample.facts['expected'] === true
      ? pass('the expected text', limit, `${took}, the answer has ${quote(expect)} as it must`)
      : fail('other text', limit, `${took}, but the answer lacks ${quote(expect)}`)
  }
})
