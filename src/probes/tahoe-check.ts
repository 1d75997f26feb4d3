/** `POST /uri/<cap>?t=check&output=JSON`: the gateway asks its storage servers for the shares of a file [webapi]. */
import { ProbeFailure } from './errors.ts'
import type { HttpProbe } from './kind.ts'
import { capPath, isRecord, parseJson, readCap } from './run.ts'

export const tahoeCheck: HttpProbe<'tahoe-check'> = ({ capFile }) => async ask => {
  const { status, body } = await ask({ method: 'POST', path: `${capPath(readCap(capFile))}?t=check&output=JSON` })
  if (status !== 200) return { status }
  const json = parseJson(body.toString('utf8'), 'the check')
  const results = isRecord(json) ? json['results'] : undefined
  if (!isRecord(results)) throw new ProbeFailure('protocol', 'the check holds no results')
  return {
    status,
    recoverable: results['recoverable'] === true,
    healthy: results['healthy'] === true,
    happiness: Number(results['count-happiness'] ?? 0),
    sharesGood: Number(results['count-shares-good'] ?? 0)
  }
}
