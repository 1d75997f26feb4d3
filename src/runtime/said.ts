/**
 * The admin words we said and have not taken back. HAProxy keeps `drain` and `maint` until somebody says `ready`, and
 * only who said them may: so we remember what was ours to say, across restarts, before the first HAProxy hears it.
 */
import { join } from 'node:path'
import type { Clock } from './clock.ts'
import type { LogEvent } from './log.ts'
import type { Pollers } from './pollers.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

/** For how long we say `ready` at least, once a drain or maint of ours is over. */
export const RELEASE_MS = 60_000
const VERSION = 1
type Word = 'drain' | 'maint'

export interface SaidDeps {
  readonly clock: Clock
  readonly log: LogEvent
  readonly pollers: Pollers
  readonly stateDir: string
}

export class Said {
  readonly #deps: SaidDeps
  readonly #words: Map<string, Word>
  /** When we began to take a word back. Not kept: after a restart the window starts again. */
  readonly #releasedMs = new Map<string, number>()

  constructor (deps: SaidDeps) {
    this.#deps = deps
    this.#words = this.#read()
  }

  /** We are about to say `word` of a server. */
  claim (id: string, word: Word): void {
    this.#releasedMs.delete(id)
    if (this.#words.get(id) === word) return
    this.#words.set(id, word)
    this.#write()
  }

  /** Whether a word of ours is still to be taken back. Asking changes nothing. */
  owes (id: string): boolean {
    return this.#words.has(id)
  }

  /**
   * HAProxy asks, and we mean neither any more: whether to say `ready`. The first to ask begins the window, so that it
   * cannot pass unheard.
   */
  release (id: string): boolean {
    if (!this.#words.has(id)) return false
    const now = this.#deps.clock.now()
    const since = this.#releasedMs.get(id)
    if (since === undefined) {
      this.#releasedMs.set(id, now)
      return true
    }
    if (now - since < RELEASE_MS || !this.#deps.pollers.allToldSince(id, since, now)) return true
    this.#words.delete(id)
    this.#releasedMs.delete(id)
    this.#write()
    return false
  }

  get #path (): string {
    return join(this.#deps.stateDir, 'said.json')
  }

  #read (): Map<string, Word> {
    const read = readStateFile(this.#path, VERSION)
    if (read.kind === 'data' && typeof read.data === 'object' && read.data !== null) {
      return new Map(Object.entries(read.data).filter((entry): entry is [string, Word] => entry[1] === 'drain' || entry[1] === 'maint'))
    }
    if (read.kind === 'set-aside') {
      const { to, why } = read
      const message = 'a state file was not understood: a drain we said before may have to be undone by hand'
      this.#deps.log('state.set_aside', { file: this.#path, to, why }, message)
    }
    return new Map()
  }

  #write (): void {
    try {
      writeStateFile(this.#path, VERSION, Object.fromEntries(this.#words))
    } catch (error) {
      const { code = 'error' } = error as NodeJS.ErrnoException
      const message = 'cannot remember what we said: after a restart a drain of ours would stay'
      this.#deps.log('state.write_failed', { file: this.#path, why: code }, message)
    }
  }
}
