/** Any HTTP answer: its status, and of its body only whether it is as expected. */
import type { Facts, Scalar } from '../core/model.ts'
import type { ProbeOptions } from '../core/probe.ts'
import { ProbeFailure } from './errors.ts'
import type { HttpAnswer, HttpRequest } from './http-client.ts'
import type { Ask, HttpProbe } from './kind.ts'
import { isRecord, parseJson } from './run.ts'

const VALUE_CHARS_MAX = 100

export const http: HttpProbe<'http'> = (options, _, node) => {
  const origin = `${node.protocol}://${node.host.includes(':') ? `[${node.host}]` : node.host}:${node.port}`
  const { method, path, headers } = options
  const first: HttpRequest = { method, path, headers }
  return async ask => {
    const answer = await ask(first)
    return httpFacts(options.follow === 0 ? answer : await follow(ask, answer, origin, options), options)
  }
}

/** Redirects on the same node only: another one would be polled in this one's name. */
async function follow (ask: Ask, first: HttpAnswer, origin: string, { method, path, headers, follow: most }: ProbeOptions['http']): Promise<HttpAnswer> {
  let request: HttpRequest = { method, path, headers }
  let answer = first
  for (let turn = 0; turn < most; turn += 1) {
    const location = answer.headers['location']
    if (answer.status < 300 || answer.status > 399 || typeof location !== 'string') return answer
    const target = URL.canParse(location, origin + request.path) ? new URL(location, origin + request.path) : undefined
    if (target === undefined || target.origin !== new URL(origin).origin) throw new ProbeFailure('protocol', 'redirected to another node')
    const same = request.method === 'HEAD' || answer.status === 307 || answer.status === 308 // RFC 9110, 15.4
    request = { method: same ? request.method : 'GET', path: target.pathname + target.search, headers }
    answer = await ask(request)
  }
  return answer
}

export function httpFacts ({ status, body }: HttpAnswer, { contains, matches, pointers }: ProbeOptions['http']): Facts {
  const facts: Record<string, Scalar> = { status, bytes: body.length }
  const text = contains !== undefined || matches !== undefined || pointers.length > 0 ? body.toString('utf8') : ''
  if (contains !== undefined) facts['contains'] = text.includes(contains)
  if (matches !== undefined) facts['matches'] = new RegExp(matches).test(text)
  if (pointers.length === 0) return facts

  const json = jsonOrUndefined(text)
  for (const pointer of pointers) {
    const value = resolvePointer(json, pointer)
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) {
      facts[`json:${pointer}`] = typeof value === 'string' ? value.slice(0, VALUE_CHARS_MAX) : value as Scalar
    }
  }
  return facts
}

function jsonOrUndefined (text: string): unknown {
  try {
    return parseJson(text, 'the body')
  } catch { // then no pointer finds anything, and the criterion says `missing`
    return undefined
  }
}

/** JSON pointer, RFC 6901. */
function resolvePointer (json: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).map(part => part.replaceAll('~1', '/').replaceAll('~0', '~')).reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return /^(?:0|[1-9]\d*)$/.test(key) ? value[Number(key)] as unknown : undefined
    return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }, json)
}
