/** HAProxy's side of the agent: what it is answered, and what is told of how it asks. */
import type { AgentDeps } from '../agent/server.ts'
import { showAge } from '../core/text.ts'
import type { Clock } from '../runtime/clock.ts'
import type { LogEvent } from '../runtime/log.ts'
import type { Monitor } from '../runtime/monitor.ts'
import { Pollers } from '../runtime/pollers.ts'
import { Throttle } from '../runtime/throttle.ts'

const COMPLAIN_EVERY_MS = 60_000
/** An HAProxy of another farm asks for thousands of names that are not ours: so many are told of, and compared with all of ours. */
const UNKNOWN_TOLD_MAX = 32

export function createPollers (log: LogEvent): Pollers {
  return new Pollers((from, server) => { log('poller.first', { from, server }, `${from} asks for the first time, for ${server}`) }, {
    onSilent: ({ from, intervalMs, forMs }) => {
      const message = `${from} has not asked for ${showAge(forMs)}, and used to every ${showAge(intervalMs)}: is that HAProxy gone, or its agent-check disabled?`
      log('poller.silent', { from, intervalMs: Math.round(intervalMs), forMs: Math.round(forMs) }, message)
    },
    onBack: ({ from, forMs }) => { log('poller.back', { from, forMs: Math.round(forMs) }, `${from} asks again, after ${showAge(forMs)}`) }
  })
}

interface Answering { readonly clock: Clock, readonly log: LogEvent, readonly monitor: Monitor, readonly pollers: Pollers }

export function agentDeps ({ clock, log, monitor, pollers }: Answering): AgentDeps {
  const unknown = new Throttle(clock, COMPLAIN_EVERY_MS, UNKNOWN_TOLD_MAX)
  const refused = new Throttle(clock, COMPLAIN_EVERY_MS)
  const trouble = new Throttle(clock, COMPLAIN_EVERY_MS)
  return {
    after: (ms, run) => clock.after(ms, run),
    reply: (id, from) => {
      const reply = monitor.reply(id, from)
      if (reply !== undefined) pollers.told(id, from, clock.now(), reply)
      return reply
    },
    peek: id => monitor.view(id)?.reply,
    onUnknown: (asked, from) => {
      // Names are compared with all there are, which is too slow for every question.
      const near = unknown.allow(`${from} ${asked}`) ? monitor.nearest(asked) : undefined
      pollers.unknown(asked, from, clock.now(), near)
      if (near === undefined) return
      log('request.unknown', { asked, from, near }, `${from} asks for ${asked}, which is not in the config${near.length > 0 ? `; near: ${near.join(', ')}` : ''}`)
    },
    onRefused: (from, why) => {
      if (refused.allow(`${from} ${why}`)) log('request.refused', { from, why }, `refused ${from}: ${why}`)
    },
    onTrouble: error => {
      const { code = 'error' } = error as NodeJS.ErrnoException
      if (trouble.allow(code)) log('agent.trouble', { why: code }, 'cannot accept a connection; goes on')
    }
  }
}
