/** `at_least` and `at_most` on one measured number: shared by the kinds that compare any number with a limit. */
import type { z } from 'zod'
import type { Verdict } from '../core/model.ts'
import { fail, pass } from './kind.ts'
import { anyNumber } from './scalars.ts'

export const limitOptions = { at_least: anyNumber.optional(), at_most: anyNumber.optional() } satisfies z.ZodRawShape

export interface Limits { readonly at_least?: number | undefined, readonly at_most?: number | undefined }

export const limitsContradict = ({ at_least: low, at_most: high }: Limits): string | undefined => {
  if (low === undefined && high === undefined) return 'needs at_least or at_most'
  return low !== undefined && high !== undefined && low > high ? `at_least ${low} is above at_most ${high}` : undefined
}

export const showNumber = (value: number): string => String(Number.isInteger(value) ? value : Number(value.toPrecision(6)))

/** A missing number fails: silence must not look like an idle node. */
export function compare (name: string, value: number | undefined, { at_least: low, at_most: high }: Limits): Verdict {
  const limit = [low === undefined ? '' : `at least ${low}`, high === undefined ? '' : `at most ${high}`].filter(Boolean).join(', ')
  if (value === undefined || !Number.isFinite(value)) return fail(null, limit, `${name} was not reported, needs ${limit}`)
  const isOut = (n: number): boolean => (low !== undefined && n < low) || (high !== undefined && n > high)
  // Rounding must not show a number on the other side of its limit.
  const shown = isOut(Number(showNumber(value))) === isOut(value) ? showNumber(value) : String(value)
  const reason = `${name} ${shown}, needs ${limit}`
  return isOut(value) ? fail(value, limit, reason) : pass(value, limit, reason)
}
