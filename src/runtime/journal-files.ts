/**
 * The files of the journal: JSON lines, in a current file and the one before it. A crash may leave a torn line, at the
 * end or in the middle; it costs that line and no other.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type * as disk from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LEVELS, type FeedEvent } from './feed.ts'

export const EVENTS_FILE = 'events.jsonl'
export const SAMPLES_FILE = 'samples.jsonl'
/** A longer line is not written, and skipped when it is read. */
export const LINE_BYTES_MAX = 64 * 1024
const COPY_BYTES = 256 * 1024
const NEWLINE = 10

export type JournalIo = Pick<typeof disk, 'open' | 'rename' | 'mkdir'>
type File = Awaited<ReturnType<JournalIo['open']>>

/** `samples.jsonl` was `samples.1.jsonl` before. */
const before = (path: string): string => path.replace(/\.jsonl$/, '.1.jsonl')

/** Lines on their way to a file, which makes room for itself: both files together never exceed `maxBytes`. */
export class Series {
  readonly lineBytesMax: number
  readonly #path: string
  readonly #fileBytes: number
  readonly #lines: string[] = []
  #waiting = 0
  /** Whether files of an earlier run, which may have had a larger bound, are within ours. */
  #isFit = false

  constructor (path: string, maxBytes: number) {
    this.#path = path
    this.#fileBytes = Math.floor(maxBytes / 2)
    this.lineBytesMax = Math.min(LINE_BYTES_MAX, this.#fileBytes)
  }

  /** Bytes that are not on disk yet. */
  get waiting (): number {
    return this.#waiting
  }

  add (line: string, bytes: number): void {
    this.#lines.push(line)
    this.#waiting += bytes
  }

  /** Writes what waits. What the disk did not take waits on; why is returned. */
  async write (io: JournalIo): Promise<string | undefined> {
    try {
      for (let left = this.#lines.length; left > 0;) left -= await this.#append(io)
      return undefined
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return code ?? message
    }
  }

  /** Appends as many lines as the file has room for, and says how many; rotates when that is none. */
  async #append (io: JournalIo): Promise<number> {
    const file = await this.#open(io)
    let taken
    try {
      const { size } = await file.stat()
      const start = await endsInLine(file, size) ? '' : '\n'
      taken = this.#take(this.#fileBytes - size - start.length)
      if (taken.count > 0) await appendWhole(file, start + taken.text, size)
    } finally {
      await file.close()
    }
    if (taken.count === 0) await io.rename(this.#path, before(this.#path))
    this.#lines.splice(0, taken.count)
    this.#waiting -= taken.bytes
    return taken.count
  }

  /** A directory that was removed is made again. */
  async #open (io: JournalIo): Promise<File> {
    if (!this.#isFit) {
      for (const path of [this.#path, before(this.#path)]) await keepEnd(io, path, this.#fileBytes)
      this.#isFit = true
    }
    try {
      return await io.open(this.#path, 'a+', 0o640)
    } catch (error) {
      if (!isAbsent(error)) throw error
      await io.mkdir(dirname(this.#path), { recursive: true, mode: 0o750 })
      return io.open(this.#path, 'a+', 0o640)
    }
  }

  #take (room: number): { readonly text: string, readonly count: number, readonly bytes: number } {
    let [text, count, bytes] = ['', 0, 0]
    for (const line of this.#lines) {
      const more = bytes + Buffer.byteLength(line)
      if (more > room) break
      text += line
      count += 1
      bytes = more
    }
    return { text, count, bytes }
  }
}

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

async function endsInLine (file: File, size: number): Promise<boolean> {
  if (size === 0) return true
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === NEWLINE
}

/** All of it or nothing: what a full disk took of it is taken back, so that the next attempt writes no line twice. */
async function appendWhole (file: File, text: string, size: number): Promise<void> {
  try {
    await file.appendFile(text)
  } catch (error) {
    await file.truncate(size).catch(() => undefined) // a torn line is skipped by who reads it
    throw error
  }
}

/** Cuts a file down to its last whole lines, in place: a copy might not fit on the disk. */
async function keepEnd (io: JournalIo, path: string, bytes: number): Promise<void> {
  const file = await io.open(path, 'r+').catch((error: unknown) => {
    if (isAbsent(error)) return undefined
    throw error
  })
  if (file === undefined) return
  try {
    const { size } = await file.stat()
    if (size <= bytes) return
    const buffer = Buffer.alloc(COPY_BYTES)
    const { bytesRead } = await file.read(buffer, 0, COPY_BYTES, size - bytes - 1) // a line end when a line begins with the rest
    let from = size - bytes + Math.max(0, buffer.subarray(0, bytesRead).indexOf(NEWLINE))
    let to = 0
    while (from < size) {
      const part = await file.read(buffer, 0, COPY_BYTES, from)
      if (part.bytesRead === 0) break
      const { bytesWritten } = await file.write(buffer, 0, part.bytesRead, to)
      from += bytesWritten
      to += bytesWritten
    }
    await file.truncate(to)
  } finally {
    await file.close()
  }
}

export interface EventsWanted {
  readonly sinceWallMs?: number
  readonly concerns?: (event: FeedEvent) => boolean
  /** The newest so many. */
  readonly limit?: number
  /** Look only at so much of the end. */
  readonly tailBytes?: number
}

export interface EventsRead {
  /** Oldest first. */
  readonly events: readonly FeedEvent[]
  /** Whether there is any file. */
  readonly isThere: boolean
  /** Lines that are no event. */
  readonly skipped: number
  /** Of a file that cannot be read. One that is not there is no problem. */
  readonly problem?: string
}

/** What the journal in `dir` says has happened. */
export function readEvents (dir: string, { sinceWallMs = -Infinity, concerns, limit = Infinity, tailBytes = Infinity }: EventsWanted = {}): EventsRead {
  let events = new Map<number, FeedEvent>() // by id: a write of which the disk did not say that it succeeded is made again
  let [skipped, isThere] = [0, false]
  const hear = (line: string): void => {
    const event = parseEvent(line)
    if (event === undefined) skipped += 1
    else if (Date.parse(event.at) >= sinceWallMs && concerns?.(event) !== false) events.set(event.id, event)
    if (events.size > 2 * limit) events = new Map([...events].slice(-limit))
  }
  const path = join(dir, EVENTS_FILE)
  let problem
  for (const file of [before(path), path]) {
    try {
      const newer = file === path ? 0 : sizeOf(path)
      eachLine(file, tailBytes - newer, hear)
      isThere = true
    } catch (error) {
      if (!isAbsent(error)) problem = `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`
    }
  }
  return { events: [...events.values()].slice(-limit), isThere, skipped, ...(problem === undefined ? {} : { problem }) }
}

function sizeOf (path: string): number {
  try {
    return withFile(path, fd => fstatSync(fd).size)
  } catch { // said when it is read
    return 0
  }
}

function withFile<T> (path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r')
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

/** The lines in the last `tailBytes` of a file, none when that is below 1; not the one that begins before them. An endless line is cut. */
function eachLine (path: string, tailBytes: number, hear: (line: string) => void): void {
  withFile(path, fd => {
    const { size } = fstatSync(fd)
    const buffer = Buffer.alloc(COPY_BYTES)
    let at = Math.max(0, size - tailBytes - 1) // one before, which is a line end when a line begins with the tail
    let isPart = size > tailBytes
    let rest = Buffer.alloc(0)
    for (;;) {
      const bytes = readSync(fd, buffer, 0, COPY_BYTES, at)
      if (bytes === 0) break
      at += bytes
      const text = Buffer.concat([rest, buffer.subarray(0, bytes)])
      let begin = 0
      for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, begin)) {
        if (!isPart && end > begin) hear(text.toString('utf8', begin, end))
        isPart = false
        begin = end + 1
      }
      rest = text.subarray(begin, begin + LINE_BYTES_MAX)
    }
    if (!isPart && rest.length > 0) hear(rest.toString())
  })
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

/** Undefined for what is no event: a torn line, or somebody else's. */
export function parseEvent (line: string): FeedEvent | undefined {
  try {
    return eventOf(JSON.parse(line))
  } catch { // no JSON
    return undefined
  }
}

export function eventOf (value: unknown): FeedEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { id, at, event, level, msg } = value as Partial<FeedEvent>
  const isWhole = typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 && typeof event === 'string' && typeof msg === 'string' &&
    typeof at === 'string' && MOMENT.test(at) && !Number.isNaN(Date.parse(at)) && LEVELS.some(known => known === level)
  return isWhole ? value as FeedEvent : undefined
}
