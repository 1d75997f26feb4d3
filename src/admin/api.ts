/**
 * What the admin port says and takes, as schemas: requests are checked by them, and the OpenAPI description is made
 * of them. Ages and times to come are in ms (a reader needs no clock of ours); moments are ISO 8601 in UTC.
 */
import { z } from 'zod'
import { AUTHOR_CHARACTERS_MAX, ORDER_MS_MAX, REASON_CHARACTERS_MAX } from '../core/order.ts'

const ms = z.int().nonnegative()
const moment = z.iso.datetime({ offset: true })
/** People leave out the seconds. */
const momentGiven = z.union([z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 })], { error: 'must be a moment like 2026-12-01T06:00Z' })
const NAME = /^[A-Za-z0-9_.:-]{1,64}$/
/** One server, all of a backend, or all. */
export const scope = z.string().regex(/^(?:\*\/\*|[A-Za-z0-9_.:-]{1,64}\/(?:\*|[A-Za-z0-9_.:-]{1,64}))$/, {
  error: 'must be a server like web/a, all of a backend like web/*, or */*'
})

export const ACTIONS = ['drain', 'maint', 'ready', 'up', 'down', 'weight'] as const
const actionName = z.enum(ACTIONS, { error: `must be one of ${ACTIONS.join(', ')}` })
const percent = z.int({ error: 'must be a whole number, 0 to 100' }).min(0, { error: 'must be 0 to 100' }).max(100, { error: 'must be 0 to 100' })

export const TARGETS_MAX = 1000

/** What an order says, whatever it is for. */
const wanted = {
  action: actionName,
  weightPercent: percent.optional().describe('of a weight: the cap'),
  reason: z.string({ error: 'must say why: whoever reads it at three in the morning has nothing else' }).trim()
    .min(1, { error: 'must say why' }).max(REASON_CHARACTERS_MAX, { error: `must be at most ${REASON_CHARACTERS_MAX} characters` }),
  forMs: z.int().positive().max(ORDER_MS_MAX, { error: 'must be at most a year' }).optional().describe('ends so long from now'),
  until: momentGiven.optional().describe('ends then; not together with forMs. Neither: until it is cleared'),
  rampMs: z.int().positive().max(ORDER_MS_MAX).optional().describe('of a weight: walk there in steps within this time, and back before the end'),
  by: z.string().trim().min(1).max(AUTHOR_CHARACTERS_MAX).optional().describe('who, where there is no token to say it'),
  force: z.boolean().optional().describe('also when too few would be left in service'),
  atMost: z.int().min(1).optional().describe('refuse when more servers of the backend than this would be out by order')
}
const isWhole = ({ action, weightPercent, rampMs, forMs, until }: {
  readonly action: string, readonly weightPercent?: number | undefined, readonly rampMs?: number | undefined
  readonly forMs?: number | undefined, readonly until?: string | undefined
}): string | undefined => {
  if (action === 'weight' && weightPercent === undefined) return 'a weight needs weightPercent'
  if (action !== 'weight' && weightPercent !== undefined) return 'weightPercent is only for action weight'
  if (action !== 'weight' && rampMs !== undefined) return 'rampMs is only for action weight'
  if (forMs !== undefined && until !== undefined) return 'forMs and until: one of them'
  if (forMs !== undefined && rampMs !== undefined && rampMs * 2 > forMs) return 'rampMs must be at most half of forMs: it walks there and back'
  return undefined
}
const whole = (value: Parameters<typeof isWhole>[0], context: z.core.$RefinementCtx): void => {
  const message = isWhole(value)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
}

export const putBody = z.strictObject(wanted).superRefine(whole)
export const postBody = z.strictObject({
  ...wanted, targets: z.array(scope, { error: 'must be a list of servers' }).min(1, { error: 'must name a server' }).max(TARGETS_MAX, { error: `must be at most ${TARGETS_MAX}` }).describe('all of them, or none')
}).superRefine(whole)
export type OrderBody = z.output<typeof postBody>

/** Who ends an order, where there is no token to say it: in the query, for a DELETE may lose its body on the way. */
export const clearQuery = z.strictObject({
  by: wanted.by,
  force: z.stringbool({ error: 'must be true or false' }).optional().describe('also when what it hid takes too many out')
})

/** An order, or a maintenance window of the config, which is one that comes by itself. */
export const overrideView = z.strictObject({
  scope: z.string(),
  action: actionName,
  weightPercent: percent.optional(),
  /** Where the cap of a ramp is now. */
  nowPercent: percent.optional(),
  by: z.string(),
  reason: z.string(),
  kind: z.enum(['override', 'window']),
  /** On one server: whether this one has its way. In the list of all: whether it has begun. */
  status: z.enum(['counts', 'hidden', 'coming']),
  from: moment,
  until: moment.optional(),
  /** Since it began, or until it begins (`status: coming`). */
  ageMs: ms.optional(),
  beginsInMs: ms.optional(),
  endsInMs: ms.optional(),
  rampMs: ms.optional()
})
export type OverrideView = z.output<typeof overrideView>

export const serverStatus = z.strictObject({
  server: z.string().describe('backend/server'),
  state: z.enum(['unknown', 'up', 'drain', 'maint', 'down']),
  weightPercent: percent,
  layer: z.string().describe('who had the last word'),
  because: z.array(z.string()),
  sentence: z.string(),
  reply: z.string().describe('the line as HAProxy gets it, without its line end'),
  forMs: ms,
  next: z.string().optional().describe('what happens next by itself, as far as one can say'),
  asked: z.boolean().describe('whether an HAProxy asks for it')
})
export type ServerStatus = z.output<typeof serverStatus>

export const backendStory = z.strictObject({
  servers: z.int(),
  fit: z.int().describe('in service by their own verdict'),
  need: z.int().describe('what min_up and max_out want'),
  extra: z.int().describe('wanted beyond that, under strain'),
  kept: z.array(z.string()).describe('in service against their criteria'),
  strained: z.boolean(),
  outByOrder: z.array(z.string()),
  inService: z.int().describe('takes traffic, as far as we say it')
})

export const pollerView = z.strictObject({
  from: z.string(),
  servers: z.int(),
  intervalMs: ms.optional().describe('its own pace; absent before it is known'),
  agoMs: ms,
  silent: z.boolean()
})
export const unknownView = z.strictObject({
  asked: z.string(), from: z.string(), near: z.array(z.string()), times: z.int(), agoMs: ms
})
export const pollersBody = z.strictObject({ pollers: z.array(pollerView), unasked: z.array(z.string()), unknown: z.array(unknownView) })
export type PollersBody = z.output<typeof pollersBody>

export const statusBody = z.strictObject({
  version: z.string(),
  uptimeMs: ms,
  backends: z.array(z.strictObject({ backend: z.string(), mode: z.enum(['enforce', 'observe']), ...backendStory.shape })),
  servers: z.array(serverStatus),
  overrides: z.array(overrideView),
  ...pollersBody.shape,
  journal: z.strictObject({ on: z.boolean(), dropped: z.int() })
})
export type StatusBody = z.output<typeof statusBody>

export const criterionView = z.strictObject({
  name: z.string(),
  kind: z.string(),
  onFail: z.string(),
  status: z.enum(['pass', 'fail', 'doubt', 'no sample']),
  health: z.int().optional().describe('HAProxy\'s counter: passing while at least rise'),
  rise: z.int(),
  fall: z.int(),
  value: z.union([z.number(), z.string(), z.boolean(), z.null()]).optional(),
  limit: z.string().optional(),
  reason: z.string().optional(),
  forMs: ms.optional()
})
export const askedBy = z.strictObject({
  from: z.string(),
  agoMs: ms,
  intervalMs: ms.optional(),
  times: z.int(),
  told: z.string().describe('the line it last heard'),
  heard: z.boolean().describe('whether it has asked since the decision last changed')
})
export const serverBody = z.strictObject({
  ...serverStatus.shape,
  backend: backendStory,
  criteria: z.array(criterionView),
  overrides: z.array(overrideView),
  pollers: z.array(askedBy)
})
export type ServerBody = z.output<typeof serverBody>

/** Who still has traffic on a server. */
export const trafficBody = z.strictObject({
  haproxys: z.array(z.strictObject({
    socket: z.string(),
    status: z.string().optional().describe('as HAProxy shows it'),
    sessions: z.int().optional().describe('absent where HAProxy does not have this server'),
    error: z.string().optional()
  })).describe('of haproxy.sockets'),
  waiting: z.array(z.string()).describe('pollers that have not asked since the decision last changed'),
  heard: z.int().describe('number of pollers that have asked since then')
})
export type TrafficBody = z.output<typeof trafficBody>

export const overridesBody = z.strictObject({ overrides: z.array(overrideView) })
export const givenBody = z.strictObject({
  overrides: z.array(overrideView).describe('as they stand now; without one for a ready that had nothing to undo'),
  servers: z.array(serverStatus).describe('what the servers concerned are now'),
  backends: z.array(z.strictObject({ backend: z.string(), inService: z.int(), servers: z.int() })),
  notes: z.array(z.string()).describe('what one should know besides')
})
export type GivenBody = z.output<typeof givenBody>

/** One line of the log that is not debug. Its other fields are those of docs/logs.md. */
export const eventView = z.looseObject({
  id: z.number().describe('grows; the Last-Event-ID to go on from'),
  at: moment,
  event: z.string(),
  level: z.enum(['info', 'warn', 'error']),
  msg: z.string()
})
export type EventView = z.output<typeof eventView>
export const eventsBody = z.strictObject({ events: z.array(eventView) })
export const eventsQuery = z.strictObject({
  since: momentGiven.optional(),
  sinceMs: z.coerce.number().int().nonnegative().optional().describe('events of the last so many ms'),
  after: z.coerce.number().int().nonnegative().optional().describe('events with a larger id'),
  backend: z.string().regex(NAME).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).optional().describe('the newest so many; 1000 by default')
})
export type EventsQuery = z.output<typeof eventsQuery>

export const reloadBody = z.strictObject({ config: z.string(), backends: z.int(), servers: z.int() })

export const healthBody = z.strictObject({ status: z.enum(['ok', 'stopping']) })
export const serverHealthBody = z.strictObject({ status: z.enum(['in', 'out']) })

/** RFC 9457. */
export const problemBody = z.looseObject({
  type: z.string(), title: z.string(), status: z.int(), detail: z.string()
})
/** Why an order was refused: too few would be left, too many are out by order already, or it cannot be kept on disk. */
export const REFUSALS = ['min_up', 'at_most', 'full', 'disk'] as const
export type RefusalCode = typeof REFUSALS[number]
