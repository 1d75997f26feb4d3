/** `hcf serve` as a process of its own, with nodes in this one, asked as HAProxy asks. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ASK_DEADLINE_MS } from '../../src/agent/ask.ts'
import { root } from '../helpers/paths.ts'
import { until } from '../helpers/until.ts'

export interface Options {
  /** What hcf.yaml has in `agent`, besides where it listens. */
  readonly agent?: string
  readonly nodes?: number
  /** Files it may have open. */
  readonly openFiles?: number
  readonly interval?: string
}

/** On loopback, each node with an address of its own. */
const addressOf = (node: number): string => `127.1.${node >> 8}.${node & 255}`

/** Answer as long as they are well. */
class Nodes {
  readonly ill = new Set<string>()
  port = 0

  async listen (t: Test): Promise<void> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      response.writeHead(this.ill.has(request.socket.localAddress ?? '') ? 500 : 200).end('{}')
    })
    server.listen(0, '0.0.0.0')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    t.teardown(() => {
      server.close()
      server.closeAllConnections()
    })
  }
}

export class Agent {
  readonly names: readonly string[]
  readonly #nodes: Nodes
  readonly #child: ChildProcess
  #out = ''

  constructor (nodes: Nodes, child: ChildProcess, names: readonly string[]) {
    this.#nodes = nodes
    this.#child = child
    this.names = names
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { this.#out += chunk.toString() })
  }

  get out (): string {
    return this.#out
  }

  /** Lines of its log of one kind. */
  logged (event: string): ReadonlyArray<Readonly<Record<string, unknown>>> {
    const lines = this.#out.split('\n').filter(line => line.startsWith('{') && line.endsWith('}'))
    return lines.map(line => JSON.parse(line) as Record<string, unknown>).filter(line => line['event'] === event)
  }

  get port (): number {
    return Number(/answers HAProxy on \S*?:(\d+)/.exec(this.#out)?.[1])
  }

  /** Files, sockets and all. */
  get openFiles (): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length
  }

  /** The most memory it ever had, in bytes. */
  get peakBytes (): number {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1]) * 1024
  }

  /** From now on. */
  ail (name: string): void {
    this.#nodes.ill.add(addressOf(this.names.indexOf(name)))
  }

  recover (name: string): void {
    this.#nodes.ill.delete(addressOf(this.names.indexOf(name)))
  }

  /**
   * As HAProxy asks: one connection, one line, to the line end, reset; all within agent-inter. What it would not take for
   * an answer is a word in brackets.
   */
  async ask (name: string): Promise<string> {
    return new Promise(resolve => {
      const socket = connect({ port: this.port, host: '127.0.0.1', localAddress: '127.0.0.1', noDelay: true })
      let heard = ''
      const end = (answer: string): void => {
        clearTimeout(deadline)
        resolve(answer)
        socket.resetAndDestroy()
      }
      const deadline = setTimeout(() => { end(`(silent for ${ASK_DEADLINE_MS} ms)`) }, ASK_DEADLINE_MS)
      socket.on('connect', () => { socket.write(`web/${name}\n`) })
      socket.on('data', chunk => {
        heard += chunk.toString('latin1')
        if (heard.endsWith('\n')) end(heard.trimEnd())
      })
      socket.on('end', () => { end('(closed)') })
      socket.on('error', error => { end(`(${(error as NodeJS.ErrnoException).code})`) })
    })
  }

  /** `web/…` is asked for until it is answered like that. */
  async says (name: string, wanted: RegExp): Promise<void> {
    let answer = ''
    await until(`web/${name} is ${wanted}`, async () => {
      answer = await this.ask(name)
      return wanted.test(answer) || undefined
    }, () => `${answer}\n${this.#out.slice(-2000)}`)
  }
}

/** With all nodes well, and known to be. */
export async function startAgent (t: Test, { agent = '', nodes: count = 4, openFiles, interval = '200ms' }: Options = {}): Promise<Agent> {
  const nodes = new Nodes()
  await nodes.listen(t)
  const dir = mkdtempSync(join(tmpdir(), 'hcf-attack-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const names = Array.from({ length: count }, (_, i) => `n${i}`)
  const config = join(dir, 'hcf.yaml')
  writeFileSync(config, [
    `agent: { listen: "127.0.0.1:0", ${agent} }`,
    `admin: { listen: "unix:${join(dir, 'admin.sock')}" }`,
    'backends:', '  web:', '    profile: http',
    `    policy: { interval: ${interval}, fast: 100ms, rise: 1, fall: 1, burst: off, ramp: off, hold: off, weight: off }`,
    `    servers: { ${names.map((name, i) => `${name}: "http://${addressOf(i)}:${nodes.port}"`).join(', ')} }`, ''
  ].join('\n'))
  const command = `${openFiles === undefined ? '' : `ulimit -n ${openFiles}; `}exec "$0" "$@"`
  const child = spawn('/bin/sh', ['-c', command, process.execPath, join(root, 'dist/src/main.js'), 'serve', '-c', config], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(async () => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  })
  const started = new Agent(nodes, child, names)
  await until('it listens', () => started.port > 0 || undefined, () => started.out)
  for (const name of names) await started.says(name, /^up 100%$/)
  return started
}
