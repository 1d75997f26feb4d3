/**
 * A second look where the first is silent. A packet that is lost costs a connection a second or more, and is no fault of
 * the node: another connection does not wait for it. So loss is squared, and what is really silent is seen no later.
 */
import type { Sample } from '../core/model.ts'
import type { Probe } from '../core/probe.ts'
import type { Now } from './run.ts'

/** A probe that can be told how much of the time it has is gone already. */
export interface Look extends Probe { run: (spentMs?: number) => Promise<Sample> }

export interface HedgeClock {
  readonly now: Now
  readonly after: (ms: number, run: () => void) => { stop: () => void }
}

interface Side { readonly probe: Look, busy: boolean }
interface Seen { readonly side: Side, readonly sample: Sample }

/**
 * `second` makes a probe with a connection of its own, the first time it is needed. Of the two, the one that answered
 * last begins next time: its connection works, and the other's idles away. One run at a time.
 */
export function hedged (first: Look, second: () => Look, afterMs: number, clock: HedgeClock): Probe {
  let leader: Side = { probe: first, busy: false }
  let spare: Side | undefined
  let closed = false

  const run = async (): Promise<Sample> => {
    const startMs = clock.now()
    const mine = look(leader, 0)
    if (await endsWithin(mine, afterMs, clock) || closed) return (await mine).sample
    spare ??= { probe: second(), busy: false }
    if (spare.busy) return (await mine).sample // it lost the last time, and still waits for that answer

    const { side, sample } = await best(mine, look(spare, afterMs))
    if (side === spare) [leader, spare] = [spare, leader]
    return { ...sample, startMs }
  }
  const close = (): void => {
    closed = true
    leader.probe.close()
    spare?.probe.close()
  }
  return { run, close }
}

async function look (side: Side, spentMs: number): Promise<Seen> {
  side.busy = true
  const sample = await side.probe.run(spentMs)
  side.busy = false
  return { side, sample }
}

async function endsWithin (seen: Promise<Seen>, ms: number, clock: HedgeClock): Promise<boolean> {
  return new Promise(resolve => {
    const timer = clock.after(ms, () => { resolve(false) })
    void seen.then(() => {
      timer.stop()
      resolve(true)
    })
  })
}

/** The first good answer; of two failures the one of the first look, which ends when both have. */
async function best (mine: Promise<Seen>, theirs: Promise<Seen>): Promise<Seen> {
  const quickest = await Promise.race([mine, theirs])
  if (quickest.sample.ok) return quickest
  const [one, other] = await Promise.all([mine, theirs])
  if (other.sample.ok) return other
  return { ...one, sample: { ...one.sample, endMs: Math.max(one.sample.endMs, other.sample.endMs) } }
}
