/**
 * A list as a value that changes item by item: a farm has thousands of servers, each sample makes a new state of one of
 * them, and every older state stays as it was. Replacing an item copies one block and the list of blocks.
 */

/** What of an array is needed, so that one will do where nothing is replaced often. */
export interface Items<T> extends Iterable<T> {
  readonly length: number
  at: (index: number) => T | undefined
  /** The same with another item in this place, which must be there. */
  with: (index: number, item: T) => Items<T>
}

/** About the root of what a large farm has. */
const BLOCK_BITS = 6
const BLOCK = 1 << BLOCK_BITS

class Blocks<T> implements Items<T> {
  readonly length: number
  readonly blocks: ReadonlyArray<readonly T[]>

  constructor (blocks: ReadonlyArray<readonly T[]>, length: number) {
    this.blocks = blocks
    this.length = length
  }

  at (index: number): T | undefined {
    return this.blocks[index >> BLOCK_BITS]?.[index & (BLOCK - 1)]
  }

  with (index: number, item: T): Items<T> {
    const blocks = this.blocks.slice()
    const block = (blocks[index >> BLOCK_BITS] ?? []).slice()
    block[index & (BLOCK - 1)] = item
    blocks[index >> BLOCK_BITS] = block
    return new Blocks(blocks, this.length)
  }

  * [Symbol.iterator] (): Iterator<T> {
    for (const block of this.blocks) yield * block
  }
}

export function itemsOf<T> (all: readonly T[]): Items<T> {
  const blocks = []
  for (let from = 0; from < all.length; from += BLOCK) blocks.push(all.slice(from, from + BLOCK))
  return new Blocks(blocks, all.length)
}
