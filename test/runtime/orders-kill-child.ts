/** Gives orders one after the other, and says of each when it is accepted, until it is killed. */
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/runtime/clock.ts'
import { OrderBook } from '../../src/runtime/order-book.ts'
import { fileOrders } from '../../src/runtime/order-store.ts'
import { deed } from './orders-script.ts'

const [stateDir = '', seed = '', first = ''] = process.argv.slice(2)
/** To the parent's pipe, where it is safe from a kill. */
const say = (text: string): void => { writeSync(1, `${text}\n`) }

const book = new OrderBook({
  clock: systemClock,
  log: (event, _, message) => { if (event.startsWith('state.')) say(message) },
  store: fileOrders(stateDir),
  onChange: () => undefined,
  windows: [],
  occurrence: () => undefined
})
for (let n = Number(first); ; n += 1) {
  const act = deed(Number(seed), n)
  const answer = act.kind === 'clear' ? book.clear(act.scope, 'ana') : book.set(act.overrides)
  if (typeof answer === 'object' && 'why' in answer) say(answer.detail)
  else say(String(n))
}
