/** Which HAProxys ask us, for what, how often, and when last. An HAProxy is known by its source address. */
import type { Reply } from '../core/reply.ts'
import { clean } from '../core/text.ts'

/** One that has not asked for this long, nor for three of its own intervals, is not waited for. */
export const POLLER_SILENT_MS = 60_000
/** Addresses remembered: the longest silent one makes room. */
export const POLLERS_MAX = 64
/** An HAProxy is silent after so many of its own intervals, and not within so little time. */
export const SILENT_INTERVALS = 3
export const SILENT_MS_MIN = 1000
/** A look at the time that comes so late says that we were away, not they. */
export const AWAY_MS = 3000
/** One that asked a few times was a person trying it out; an HAProxy may be away for a day. */
export const TRIED_FORGOTTEN_MS = 600_000
export const SILENT_FORGOTTEN_MS = 86_400_000
/** Names asked for that are not in the config: the oldest makes room. */
export const UNKNOWN_MAX = 100
export const UNKNOWN_FORGOTTEN_MS = 600_000
const ASKED_CHARACTERS_MAX = 130

/** An HAProxy that asks for a server. */
export interface PollerSeen {
  readonly from: string
  readonly lastMs: number
  readonly times: number
  /** How often it asks; absent before the second time. */
  readonly intervalMs?: number
  /** What it was told last. */
  readonly reply: Reply
}

/** An HAProxy, and how many servers it asks for. */
export interface PollerView {
  readonly from: string
  readonly servers: number
  readonly intervalMs?: number
  readonly lastMs: number
  readonly silent: boolean
}

export interface UnknownAsked {
  readonly asked: string
  readonly from: string
  readonly near: readonly string[]
  readonly times: number
  readonly lastMs: number
}

export interface PollerEvents {
  readonly onSilent?: (silence: { readonly from: string, readonly intervalMs: number, readonly forMs: number }) => void
  readonly onBack?: (back: { readonly from: string, readonly forMs: number }) => void
}

/** Changed in place: this is written at every answer. */
interface Asked {
  readonly poller: Poller
  lastMs: number
  times: number
  /** 0 before the second time. */
  intervalMs: number
  reply: Reply
}

interface Poller {
  readonly from: string
  readonly asked: Map<string, Asked>
  lastMs: number
  /** When it asked last before the silence that was told, and is not over. */
  silentSinceMs: number | undefined
}

export class Pollers {
  readonly #byServer = new Map<string, Map<string, Asked>>()
  readonly #byAddress = new Map<string, Poller>()
  readonly #unknown = new Map<string, UnknownAsked>()
  readonly #seen = new Set<string>()
  readonly #onFirst: (from: string, id: string) => void
  readonly #events: PollerEvents
  /** When we last looked at the time, and since when we look in time. */
  #tickMs: number | undefined
  #awakeMs = -Infinity

  constructor (onFirst: (from: string, id: string) => void, events: PollerEvents = {}) {
    this.#onFirst = onFirst
    this.#events = events
  }

  /** `from` was told about server `id` at `nowMs`. */
  told (id: string, from: string, nowMs: number, reply: Reply): void {
    const asked = this.#byServer.get(id)?.get(from)
    if (asked === undefined) {
      this.#first(id, from, nowMs, reply)
      return
    }
    asked.intervalMs = nextInterval(asked.intervalMs, nowMs - asked.lastMs)
    asked.lastMs = asked.poller.lastMs = nowMs
    asked.times += 1
    asked.reply = reply
  }

  /** Who asks for a server: the longest silent one first. */
  of (id: string): readonly PollerSeen[] {
    return [...this.#byServer.get(id)?.values() ?? []].sort((a, b) => a.lastMs - b.lastMs).map(({ poller, lastMs, times, intervalMs, reply }) =>
      ({ from: poller.from, lastMs, times, ...intervalMs > 0 ? { intervalMs } : {}, reply }))
  }

  all (nowMs: number): readonly PollerView[] {
    return [...this.#byAddress.values()].map(poller => {
      const current = currentOf(poller)
      const intervalMs = intervalOf(current)
      return { from: poller.from, servers: current.length, ...intervalMs > 0 ? { intervalMs } : {}, lastMs: poller.lastMs, silent: this.#isSilent(poller, intervalMs, nowMs) }
    })
  }

  /** Who is still to hear what we say of a server since `sinceMs`, as far as it still asks. */
  unheard (id: string, sinceMs: number, nowMs: number): readonly string[] {
    return this.of(id).filter(({ lastMs, times, intervalMs }) => times > 1 && lastMs < sinceMs && isAwaited(lastMs, intervalMs, nowMs)).map(({ from }) => from)
  }

  /** Whether anyone asks for a server. */
  asks (id: string, nowMs: number): boolean {
    for (const { lastMs, intervalMs } of this.#byServer.get(id)?.values() ?? []) if (isAwaited(lastMs, intervalMs, nowMs)) return true
    return false
  }

  /**
   * Whether everyone who still asks has been told about every server they ask for: the last word may be the last.
   * Who asked only once is a person trying it out.
   */
  everyoneToldSince (sinceMs: number, nowMs: number): boolean {
    for (const heard of this.#byServer.values()) {
      for (const { lastMs, times } of heard.values()) {
        if (times > 1 && lastMs < sinceMs && nowMs - lastMs < POLLER_SILENT_MS) return false
      }
    }
    return true
  }

  /** A name that is not in the config. `near`: what it may have been meant to be, where that was looked for. */
  unknown (asked: string, from: string, nowMs: number, near: readonly string[] | undefined): void {
    const name = clean(asked, ASKED_CHARACTERS_MAX)
    const key = `${from} ${name}`
    const before = this.#unknown.get(key)
    this.#unknown.delete(key) // the map is in the order of who asked last
    if (this.#unknown.size >= UNKNOWN_MAX) this.#unknown.delete(this.#unknown.keys().next().value ?? '')
    this.#unknown.set(key, { asked: name, from, near: near ?? before?.near ?? [], times: (before?.times ?? 0) + 1, lastMs: nowMs })
  }

  /** Those of late: the newest last. */
  unknowns (nowMs: number): readonly UnknownAsked[] {
    return [...this.#unknown.values()].filter(({ lastMs }) => nowMs - lastMs < UNKNOWN_FORGOTTEN_MS)
  }

  /** Tells who has gone silent and who is back. */
  tick (nowMs: number): void {
    if (this.#tickMs !== undefined && nowMs - this.#tickMs > AWAY_MS) this.#awakeMs = nowMs
    this.#tickMs = nowMs
    for (const poller of this.#byAddress.values()) this.#look(poller, nowMs)
  }

  /** Of a new config: which servers there are. */
  forget (known: ReadonlySet<string>): void {
    for (const id of this.#byServer.keys()) {
      if (known.has(id)) continue
      for (const { poller } of this.#byServer.get(id)?.values() ?? []) poller.asked.delete(id)
      this.#byServer.delete(id)
    }
    this.#unknown.clear() // a name may be known now, or near to others: who asks for it asks again
  }

  #first (id: string, from: string, nowMs: number, reply: Reply): void {
    let poller = this.#byAddress.get(from)
    if (poller === undefined) {
      if (this.#byAddress.size >= POLLERS_MAX) this.#makeRoom()
      poller = { from, asked: new Map(), lastMs: nowMs, silentSinceMs: undefined }
      this.#byAddress.set(from, poller)
    }
    const asked: Asked = { poller, lastMs: nowMs, times: 1, intervalMs: 0, reply }
    poller.lastMs = nowMs
    poller.asked.set(id, asked)
    let heard = this.#byServer.get(id)
    if (heard === undefined) this.#byServer.set(id, heard = new Map())
    heard.set(from, asked)
    if (this.#seen.has(from) || this.#seen.size >= POLLERS_MAX) return
    this.#seen.add(from)
    this.#onFirst(from, id)
  }

  #makeRoom (): void {
    let oldest: Poller | undefined
    for (const poller of this.#byAddress.values()) if (poller.lastMs < (oldest?.lastMs ?? Infinity)) oldest = poller
    if (oldest !== undefined) this.#drop(oldest)
  }

  #drop ({ from, asked }: Poller): void {
    this.#byAddress.delete(from)
    for (const id of asked.keys()) this.#byServer.get(id)?.delete(from)
  }

  #look (poller: Poller, nowMs: number): void {
    const { from, lastMs, silentSinceMs } = poller
    if (silentSinceMs !== undefined && lastMs > silentSinceMs) {
      poller.silentSinceMs = undefined
      this.#events.onBack?.({ from, forMs: lastMs - silentSinceMs })
    }
    const ageMs = nowMs - lastMs
    if (ageMs < SILENT_MS_MIN) return // as nearly always
    if (poller.silentSinceMs !== undefined && ageMs < SILENT_FORGOTTEN_MS) return // told already
    const intervalMs = intervalOf(currentOf(poller))
    if (ageMs >= (intervalMs > 0 ? SILENT_FORGOTTEN_MS : TRIED_FORGOTTEN_MS)) {
      this.#drop(poller)
      this.#seen.delete(from)
    } else if (intervalMs > 0 && this.#isSilent(poller, intervalMs, nowMs)) {
      poller.silentSinceMs = lastMs
      this.#events.onSilent?.({ from, intervalMs, forMs: ageMs })
    }
  }

  #isSilent ({ lastMs }: Poller, intervalMs: number, nowMs: number): boolean {
    const ageMs = nowMs - Math.max(lastMs, this.#awakeMs)
    return intervalMs > 0 ? ageMs > patienceMs(intervalMs) : ageMs >= POLLER_SILENT_MS
  }
}

/**
 * A running mean over about four. A gap that is out of all proportion was an absence, and yet the pace may have changed:
 * it counts as three of the intervals so far.
 */
function nextInterval (intervalMs: number, gapMs: number): number {
  if (intervalMs === 0) return Math.max(gapMs, 1)
  return gapMs > 3 * intervalMs ? 3 * intervalMs : intervalMs + (gapMs - intervalMs) / 4
}

const patienceMs = (intervalMs: number): number => Math.max(SILENT_MS_MIN, SILENT_INTERVALS * intervalMs)

/** Slow HAProxys are waited for longer. */
const isAwaited = (lastMs: number, intervalMs = 0, nowMs: number): boolean => nowMs - lastMs < Math.max(POLLER_SILENT_MS, SILENT_INTERVALS * intervalMs)

/** What it still asks for: it asked for others since, and more than once in the time, where it no longer does. */
function currentOf ({ asked, lastMs }: Poller): readonly Asked[] {
  return [...asked.values()].filter(each => lastMs - each.lastMs <= (each.intervalMs > 0 ? patienceMs(each.intervalMs) : POLLER_SILENT_MS))
}

/** The median over what it asks for; 0 while it has not asked for anything three times. */
function intervalOf (asked: readonly Asked[]): number {
  const known = asked.filter(({ times }) => times >= 3).map(({ intervalMs }) => intervalMs).sort((a, b) => a - b)
  return known[Math.floor(known.length / 2)] ?? 0
}
