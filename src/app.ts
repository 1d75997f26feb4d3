/** The composition root: config in, a running agent out. Build, then swap; close in the reverse order of opening. */
import { join } from 'node:path'
import type { Reloaded } from './admin/deps.ts'
import type { Tokens } from './admin/tokens.ts'
import { encodeReply } from './agent/protocol.ts'
import { adminDeps } from './app/admin-deps.ts'
import { budgetOf, Shortage, type Budget } from './app/descriptors.ts'
import { agentDeps, createPollers } from './app/haproxys.ts'
import { listenProblem } from './app/listen-error.ts'
import { createScheduler } from './app/polling.ts'
import { Ports } from './app/ports.ts'
import { readTokens } from './app/token-file.ts'
import type { Config } from './config/load.ts'
import { ConfigError } from './config/problems.ts'
import { showAddress } from './config/schema.ts'
import type { Reply } from './core/reply.ts'
import { systemClock, type Clock, type Timer } from './runtime/clock.ts'
import { EventFeed } from './runtime/feed.ts'
import { Journal, noJournal, type Chronicle } from './runtime/journal.ts'
import { readEvents } from './runtime/journal-files.ts'
import { Lateness } from './runtime/lateness.ts'
import { EVENTS, type Log, type LogEvent } from './runtime/log.ts'
import { Monitor } from './runtime/monitor.ts'
import { Operator } from './runtime/operator.ts'
import { OrderBook } from './runtime/order-book.ts'
import { fileOrders } from './runtime/order-store.ts'
import { readPolled, savePolled } from './runtime/polled.ts'
import type { Pollers } from './runtime/pollers.ts'
import { fileStore, Said } from './runtime/said.ts'
import type { Scheduler } from './runtime/scheduler.ts'
import { lockState, type StateLock } from './runtime/state-lock.ts'
import { occurrence } from './runtime/windows.ts'

/** How long a stopping agent waits for HAProxys to hear its last word. They keep it for as long as we are away. */
export const LAST_WORD_MS = 5000
const LAST_WORD_LOOK_MS = 50
/** What time alone changes is told this soon, also when nobody asks. */
const TICK_MS = 1000
/** Of the events of before a restart, so much is read again. */
const PAST_BYTES = 1024 * 1024

export interface AppDeps {
  readonly log: Log
  readonly version: string
  readonly clock?: Clock
  /** The config as it is in its file now, for who asks for a reload. Throws ConfigError. */
  readonly readConfig?: () => Config
  /** How many files, sockets among them, the process may have open; undefined where nobody knows: enough. */
  readonly openFilesMax?: number | undefined
}

export interface App {
  /** Where we listen, once started. */
  readonly agentAddresses: readonly string[]
  readonly adminAddress: string
  /** Throws what the system says when an address cannot be listened on; the old config is then still running. */
  reload: (config: Config) => Promise<void>
  /** The same with what the file says now. What is wrong with it is logged, and nothing changes. */
  reloadFile: () => Promise<Reloaded>
  stop: () => Promise<void>
}

/** Throws ConfigError, or what the system says of an address. */
export async function startApp (config: Config, deps: AppDeps): Promise<App> {
  const lock = await lockState(config.stateDir)
  if (lock === 'taken') {
    throw new ConfigError([{ file: config.file, line: 1, column: 1, path: 'state_dir', message: `is in use: another hcf runs with ${config.stateDir}, and each needs its own` }])
  }
  const agent = new RunningAgent(config, deps, lock)
  await agent.open(config)
  return agent
}

class RunningAgent implements App {
  readonly #clock: Clock
  readonly #logger: Log
  /** The log, and what can be asked for later. */
  readonly #log: LogEvent
  readonly #version: string
  readonly #readConfig: (() => Config) | undefined
  readonly #openFilesMax: number | undefined
  readonly #startedMs: number
  readonly #stateDir: string
  readonly #lock: StateLock
  readonly #feed: EventFeed
  readonly #pollers: Pollers
  readonly #book: OrderBook
  readonly #monitor: Monitor
  readonly #scheduler: Scheduler
  readonly #ports: Ports
  readonly #shortage: Shortage
  #config: Config
  #budget: Budget
  #tokens: Tokens | undefined
  #journal: Chronicle = noJournal
  #reloading: Promise<unknown> = Promise.resolve()
  #lateness: Lateness | undefined
  #ticker: Timer | undefined
  #stopping = false

  constructor (config: Config, { log, version, clock = systemClock, readConfig, openFilesMax }: AppDeps, lock: StateLock) {
    this.#lock = lock
    this.#clock = clock
    this.#logger = log
    this.#version = version
    this.#readConfig = readConfig
    this.#openFilesMax = openFilesMax
    this.#startedMs = clock.now()
    this.#config = config
    this.#budget = budgetOf(config, openFilesMax)
    this.#stateDir = config.stateDir
    this.#tokens = readTokens(config)
    this.#feed = new EventFeed({ clock, past: readEvents(this.#journalDir, { tailBytes: PAST_BYTES }).events, onEvent: event => { this.#journal.event(event) } })
    this.#log = (event, fields, message, level = EVENTS[event]) => {
      log.event(event, fields, message, level)
      if (level !== 'debug') this.#feed.add(event, level, fields, message)
    }
    this.#journal = this.#openJournal(config)
    this.#log('agent.start', { version, config: config.file }, 'hcf starts') // before what the orders of before come to
    this.#shortage = new Shortage(this.#log)
    this.#pollers = createPollers(this.#log)
    this.#book = new OrderBook({
      clock, log: this.#log, store: fileOrders(config.stateDir), windows: config.windows, occurrence,
      onChange: orders => { this.#monitor.order(orders) }
    })
    const said = new Said({ clock, log: this.#log, store: fileStore(config.stateDir) })
    const restored = readPolled(config.backends, { clock, log: this.#log, stateDir: config.stateDir })
    const encode = (reply: Reply): string => encodeReply(reply).trimEnd()
    this.#monitor = new Monitor(config, { clock, log: this.#log, pollers: this.#pollers, said, encode, restored, orders: this.#book.orders })
    this.#scheduler = createScheduler({
      clock, monitor: this.#monitor, journal: () => this.#journal, lateness: () => this.#lateness, budget: () => this.#budget
    })
    this.#ports = new Ports({
      agent: agentDeps({ clock, log: this.#log, monitor: this.#monitor, pollers: this.#pollers }),
      admin: this.#adminDeps(),
      after: (ms, run) => clock.after(ms, run),
      onListen: address => { this.#log('agent.listen', { address }, `answers HAProxy on ${address}`) }
    })
  }

  get agentAddresses (): readonly string[] {
    return this.#ports.agentAddresses
  }

  get adminAddress (): string {
    return this.#ports.adminAddress
  }

  get #journalDir (): string {
    return join(this.#stateDir, 'journal')
  }

  /** Answers before the first poll is back: neutral until then, so that HAProxy keeps what it knows. */
  async open (config: Config): Promise<void> {
    await this.#ports.listen(config, this.#budget).catch(async (error: unknown) => {
      await this.#closeState() // the journal may wait for its turn to write
      throw error
    })
    this.#lateness = new Lateness(this.#clock, lateMs => {
      const ms = Math.round(lateMs)
      this.#log('agent.late', { ms }, `hcf itself was held up for ${ms} ms: what failed meanwhile is not held against any node`)
    })
    this.#scheduler.set(config.polls)
    this.#ticker = this.#clock.every(TICK_MS, () => { this.#tick() })
    this.#logLoaded(config)
  }

  async reload (config: Config): Promise<void> {
    return this.#inTurn(async () => this.#reload(config))
  }

  async reloadFile (): Promise<Reloaded> {
    return this.#inTurn(async () => {
      try {
        const config = this.#readConfig?.() ?? this.#config
        await this.#reload(config)
        return { ok: true as const, config: config.file, backends: config.backends.length, servers: this.#monitor.ids.length }
      } catch (error) {
        const problems = error instanceof ConfigError ? error.message.split('\n') : [listenProblem(error) ?? (error as Error).message]
        this.#log('config.rejected', { config: this.#config.file, problems }, 'the new config is not used; the old one stays')
        return { ok: false as const, problems }
      }
    })
  }

  /** One after another; whoever asked hears what became of it. */
  async #inTurn<T> (run: () => Promise<T>): Promise<T> {
    const turn = this.#reloading.then(run)
    this.#reloading = turn.catch(() => undefined)
    return turn
  }

  async #reload (config: Config): Promise<void> {
    if (config.stateDir !== this.#stateDir) throw new Error(`state_dir cannot change while running (${this.#stateDir} to ${config.stateDir}): restart hcf`)
    if (this.#stopping) return
    const tokens = readTokens(config)
    const budget = budgetOf(config, this.#openFilesMax)
    await this.#ports.listen(config, budget)
    if (this.#stopping) return
    if (config.journalBytes !== this.#config.journalBytes) await this.#swapJournal(config)
    this.#config = config
    this.#budget = budget
    this.#tokens = tokens
    this.#monitor.reload(config)
    this.#book.setWindows(config.windows)
    this.#scheduler.set(config.polls)
    this.#logger.setLevel(config.logLevel)
    this.#logLoaded(config)
  }

  /** Stop polling, go on answering until every HAProxy has heard the last answer, close. */
  async stop (): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    await this.#reloading
    this.#scheduler.stop()
    savePolled(this.#monitor.snapshots(), { clock: this.#clock, log: this.#log, stateDir: this.#stateDir })
    const silentMs = this.#clock.now()
    const heard = await this.#lastWordHeard(silentMs)
    await this.#ports.close()
    this.#ticker?.stop()
    this.#lateness?.stop()
    this.#log('agent.stop', { heard, ms: Math.round(this.#clock.now() - silentMs) }, heard ? 'hcf stops: every HAProxy has heard its last answer' : 'hcf stops: some HAProxy has not asked any more')
    await this.#closeState()
  }

  async #closeState (): Promise<void> {
    await this.#journal.close()
    this.#lock.release()
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

  #tick (): void {
    this.#book.tick() // first: what an order leaves behind is told in the same breath
    this.#monitor.tick()
    this.#pollers.tick(this.#clock.now())
  }

  #openJournal ({ journalBytes }: Config): Chronicle {
    if (journalBytes === 0) return noJournal
    return new Journal({
      clock: this.#clock, log: this.#log, dir: this.#journalDir, maxBytes: journalBytes,
      nameOf: ({ backend: name, server }) => {
        const backend = this.#config.backends.find(each => each.name === name) // of the config in force, whichever opened it
        return backend?.servers[server] === undefined ? undefined : `${name}/${backend.servers[server].name}`
      }
    })
  }

  async #swapJournal (config: Config): Promise<void> {
    const old = this.#journal
    this.#journal = noJournal // two that write to the same files would tear each other's lines
    await old.close()
    this.#journal = this.#openJournal(config)
  }

  #adminDeps (): ReturnType<typeof adminDeps> {
    const [clock, monitor, book, pollers] = [this.#clock, this.#monitor, this.#book, this.#pollers]
    return adminDeps({
      clock, monitor, book, pollers,
      operator: new Operator({ clock, monitor, book, pollers, log: this.#log }),
      feed: this.#feed,
      version: this.#version,
      startedMs: this.#startedMs,
      journal: () => this.#journal,
      tokens: () => this.#tokens,
      sockets: () => this.#config.haproxySockets.map(address =>
        ({ name: showAddress(address), ...(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }) })),
      isStopping: () => this.#stopping,
      reload: async () => this.reloadFile()
    })
  }

  #logLoaded (config: Config): void {
    const servers = this.#monitor.ids.length
    this.#log('config.loaded', { config: config.file, backends: config.backends.length, servers, polls: config.polls.length }, `${servers} servers, ${config.polls.length} polls`)
    this.#shortage.look(this.#budget)
  }
}
