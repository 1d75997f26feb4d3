/** HAProxy's runtime API: one command a connection, and what `show stat` says [management.txt, 9]. */
import { connect } from 'node:net'
import { clean } from '../core/text.ts'

const TIMEOUT_MS = 2000
const ANSWER_BYTES_MAX = 32 * 1024 * 1024

/** Where a runtime API listens. */
export type RuntimeSocket = { readonly path: string } | { readonly host: string, readonly port: number }

/** The answer to a command on a runtime socket. Rejects with the system's error, or when HAProxy is silent. */
export async function runtimeCommand (where: RuntimeSocket, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const socket = connect(where)
    socket.setTimeout(TIMEOUT_MS, () => { socket.destroy(new Error(`HAProxy's runtime socket is silent for ${TIMEOUT_MS} ms`)) })
    socket.on('connect', () => { socket.write(`${command}\n`) })
    socket.on('data', chunk => {
      length += chunk.length
      if (length > ANSWER_BYTES_MAX) socket.destroy(new Error('the answer of the runtime socket is too long'))
      else chunks.push(chunk)
    })
    socket.on('error', reject)
    socket.on('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'))
      socket.destroy()
    })
  })
}

/** What HAProxy believes of a server, in its own words. */
export interface ServerStat {
  readonly backend: string
  readonly server: string
  /** `UP`, `DOWN (agent)`, `DRAIN (agent)`, `MAINT`, `no check` … */
  readonly status: string
  /** Absolute, effective. */
  readonly weight: number
  /** `L7OK`, `L7STS`, `L4CON` …; empty while an agent check runs, or without an agent. */
  readonly agentStatus: string
  readonly lastAgent: string
  /** Of HAProxy's own check: `L4OK`, `L4CON` …; empty without one. */
  readonly checkStatus: string
  readonly sessions: number
  readonly sessionsNow: number
  /** Requests that wait for this server. */
  readonly queued: number
  /** Answers 5xx that the server gave, and requests and connections that failed on it. */
  readonly failed: number
}

/** Without these nobody can tell what is on a server. */
const COLUMNS = ['pxname', 'svname', 'status', 'scur', 'qcur']

/** The servers in an answer to `show stat`. Throws where it is none: no servers is what an idle farm would look like. */
export function parseStat (csv: string): readonly ServerStat[] {
  const [header = '', ...lines] = csv.split('\n')
  const names = header.replace(/^# /, '').split(',')
  if (!COLUMNS.every(name => names.includes(name))) throw new Error(`show stat is answered with ${clean(header, 60) || 'nothing'}`)
  if (!csv.endsWith('\n\n')) throw new Error('the answer to show stat is cut off') // an empty line ends every answer
  return lines.filter(line => line !== '').flatMap(line => {
    const cells = splitCsv(line)
    const cell = (name: string): string => cells[names.indexOf(name)] ?? ''
    const server = cell('svname')
    if (server === 'FRONTEND' || server === 'BACKEND') return []
    return [{
      backend: cell('pxname'),
      server,
      status: cell('status'),
      weight: Number(cell('weight')),
      agentStatus: cell('agent_status').replace(/^\* /, ''),
      lastAgent: cell('last_agt'),
      checkStatus: cell('check_status').replace(/^\* /, ''),
      sessions: Number(cell('stot')),
      sessionsNow: Number(cell('scur')),
      queued: Number(cell('qcur')),
      failed: Number(cell('hrsp_5xx')) + Number(cell('econ')) + Number(cell('eresp'))
    }]
  })
}

export const showStat = async (where: RuntimeSocket): Promise<readonly ServerStat[]> => parseStat(await runtimeCommand(where, 'show stat'))

/** Cells may be quoted, with quotes doubled. */
const splitCsv = (line: string): readonly string[] =>
  [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) => cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)
