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

  const run = async (): Promise<Sample> => new Promise(resolve => {
    const startMs = clock.now()
    const side = leader
    const mine = look(side, 0)
    let alone = true
    const timer = clock.after(afterMs, () => {
      // A spare that is busy lost the last time, and still waits for that answer.
      if (closed || spare?.busy === true) return
      alone = false
      void both(seen(side, mine), startMs).then(resolve)
    })
    void mine.then(sample => {
      side.busy = false
      timer.stop()
      if (alone) resolve(sample)
    })
  })
  const both = async (mine: Promise<Seen>, startMs: number): Promise<Sample> => {
    spare ??= { probe: second(), busy: false }
    const { side, sample } = await best(mine, seen(spare, look(spare, afterMs)))
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

function look (side: Side, spentMs: number): Promise<Sample> {
  side.busy = true
  return side.probe.run(spentMs)
}

async function seen (side: Side, look: Promise<Sample>): Promise<Seen> {
  const sample = await look
  side.busy = false
  return { side, sample }
}

/** The first good answer; of two failures the one of the first look, which ends when both have. */
async function best (mine: Promise<Seen>, theirs: Promise<Seen>): Promise<Seen> {
  const quickest = await Promise.race([mine, theirs])
  if (quickest.sample.ok) return quickest
  const [one, other] = await Promise.all([mine, theirs])
  if (other.sample.ok) return other
  return { ...one, sample: { ...one.sample, endMs: Math.max(one.sample.endMs, other.sample.endMs) } }
}
