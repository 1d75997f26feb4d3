/** One bench on several versions of Node, in turns, and which of them is the cheapest. */
import { median, number, ratio } from './table.mjs'

const PASSES = 3
const COST = 'us a check'

/** `[load, who]` of a row, as one word. */
const keyOf = ([load, who]) => `${load} | ${who}`

/**
 * @param {(options: object) => Promise<{ columns: string[], rows: string[][] }>} run
 * @param {ReadonlyArray<{ version: string, node: string }>} nodes
 */
export async function compareNodes (run, nodes, say) {
  const costs = new Map()
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const { version, node } of nodes) {
      say(`pass ${pass + 1} of ${PASSES}: Node ${version}`)
      const { columns, rows } = await run({ node, quick: true })
      const at = columns.indexOf(COST)
      if (at < 0) throw new Error(`the table has no column "${COST}"`)
      for (const row of rows) {
        const byVersion = costs.get(keyOf(row)) ?? new Map()
        costs.set(keyOf(row), byVersion.set(version, [...byVersion.get(version) ?? [], Number(row[at])]))
      }
    }
  }
  return {
    title: `Agent port on Node ${nodes.map(({ version }) => version).join(', ')}`,
    columns: ['load', 'who', ...nodes.map(({ version }) => version), 'cheapest'],
    rows: [...costs].map(([key, byVersion]) => [...key.split(' | '), ...cells(byVersion)]),
    notes: [`Microseconds of CPU a check, the median of ${PASSES} short runs in turns; and to the first of these versions.`]
  }
}

function cells (byVersion) {
  const each = [...byVersion].map(([version, seen]) => ({ version, us: median(seen) }))
  const [first] = each
  const cheapest = each.reduce((best, one) => one.us < best.us ? one : best)
  return [...each.map(({ us }) => `${number(us)} (${ratio(us / first.us)})`), cheapest.version]
}
