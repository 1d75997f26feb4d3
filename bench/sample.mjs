/**
 * What becomes of a sample once it is there: the monitor, the questions of the scheduler, the journal on a real disk. CPU
 * microseconds, the kernel's share included, the least of several rounds; a row that is not a sample says so.
 */
import { execFileSync } from 'node:child_process'
import { here } from './lib/measured.mjs'
import { number, ratio } from './lib/table.mjs'

export async function run () {
  const said = execFileSync(process.execPath, [here('../sample-run.mjs'), here('../../dist')], { encoding: 'utf8', maxBuffer: 1024 * 1024 })
  const rows = Object.entries(JSON.parse(said).rows)
  const [, first] = rows[0]
  return {
    title: 'Sample',
    columns: ['what', 'of', 'us', 'to the first'],
    rows: rows.map(([name, us]) => [...parts(name), number(us), ratio(us / first)]),
    notes: ['A tick is once a second. The longest is one sample, the others are means.']
  }
}

/** `a sample, 1000 servers` as two columns. */
function parts (name) {
  const [what, ...rest] = name.split(', ')
  return [what, rest.join(', ')]
}
