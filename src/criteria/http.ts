import { z } from 'zod'
import type { Facts, Scalar } from '../core/model.ts'
import { criterionKind, fail, numberFact, pass, quote, showStatus, tookOf } from './kind.ts'
import { urlPath, wholeText } from './scalars.ts'

const STATUS = 'must be an HTTP status from 100 to 599'
const status = z.int({ error: STATUS }).min(100, { error: STATUS }).max(599, { error: STATUS })
/** The probe keeps no more of a text: a longer one would never be equal. */
const VALUE_CHARS_MAX = 100
const FOLLOW = 'must be a number of redirects from 0 to 5'
const POINTER = 'must be a JSON pointer like /db/state'
const expected = z.union([
  z.string().max(VALUE_CHARS_MAX, { error: `must be at most ${VALUE_CHARS_MAX} characters` }), z.number(), z.boolean(), z.null()
], { error: 'must be a text, a number, true, false or null' })
const regex = z.string({ error: 'must be a regular expression' }).refine(isRegex, { error: 'must be a regular expression that compiles' })

/** An HTTP answer as expected: status, and if wanted a part of the body and values in its JSON. */
export const http = criterionKind({
  summary: 'an HTTP answer with an expected status, and if wanted body text, regular expression or JSON values',
  options: z.strictObject({
    method: z.enum(['GET', 'HEAD', 'POST', 'OPTIONS'], { error: 'must be GET, HEAD, POST or OPTIONS' }).default('GET'),
    path: urlPath.default('/'),
    headers: z.record(
      z.string().regex(/^[\w-]+$/, { error: 'must be a header name of letters, digits, _ and -' }),
      z.string({ error: 'must be a text' }).regex(/^[\t\x20-\x7e]*$/, { error: 'must be one line of printable ASCII' }),
      { error: 'must be a mapping of header names to texts' }
    ).default({}),
    status: z.union([
      status, z.array(status).min(1, { error: 'must list at least one HTTP status' })
    ], { error: 'must be an HTTP status or a list of them' }).default([200, 204]),
    contains: wholeText.optional(),
    matches: regex.optional(),
    json: z.record(
      z.string().regex(/^(?:\/.*)?$/, { error: POINTER }), expected,
      { error: 'must be a mapping of JSON pointers to values, like { /db: ok }' }
    ).default({}),
    follow: z.int({ error: FOLLOW }).min(0, { error: FOLLOW }).max(5, { error: FOLLOW }).default(0)
  }),
  defaults: { onFail: { action: 'down' } },
  contradiction: ({ method, contains, matches, json }) =>
    method === 'HEAD' && (contains !== undefined || matches !== undefined || Object.keys(json).length > 0)
      ? 'asks with HEAD, whose answer has no body: contains, matches and json need GET'
      : undefined,
  ignores: [],
  probe: ({ method, path, headers, contains, matches, json, follow }) => ({
    kind: 'http',
    options: {
      method, path, headers, follow, pointers: Object.keys(json).sort(),
      ...(contains === undefined ? {} : { contains }),
      ...(matches === undefined ? {} : { matches })
    }
  }),
  judge: ({ status: wanted, contains, matches, json }) => sample => {
    const { facts } = sample
    const allowed = Array.isArray(wanted) ? wanted : [wanted]
    const got = numberFact(facts, 'status')
    const needed = allowed.join(' or ')
    const limit = `status ${needed}`
    if (got === undefined || !allowed.includes(got)) return fail(got ?? null, limit, `answered ${showStatus(got)}, needs ${needed}`)
    if (contains !== undefined && facts['contains'] !== true) {
      return fail('missing', `body contains ${contains}`, `body lacks ${quote(contains)}`)
    }
    if (matches !== undefined && facts['matches'] !== true) {
      return fail('no match', `body matches ${matches}`, `body does not match ${quote(matches)}`)
    }
    return wrongValue(facts, json) ?? pass(got, limit, `answered ${got} in ${tookOf(sample)}, needs ${needed}`)
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
