/** Where a test reads what was logged. */
import type { Test } from 'tap'
import { createLog, type EventName, type Log } from '../../src/runtime/log.ts'

export type Line = Readonly<Record<string, unknown>> & { readonly level: string, readonly event: EventName, readonly msg: string }

export class Sink {
  readonly log: Log
  readonly raw: string[] = []
  #read = 0

  constructor (level = 'debug') {
    this.log = createLog({ level, destination: { write: (text: string) => { this.raw.push(text) } } })
  }

  /** What was logged since the last look, without the time; nothing of `debug`. */
  take (): readonly Line[] {
    return this.all().filter(({ level }) => level !== 'debug')
  }

  /** The same with `debug`. */
  all (): readonly Line[] {
    const fresh = this.raw.slice(this.#read)
    this.#read = this.raw.length
    return fresh.map(text => JSON.parse(text, (key, value: unknown) => key === 'time' ? undefined : value) as Line)
  }

  /** `level event: message` of each line since the last look. */
  told (): readonly string[] {
    return this.take().map(({ level, event, msg }) => `${level} ${event}: ${msg}`)
  }
}

/** These lines and no other: `t.match` lets a longer list pass. */
export function matchLines (t: Test, lines: readonly (Line | string)[], wanted: readonly unknown[], why = 'the lines'): void {
  t.match(lines, wanted, why)
  t.equal(lines.length, wanted.length, `${why}: and no more`)
}
