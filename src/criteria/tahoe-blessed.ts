import { z } from 'zod'
import { criterionKind, fail, listFact, pass } from './kind.ts'
import { wholeNumber } from './scalars.ts'

const ID = 'must be a node id: v0- and base32, as the front page shows it'
const nodeId = z.string({ error: ID }).regex(/^v0-[a-z2-7]{4,64}$/, { error: ID })

/** All of a list of storage servers connected. The id is the server's key; one that is not announced is not connected. */
export const tahoeBlessed = criterionKind({
  summary: 'every listed storage server connected, but for at most `missing_at_most`',
  options: z.strictObject({
    ids: z.array(nodeId, { error: 'must be a list of node ids' }).min(1, { error: 'must list at least one node id' }),
    missing_at_most: wholeNumber(0).default(0)
  }),
  defaults: { onFail: { action: 'warn' } },
  contradiction: ({ ids, missing_at_most: allowed }) => {
    const twice = ids.find((id, i) => ids.indexOf(id) !== i)
    if (twice !== undefined) return `ids lists ${twice} twice`
    return allowed >= ids.length ? `missing_at_most ${allowed} allows all ${ids.length} ids to be missing` : undefined
  },
  probe: () => ({ kind: 'tahoe-welcome', options: {} }),
  judge: ({ ids, missing_at_most: allowed }) => ({ facts }) => {
    const connected = new Set(listFact(facts, 'ids'))
    const missing = ids.filter(id => !connected.has(id))
    const limit = `at most ${allowed} of ${ids.length} missing`
    const names = missing.slice(0, 3).map(id => id.slice(0, 11)).join(', ')
    const shown = names === '' ? '' : ` (${names})`
    const reason = `${missing.length} of ${ids.length} blessed servers missing${shown}, at most ${allowed} may be`
    return missing.length <= allowed ? pass(missing.length, limit, reason) : fail(missing.length, limit, reason)
  }
})
