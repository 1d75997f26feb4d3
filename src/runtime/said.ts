/**
 * The admin words we said and have not taken back. HAProxy keeps `drain` and `maint` until somebody says `ready`, and
 * only who said them may: so we remember whom we told, across restarts, and tell each of them when it is over.
 */
import { join } from 'node:path'
import type { Clock, Timer } from './clock.ts'
import type { LogEvent } from './log.ts'
import { readStateFile, writeStateFile, type ReadResult } from './state-file.ts'

/**
 * For how long each HAProxy that heard our word hears `ready`, from the first time it asks: an answer may be lost on its
 * way, and several HAProxys may share an address.
 */
export const RELEASE_MS = 60_000
/** After a restart we may not know who heard it: everyone who asks within this hears `ready`. */
export const RESTART_MS = 60_000
/** HAProxys remembered for one server. */
export const HEARD_MAX = 64
const VERSION = 1
const RETRY_MS = 1000
/** Who heard a word may reach the disk a little later: a restart in between asks everybody. */
export const FLUSH_MS = 100
type Word = 'drain' | 'maint'

interface Owed {
  readonly word: Word
  /** By HAProxy that heard our word: when it first heard `ready`; undefined until then. */
  readonly heard: Map<string, number | undefined>
  /** Read from disk: others may have heard it too. */
  readonly restored: boolean
  releasedMs?: number
}

/** Where it is kept. Writing throws when the disk refuses. */
export interface SaidStore {
  readonly path: string
  read: () => ReadResult
  write: (data: unknown) => void
}

export function fileStore (stateDir: string): SaidStore {
  const path = join(stateDir, 'said.json')
  return { path, read: () => readStateFile(path, VERSION), write: data => { writeStateFile(path, VERSION, data) } }
}

/** Kept for as long as the store itself is: for simulations. */
export function memoryStore (): SaidStore {
  let kept: unknown
  return { path: 'memory', read: () => kept === undefined ? { kind: 'absent' } : { kind: 'data', data: kept }, write: data => { kept = data } }
}

export interface SaidDeps {
  readonly clock: Clock
  readonly log: LogEvent
  readonly store: SaidStore
}

export class Said {
  readonly #deps: SaidDeps
  readonly #owed: Map<string, Owed>
  /** When the disk last refused what it does not hold yet. */
  #failedMs: number | undefined
  #flush: Timer | undefined
  #gathers = false
  #gathered = false

  constructor (deps: SaidDeps) {
    this.#deps = deps
    this.#owed = this.#read()
  }

  /** We are about to say `word` of a server. It is on disk before anyone can hear it. */
  claim (id: string, word: Word): void {
    const before = this.#owed.get(id)
    this.#owed.set(id, { word, heard: before?.heard ?? new Map<string, number | undefined>(), restored: before?.restored ?? false })
    if (before?.word !== word) this.#write()
  }

  /** What is claimed in `run` is on disk when it is over, in one write: an order for a whole farm is many words at once. */
  together (run: () => void): void {
    this.#gathers = true
    try {
      run()
    } finally {
      this.#gathers = false
      if (this.#gathered) this.#write()
      this.#gathered = false
    }
  }

  /** An HAProxy hears our word now. */
  heard (id: string, from: string): void {
    this.#retry()
    const heard = this.#owed.get(id)?.heard
    if (heard === undefined || (heard.size >= HEARD_MAX && !heard.has(from))) return
    const isNew = !heard.has(from)
    heard.set(from, undefined)
    if (isNew) this.#writeSoon()
  }

  #writeSoon (): void {
    this.#flush ??= this.#deps.clock.after(FLUSH_MS, () => { this.#write() })
  }

  /** Whether somebody is still to hear that a word of ours is over. Asking changes nothing. */
  owes (id: string): boolean {
    const owed = this.#owed.get(id)
    return owed !== undefined && ([...owed.heard.values()].some(sinceMs => !this.#isOver(sinceMs)) || this.#mayBeMore(owed))
  }

  /** An HAProxy asks, and we mean neither word any more: whether to say `ready` to it. */
  release (id: string, from: string): boolean {
    this.#retry()
    const owed = this.#owed.get(id)
    if (owed === undefined) return false
    owed.releasedMs ??= this.#deps.clock.now()

    const isOwed = owed.heard.has(from) ? !this.#isOver(owed.heard.get(from)) : this.#mayBeMore(owed) && owed.heard.size < HEARD_MAX
    if (isOwed) owed.heard.set(from, owed.heard.get(from) ?? this.#deps.clock.now())
    if (!this.owes(id)) {
      this.#owed.delete(id)
      this.#writeSoon() // an answer waits: at worst a restart says `ready` for a minute more
    }
    return isOwed
  }

  #isOver (sinceMs: number | undefined): boolean {
    return sinceMs !== undefined && this.#deps.clock.now() - sinceMs >= RELEASE_MS
  }

  #mayBeMore ({ restored, releasedMs }: Owed): boolean {
    return restored && (releasedMs === undefined || this.#deps.clock.now() - releasedMs < RESTART_MS)
  }

  #read (): Map<string, Owed> {
    const read = this.#deps.store.read()
    if (read.kind === 'data' && typeof read.data === 'object' && read.data !== null) {
      return new Map(Object.entries(read.data).flatMap(([id, record]) => ownedBy(id, record)))
    }
    if (read.kind === 'set-aside') {
      const { to, why } = read
      const message = 'a state file was not understood: a drain we said before may have to be undone by hand'
      this.#deps.log('state.set_aside', { file: this.#deps.store.path, to, why }, message)
    }
    return new Map()
  }

  /** What the disk refused is tried again, not at every answer. */
  #retry (): void {
    if (this.#failedMs !== undefined && this.#deps.clock.now() - this.#failedMs >= RETRY_MS) this.#write()
  }

  #write (): void {
    if (this.#gathers) {
      this.#gathered = true
      return
    }
    this.#flush?.stop()
    this.#flush = undefined
    const isFirst = this.#failedMs === undefined
    try {
      const data = [...this.#owed].map(([id, { word, heard }]) => [id, { word, heard: [...heard.keys()] }] as const)
      this.#deps.store.write(Object.fromEntries(data))
      this.#failedMs = undefined
    } catch (error) {
      this.#failedMs = this.#deps.clock.now()
      if (!isFirst) return
      const { code = 'error' } = error as NodeJS.ErrnoException
      const message = 'cannot remember what we said: after a restart a drain of ours would stay'
      this.#deps.log('state.write_failed', { file: this.#deps.store.path, why: code }, message)
    }
  }
}

function ownedBy (id: string, record: unknown): ReadonlyArray<readonly [string, Owed]> {
  const { word, heard } = (typeof record === 'object' && record !== null ? record : {}) as { word?: unknown, heard?: unknown }
  if (word !== 'drain' && word !== 'maint') return []
  const names = Array.isArray(heard) ? heard.filter(name => typeof name === 'string').slice(0, HEARD_MAX) : []
  return [[id, { word, heard: new Map(names.map(name => [name, undefined] as const)), restored: true }]]
}
