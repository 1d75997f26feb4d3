/** A page of Prometheus or OpenMetrics samples: those that are wanted. */
import type { Facts } from '../core/model.ts'
import { ProbeFailure } from './errors.ts'
import type { HttpProbe } from './kind.ts'

export const metrics: HttpProbe<'metrics'> = ({ path }, wants) => async ask => {
  const { status, body } = await ask({ method: 'GET', path })
  if (status !== 200) throw new ProbeFailure('protocol', `GET ${path} answered ${status}, needs 200`)
  return metricsFacts(body.toString('utf8'), wants)
}

const SAMPLE = /^([A-Za-z_:][\w:]*)\s*(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}\s*|\s)(\S+)/
const LABEL = /\s*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?/y
/** A longer line is nobody's sample. */
export const LINE_CHARS_MAX = 8192

/** A wanted sample is a name, with labels if it takes labels to tell it apart: `up{job="x"}`. The first that fits counts. */
export function metricsFacts (page: string, wants: readonly string[]): Facts {
  const selectors = wants.map(want => ({ want, ...parseSelector(want) }))
  const facts: Record<string, number> = {}
  for (const line of page.split('\n')) {
    if (line.length > LINE_CHARS_MAX) continue
    const [, name, labels = '', value = ''] = SAMPLE.exec(line) ?? []
    for (const selector of selectors) {
      if (selector.name !== name || Object.hasOwn(facts, selector.want)) continue
      const own = selector.labels.size === 0 ? selector.labels : parseLabels(labels)
      if ([...selector.labels].every(([key, wanted]) => own.get(key) === wanted)) facts[selector.want] = numberOf(value)
    }
  }
  return facts
}

const numberOf = (text: string): number => Number(text.replace(/^([+-]?)inf(?:inity)?$/i, '$1Infinity'))

function parseSelector (want: string): { readonly name: string, readonly labels: ReadonlyMap<string, string> } {
  const open = want.indexOf('{')
  return open < 0 ? { name: want, labels: new Map() } : { name: want.slice(0, open), labels: parseLabels(want.slice(open + 1, -1)) }
}

/** Sticky: it stops where the labels stop, and looks at each character once. */
function parseLabels (labels: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  LABEL.lastIndex = 0
  for (let match = LABEL.exec(labels); match !== null; match = LABEL.exec(labels)) found.set(match[1] ?? '', match[2] ?? '')
  return found
}
