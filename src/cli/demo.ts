/** `hcf demo`: the whole farm on loopback, and a story in which one gateway after another is wounded and recovers. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { Writable } from 'node:stream'
import type { ServerStatus } from '../admin/api.ts'
import { duration } from '../criteria/scalars.ts'
import type { ServerStat } from '../haproxy/runtime.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { STORY, type Act, type Expectation } from '../sim/story.ts'
import { askAdmin, findAdmin } from './admin-client.ts'
import { startFarm, type Farm } from './demo-farm.ts'
import { createView, type View } from './demo-view.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT, table, type Io } from './io.ts'
import { interruption, pause } from './patience.ts'

interface Options { readonly duration?: string, readonly once?: true, readonly calm?: true, readonly log?: string, readonly model?: true }

const LOOK_EVERY_MS = 250
/** How long an act waits for HAProxy to believe it. */
const PATIENCE_MS = 45_000
/** How long traffic runs on, and is counted, once the wounded gateway is out. */
const AFTERMATH_MS = 4000

/** One act as it went. */
interface Outcome {
  readonly act: Act
  readonly seenMs?: number
  readonly backMs?: number
  readonly failedBefore: number
  readonly failedAfter: number
  readonly servedAfter: number
}

export const define: Define = (command, io, end) => {
  command.option('--once', 'play the story once (without a terminal, or --duration, it is anyway)')
  command.option('--duration <duration>', 'play the story again and again for this long')
  command.option('--calm', 'wound nobody: a healthy farm to try things on, until ctrl-C')
  command.option('--log <file>', 'write the agent’s log there')
  command.option('--model', 'use the built-in model of HAProxy even where there is HAProxy')
  command.action(async (options: Options) => { end(await demo(options, io) ? EXIT.ok : EXIT.no) })
}

/** Whether everything went as the story says. */
async function demo (options: Options, io: Io): Promise<boolean> {
  const untilMs = clock.now() + durationOf(options)
  const once = options.once === true || (options.duration === undefined && io.stdout.isTTY !== true)
  const { signal } = interruption(io)

  const log = options.log === undefined ? new Writable({ write: (_, __, done) => { done() } }) : await openLog(options.log)
  const farm = await startFarm({ env: io.env, version: io.version, log, model: options.model === true })
  try {
    const stage = new Stage(farm, io, signal, untilMs)
    stage.introduce()
    if (options.calm === true) {
      await stage.calm()
      return true
    }
    const outcomes = await stage.play(once)
    io.stdout.write(`\n${summary(outcomes, farm)}\n`)
    return outcomes.every(({ failedAfter, seenMs, backMs }) => failedAfter === 0 && (stage.over || (seenMs !== undefined && backMs !== undefined)))
  } finally {
    await farm.stop()
    log.end()
  }
}

async function openLog (file: string): Promise<Writable> {
  const stream = createWriteStream(file)
  await once(stream, 'open').catch((error: unknown) => {
    throw new CommandError(`--log: ${file} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'error'})`, EXIT.usage)
  })
  return stream
}

function durationOf ({ duration: text }: Options): number {
  if (text === undefined) return Number.MAX_SAFE_INTEGER
  const parsed = duration.safeParse(text)
  if (parsed.success) return parsed.data
  throw new CommandError(`--duration must be a duration like 60s, is ${text}`, EXIT.usage)
}

class Stage {
  readonly #farm: Farm
  readonly #view: View
  readonly #signal: AbortSignal
  readonly #startMs = clock.now()
  readonly #untilMs: number
  readonly #io: Io

  constructor (farm: Farm, io: Io, signal: AbortSignal, untilMs: number) {
    this.#farm = farm
    this.#io = io
    this.#signal = signal
    this.#untilMs = untilMs
    const { kind, version } = farm.balancer
    this.#view = createView(io, `hcf ${io.version} with ${kind} ${version} and three simulated Tahoe-LAFS gateways`)
  }

  /** Whether it was cut short. */
  get over (): boolean {
    return this.#signal.aborted || clock.now() >= this.#untilMs
  }

  introduce (): void {
    const { balancer, app, gateways: { addresses } } = this.#farm
    const { statsUrl } = balancer
    this.#view.say([
      `  gateways          ${Object.entries(addresses).map(([name, address]) => `${name}=${address}`).join(' ')}`,
      `  public port       ${balancer.publicUrl}`,
      `  diagnostics port  curl -H 'Host: webapi1' ${balancer.diagnosticsUrl}/`,
      ...(statsUrl === undefined ? [] : [`  HAProxy's stats   ${statsUrl}/`]),
      `  agent             hcf ask ${app.agentAddresses[0] ?? ''} tahoe_read/webapi1`,
      `  why               hcf explain tahoe_read/webapi1 --admin ${app.adminAddress}`,
      ''
    ].join('\n'))
  }

  /** Nobody is wounded, until it is over. */
  async calm (): Promise<void> {
    await this.#until('all is well', 'ctrl-C ends it', () => false, Infinity)
  }

  async play (once: boolean): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = []
    await this.#until('the first polls', 'every gateway is fit', allUp)
    do {
      for (const act of STORY) {
        if (this.over) return outcomes
        outcomes.push(await this.#playAct(act))
      }
    } while (!once && !this.over)
    return outcomes
  }

  async #playAct (act: Act): Promise<Outcome> {
    const { gateways, client } = this.#farm
    const gateway = gateways.byName[act.gateway]
    const failedAtStart = client.counts.failed
    const woundedMs = clock.now()
    this.#view.say(`\n${((woundedMs - this.#startMs) / 1000).toFixed(1).padStart(6)}s  ${act.title}`)
    await gateway.wound(act.wounds)
    const seen = await this.#until(act.title, 'waiting for HAProxy to hear of it', stat => matches(act, stat))
    const seenMs = seen ? clock.now() - woundedMs : undefined
    const failedBefore = client.counts.failed - failedAtStart

    const after = client.mark()
    const calmMs = clock.now() + AFTERMATH_MS
    if (seen) await this.#until(act.title, 'traffic has left; counting failures', () => clock.now() >= calmMs)
    const healedMs = clock.now()
    await gateway.heal()
    const back = await this.#until(`${act.gateway} recovers`, 'waiting for its traffic to come back', allUp)
    const { served: servedAfter, failed: failedAfter } = after.counts()
    const backMs = clock.now() - healedMs
    return { act, ...(seenMs === undefined ? {} : { seenMs }), ...(back ? { backMs } : {}), failedBefore, failedAfter, servedAfter }
  }

  /** Looks and shows until `done`; false when the story was cut short or patience ran out. */
  async #until (act: string, note: string, done: (stat: readonly ServerStat[]) => boolean, patienceMs = PATIENCE_MS): Promise<boolean> {
    const giveUpMs = clock.now() + patienceMs
    for (;;) {
      const [stat, { servers }] = await Promise.all([this.#farm.balancer.stat(), this.#status()])
      this.#view.show({ elapsedMs: clock.now() - this.#startMs, act, note, status: servers, stat, client: this.#farm.client.counts })
      if (done(stat)) return true
      if (this.over || clock.now() > giveUpMs) return false
      await pause(clock, LOOK_EVERY_MS, this.#signal)
    }
  }

  async #status (): Promise<{ servers: readonly ServerStatus[] }> {
    return await askAdmin(findAdmin({ admin: this.#farm.app.adminAddress }, this.#io), '/v1/status') as { servers: readonly ServerStatus[] }
  }
}

const watched = (stat: readonly ServerStat[]): readonly ServerStat[] => stat.filter(({ backend }) => backend.startsWith('tahoe_'))
const FIT: Expectation = { status: ['UP'], weight: 100 }
const fits = ({ status, weight }: ServerStat, expected: Expectation): boolean =>
  expected.status.includes(status) && (expected.weight === undefined || weight === expected.weight)
/** Fit, and heard from the agent: HAProxy starts with everybody up. */
const allUp = (stat: readonly ServerStat[]): boolean => watched(stat).every(row => fits(row, FIT) && row.lastAgent !== '')

/** What the act expects of its gateway, and nothing else out. */
const matches = (act: Act, stat: readonly ServerStat[]): boolean => watched(stat).every(row =>
  fits(row, (row.server === act.gateway ? act.expect[row.backend as keyof Act['expect']] : undefined) ?? FIT))

function summary (outcomes: readonly Outcome[], { client }: Farm): string {
  const time = (ms: number | undefined): string => ms === undefined ? 'not seen' : `${(ms / 1000).toFixed(1)}s`
  const rows = outcomes.map(({ act, seenMs, backMs, failedBefore, failedAfter, servedAfter }) =>
    [time(seenMs), time(backMs), String(failedBefore), `${failedAfter} of ${servedAfter + failedAfter}`, act.title])
  const { served, failed } = client.counts
  const lost = outcomes.reduce((sum, { failedAfter }) => sum + failedAfter, 0)
  return [
    table([['seen after', 'back after', 'failed before', 'failed after', 'what happened'], ...rows]),
    '',
    `${served} requests served, ${failed} failed; ${lost} of them after HAProxy had taken the wounded gateway out.`
  ].join('\n')
}
