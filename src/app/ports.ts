/** The ports we listen on: HAProxy's and the admin's. Opens what is new before it closes what is gone. */
import type { AdminDeps } from '../admin/deps.ts'
import { limitsOf } from '../admin/limits.ts'
import { listenAgent, type AgentDeps, type AgentListener } from '../agent/server.ts'
import type { Config } from '../config/load.ts'
import { showAddress, type Address } from '../config/schema.ts'
import type { Timer } from '../runtime/clock.ts'
import { makeRoom } from '../runtime/unix-socket.ts'
import type { Shares } from './descriptors.ts'

interface AdminPort { readonly address: Address, readonly bound: string, readonly close: () => Promise<void> }

/** Replaced, and not closed yet. */
type Leaving = Pick<AdminPort, 'address' | 'close'>

/** A reload may have come through the very port that it moves: until then its answer is out. */
const LEAVE_MS = 1000

export interface PortsDeps {
  readonly agent: AgentDeps
  readonly admin: AdminDeps
  readonly after: (ms: number, run: () => void) => Timer
  /** HAProxy can ask at this address now. */
  readonly onListen: (bound: string) => void
}

export class Ports {
  readonly #deps: PortsDeps
  #agents: readonly AgentListener[] = []
  #admin: AdminPort | undefined
  readonly #leaving = new Set<Leaving>()

  constructor (deps: PortsDeps) {
    this.#deps = deps
  }

  get agentAddresses (): readonly string[] {
    return this.#agents.map(({ bound }) => bound)
  }

  get adminAddress (): string {
    return this.#admin?.bound ?? ''
  }

  /** An address that cannot be had changes nothing: throws what the system says. */
  async listen (config: Config, shares: Pick<Shares, 'agent' | 'admin'>): Promise<void> {
    const limits = { ...config.agent, maxConnections: shares.agent }
    const listeners: AgentListener[] = []
    const opened: AgentListener[] = []
    try {
      for (const options of config.agent.listen) {
        const known = this.#agents.find(({ address }) => showAddress(address) === showAddress(options.address))
        const listener = known ?? await listenAgent(options, limits, this.#deps.agent)
        if (known === undefined) opened.push(listener)
        listeners.push(listener)
      }
      await this.#listenAdmin(config.adminListen, shares.admin)
    } catch (error) {
      await Promise.all(opened.map(async listener => listener.close()))
      throw error
    }
    for (const [i, options] of config.agent.listen.entries()) listeners[i]?.update(options, limits)
    for (const { bound } of opened) this.#deps.onListen(bound)
    const gone = this.#agents.filter(listener => !listeners.includes(listener))
    this.#agents = listeners
    await Promise.all(gone.map(async listener => listener.close()))
  }

  async #listenAdmin (address: Address, connections: number): Promise<void> {
    const old = this.#admin
    if (old !== undefined && showAddress(old.address) === showAddress(address)) return
    const { createAdmin } = await import('../admin/server.ts')
    const admin = createAdmin(this.#deps.admin, limitsOf(connections))
    const inTheWay = [...this.#leaving].filter(leaving => showAddress(leaving.address) === showAddress(address))
    await Promise.all(inTheWay.map(async leaving => leaving.close())) // it goes there and back within that second
    if (address.kind === 'unix') await makeRoom(address.path)
    const bound = await admin.listen(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port })
    this.#admin = { address, bound: address.kind === 'unix' ? showAddress(address) : bound.replace('http://', ''), close: admin.close }
    if (old !== undefined) this.#leave(old)
  }

  #leave ({ address, close }: AdminPort): void {
    const leaving: Leaving = {
      address,
      close: async () => {
        timer.stop()
        await close() // twice is once
        this.#leaving.delete(leaving)
      }
    }
    const timer = this.#deps.after(LEAVE_MS, () => { void leaving.close() })
    this.#leaving.add(leaving)
  }

  async close (): Promise<void> {
    await Promise.all(this.#agents.map(async listener => listener.close()))
    await Promise.all([...this.#leaving].map(async leaving => leaving.close()))
    await this.#admin?.close()
  }
}
