import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { OrderAction } from '../../src/core/order.ts'
import { fileOrders, isOverride, memoryOrders, type Override } from '../../src/runtime/order-store.ts'

const plain: Override = { scope: 'web/a', action: 'drain', fromWallMs: 1000, by: 'ana', reason: 'kernel' }
const list: readonly Override[] = [
  plain,
  { ...plain, scope: 'web/*', action: 'maint', untilWallMs: 5000 },
  { ...plain, scope: '*/*', action: { weightPercent: 25 }, rampFromPercent: 100, rampMs: 600_000 }
]
const fileOf = (data: unknown, version = 1): string => JSON.stringify({ version, data })

void t.test('what is written is read, in its order', async (t) => {
  const stores = [fileOrders(join(t.testdir(), 'not', 'yet', 'there')), memoryOrders()]
  for (const store of stores) {
    t.strictSame(store.read(), { overrides: [] }, `${store.path}: nothing yet`)
    store.write(list)
    t.strictSame(store.read(), { overrides: list }, store.path)
    store.write(list.toReversed())
    t.strictSame(store.read(), { overrides: list.toReversed() }, `${store.path}: the newest only`)
    store.write([])
    t.strictSame(store.read(), { overrides: [] }, `${store.path}: none left`)
  }
  t.equal(stores[0]!.path, join(t.testdirName, 'not', 'yet', 'there', 'orders.json'))
})

void t.test('a file that is not understood is set aside, whole', async (t) => {
  const rows: ReadonlyArray<readonly [text: string, why: string]> = [
    ['', 'is torn or not ours'],
    [fileOf(list).slice(0, -20), 'is torn or not ours'],
    ['\0\0\0\0', 'is torn or not ours'],
    [fileOf(list, 2), 'has version 2, this hcf reads 1'],
    [fileOf({ 'web/a': plain }), 'is not ours'],
    [fileOf(null), 'is not ours']
  ]
  for (const [text, why] of rows) {
    const store = fileOrders(t.testdir({ 'orders.json': text }))
    t.strictSame(store.read(), { overrides: [], problem: { to: `${store.path}.bad-1`, why } }, JSON.stringify(text))
    t.equal(readFileSync(`${store.path}.bad-1`, 'utf8'), text, 'for a person to look at')
    store.write(list)
    t.strictSame(store.read(), { overrides: list }, 'and it goes on')
  }
})

const LONG = 'x'.repeat(256)

/** Records as another hand may write them. */
const RECORDS: ReadonlyArray<readonly [change: Readonly<Record<string, unknown>>, ok: boolean, why: string]> = [
  [{}, true, 'an order'],
  ...['ready', 'up', 'down', 'drain', 'maint'].map(action => [{ action }, true, action] as const),
  [{ action: { weightPercent: 0 } }, true, 'no weight'],
  [{ action: { weightPercent: 100 } }, true, 'all its weight'],
  [{ action: { weightPercent: 101 } }, false, 'more than all'],
  [{ action: { weightPercent: -1 } }, false, 'less than none'],
  [{ action: { weightPercent: '25' } }, false, 'a weight as text'],
  [{ action: { weightPercent: null } }, false, 'what JSON makes of a number that is none'],
  [{ action: {} }, false, 'a weight without one'],
  [{ action: null }, false, 'no action'],
  [{ action: 'weight' }, false, 'half an action'],
  [{ action: 'DRAIN' }, false, 'not our word'],
  [{ scope: `${LONG}/${LONG}` }, true, 'the longest name'],
  [{ scope: `${LONG}/${LONG}y` }, false, 'one longer'],
  [{ scope: `y${LONG}/${LONG}` }, false, 'one longer, the backend'],
  [{ scope: 'web' }, false, 'a backend'],
  [{ scope: 'web/a/b' }, false, 'too deep'],
  [{ scope: 'web/' }, false, 'no server'],
  [{ scope: 'web/a b' }, false, 'with a blank'],
  [{ scope: 7 }, false, 'a number'],
  [{ untilWallMs: 5 }, true, 'with an end'],
  [{ untilWallMs: null }, false, 'an end that is none'],
  [{ untilWallMs: '2026-12-01' }, false, 'an end as text'],
  [{ untilWallMs: 8.64e15 }, true, 'the last moment there is'],
  [{ untilWallMs: 8.65e15 }, false, 'one that no calendar has'],
  [{ fromWallMs: undefined }, false, 'without a beginning'],
  [{ fromWallMs: -8.65e15 }, false, 'a beginning that no calendar has'],
  [{ by: undefined }, false, 'by nobody'],
  [{ reason: undefined }, false, 'for no reason'],
  [{ rampFromPercent: 100, rampMs: 1 }, true, 'that walks there'],
  [{ rampFromPercent: 100 }, false, 'within no time'],
  [{ rampMs: 1 }, false, 'from nowhere'],
  [{ rampFromPercent: 100, rampMs: 0 }, false, 'in no time'],
  [{ rampFromPercent: 101, rampMs: 1 }, false, 'from more than all'],
  [{ rampFromPercent: 100, rampMs: '1' }, false, 'time as text']
]

void t.test('single records that are no orders: the others are kept, and a copy of the whole', async (t) => {
  for (const [change, ok, why] of RECORDS) {
    const strange = { ...plain, scope: 'web/strange', ...change }
    t.equal(isOverride(strange), ok, why)
    const text = fileOf([plain, strange, list[1]])
    const store = fileOrders(t.testdir({ 'orders.json': text }))
    const { overrides, problem } = store.read()
    t.strictSame(overrides, ok ? [plain, JSON.parse(JSON.stringify(strange)), list[1]] : [plain, list[1]], why)
    t.strictSame(problem, ok ? undefined : { to: `${store.path}.bad-1`, why: 'has records that are no orders of this hcf', lost: 1 }, why)
    t.equal(readFileSync(store.path, 'utf8'), text, `${why}: the file is as it was`)
    if (!ok) t.equal(readFileSync(`${store.path}.bad-1`, 'utf8'), text, `${why}: its copy too`)
  }
  for (const strange of [null, 7, 'web/a', [], true]) t.equal(isOverride(strange), false, JSON.stringify(strange))
  const store = fileOrders(t.testdir({ 'orders.json': fileOf([null, plain, 7]) }))
  t.match(store.read(), { overrides: [plain], problem: { lost: 2 } }, 'each is counted')
})

const anyAction = fc.oneof(
  fc.constantFrom<OrderAction[]>('ready', 'up', 'down', 'drain', 'maint'),
  fc.integer({ min: 0, max: 100 }).map((weightPercent): OrderAction => ({ weightPercent }))
)
const anyOverride: fc.Arbitrary<Override> = fc.record({
  scope: fc.constantFrom('web/a', 'web/*', '*/*'),
  action: anyAction,
  fromWallMs: fc.double({ min: 0, max: 4e12, noNaN: true }).map(Math.abs),
  by: fc.string({ unit: 'binary' }),
  reason: fc.string({ unit: 'binary' })
}).chain(bare => fc.tuple(
  fc.constantFrom({}, { untilWallMs: 5e12 }), fc.constantFrom({}, { rampFromPercent: 7, rampMs: 60_000 })
).map(([end, ramp]) => ({ ...bare, ...end, ...ramp })))

void t.test('a file cut anywhere is never half of what it was', async (t) => {
  const dir = t.testdir()
  const store = fileOrders(dir)
  fc.assert(fc.property(fc.array(anyOverride, { maxLength: 4 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (overrides, part) => {
    store.write(overrides)
    const whole = readFileSync(store.path)
    const cut = whole.subarray(0, Math.floor(part * whole.length))
    t.strictSame(store.read(), { overrides }, 'whole')
    writeFileSync(store.path, cut)
    const { overrides: found, problem } = store.read()
    // Without its line end it is whole still.
    const [wanted, why] = cut.length === whole.length - 1 ? [overrides, undefined] : [[], 'is torn or not ours']
    t.strictSame([found, problem?.why], [wanted, why], `${cut.length} of ${whole.length} bytes`)
    for (const file of readdirSync(dir)) if (file.includes('.bad-')) writeFileSync(join(dir, file), '') // kept, each under its own name
  }), { seed: 1, numRuns: 60 })
})

void t.test('a full disk throws, and what was written before stays', { skip: existsSync('/dev/full') ? false : 'no /dev/full' }, async (t) => {
  const store = fileOrders(t.testdir())
  store.write(list)
  symlinkSync('/dev/full', `${store.path}.new`)
  t.throws(() => { store.write([plain]) }, { code: 'ENOSPC' })
  t.strictSame(store.read(), { overrides: list })
})
