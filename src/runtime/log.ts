/** One line for one change, data in fields. `event` is the contract; docs/logs.md lists what this table lists. */
import { pino, type DestinationStream, type Logger as Pino } from 'pino'
import { redact } from '../core/text.ts'

/** warn: an operator should look. error: an operator must act. */
type Level = 'debug' | 'info' | 'warn' | 'error'

export const EVENTS = {
  'agent.start': 'info',
  'agent.listen': 'info',
  'agent.stop': 'info',
  'agent.trouble': 'warn',
  'agent.descriptors': 'warn',
  'config.loaded': 'info',
  'config.rejected': 'error',
  'server.state': 'info',
  'server.weight': 'info',
  'criterion.fail': 'info',
  'criterion.pass': 'info',
  'backend.floor': 'warn',
  'backend.doubt': 'warn',
  'backend.strain': 'warn',
  'agent.late': 'warn',
  'override.set': 'info',
  'override.expired': 'info',
  'override.cleared': 'info',
  'override.refused': 'warn',
  'window.begin': 'info',
  'window.end': 'info',
  'journal.dropping': 'warn',
  'journal.writing': 'info',
  'poll.done': 'debug',
  'poll.local': 'warn',
  'poller.first': 'info',
  'poller.silent': 'warn',
  'poller.back': 'info',
  'request.unknown': 'warn',
  'request.refused': 'warn',
  'state.set_aside': 'warn',
  'state.write_failed': 'error'
} as const satisfies Record<string, Level>

export type EventName = keyof typeof EVENTS
/** `level` where a change for the worse is louder than one for the better. */
export type LogEvent = (event: EventName, fields: Readonly<Record<string, unknown>>, message: string, level?: Level) => void

export interface LogOptions {
  readonly level: string
  readonly destination: DestinationStream
}

export interface Log {
  readonly event: LogEvent
  setLevel: (level: string) => void
  /** For libraries that speak pino. */
  readonly pino: Pino
}

export function createLog ({ level, destination }: LogOptions): Log {
  const logger = pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
    hooks: { streamWrite: redact } // whatever was forgotten upstream: no cap leaves in a log
  }, destination)
  return {
    event: (event, fields, message, louder) => { logger[louder ?? EVENTS[event]]({ event, ...fields }, message) },
    setLevel: next => { logger.level = next },
    pino: logger
  }
}
