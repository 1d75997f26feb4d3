/** A journal on a disk that does what the test wants. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sample } from '../../src/core/model.ts'
import type { Poll } from '../../src/core/probe.ts'
import { EventFeed, type FeedEvent } from '../../src/runtime/feed.ts'
import { Journal, SAMPLES_WAITING_MAX } from '../../src/runtime/journal.ts'
import type { JournalIo } from '../../src/runtime/journal-files.ts'
import type { EventName } from '../../src/runtime/log.ts'
import { SimClock } from '../../src/sim/clock.ts'

const KEY = 'tahoe-read http://10.0.0.11:3456 URI:CHK:secret'
export const poll: Poll = {
  key: KEY, node: { key: 'http://10.0.0.11:3456', protocol: 'http', host: '10.0.0.11', port: 3456 },
  request: { kind: 'tahoe-read', options: { capFile: '/etc/hcf/canary.cap' } },
  intervalMs: 2000, fastMs: 500, timeoutMs: 1000,
  readers: [{ backend: 'read', server: 0 }, { backend: 'write', server: 0 }, { backend: 'gone', server: 7 }]
}
export const sampleOf = (facts: Readonly<Record<string, string | number>> = { storage: 3 }): Sample => ({ ok: true, startMs: 1.23456789, endMs: 22.5, facts })

/** A disk in memory, at the mercy of the test. */
export class Disk {
  readonly files = new Map<string, string>()
  /** What appending comes to. */
  trouble: 'none' | 'ENOSPC' | 'hangs' = 'none'
  writes = 0
  underWay = 0
  mostUnderWay = 0
  #wake: Array<() => void> = []

  readonly io: JournalIo = {
    open: (async (path: string, flags: string) => {
      if (flags === 'r+' && !this.files.has(path)) throw Object.assign(new Error('absent'), { code: 'ENOENT' })
      return this.#handle(path) as unknown as FileHandle
    }) as JournalIo['open'],
    rename: async (from, to) => {
      this.files.set(String(to), this.text(String(from)))
      this.files.delete(String(from))
    },
    mkdir: (async () => undefined) as JournalIo['mkdir']
  }

  text (path: string): string {
    return this.files.get(path) ?? ''
  }

  lines (name: string): readonly Readonly<Record<string, unknown>>[] {
    return this.text(join('journal', name)).split('\n').filter(Boolean).map(line => JSON.parse(line) as Record<string, unknown>)
  }

  /** Writes that hang go on. */
  wake (): void {
    this.trouble = 'none'
    for (const wake of this.#wake.splice(0)) wake()
  }

  #handle (path: string): object {
    return {
      stat: async () => ({ size: Buffer.byteLength(this.text(path)) }),
      read: async (buffer: Buffer, _: number, length: number, at: number) =>
        ({ buffer, bytesRead: Buffer.from(this.text(path)).copy(buffer, 0, at, at + length) }),
      appendFile: async (text: string) => {
        this.writes += 1
        this.underWay += 1
        this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay)
        if (this.trouble === 'hangs') await new Promise<void>(resolve => { this.#wake.push(resolve) })
        this.underWay -= 1
        if (this.trouble === 'ENOSPC') throw Object.assign(new Error('full'), { code: 'ENOSPC' })
        this.files.set(path, this.text(path) + text)
      },
      truncate: async () => undefined,
      close: async () => undefined
    }
  }
}

/** A journal as the app has it: what it says of itself comes back to it. */
export class Bench {
  readonly clock = new SimClock()
  readonly disk = new Disk()
  readonly feed: EventFeed
  readonly journal: Journal
  readonly #told: string[] = []

  constructor ({ dir = 'journal', maxBytes = 64 * 1024 * 1024, io }: { readonly dir?: string, readonly maxBytes?: number, readonly io?: undefined | 'real' } = {}) {
    const { clock } = this
    this.feed = new EventFeed({ clock, onEvent: event => { this.journal.event(event) } })
    this.journal = new Journal({
      clock, dir, maxBytes, ...(io === 'real' ? {} : { io: this.disk.io }),
      nameOf: ({ backend, server }) => backend === 'gone' ? undefined : `${backend}/webapi${server + 1}`,
      log: (event, fields, msg, level = 'info') => {
        this.#told.push(`${event} ${JSON.stringify(fields)}`)
        if (level !== 'debug') this.feed.add(event, level, fields, msg)
      }
    })
  }

  sample (facts?: Parameters<typeof sampleOf>[0]): void {
    this.journal.sample(poll, sampleOf(facts))
  }

  event (msg = 'it happened', event: EventName = 'server.state'): FeedEvent {
    return this.feed.add(event, 'info', { server: 'read/webapi1' }, msg)
  }

  /** What was said of the journal since the last look. */
  told (): readonly string[] {
    return this.#told.splice(0)
  }

  /** Samples that fill the memory for those that wait, to the last byte. Returns how many. */
  fill (): number {
    const bytes = Buffer.byteLength(`${JSON.stringify(this.lineOf({ fill: '' }))}\n`)
    const each = 32 * 1024
    for (let left = SAMPLES_WAITING_MAX; left > 0; left -= each) this.sample({ fill: 'x'.repeat(Math.min(each, left) - bytes) })
    return SAMPLES_WAITING_MAX / each
  }

  /** A sample as it is written. */
  lineOf (facts: Readonly<Record<string, string | number>>): object {
    return {
      at: new Date(this.clock.wall()).toISOString(), node: 'http://10.0.0.11:3456', probe: 'tahoe-read',
      key: createHash('sha256').update(KEY).digest('base64url').slice(0, 12),
      servers: ['read/webapi1', 'write/webapi1'], startMs: 1.235, endMs: 22.5, facts
    }
  }
}
