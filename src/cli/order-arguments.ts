/** What is typed after `hcf drain`, `maint`, `ready`, `up`, `down` and `weight`, as the order to send. */
import type { Command } from 'commander'
import type { ACTIONS, OrderBody } from '../admin/api.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { agentOptions, type Where } from './admin-client.ts'
import { CommandError, EXIT, type Io } from './io.ts'
import { shellWords } from './order-view.ts'
import { parseWait } from './patience.ts'
import { parseLasting, parseUntil } from './times.ts'

export type Action = typeof ACTIONS[number]

export interface OrderOptions extends Where {
  readonly reason?: string
  readonly for?: string
  readonly until?: string
  readonly by?: string
  readonly force?: true
  readonly atMost?: string
  readonly queue?: string | true
  readonly wait?: string | true
  readonly ramp?: string
  readonly json?: true
}

export interface Asked {
  readonly order: OrderBody
  /** How long to try again while there is no room. */
  readonly queueMs?: number
  /** How long to wait until HAProxy has done it. */
  readonly waitMs?: number
}

export const WAIT = '60s'
const QUEUE = '10m'

/** Orders that take servers out of service. */
export const takesOut = (action: Action): boolean => action === 'drain' || action === 'maint' || action === 'down'

export function orderOptions (command: Command, action: Action): void {
  const isWeight = action === 'weight'
  command.argument('[backend/server...]', `servers; 'backend/*' is all of it, '*/*' all there are${isWeight ? '. And a percentage, like 25%' : ''}`)
  command.option('--reason <text>', 'why: whoever reads it at three in the morning has nothing else')
  command.option('--for <duration>', 'ends by itself after so long: 30m, 1h30m, 2d')
  command.option('--until <moment>', 'ends by itself then: 2026-12-01T06:00Z')
  if (isWeight) command.option('--ramp <duration>', 'walk there in steps within this time, and back before the end')
  command.option('--by <name>', 'author, where the token does not say (default: who runs this)')
  command.option('--force', 'also when fewer than min_up would be left, or more than policy.at_most_drained would be out')
  command.option('--at-most <servers>', 'refuse when more servers of a backend would be out by order')
  command.option('--queue [duration]', `when it is refused for that, try again until there is room, for at most this long (default: ${QUEUE})`)
  if (!isWeight) command.option('--wait [duration]', `return when ${takesOut(action) ? 'HAProxy has no session left on it (without haproxy.sockets in the config: has heard of it)' : 'it takes traffic again'}, or with 1 after this long (default: ${WAIT})`)
  agentOptions(command)
  command.addHelpText('after', `\n${EXAMPLES[action]}\n\nWithout --for and --until it holds until hcf clear. It outlives a restart of hcf.`)
}

const EXAMPLES: Readonly<Record<Action, string>> = {
  drain: 'hcf drain web/a --reason "kernel update" --for 30m --wait && reboot',
  maint: 'hcf maint web/a --reason "new disk, ticket 912" --for 4h',
  down: 'hcf down web/a --reason "answers nonsense, ticket 912"',
  up: 'hcf up web/a --reason "the check is wrong, not the server" --for 1h',
  weight: 'hcf weight web/a 25% --reason "new release, careful" --for 2h --ramp 10m',
  ready: 'hcf ready web/a --reason "done, while all of web/* is drained"'
}

export function parseOrder (action: Action, given: readonly string[], options: OrderOptions, io: Pick<Io, 'user'>): Asked {
  const words = [...given] // may be none yet: the only one may follow --wait
  // `--wait web/a`: what follows an option that may have a value is taken for it
  const value = (option: string, text: string | true | undefined, otherwise: string): number | undefined => {
    if (text === undefined) return undefined
    const isTarget = text !== true && /[/%]/.test(text)
    if (isTarget) words.push(text)
    return parseWait(option, text === true || isTarget ? otherwise : text)
  }
  const waitMs = value('--wait', options.wait, WAIT)
  const queueMs = value('--queue', options.queue, QUEUE)
  const { targets, weightPercent } = targetsOf(action, words)
  const order: OrderBody = { action, targets, reason: reasonOf(action, words, options), by: options.by ?? io.user, ...weightPercent, ...times(options), ...cautions(options) }
  return { order, ...(queueMs === undefined ? {} : { queueMs }), ...(waitMs === undefined ? {} : { waitMs }) }
}

function targetsOf (action: Action, words: readonly string[]): { readonly targets: string[], readonly weightPercent: { readonly weightPercent?: number } } {
  const targets = words.filter(word => word.includes('/'))
  const others = words.filter(word => !word.includes('/'))
  if (action !== 'weight') return { targets: parseScopes(words), weightPercent: {} }
  const [percent, ...rest] = others
  if (percent === undefined || rest.length > 0 || !/^(?:\d|[1-9]\d|100)%$/.test(percent)) {
    const is = percent === undefined ? 'there is none' : `is ${others.join(' ')}`
    throw new CommandError(`hcf weight takes servers and one percentage of 0% to 100%, ${is}. For example: hcf weight web/a 25% --reason "new release, careful"`, EXIT.usage)
  }
  if (targets.length === 0) throw new CommandError(`which server shall have ${percent}? For example: hcf weight web/a ${percent} --reason "new release, careful"`, EXIT.usage)
  return { targets: parseScopes(targets), weightPercent: { weightPercent: Number.parseInt(percent, 10) } }
}

export function parseScopes (words: readonly string[]): string[] {
  if (words.length === 0) throw new CommandError("which server? Write backend/server, or 'backend/*' for all of it", EXIT.usage)
  const wrong = words.find(word => !/^[^/]+\/[^/]+$/.test(word))
  if (wrong !== undefined) throw new CommandError(`a server is written backend/server, and all of a backend '${wrong.replaceAll('/', '') || 'web'}/*', is ${wrong}`, EXIT.usage)
  return [...new Set(words)]
}

function reasonOf (action: Action, words: readonly string[], { reason = '' }: OrderOptions): string {
  if (reason.trim() !== '') return reason
  throw new CommandError(`--reason is missing: whoever finds this at three in the morning has nothing else. For example: hcf ${action} ${shellWords(words)} --reason "kernel update" --for 30m`, EXIT.usage)
}

function times ({ for: lasts, until, ramp }: OrderOptions): Pick<OrderBody, 'forMs' | 'until' | 'rampMs'> {
  if (lasts !== undefined && until !== undefined) throw new CommandError('--for and --until: one of them', EXIT.usage)
  return {
    ...(lasts === undefined ? {} : { forMs: parseLasting('--for', lasts) }),
    ...(until === undefined ? {} : { until: parseUntil(until, clock.wall()) }),
    ...(ramp === undefined ? {} : { rampMs: parseLasting('--ramp', ramp) })
  }
}

function cautions ({ force, atMost }: OrderOptions): Pick<OrderBody, 'force' | 'atMost'> {
  if (atMost !== undefined && !/^[1-9]\d{0,5}$/.test(atMost)) throw new CommandError(`--at-most must be a number of servers, at least 1, is ${atMost}`, EXIT.usage)
  return { ...(force === undefined ? {} : { force }), ...(atMost === undefined ? {} : { atMost: Number(atMost) }) }
}
