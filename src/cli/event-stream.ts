/** What happens at the agent, as it happens: one answer that does not end [server-sent events], and the next when it does. */
import { createParser } from 'eventsource-parser'
import { Client, type Dispatcher } from 'undici'
import type { Clock } from '../runtime/clock.ts'
import type { FeedEvent } from '../runtime/feed.ts'
import { parseEvent } from '../runtime/journal-files.ts'
import { askAdmin, requestTo, type Admin } from './admin-client.ts'
import { CommandError, EXIT } from './io.ts'
import { pause } from './patience.ts'

/** The agent sends something at least each 15 s. */
const SILENCE_MS = 45_000
const HEADERS_MS = 5000
const RETRY_MS = 1000
/** A longer event is none of ours. */
const EVENT_CHARACTERS_MAX = 1024 * 1024

export interface Follow {
  readonly admin: Admin
  readonly clock: Clock
  /** Ends it. */
  readonly signal: AbortSignal
  readonly backend: string | undefined
  /** The last event that was heard already. */
  readonly afterId: number
  readonly isAway?: boolean
  /** The stream waits for it: who reads slowly is sent slowly. */
  readonly onEvent: (event: FeedEvent) => Promise<void> | void
  readonly onLost: (why: string) => void
  readonly onFound: () => void
}

/** Until it is aborted. Throws what the agent has against us. */
export async function follow ({ admin, clock, signal, backend, afterId, isAway = false, onEvent, onLost, onFound }: Follow): Promise<void> {
  let [lastId, away] = [afterId, isAway]
  const path = `/v1/events${backend === undefined ? '' : `?backend=${encodeURIComponent(backend)}`}`
  const found = (): void => {
    if (away) onFound()
    away = false
  }
  const hear = async (event: FeedEvent): Promise<void> => {
    if (event.id <= lastId) return
    lastId = event.id
    await onEvent(event)
  }
  while (!signal.aborted) {
    const why = await listen(admin, path, lastId, signal, found, hear)
    if (signal.aborted) return
    if (!away) onLost(why)
    away = true
    await pause(clock, RETRY_MS, signal)
  }
}

/** One answer to its end; why it ended. */
async function listen (
  admin: Admin, path: string, lastId: number, signal: AbortSignal, onFound: () => void, hear: (event: FeedEvent) => Promise<void>
): Promise<string> {
  const client = open(admin)
  try {
    const to = requestTo(admin, path)
    const answer = await client.request({
      path: to.path, method: 'GET', headersTimeout: HEADERS_MS, bodyTimeout: SILENCE_MS, signal,
      headers: { ...to.headers, accept: 'text/event-stream', 'last-event-id': String(lastId) }
    })
    if (!isStream(answer)) return await refused(admin, answer, signal)
    onFound()
    await read(answer, hear)
    return 'it ended the connection'
  } catch (error) {
    if (error instanceof CommandError && !signal.aborted) throw error
    const { code, message } = error as NodeJS.ErrnoException
    return code ?? message
  } finally {
    await client.destroy()
  }
}

/** Unlike those of one question, its answer may become as long as it likes. */
const open = ({ url, socketPath }: Admin): Client => new Client(new URL(url).origin, socketPath === undefined ? {} : { socketPath })

const isStream = ({ statusCode, headers }: Dispatcher.ResponseData): boolean =>
  statusCode === 200 && String(headers['content-type']).startsWith('text/event-stream')

/** What passes by itself (it stops, or too many follow it) is worth another attempt; the rest is said as to any question. */
async function refused (admin: Admin, { statusCode, body }: Dispatcher.ResponseData, signal: AbortSignal): Promise<string> {
  await body.dump()
  if (statusCode < 500) await askAdmin(admin, '/v1/events?limit=1', { signal })
  return `it answered ${statusCode}`
}

async function read ({ body }: Dispatcher.ResponseData, hear: (event: FeedEvent) => Promise<void>): Promise<void> {
  const events: FeedEvent[] = []
  const parser = createParser({
    maxBufferSize: EVENT_CHARACTERS_MAX,
    onEvent: ({ data }) => {
      const event = parseEvent(data)
      if (event !== undefined) events.push(event)
    },
    onError: error => {
      if (error.type === 'max-buffer-size-exceeded') throw new CommandError('the agent sends what is no event', EXIT.unavailable)
    }
  })
  const text = new TextDecoder()
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    parser.feed(text.decode(chunk, { stream: true }))
    for (const event of events.splice(0)) await hear(event)
  }
}
