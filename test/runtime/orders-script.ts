/** A row of orders that follows from a seed alone: so it is known what a process that was killed had done. */
import type { Override } from '../../src/runtime/order-store.ts'
import { uniform } from '../../src/sim/random.ts'

export type Deed =
  | { readonly kind: 'set', readonly overrides: readonly Override[] }
  | { readonly kind: 'clear', readonly scope: string }

const SCOPES = ['web/a', 'web/b', 'web/c', 'web/*', 'api/a', 'api/*', '*/*']
const ACTIONS: ReadonlyArray<Override['action']> = ['drain', 'maint', 'up', 'down', { weightPercent: 25 }, { weightPercent: 0 }]

/** The n-th of them: one order, several at once, or the end of one. Each set can be told from every other. */
export function deed (seed: number, n: number): Deed {
  const draw = (what: number, below: number): number => Math.floor(uniform(seed, n, what, 0) * below)
  const scope = (what: number): string => SCOPES[draw(what, SCOPES.length)]!
  if (draw(0, 4) === 0) return { kind: 'clear', scope: scope(1) }
  const scopes = new Set(Array.from({ length: draw(0, 4) === 1 ? 4 : 1 }, (_, i) => scope(i + 1)))
  const action = ACTIONS[draw(9, ACTIONS.length)]!
  // Long enough that a half of the file is a half, wherever it is cut.
  const reason = `${n} ${'x'.repeat(draw(8, 4000))}`
  return { kind: 'set', overrides: [...scopes].map(each => ({ scope: each, action, fromWallMs: n, by: 'ana', reason })) }
}

/** What is kept once a deed is done: the newest last. */
export function done (kept: readonly Override[], act: Deed): readonly Override[] {
  const gone = act.kind === 'clear' ? [act.scope] : act.overrides.map(({ scope }) => scope)
  const rest = kept.filter(({ scope }) => !gone.includes(scope))
  return act.kind === 'clear' ? rest : [...rest, ...act.overrides]
}
