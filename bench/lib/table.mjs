/** Numbers as people read them, and tables of them in Markdown. */
export const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]
export const number = (value, digits = 1) => value === undefined || value === null ? '' : value.toFixed(digits)
export const ms = value => value === undefined || value === null ? '' : `${value.toFixed(1)} ms`
export const ratio = value => `${value.toFixed(2)} x`

export function table (columns, rows) {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map(row => row[i].length)))
  const line = cells => `| ${cells.map((cell, i) => i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join(' | ')} |`
  const rule = `|${widths.map((width, i) => i < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`
  return [line(columns), rule, ...rows.map(line)].join('\n')
}
