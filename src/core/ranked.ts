/**
 * Numbers in order, as a value: with one more or one less it is another value, made at the cost of the root of their number.
 * So a median over all servers is at hand at every sample, and nobody has to look at all of them.
 */
export interface Ranked {
  /** In order within and among each other; none is empty. */
  readonly blocks: ReadonlyArray<readonly number[]>
}

export const NO_NUMBERS: Ranked = { blocks: [] }

const BLOCK_MAX = 128
const BLOCK_MIN = 32

export const sizeOf = ({ blocks }: Ranked): number => blocks.reduce((sum, block) => sum + block.length, 0)

/** The one before which there are `rank` others. */
export function nth ({ blocks }: Ranked, rank: number): number | undefined {
  let before = 0
  for (const block of blocks) {
    if (rank < before + block.length) return block[rank - before]
    before += block.length
  }
  return undefined
}

/** How many there are from the least on for which it holds: it must hold for all below one for which it holds. */
export function countWhile ({ blocks }: Ranked, holds: (n: number) => boolean): number {
  let found = 0
  for (const block of blocks) {
    if (!holds(block[0] ?? NaN)) break
    found += holds(block.at(-1) ?? NaN) ? block.length : lowest(block, n => !holds(n))
  }
  return found
}

/** The first place for which it holds, or the end: it must hold for all after one for which it holds. */
function lowest (block: readonly number[], holds: (n: number) => boolean): number {
  let [from, to] = [0, block.length]
  while (from < to) {
    const mid = (from + to) >> 1
    if (holds(block[mid] ?? NaN)) to = mid
    else from = mid + 1
  }
  return from
}

/** The first block that ends with this number or a larger one; the last one, when none does. */
function blockFor (blocks: Ranked['blocks'], n: number): number {
  let [from, to] = [0, blocks.length - 1]
  while (from < to) {
    const mid = (from + to) >> 1
    if ((blocks[mid]?.at(-1) ?? NaN) >= n) to = mid
    else from = mid + 1
  }
  return from
}

export function plus ({ blocks }: Ranked, n: number): Ranked {
  const at = blockFor(blocks, n)
  const block = blocks[at] ?? []
  const place = lowest(block, other => other >= n)
  return replaced(blocks, at, 1, [...block.slice(0, place), n, ...block.slice(place)])
}

/** The very same when it is not there. */
export function minus (ranked: Ranked, n: number): Ranked {
  const { blocks } = ranked
  const at = blockFor(blocks, n)
  const block = blocks[at] ?? []
  const place = lowest(block, other => other >= n)
  if (block[place] !== n) return ranked
  const left = [...block.slice(0, place), ...block.slice(place + 1)]
  const next = left.length < BLOCK_MIN ? blocks[at + 1] : undefined
  return replaced(blocks, at, next === undefined ? 1 : 2, next === undefined ? left : [...left, ...next])
}

/** With `block` in place of some, in two when it is too long. */
function replaced (blocks: Ranked['blocks'], at: number, count: number, block: readonly number[]): Ranked {
  const half = block.length >> 1
  const parts = block.length === 0 ? [] : block.length > BLOCK_MAX ? [block.slice(0, half), block.slice(half)] : [block]
  return { blocks: [...blocks.slice(0, at), ...parts, ...blocks.slice(at + count)] }
}
