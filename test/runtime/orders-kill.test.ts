/** kill -9 at any moment loses no order that was accepted, and leaves nothing half. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileOrders, type Override } from '../../src/runtime/order-store.ts'
import { Random } from '../../src/sim/random.ts'
import { deed, done } from './orders-script.ts'

const KILLS = 300
/** Each a row of agents in one state directory, one after the other: also a start is killed, and what it starts from. */
const ROWS = 3
const SCRIPT = new URL('./orders-kill-child.js', import.meta.url).pathname

/** Gives orders from `first` on; killed so many orders, and then so many ms, later. What it said it had done. */
async function killed (stateDir: string, seed: number, first: number, afterOrders: number, afterMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [SCRIPT, stateDir, String(seed), String(first)], { env: {}, stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = (): void => { child.kill('SIGKILL') }
  let said = ''
  let isAimed = false
  const aim = (): void => {
    if (isAimed || said.split('\n').length <= afterOrders) return
    isAimed = true
    setTimeout(kill, afterMs) // the moment is what is being varied; nothing waits for it
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    aim()
  })
  aim()
  await new Promise(resolve => { child.once('close', resolve) })
  return said.split('\n').slice(0, -1)
}

interface Row { readonly kills: number, readonly orders: number, readonly inFlight: number, readonly halfWritten: number, readonly faults: readonly string[] }

async function row (stateDir: string, seed: number, kills: number): Promise<Row> {
  const chance = new Random(seed)
  const store = fileOrders(stateDir)
  let kept: readonly Override[] = []
  let [next, inFlight, halfWritten] = [0, 0, 0]
  const faults: string[] = []
  for (let kill = 0; kill < kills && faults.length === 0; kill += 1) {
    const atStart = chance.next() < 0.1
    const said = await killed(stateDir, seed, next, atStart ? 0 : chance.between(1, 5), atStart ? chance.between(0, 60) : chance.between(0, 4))
    for (const line of said) {
      if (line !== String(next)) faults.push(`said ${line}, not ${next}`)
      kept = done(kept, deed(seed, next))
      next += 1
    }
    if (existsSync(`${store.path}.new`)) halfWritten += 1
    const read = store.read()
    if (read.problem !== undefined) faults.push(`after order ${next - 1}: ${read.problem.why}`)
    // The order that was under way is there or is not: nobody was told.
    const under = done(kept, deed(seed, next))
    const [found, old, fresh] = [read.overrides, kept, under].map(each => JSON.stringify(each))
    if (found === fresh && found !== old) {
      kept = under
      next += 1
      inFlight += 1
    } else if (found !== old) faults.push(`after order ${next - 1}: not what was accepted`)
  }
  return { kills, orders: next, inFlight, halfWritten, faults }
}

void t.test(`${KILLS} kills at random moments`, async (t) => {
  const [startMs, place] = [performance.now(), t.testdir()]
  const rows = await Promise.all(Array.from({ length: ROWS }, async (_, i) => row(join(place, String(i)), i + 1, KILLS / ROWS)))
  t.strictSame(rows.flatMap(({ faults }) => faults), [])
  const sum = (of: 'orders' | 'inFlight' | 'halfWritten'): number => rows.reduce((total, each) => total + each[of], 0)
  t.comment(`${sum('orders')} orders; ${sum('inFlight')} kills between disk and answer, ${sum('halfWritten')} while writing; ${Math.round(performance.now() - startMs)} ms`)
  t.ok(sum('orders') > KILLS, 'they had work to do')
  t.ok(sum('inFlight') + sum('halfWritten') > 0, 'and some were hit in the midst of it')
})
