/** The composition root: config in, a running agent out. Build, then swap; close in the reverse order of opening. */
import { systemClock, type Clock, type Timer } from './runtime/clock.ts'
import type { Log } from './runtime/log.ts'
import { Lateness } from './runtime/lateness.ts'
import { Monitor, type ServerView } from './runtime/monitor.ts'
import { readPolled, savePolled } from './runtime/polled.ts'
import { Pollers } from './runtime/pollers.ts'
import { fileStore, Said } from './runtime/said.ts'
import { Scheduler } from './runtime/scheduler.ts'
import { Throttle } from './runtime/throttle.ts'
import { makeRoom } from './runtime/unix-socket.ts'
import type { ServerDetail, ServerStatus } from './admin/server.ts'
import { encodeReply } from './agent/protocol.ts'
import { listenAgent, type AgentDeps, type AgentListener } from './agent/server.ts'
import type { Config } from './config/load.ts'
import { showAddress, type Address } from './config/schema.ts'
import { Deadlines } from './probes/deadline.ts'
import { createProbe } from './probes/index.ts'
import type { Reply } from './core/reply.ts'

/** How long a stopping agent waits for HAProxys to hear its last word. They keep it for as long as we are away. */
export const LAST_WORD_MS = 5000
const LAST_WORD_LOOK_MS = 50
/** What time alone changes is told this soon, also when nobody asks. */
const TICK_MS = 1000
const COMPLAIN_EVERY_MS = 60_000

export interface AppDeps {
  readonly log: Log
  readonly version: string
  readonly clock?: Clock
}

export interface App {
  /** Where we listen, once started. */
  readonly agentAddresses: readonly string[]
  readonly adminAddress: string
  /** Throws what the system says when an address cannot be listened on; the old config is then still running. */
  reload: (config: Config) => Promise<void>
  stop: () => Promise<void>
}

export async function startApp (config: Config, deps: AppDeps): Promise<App> {
  const agent = new RunningAgent(config, deps)
  await agent.open(config)
  return agent
}

class RunningAgent implements App {
  readonly #clock: Clock
  readonly #log: Log
  readonly #version: string
  readonly #pollers: Pollers
  readonly #monitor: Monitor
  readonly #scheduler: Scheduler
  readonly #agentDeps: AgentDeps
  readonly #startedMs: number
  readonly #stateDir: string
  #reloading: Promise<void> = Promise.resolve()
  #listeners: readonly AgentListener[] = []
  #admin: { readonly address: Address, readonly bound: string, readonly close: () => Promise<void> } | undefined
  #lateness: Lateness | undefined
  #ticker: Timer | undefined
  #stopping = false

  constructor (config: Config, { log, version, clock = systemClock }: AppDeps) {
    this.#clock = clock
    this.#log = log
    this.#version = version
    this.#stateDir = config.stateDir
    this.#startedMs = clock.now()
    this.#pollers = new Pollers((from, id) => { log.event('poller.first', { from, server: id }, `${from} asks for the first time, for ${id}`) })
    const said = new Said({ clock, log: log.event, store: fileStore(config.stateDir) })
    const restored = readPolled(config.backends, { clock, log: log.event, stateDir: config.stateDir })
    const encode = (reply: Reply): string => encodeReply(reply).trimEnd()
    this.#monitor = new Monitor(config, { clock, log: log.event, pollers: this.#pollers, said, encode, restored })
    const deadlines = new Deadlines((tick, everyMs) => clock.every(everyMs, tick))
    this.#scheduler = new Scheduler({
      clock,
      createProbe: poll => createProbe(poll, { now: () => clock.now(), deadlines }),
      onSample: (poll, sample) => { this.#monitor.apply(poll, this.#lateness?.taint(sample) ?? sample) },
      isUndecided: poll => this.#monitor.isUndecided(poll),
      isAwaited: poll => this.#monitor.isAwaited(poll),
      wanted: poll => this.#monitor.wanted(poll)
    })
    this.#agentDeps = this.#createAgentDeps()
  }

  get agentAddresses (): readonly string[] {
    return this.#listeners.map(({ bound }) => bound)
  }

  get adminAddress (): string {
    return this.#admin?.bound ?? ''
  }

  /** Answers before the first poll is back: neutral until then, so that HAProxy keeps what it knows. */
  async open (config: Config): Promise<void> {
    this.#log.event('agent.start', { version: this.#version, config: config.file }, 'hcf starts')
    await this.#listen(config)
    this.#lateness = new Lateness(this.#clock, lateMs => {
      const ms = Math.round(lateMs)
      this.#log.event('agent.late', { ms }, `hcf itself was held up for ${ms} ms: what failed meanwhile is not held against any node`)
    })
    this.#scheduler.set(config.polls)
    this.#ticker = this.#clock.every(TICK_MS, () => { this.#monitor.tick() })
    this.#logLoaded(config)
  }

  async reload (config: Config): Promise<void> {
    const turn = this.#reloading.then(async () => this.#reload(config))
    this.#reloading = turn.catch(() => undefined) // whoever asked hears of it; the next one has its own turn
    return turn
  }

  async #reload (config: Config): Promise<void> {
    if (config.stateDir !== this.#stateDir) throw new Error(`state_dir cannot change while running (${this.#stateDir} to ${config.stateDir}): restart hcf`)
    if (this.#stopping) return
    await this.#listen(config)
    if (this.#stopping) return
    this.#monitor.reload(config)
    this.#scheduler.set(config.polls)
    this.#log.setLevel(config.logLevel)
    this.#logLoaded(config)
  }

  /** Stop polling, go on answering until every HAProxy has heard the last answer, close. */
  async stop (): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    await this.#reloading
    this.#scheduler.stop()
    savePolled(this.#monitor.snapshots(), { clock: this.#clock, log: this.#log.event, stateDir: this.#stateDir })
    const silentMs = this.#clock.now()
    const heard = await this.#lastWordHeard(silentMs)
    await Promise.all(this.#listeners.map(async listener => listener.close()))
    await this.#admin?.close()
    this.#ticker?.stop()
    this.#lateness?.stop()
    this.#log.event('agent.stop', { heard, ms: Math.round(this.#clock.now() - silentMs) }, heard ? 'hcf stops: every HAProxy has heard its last answer' : 'hcf stops: some HAProxy has not asked any more')
  }

  async #lastWordHeard (sinceMs: number): Promise<boolean> {
    return new Promise(resolve => {
      const timer = this.#clock.every(LAST_WORD_LOOK_MS, () => { look() })
      const look = (): void => {
        const now = this.#clock.now()
        const heard = this.#pollers.everyoneToldSince(sinceMs, now)
        if (!heard && now - sinceMs < LAST_WORD_MS) return
        timer.stop()
        resolve(heard)
      }
      look()
    })
  }

  /** Opens what is new before it closes what is gone: an address that cannot be had changes nothing. */
  async #listen (config: Config): Promise<void> {
    const listeners: AgentListener[] = []
    const opened: AgentListener[] = []
    try {
      for (const options of config.agent.listen) {
        const known = this.#listeners.find(({ address }) => showAddress(address) === showAddress(options.address))
        const listener = known ?? await listenAgent(options, config.agent, this.#agentDeps)
        if (known === undefined) opened.push(listener)
        listeners.push(listener)
      }
      await this.#listenAdmin(config.adminListen)
    } catch (error) {
      await Promise.all(opened.map(async listener => listener.close()))
      throw error
    }
    for (const [i, options] of config.agent.listen.entries()) listeners[i]?.update(options, config.agent)
    for (const { bound } of opened) this.#log.event('agent.listen', { address: bound }, `answers HAProxy on ${bound}`)
    const gone = this.#listeners.filter(listener => !listeners.includes(listener))
    this.#listeners = listeners
    await Promise.all(gone.map(async listener => listener.close()))
  }

  async #listenAdmin (address: Address): Promise<void> {
    const old = this.#admin
    if (old !== undefined && showAddress(old.address) === showAddress(address)) return
    const { createAdmin } = await import('./admin/server.ts')
    const admin = createAdmin({
      version: this.#version,
      status: () => this.#monitor.ids.flatMap(id => this.#status(id) ?? []),
      server: id => this.#detail(id),
      nearest: id => this.#monitor.nearest(id),
      isStopping: () => this.#stopping,
      uptimeMs: () => Math.round(this.#clock.now() - this.#startedMs)
    })
    if (address.kind === 'unix') await makeRoom(address.path)
    const bound = await admin.listen(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port })
    this.#admin = { address, bound: address.kind === 'unix' ? showAddress(address) : bound.replace('http://', ''), close: async () => admin.close() }
    await old?.close()
  }

  #createAgentDeps (): AgentDeps {
    const unknown = new Throttle(this.#clock, COMPLAIN_EVERY_MS)
    const refused = new Throttle(this.#clock, COMPLAIN_EVERY_MS)
    const trouble = new Throttle(this.#clock, COMPLAIN_EVERY_MS)
    return {
      after: (ms, run) => this.#clock.after(ms, run),
      reply: (id, from) => {
        const reply = this.#monitor.reply(id, from)
        if (reply !== undefined) this.#pollers.told(id, from, this.#clock.now())
        return reply
      },
      onUnknown: (asked, from) => {
        if (!unknown.allow(`${from} ${asked}`)) return
        const near = this.#monitor.nearest(asked)
        this.#log.event('request.unknown', { asked, from, near }, `${from} asks for ${asked}, which is not in the config${near.length > 0 ? `; near: ${near.join(', ')}` : ''}`)
      },
      onRefused: (from, why) => {
        if (refused.allow(`${from} ${why}`)) this.#log.event('request.refused', { from, why }, `refused ${from}: ${why}`)
      },
      onTrouble: error => {
        const { code = 'error' } = error as NodeJS.ErrnoException
        if (trouble.allow(code)) this.#log.event('agent.trouble', { why: code }, 'cannot accept a connection; goes on')
      }
    }
  }

  #logLoaded (config: Config): void {
    const servers = this.#monitor.ids.length
    this.#log.event('config.loaded', { config: config.file, backends: config.backends.length, servers, polls: config.polls.length }, `${servers} servers, ${config.polls.length} polls`)
  }

  #status (id: string): ServerStatus | undefined {
    const view = this.#monitor.view(id)
    return view === undefined ? undefined : statusOf(view, this.#clock.now())
  }

  #detail (id: string): ServerDetail | undefined {
    const view = this.#monitor.view(id)
    if (view === undefined) return undefined
    const now = this.#clock.now()
    return {
      ...statusOf(view, now),
      backend: view.backend,
      criteria: view.criteria.map(({ sinceMs, ...criterion }) => ({ ...criterion, ...(sinceMs === undefined ? {} : { forMs: Math.round(now - sinceMs) }) })),
      pollers: this.#pollers.of(id).map(({ from, lastMs }) => ({ from, agoMs: Math.round(now - lastMs) }))
    }
  }
}

function statusOf ({ id, decision, sentence, reply, sinceMs }: ServerView, now: number): ServerStatus {
  const { state, weightPercent, layer, because } = decision
  return { server: id, state, weightPercent, layer, because, sentence, reply: encodeReply(reply).trimEnd(), forMs: Math.round(now - sinceMs) }
}
