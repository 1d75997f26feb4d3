/** Where the operators' orders are kept: one file, whole at any moment, so that no order that was accepted is lost. */
import { join } from 'node:path'
import type { OrderAction } from '../core/order.ts'
import { copyAside, readStateFile, setAside, writeStateFile } from './state-file.ts'

/** An operator's order as it outlives the process: in Unix milliseconds. */
export interface Override {
  /** `backend/server`, `backend/*` or a star on both sides. */
  readonly scope: string
  readonly action: OrderAction
  readonly fromWallMs: number
  /** Absent: until it is cleared. */
  readonly untilWallMs?: number
  readonly by: string
  readonly reason: string
  /** Of a weight that walks there: both, or neither. */
  readonly rampFromPercent?: number
  readonly rampMs?: number
}

/** What was not understood, and where a person finds it. `lost`: how many orders, where one can say. */
export interface StoreProblem { readonly to: string, readonly why: string, readonly lost?: number }

export interface StoredOrders { readonly overrides: readonly Override[], readonly problem?: StoreProblem }

/** Writing throws when the disk refuses; what was written before then stays. */
export interface OrderStore {
  readonly path: string
  read: () => StoredOrders
  write: (overrides: readonly Override[]) => void
}

const VERSION = 1
/** Longer than any backend and server may be named, so that what is given is also read back. */
const SCOPE = /^[^/\s]{1,256}\/[^/\s]{1,256}$/
const WORDS: readonly unknown[] = ['ready', 'up', 'down', 'drain', 'maint'] satisfies readonly OrderAction[]

export function fileOrders (stateDir: string): OrderStore {
  const path = join(stateDir, 'orders.json')
  return { path, read: () => readOrders(path), write: overrides => { writeStateFile(path, VERSION, overrides) } }
}

/** Kept for as long as the store itself is: for simulations. */
export function memoryOrders (): OrderStore {
  let kept: readonly Override[] = []
  return { path: 'memory', read: () => ({ overrides: kept }), write: overrides => { kept = overrides } }
}

function readOrders (path: string): StoredOrders {
  const read = readStateFile(path, VERSION)
  if (read.kind === 'absent') return { overrides: [] }
  if (read.kind === 'set-aside') return { overrides: [], problem: { to: read.to, why: read.why } }
  if (!Array.isArray(read.data)) return { overrides: [], problem: { to: setAside(path), why: 'is not ours' } }
  const overrides = read.data.filter(isOverride)
  const lost = read.data.length - overrides.length
  // A copy: the file itself goes on with the orders that were understood.
  return lost === 0 ? { overrides } : { overrides, problem: { to: copyAside(path), why: 'has records that are no orders of this hcf', lost } }
}

/** Whether it is read back as what it is. Nothing else may be accepted. */
export function isOverride (value: unknown): value is Override {
  if (typeof value !== 'object' || value === null) return false
  const { scope, action, fromWallMs, untilWallMs, by, reason, rampFromPercent, rampMs } = value as Partial<Record<keyof Override, unknown>>
  if (typeof scope !== 'string' || !SCOPE.test(scope) || !isAction(action)) return false
  if (typeof by !== 'string' || typeof reason !== 'string') return false
  if (!isMoment(fromWallMs) || !(untilWallMs === undefined || isMoment(untilWallMs))) return false
  if (rampFromPercent === undefined && rampMs === undefined) return true
  return isPercent(rampFromPercent) && Number.isFinite(rampMs) && Number(rampMs) > 0
}

function isAction (action: unknown): action is OrderAction {
  if (WORDS.includes(action)) return true
  return typeof action === 'object' && action !== null && 'weightPercent' in action && isPercent(action.weightPercent)
}

const isPercent = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 100
/** What a Date can hold. */
const isMoment = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) <= 8.64e15
