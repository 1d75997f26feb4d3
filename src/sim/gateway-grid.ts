/**
 * The grid as one simulated gateway sees it: storage servers that are numbers, files, and what is wrong with them.
 *
 * Gateways with one seed know the same servers and caps, and with one `files` what was written through each other; of a
 * mutable file only the last version. No sockets and no clock: `now` is monotonic ms.
 */

import {
  capAnswer, checkResults, connectionStatus, fileAnswer, gone, immutableCap, literal, LITERAL_BYTES_MAX, literalCap,
  mutableCaps, nodeId, plainError, seeded, sizeIn, storageIndex, traceback, unhappy, welcome, wellFormed,
  type Answer, type Encoding, type StorageProtocol
} from './gateway-answers.ts'
import { HEALTHY, storageStates, type Storage, type Wounds } from './gateway-wounds.ts'

export interface GridOptions {
  readonly protocol?: StorageProtocol
  readonly storageServers?: number
  readonly needed?: number
  readonly happy?: number
  /** Identities, caps and contents follow from it alone. */
  readonly nodeSeed?: string
  /** How long an upload waits for a storage server that hangs. */
  readonly uploadStallMs?: number
  /** How long the HTTP storage protocol takes to see that a storage server hangs. Foolscap never does. */
  readonly hangSeenMs?: number
  /** What lies on the grid. Gateways that share it see each other's files. */
  readonly files?: Files
}

/** No answer now: try again after so long (undefined: only when the wounds change). */
export interface Wait { readonly againMs: number | undefined }

/** A file on the grid: share number k lies on storage server `places[k]`. */
interface Stored { data: Buffer, places: readonly number[], readonly mutable: boolean, readonly index: string }
/** By cap. */
export type Files = Map<string, Stored>

/** An idle connection hears something at least this often: Foolscap's keepalive, HTTP's version request. */
const HEARD_EVERY_MS = { foolscap: 240_000, http: 1000 } as const
const SPACE_BYTES = 79_167_424_000
const FILE_BYTES = 20_000
const UPLOADS_MAX = 32

export class Grid {
  readonly protocol: StorageProtocol
  readonly encoding: Encoding
  readonly happy: number
  /** The identities of the storage servers; the connected ones come first. */
  readonly nodeIds: readonly string[]
  readonly caps: { readonly immutable: string, readonly mutableRead: string, readonly mutableWrite: string }
  /** What the immutable cap opens. */
  readonly file: Buffer
  /** The node's counters since its start. */
  counters: Record<string, number> = {}
  readonly #stallMs: number
  readonly #hangSeenMs: number
  readonly #files: Files
  readonly #uploads: string[] = []
  /** By storage server: when data came last, and when it began to hang. */
  readonly #heardMs: number[]
  readonly #hungMs: number[]
  #wounds = HEALTHY
  #turn = 0

  constructor (options: GridOptions, now: number) {
    const seed = options.nodeSeed ?? 'grid'
    const servers = options.storageServers ?? 5
    const needed = options.needed ?? 3
    this.protocol = options.protocol ?? 'foolscap'
    this.encoding = { needed, total: Math.max(servers, needed) }
    this.happy = options.happy ?? 4
    this.#stallMs = options.uploadStallMs ?? 30_000
    this.#hangSeenMs = options.hangSeenMs ?? 6000
    this.#files = options.files ?? new Map()
    this.nodeIds = Array.from({ length: servers }, (_, i) => nodeId(`${seed} storage ${i}`))
    this.#heardMs = this.nodeIds.map(() => now)
    this.#hungMs = this.nodeIds.map(() => now)
    this.file = seeded(`${seed} file`, FILE_BYTES)
    const { read, write } = mutableCaps(seed)
    const immutable = immutableCap(seed, FILE_BYTES, this.encoding)
    this.caps = { immutable, mutableRead: read, mutableWrite: write }
    const places = this.#spread(this.nodeIds.map((_, i) => i))
    if (this.#files.has(immutable)) return
    this.#files.set(immutable, { data: this.file, places, mutable: false, index: storageIndex(seed) })
    this.#store(this.caps.mutableRead, this.caps.mutableWrite, Buffer.from('canary 0\n'), places)
  }

  get wounds (): Wounds { return this.#wounds }

  /** Takes over the wounds; what storage servers were last heard to say stays as it was. */
  change (wounds: Wounds, now: number): void {
    const before = this.#states().map((state, i) => ({ ...state, heardMs: this.#heardAt(i, now) }))
    this.#wounds = wounds
    for (const [i, { up, hung }] of this.#states().entries()) {
      const was = before[i]
      if (hung && was?.hung !== true) this.#hungMs[i] = now
      this.#heardMs[i] = up && !hung && (was?.up !== true || was.hung) ? now : was?.heardMs ?? now
    }
  }

  /** `GET /?t=json`, in another order each time. `unixMs` is the wall clock at `now`. */
  welcome (now: number, unixMs: number): Answer {
    const { introducerConnected, storageAnnounced, leak } = this.#wounds
    const introducer = connectionStatus('foolscap', introducerConnected ? 'connected' : 'refused', 0)
    const hung = this.#states().map(state => state.hung)
    const rows = this.#seen(now).map(({ up, full }, i) => ({
      nodeid: this.nodeIds[i] ?? '',
      nickname: `storage-${i + 1}`,
      status: connectionStatus(this.protocol, up ? 'connected' : hung[i] === true ? 'silent' : 'refused', i + 1),
      space: full ? 0 : SPACE_BYTES + i * 4096,
      heardAt: (unixMs - now + this.#heardAt(i, now)) / 1000
    }))
    const turn = this.#turn++ % Math.max(1, rows.length)
    return welcome(introducer, storageAnnounced ? [...rows.slice(turn), ...rows.slice(0, turn)] : [], leak)
  }

  /** `GET /uri/<cap>`. A mutable file asks all storage servers, an immutable one goes without those that hang. */
  read (cap: string, now: number): Answer | Wait {
    const inside = literal(cap)
    if (inside !== undefined) return fileAnswer(inside)
    const stored = this.#find(cap)
    if (stored === undefined) return this.#notACap()
    if (this.#wounds.threadsExhausted) return { againMs: undefined }
    const shares = this.#shares(stored, now).length
    if (shares < this.encoding.needed || stored.mutable) {
      const wait = this.#waitForHung(now)
      if (wait !== undefined) return wait
    }
    this.#touch(now)
    if (shares < this.encoding.needed) return gone(shares, this.encoding.needed, stored.mutable, this.#wounds.leak)
    if (stored.mutable) this.#count('mutable', 'retrieved', stored.data.length)
    else this.#count('downloader', 'downloaded', stored.data.length)
    return fileAnswer(stored.data)
  }

  /** `HEAD /uri/<cap>`: the size is in the cap, or known; no storage server is asked. */
  head (cap: string): Answer {
    const data = literal(cap) ?? this.#find(cap)?.data
    return data === undefined ? this.#notACap() : { ...fileAnswer(data), length: sizeIn(cap) ?? data.length }
  }

  /** `PUT /uri`: a new immutable file, on `happy` storage servers or none. `waitedMs`: since it was asked for. */
  upload (data: Buffer, now: number, waitedMs: number): Answer | Wait {
    if (data.length <= LITERAL_BYTES_MAX) return capAnswer(literalCap(data))
    if (this.#wounds.threadsExhausted) return { againMs: undefined }
    const wait = waitedMs < this.#stallMs ? this.#waitForHung(now) : undefined
    if (wait !== undefined) return { againMs: Math.min(wait.againMs ?? Infinity, this.#stallMs - waitedMs) }
    this.#touch(now)
    const taking = this.#select(now, ({ up, hung, full, broken }) => up && !hung && !full && !broken)
    if (taking.length < this.happy) return unhappy(taking.length, this.happy, this.encoding.needed, this.#wounds.leak)
    const seed = data.toString('latin1')
    const cap = immutableCap(seed, data.length, this.encoding)
    if (!this.#files.has(cap)) {
      this.#uploads.push(cap)
      const oldest = this.#uploads.length > UPLOADS_MAX ? this.#uploads.shift() : undefined
      if (oldest !== undefined) this.#files.delete(oldest)
      this.#files.set(cap, { data, places: this.#spread(taking), mutable: false, index: storageIndex(seed) })
    }
    this.#count('uploader', 'uploaded', data.length)
    return capAnswer(cap)
  }

  /** `PUT /uri?format=SDMF`: a new mutable file, on whatever storage servers are left. Its write cap. */
  create (data: Buffer, now: number): Answer | Wait {
    const { read, write } = mutableCaps(`${this.nodeIds[0]} created ${this.#files.size}`)
    this.#store(read, write, data, [])
    const answer = this.overwrite(write, data, now)
    if (!('status' in answer) || answer.status !== 200) for (const cap of [read, write]) this.#files.delete(cap)
    return answer
  }

  /** `GET /uri/<cap>?t=json`: what the cap and the gateway's memory say of a file; no storage server is asked. */
  info (cap: string): Answer {
    const stored = this.#files.get(cap)
    if (stored === undefined) return this.#notACap()
    const twins = [...this.#files].filter(([, other]) => other === stored).map(([other]) => other)
    const write = cap.startsWith('URI:SSK:') ? { rw_uri: cap } : {}
    const read = twins.find(twin => !twin.startsWith('URI:SSK:')) ?? cap
    const facts = { mutable: stored.mutable, size: stored.data.length, format: stored.mutable ? 'SDMF' : 'CHK', ro_uri: read, ...write }
    return { status: 200, type: 'application/json', body: JSON.stringify(['filenode', facts], undefined, 1) }
  }

  /** `PUT /uri/<writecap>`: overwrites in place, on whatever storage servers are left, and on full ones too. */
  overwrite (cap: string, data: Buffer, now: number): Answer | Wait {
    const stored = this.#find(cap)
    if (stored === undefined || !cap.startsWith('URI:SSK:')) return this.#notACap()
    if (this.#wounds.threadsExhausted) return { againMs: undefined }
    const wait = this.#waitForHung(now)
    if (wait !== undefined) return wait
    this.#touch(now)
    if (!this.#files.has(cap)) return gone(0, this.encoding.needed, true, this.#wounds.leak)
    const taking = this.#select(now, ({ up, broken }) => up && !broken)
    if (taking.length === 0) {
      return traceback('allmydata.mutable.common.NotEnoughServersError', this.#wounds.leak)
    }
    stored.data = data
    stored.places = this.#spread(taking)
    this.#count('mutable', 'published', data.length)
    return capAnswer(cap)
  }

  /** `POST /uri/<cap>?t=check&output=JSON`: asks all storage servers. */
  check (cap: string, now: number): Answer | Wait {
    const stored = this.#find(cap)
    if (stored === undefined) return this.#notACap()
    const wait = this.#waitForHung(now)
    if (wait !== undefined) return wait
    this.#touch(now)
    return checkResults(stored.index, this.#shares(stored, now), this.encoding, this.#wounds.leak)
  }

  #store (read: string, write: string, data: Buffer, places: readonly number[]): void {
    const stored = { data, places, mutable: true, index: storageIndex(read) }
    this.#files.set(read, stored).set(write, stored)
  }

  #find (cap: string): Stored | undefined {
    const known = this.#files.get(cap)
    if (known !== undefined || !wellFormed(cap)) return known
    return { data: Buffer.alloc(0), places: [], mutable: cap.startsWith('URI:SSK'), index: storageIndex(cap) }
  }

  #notACap (): Answer {
    return plainError(400, 'This is not a valid file- or directory- cap', this.#wounds.leak)
  }

  #states (): readonly Storage[] {
    return storageStates(this.#wounds, this.nodeIds.length)
  }

  /** The storage servers as the gateway sees them: with HTTP one that hangs is not connected after a while. */
  #seen (now: number): readonly Storage[] {
    return this.#states().map((state, i) =>
      state.hung && this.#unseenMs(i, now) <= 0 ? { ...state, up: false, hung: false } : state)
  }

  #unseenMs (i: number, now: number): number {
    return this.protocol === 'foolscap' ? Infinity : (this.#hungMs[i] ?? now) + this.#hangSeenMs - now
  }

  /** Undefined when no storage server hangs unseen. */
  #waitForHung (now: number): Wait | undefined {
    const unseen = this.#select(now, ({ hung }) => hung).map(i => this.#unseenMs(i, now))
    const againMs = Math.max(0, ...unseen)
    return againMs === 0 ? undefined : { againMs: againMs === Infinity ? undefined : againMs }
  }

  #select (now: number, is: (storage: Storage) => boolean): number[] {
    return [...this.#seen(now).entries()].filter(([, storage]) => is(storage)).map(([i]) => i)
  }

  #spread (servers: readonly number[]): number[] {
    return Array.from({ length: this.encoding.total }, (_, k) => servers[k % servers.length] ?? -1)
  }

  #shares (stored: Stored, now: number): Array<readonly [number, string]> {
    const there = new Set(this.#select(now, ({ up, hung }) => up && !hung))
    const found = [...stored.places.entries()].filter(([, i]) => there.has(i))
    return found.map(([k, i]) => [k, this.nodeIds[i] ?? ''] as const)
  }

  #heardAt (i: number, now: number): number {
    const state = this.#states()[i]
    const heard = this.#heardMs[i] ?? now
    return state?.up === true && !state.hung ? now - (now - heard) % HEARD_EVERY_MS[this.protocol] : heard
  }

  #touch (now: number): void {
    for (const i of this.#select(now, ({ up, hung }) => up && !hung)) this.#heardMs[i] = now
  }

  #count (what: string, done: string, bytes: number): void {
    for (const [name, n] of [[`${what}.files_${done}`, 1], [`${what}.bytes_${done}`, bytes]] as const) {
      this.counters[name] = (this.counters[name] ?? 0) + n
    }
  }
}
