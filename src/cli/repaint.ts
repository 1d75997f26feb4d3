/** A picture on a terminal that is painted over by the next one. */
import { cut, widthOf, type Io } from './io.ts'

export interface Picture {
  /** Lines are cut to the width of the terminal. */
  readonly show: (lines: readonly string[]) => void
  /** From here on it is overwritten no more: what is written next comes below it, or in its place when `erase`. */
  readonly leave: (how: 'keep' | 'erase') => void
}

const COLUMNS = 120

export const columnsOf = ({ stdout }: Io): number => stdout.columns ?? COLUMNS

export function picture (io: Io): Picture {
  let widths: readonly number[] = []
  /** A terminal that was made narrower has broken our lines in two. */
  const height = (): number => widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columnsOf(io))), 0)
  const erasure = (): string => widths.length === 0 ? '' : `\x1b[${height()}A\x1b[0J`
  return {
    show: lines => {
      const fitting = lines.map(line => cut(line, columnsOf(io) - 1))
      io.stdout.write(`${erasure()}${fitting.join('\n')}\n`) // in one write: no flicker
      widths = fitting.map(widthOf)
    },
    leave: how => {
      if (how === 'erase') io.stdout.write(erasure())
      widths = []
    }
  }
}
