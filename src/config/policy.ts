/** `policy:` of a backend, as it is written and as the core takes it: a group for each layer, and each can be `off`. */
import { z } from 'zod'
import { DEFAULT_POLICY, type Mode, type Policy } from '../core/policy.ts'
import { duration, DURATION_MS_MAX, durationUpTo, percent, percentIn, wholeNumber } from '../criteria/scalars.ts'

/** Nothing in it is off. */
const DEFAULT = DEFAULT_POLICY as Required<Policy>

const HOUR_MS = 3_600_000
/** Bounds such that what follows from them by default (`stale_after`, `stale_open`) can be written too. */
export const paceDuration = durationUpTo(HOUR_MS)
const staleDuration = durationUpTo(DURATION_MS_MAX / 2)

type Codec = typeof duration
const time = (ms: number, codec: Codec = duration): z.ZodPrefault<Codec> => codec.prefault(z.encode(codec, ms))
const part = (n: number, codec: Codec = percent): z.ZodPrefault<Codec> => codec.prefault(z.encode(codec, n))

const percentOrNone = percentIn('0% to 100%', /^(?:\d|[1-9]\d|100)%$/)
const percentBelowAll = percentIn('1% to 99%', /^[1-9]\d?%$/)
const percentToHalf = percentIn('1% to 50%', /^(?:[1-9]|[1-4]\d|50)%$/)
const percentAboveAll = percentIn('101% to 1000%', /^(?:10[1-9]|1[1-9]\d|[2-9]\d\d|1000)%$/)

export const OFF = 'off'
/** YAML 1.1 reads the word as `false`. */
const off = z.codec(z.literal([OFF, false]), z.literal(OFF), {
  decode: (): typeof OFF => OFF, encode: (): typeof OFF => OFF
})

type Group<S extends z.ZodRawShape> = z.ZodPrefault<z.ZodUnion<readonly [typeof off, z.ZodObject<S, z.core.$strict>]>>

/** `off`, or a mapping in which every key has its default. */
export function group<const S extends z.ZodRawShape> (shape: S): Group<S> {
  const keys = Object.keys(shape)
  const error = `must be off, or a mapping of ${[keys.slice(0, -1).join(', '), keys.at(-1)].filter(Boolean).join(' and ')}`
  return z.union([off, z.strictObject(shape)], { error }).prefault({} as never)
}

export const policySchema = z.strictObject({
  interval: paceDuration.prefault('2s'),
  fast: duration.prefault('500ms'),
  timeout: paceDuration.prefault('2s'),
  hedge: z.union([off, duration], { error: 'must be off, or a duration like 700ms' }).prefault('700ms'),
  rise: wholeNumber(1, 100).default(2),
  fall: wholeNumber(1, 100).default(3),
  window: group({ fails: wholeNumber(1, 30).default(DEFAULT.window.fails), of: wholeNumber(2, 30).default(DEFAULT.window.of) }),
  gate: group({
    quorum: part(DEFAULT.gate.quorumPercent),
    quorum_strict: part(DEFAULT.gate.strictQuorumPercent),
    settle: time(DEFAULT.gate.settleMs)
  }),
  burst: group({ share: part(DEFAULT.burst.sharePercent), within: time(DEFAULT.burst.withinMs) }),
  strain: group({
    slow: part(DEFAULT.strain.slowPercent),
    share: part(DEFAULT.strain.sharePercent),
    up: time(DEFAULT.strain.upMs),
    down: time(DEFAULT.strain.downMs),
    step: part(DEFAULT.strain.stepPercent)
  }),
  hold: group({ base: time(DEFAULT.hold.baseMs), max: time(DEFAULT.hold.maxMs), window: time(DEFAULT.hold.windowMs) }),
  min_up: wholeNumber(0).default(DEFAULT.minUp),
  max_out: part(DEFAULT.maxOutPercent, percentOrNone),
  at_most_drained: wholeNumber(1).optional(),
  weight: group({
    floor: part(DEFAULT.weight.floorPercent),
    quantum: part(DEFAULT.weight.quantumPercent, percentToHalf),
    every: time(DEFAULT.weight.everyMs),
    down: part(DEFAULT.weight.downPercent, percentBelowAll),
    up: part(DEFAULT.weight.upPercent),
    base: wholeNumber(1, 256).default(DEFAULT.baseWeight)
  }),
  peers: group({
    slower: part(DEFAULT.peers.slowerPercent, percentAboveAll),
    least: time(DEFAULT.peers.leastMs),
    servers: wholeNumber(2).default(DEFAULT.peers.servers)
  }),
  ramp: group({ for: time(DEFAULT.ramp.forMs), from: part(DEFAULT.ramp.fromPercent), full: part(DEFAULT.ramp.fullPercent, percentOrNone) }),
  stale_after: staleDuration.optional(),
  stale_open: duration.optional(),
  stale: z.enum(['open', 'hold'], { error: 'must be open or hold' }).default('open')
}, { error: 'must be a mapping of policy settings' })

export type PolicyFile = z.output<typeof policySchema>

export const modeSchema = z.enum(['enforce', 'observe'] satisfies Mode[], { error: 'must be enforce or observe' }).default(DEFAULT.mode)

/** What of a policy can be read, when some of it is wrong: those keys are left out. */
export function readablePolicy (raw: Readonly<Record<string, unknown>>): Partial<PolicyFile> {
  const policy: Partial<PolicyFile> = Object.fromEntries(Object.entries(policySchema.shape).flatMap(([key, schema]) => {
    const parsed = schema.safeParse(raw[key])
    return parsed.success ? [[key, parsed.data] as const] : []
  }))
  const { stale_open: _, ...rest } = policy
  return 'stale_after' in policy ? policy : rest // or nobody knows what stale_open must be above
}

/** `timeoutMs`: the longest that a poll which shows a server may take. */
export function toPolicy ({ mode, policy: file }: { readonly mode: Mode, readonly policy: PolicyFile }, timeoutMs = file.timeout): Policy {
  const { window, gate, burst, strain, hold, min_up: minUp, max_out: maxOutPercent, at_most_drained: atMostDrained, peers, ramp } = file
  return {
    mode,
    ...(window === OFF ? {} : { window }),
    ...(gate === OFF ? {} : { gate: { quorumPercent: gate.quorum, strictQuorumPercent: gate.quorum_strict, settleMs: gate.settle } }),
    ...(burst === OFF ? {} : { burst: { sharePercent: burst.share, withinMs: burst.within } }),
    ...(strain === OFF ? {} : {
      strain: { slowPercent: strain.slow, sharePercent: strain.share, upMs: strain.up, downMs: strain.down, stepPercent: strain.step }
    }),
    ...(hold === OFF ? {} : { hold: { baseMs: hold.base, maxMs: hold.max, windowMs: hold.window } }),
    minUp,
    maxOutPercent,
    ...(atMostDrained === undefined ? {} : { atMostDrained }),
    ...toWeight(file.weight),
    ...(peers === OFF ? {} : { peers: { slowerPercent: peers.slower, leastMs: peers.least, servers: peers.servers } }),
    ...(ramp === OFF ? {} : { ramp: { forMs: ramp.for, fromPercent: ramp.from, fullPercent: ramp.full } }),
    ...toStale(file, timeoutMs)
  }
}

export function toWeight (weight: PolicyFile['weight']): Pick<Policy, 'weight' | 'baseWeight'> {
  if (weight === OFF) return { baseWeight: DEFAULT.baseWeight }
  const { floor, quantum, every, down, up, base } = weight
  return {
    weight: { floorPercent: floor, quantumPercent: quantum, everyMs: every, downPercent: down, upPercent: up },
    baseWeight: base
  }
}

/** So many looks in a row can fail to come, each at its slowest, before a verdict is old; and what may be late besides. */
const STALE_LOOKS = 3
const STALE_MARGIN_MS = 3000
/** How many times as old a verdict is given up. */
const OPEN_TIMES = 8

export function toStale (
  { interval, stale, stale_after: after, stale_open: open }: Partial<PolicyFile> & Pick<PolicyFile, 'interval'>, timeoutMs: number
): Pick<Policy, 'staleAfterMs' | 'staleOpenMs'> {
  const staleAfterMs = after ?? Math.max(DEFAULT.staleAfterMs, STALE_LOOKS * (interval + timeoutMs) + STALE_MARGIN_MS)
  if (stale === 'hold') return { staleAfterMs }
  return { staleAfterMs, staleOpenMs: open ?? Math.min(DURATION_MS_MAX, Math.max(DEFAULT.staleOpenMs, OPEN_TIMES * staleAfterMs)) }
}

/** The policy with what follows from the rest of it written out. */
export const writePolicy = (file: PolicyFile, { staleAfterMs, staleOpenMs }: Policy): PolicyFile =>
  ({ ...file, stale_after: staleAfterMs, ...(staleOpenMs === undefined ? {} : { stale_open: staleOpenMs }) })
