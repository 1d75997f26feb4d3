/** What a name that is not known may have been meant to be. */
import { distance } from 'fastest-levenshtein'

const NEAR_MAX = 3

/** Those with a name like this one, nearest first. */
export function nearest (name: string, known: readonly string[]): readonly string[] {
  const limit = Math.max(3, Math.floor(name.length / 3))
  return known.map(each => ({ each, far: distance(name, each) })).filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far).slice(0, NEAR_MAX).map(({ each }) => each)
}
