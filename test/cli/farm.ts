/** A farm for an operator: three nodes, an agent in this process, and the runtime socket of an HAProxy. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { askAgent } from '../../src/agent/ask.ts'
import { startApp, type App } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { systemClock, type Timer } from '../../src/runtime/clock.ts'
import { hcf, start, type Ran, type Running, type Terminal } from '../helpers/cli.ts'
import { until } from '../helpers/until.ts'
import { Sink } from '../runtime/sink.ts'

const ASK_EVERY_MS = 20

export interface Options {
  /** Lines of the backend. */
  readonly more?: readonly string[]
  readonly policy?: string
  /** Runtime sockets in `dir`; `haproxy.sock` is one that answers. */
  readonly sockets?: readonly string[]
}

export class OperatorFarm {
  readonly dir: string
  readonly file: string
  readonly socket: string
  readonly env: Readonly<Record<string, string>>
  readonly nodes: Readonly<Record<string, Server>>
  /** What HAProxy shows of a server: its status and its sessions. Change it at will. */
  readonly shows: Record<string, { status: string, sessions: number }> = {}
  /** What HAProxy answers instead. */
  says: string | undefined
  /** How often HAProxy was asked for its sessions. */
  looks = 0
  /** HAProxy asks on and on; not while this is set. */
  deaf = false
  #app: App | undefined
  #asking: Timer | undefined

  constructor (dir: string, nodes: Readonly<Record<string, Server>>) {
    this.dir = dir
    this.nodes = nodes
    this.file = join(dir, 'hcf.yaml')
    this.socket = join(dir, 'haproxy.sock')
    this.env = { HCF_ADMIN: `unix:${join(dir, 'admin.sock')}` }
  }

  write ({ more = [], policy = '', sockets = ['haproxy.sock'] }: Options = {}): void {
    const servers = Object.entries(this.nodes).map(([name, node]) => `${name}: "127.0.0.1:${(node.address() as AddressInfo).port}"`)
    writeFileSync(this.file, [
      `agent: { listen: "unix:${this.dir}/agent.sock" }`,
      `admin: { listen: "unix:${this.dir}/admin.sock" }`,
      ...sockets.length === 0 ? [] : [`haproxy: { sockets: [${sockets.map(name => `"unix:${this.dir}/${name}"`).join(', ')}] }`],
      'backends:', '  web:', '    profile: tcp', `    servers: { ${servers.join(', ')} }`,
      `    policy: { interval: 100ms, fast: 50ms, rise: 1, fall: 1, ramp: off, hold: off, ${policy} }`, ...more, ''
    ].join('\n'))
  }

  /** With those of `awaited` decided; HAProxy asks for all. */
  async open (awaited: readonly string[] = Object.keys(this.nodes)): Promise<void> {
    const names = Object.keys(this.nodes)
    this.#asking ??= systemClock.every(ASK_EVERY_MS, () => {
      if (!this.deaf) for (const name of names) this.ask(name).catch(() => undefined) // it may be away
    })
    this.#app = await startApp(loadConfig(this.file, {}), { log: new Sink().log, version: '1.2.3', readConfig: () => loadConfig(this.file, {}) })
    for (const name of awaited) {
      await until(`web/${name} has its verdict, or its order`, async () => /^(?:up|ready|drain|maint)/.test(await this.ask(name)) || undefined, () => '')
    }
  }

  async close (): Promise<void> {
    this.deaf = false // or it waits for its last word to be heard
    await this.#app?.stop()
    this.#app = undefined
    this.#asking?.stop()
    this.#asking = undefined
  }

  /** As HAProxy does. */
  readonly ask = async (name: string): Promise<string> => askAgent({ kind: 'unix', path: join(this.dir, 'agent.sock') }, `web/${name}\n`)
  readonly hcf = async (...args: readonly string[]): Promise<Ran> => hcf(args, this.env)
  readonly start = (args: readonly string[], terminal?: Terminal): Running => start(args, this.env, terminal)

  stat (): string {
    const rows = Object.entries(this.shows).map(([name, { status, sessions }]) => `web,${name},${status},100,${sessions},0`)
    return ['# pxname,svname,status,weight,scur,qcur', ...rows, ''].join('\n')
  }
}

export async function farm (t: Test, options: Options = {}): Promise<OperatorFarm> {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-op-')) // short: it holds sockets
  const [a, b, c] = [await node(t), await node(t), await node(t)]
  const built = new OperatorFarm(dir, { a, b, c })
  t.teardown(async () => {
    await built.close()
    rmSync(dir, { recursive: true, force: true })
  })
  await runtimeSocket(t, built.socket, () => {
    built.looks += 1
    return built.says ?? `${built.stat()}\n`
  })
  for (const name of ['a', 'b', 'c']) built.shows[name] = { status: 'UP', sessions: 0 }
  built.write(options)
  await built.open()
  return built
}

/** The runtime socket of an HAProxy. */
export async function runtimeSocket (t: Test, path: string, answer: () => string): Promise<void> {
  const haproxy = createServer(client => {
    client.on('error', () => undefined)
    client.once('data', () => { client.end(answer()) })
  })
  haproxy.listen(path)
  await once(haproxy, 'listening')
  t.teardown(() => { haproxy.close() })
}

/** A service that takes connections, as far as a look at its port can tell. */
async function node (t: Test): Promise<Server> {
  const server = createServer(client => {
    client.on('error', () => undefined)
    client.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return server
}

/** A day of the month that is about two weeks away, whenever the tests run: a window then is one to come. */
export const farDay = (): number => (new Date().getUTCDate() + 13) % 28 + 1
