/** `hcf drain`, `maint`, `down`, `up`, `weight` and `ready`: the operator's hand. */
import type { GivenBody } from '../admin/api.ts'
import { showDuration } from '../core/text.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { askAdmin, findAdmin, Refusal, type Admin } from './admin-client.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT, type ExitCode, type Io } from './io.ts'
import { orderOptions, parseOrder, takesOut, type Action, type Asked, type OrderOptions } from './order-arguments.ts'
import { renderGiven, shellWords } from './order-view.ts'
import { interruption, pause } from './patience.ts'
import { waitUntilIn, waitUntilOut } from './wait.ts'

/** How often a queued order is tried again. */
const TRY_EVERY_MS = 1000

export const define: Define = (command, io, end) => {
  const action = command.name() as Action
  orderOptions(command, action)
  command.action(async (words: string[], options: OrderOptions) => {
    const asked = parseOrder(action, words, options, io)
    end(await order(findAdmin(options, io), asked, io, options.json === true))
  })
}

async function order (admin: Admin, asked: Asked, io: Io, json: boolean): Promise<ExitCode> {
  const { order: { action, targets }, waitMs, queueMs } = asked
  const waits = waitMs !== undefined || queueMs !== undefined
  const { signal, off } = waits ? interruption(io) : { signal: new AbortController().signal, off: () => undefined }
  try {
    const given = await give(admin, asked, io, signal, json)
    io.stdout.write(json ? `${JSON.stringify(given, undefined, 2)}\n` : renderGiven(given, takesOut(action), io, clock.wall()))
    if (waitMs === undefined) return EXIT.ok
    const stays = action === 'ready' ? '' : `The ${action} stays, until hcf clear ${shellWords(targets)}`
    const wait = takesOut(action) ? waitUntilOut : waitUntilIn
    return await wait(given.servers, { admin, io, waitMs, signal, stays }) ? EXIT.ok : EXIT.no
  } finally {
    off()
  }
}

async function give (admin: Admin, { order: body, queueMs }: Asked, io: Io, signal: AbortSignal, json: boolean): Promise<GivenBody> {
  const giveUpMs = clock.now() + (queueMs ?? 0)
  const said = new Set<string>()
  for (;;) {
    const answer = await attempt(admin, body, signal)
    if (!(answer instanceof CommandError)) return answer
    if (signal.aborted && isAway(answer)) throw new CommandError(`given up: ${answer.message}`, EXIT.no)
    if (queueMs === undefined || !(mayPass(answer) || (isAway(answer) && said.size > 0))) throw inJson(answer, io, json)
    if (signal.aborted) throw givenUp(said)
    if (clock.now() + TRY_EVERY_MS > giveUpMs) throw inJson(answer, io, json)
    const kind = answer instanceof Refusal ? answer.problem.code ?? '' : 'away'
    if (!said.has(kind)) io.stderr.write(`${withoutHints(answer.message)}\ntries again for at most ${showDuration(queueMs)}; ctrl-C gives up\n`)
    said.add(kind)
    await pause(clock, TRY_EVERY_MS, signal)
    if (signal.aborted) throw givenUp(said)
  }
}

/** An agent that went away may have taken it first. */
const givenUp = (said: ReadonlySet<string>): CommandError =>
  new CommandError(said.has('away') ? 'given up: hcf status shows whether anything was changed' : 'given up: nothing was changed', EXIT.no)

async function attempt (admin: Admin, body: object, signal: AbortSignal): Promise<GivenBody | CommandError> {
  try {
    return await askAdmin(admin, '/v1/overrides', { method: 'POST', body, signal }) as GivenBody
  } catch (error) {
    if (error instanceof CommandError) return error
    throw error
  }
}

/** What to type instead is no news to who has typed it. */
const withoutHints = (message: string): string => message.split(/(?<=\.) /).filter(sentence => !sentence.startsWith('--')).join(' ')

/** Room may come; a full disk is nothing to wait for. */
const mayPass = (error: CommandError): boolean => error instanceof Refusal && ['min_up', 'at_most'].includes(error.problem.code ?? '')
/** While it is started anew. */
const isAway = ({ exitCode }: CommandError): boolean => exitCode === EXIT.unavailable

/** A program reads the refusal where it reads the answer. */
function inJson (error: CommandError, io: Io, json: boolean): CommandError {
  if (json && error instanceof Refusal) io.stdout.write(`${JSON.stringify(error.problem, undefined, 2)}\n`)
  return error
}
