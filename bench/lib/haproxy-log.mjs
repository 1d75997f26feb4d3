/**
 * Every agent-check that HAProxy had no answer to, from its log. With `option log-health-checks` it writes a line whenever
 * a check ends otherwise than the one before: the first failure of a run, and the answer that ended the run, are there with
 * their time and their duration, to whatever server, however short. The failures in between follow from the time between:
 * the next check of a server begins `agent-inter` after the end of the last.
 */

const LINE = /^<\d>(\S+) Agent check for server (\S+) \w+(?: \w+)?, reason: ([^,]+).*check duration: (\d+)ms/
/** What HAProxy calls an answer: `up`, `down`, and one that changes nothing. */
const ANSWERED = new Set(['Layer7 check passed', 'Layer7 wrong status', 'No status change'])

/** `[{ atMs, server, reason, answered, tookMs }]`, in the order of time. */
export function parseLog (text) {
  return text.split('\n').flatMap(line => {
    const match = LINE.exec(line)
    if (match === null) return []
    const [, time, server, reason, tookMs] = match
    return [{ atMs: Date.parse(time), server, reason, answered: ANSWERED.has(reason), tookMs: Number(tookMs) }]
  })
}

/** `[{ atMs, server, reason }]`: one for each check without an answer that ended before `untilMs`. */
export function unansweredIn (events, { interMs, untilMs }) {
  const byServer = new Map()
  for (const event of events) {
    const known = byServer.get(event.server)
    if (known === undefined) byServer.set(event.server, [event])
    else known.push(event)
  }
  return [...byServer.values()].flatMap(own => own.flatMap((event, i) => event.answered ? [] : runOf(event, own[i + 1], { interMs, untilMs })))
    .filter(({ atMs }) => atMs < untilMs)
}

/** The failures from `first` to whatever came next, or up to now. */
function runOf (first, next, { interMs, untilMs }) {
  const periodMs = interMs + first.tookMs
  const more = next === undefined
    ? Math.floor((untilMs - first.atMs) / periodMs)
    : Math.round((next.atMs - first.atMs - interMs - next.tookMs) / periodMs)
  return Array.from({ length: 1 + Math.max(0, more) }, (_, i) => ({ atMs: first.atMs + i * periodMs, server: first.server, reason: first.reason }))
}
