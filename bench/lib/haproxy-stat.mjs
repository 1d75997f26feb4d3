/** What `show stat` says of agent-checks. */

/** `[{ status, ms }]`, one for each server that was asked about: how its last check ended, and how long it took. */
export function agentChecks (csv) {
  const [header, ...lines] = csv.split('\n')
  const names = header.replace(/^# /, '').split(',')
  const [svname, status, duration] = ['svname', 'agent_status', 'agent_duration'].map(name => names.indexOf(name))
  if ([svname, status, duration].includes(-1)) throw new Error('show stat has no agent columns')
  return lines.flatMap(line => {
    const cell = cellsOf(line)
    if (line === '' || cell(svname) === 'BACKEND' || cell(duration) === '') return []
    return [{ status: cell(status).replace(/^\* /, ''), ms: Number(cell(duration)) }]
  })
}

/** Thousands of lines of a hundred cells, of which three matter: they are not all cut out. */
function cellsOf (line) {
  if (line.includes('"')) {
    const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell]) => cell)
    return n => cells[n] ?? ''
  }
  return n => {
    let at = 0
    for (let i = 0; i < n; i += 1) at = line.indexOf(',', at) + 1
    return line.slice(at, line.indexOf(',', at))
  }
}
