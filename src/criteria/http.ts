import { z } from 'zod'
import type { Facts, Scalar } from '../core/model.ts'
import { showDuration } from '../core/text.ts'
import { criterionKind, fail, numberFact, pass } from './kind.ts'
import { urlPath, wholeNumber } from './scalars.ts'

const status = wholeNumber(100).max(599, { error: 'must be an HTTP status from 100 to 599' })
const expected = z.union([z.string(), z.number(), z.boolean(), z.null()], { error: 'must be a text, a number, true, false or null' })
const regex = z.string({ error: 'must be a regular expression' }).refine(isRegex, { error: 'must be a regular expression that compiles' })

/** An HTTP answer as expected: status, and if wanted a part of the body and values in its JSON. */
export const http = criterionKind({
  summary: 'an HTTP answer with an expected status, and if wanted body text, regular expression or JSON values',
  options: z.strictObject({
    method: z.enum(['GET', 'HEAD', 'POST', 'OPTIONS'], { error: 'must be GET, HEAD, POST or OPTIONS' }).default('GET'),
    path: urlPath.default('/'),
    headers: z.record(z.string().regex(/^[\w-]+$/), z.string({ error: 'must be a text' }).regex(/^[\t\x20-\x7e]*$/, { error: 'must be one line of printable ASCII' })).default({}),
    status: z.union([status, z.array(status).min(1)], { error: 'must be an HTTP status or a list of them' }).default([200, 204]),
    contains: z.string({ error: 'must be a text' }).min(1).optional(),
    matches: regex.optional(),
    json: z.record(z.string().regex(/^(?:\/.*)?$/, { error: 'must be a JSON pointer like /db/state' }), expected).default({}),
    follow: wholeNumber(0).max(5, { error: 'must be at most 5 redirects' }).default(0)
  }),
  defaults: { onFail: { action: 'down' } },
  ignores: [],
  probe: ({ method, path, headers, contains, matches, json, follow }) => ({
    kind: 'http',
    options: {
      method, path, headers, follow, pointers: Object.keys(json).sort(),
      ...(contains === undefined ? {} : { contains }),
      ...(matches === undefined ? {} : { matches })
    }
  }),
  judge: ({ status: wanted, contains, matches, json }) => ({ facts }) => {
    const allowed = Array.isArray(wanted) ? wanted : [wanted]
    const got = numberFact(facts, 'status')
    const limit = `status ${allowed.join(' or ')}`
    if (got === undefined || !allowed.includes(got)) return fail(got ?? null, limit, `answered ${got}, needs ${allowed.join(' or ')}`)
    if (contains !== undefined && facts['contains'] !== true) return fail('missing', `body contains ${contains}`, 'body lacks the text it must contain')
    if (matches !== undefined && facts['matches'] !== true) return fail('no match', `body matches ${matches}`, 'body does not match its regular expression')
    return wrongValue(facts, json) ?? pass(got, limit, `answered ${got} in ${showDuration(numberFact(facts, 'latencyMs') ?? 0)}`)
  }
})

function wrongValue (facts: Facts, json: Readonly<Record<string, Scalar>>): ReturnType<typeof fail> | undefined {
  for (const [pointer, wanted] of Object.entries(json)) {
    const got = facts[`json:${pointer}`]
    if (got === wanted) continue
    const shown = got === undefined ? 'missing' : Array.isArray(got) ? 'a list' : JSON.stringify(got)
    return fail(shown, JSON.stringify(wanted), `JSON ${pointer} is ${shown}, needs ${JSON.stringify(wanted)}`)
  }
  return undefined
}

function isRegex (source: string): boolean {
  try {
    RegExp(source)
    return true
  } catch { // the message of the schema says it
    return false
  }
}
