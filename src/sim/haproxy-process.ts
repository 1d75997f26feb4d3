/**
 * A real HAProxy for a while: haproxy/haproxy.cfg with addresses from the environment. Its listeners are sockets of
 * ours that it inherits, so no port is ever guessed; and it ends with us, however we end.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { runtimeCommand, showStat } from '../haproxy/runtime.ts'
import type { Balancer } from './balancer.ts'

export interface HaproxyOptions {
  readonly config: string
  /** For the runtime socket. */
  readonly workDir: string
  /** PATH, and what haproxy.cfg takes from the environment but for its own listeners. */
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Haproxy extends Balancer {
  readonly socketPath: string
  /** What it has logged and warned of so far. */
  readonly output: () => string
  command: (text: string) => Promise<string>
}

const READY_WITHIN_MS = 5000
const LOOK_EVERY_MS = 20
const OUTPUT_CHARS_MAX = 1_000_000
const FIRST_FD = 3

/** The version of the HAProxy in the PATH, or undefined without one. */
export function haproxyVersion (): string | undefined {
  const { status, stdout } = spawnSync('haproxy', ['-v'], { encoding: 'utf8' })
  return status === 0 ? /version (\S+)/.exec(stdout)?.[1] : undefined
}

export async function startHaproxy ({ config, workDir, env }: HaproxyOptions): Promise<Haproxy> {
  const names = ['HCF_PUBLIC', 'HCF_DIAGNOSTICS', 'HCF_STATS'] as const
  const listeners = await Promise.all(names.map(async () => reserve()))
  const ports = listeners.map(({ port }) => port)
  const socketPath = join(workDir, 'haproxy.sock')
  const binds = Object.fromEntries(names.map((name, i) => [name, `fd@${FIRST_FD + i}`]))

  // The shell ends HAProxy when our end of its stdin closes, which it does even when we are killed.
  const script = 'exec 9<&0; haproxy -db -f "$1" </dev/null 9<&- & h=$!; { cat <&9 >/dev/null; kill $h; } & wait $h'
  const child = spawn('sh', ['-c', script, 'sh', config], {
    env: { ...env, ...binds, HCF_HAPROXY_SOCKET: socketPath },
    detached: true, // ctrl-C is for us: HAProxy ends when we let go of it
    stdio: ['pipe', 'pipe', 'pipe', ...listeners.map(({ fd }) => fd)]
  })
  for (const { server } of listeners) server.close()
  const output = collect(child)
  await ready(socketPath, output, child)

  const url = (i: number): string => `http://127.0.0.1:${ports[i] ?? 0}`
  return {
    kind: 'HAProxy',
    version: haproxyVersion() ?? 'unknown',
    publicUrl: url(0),
    diagnosticsUrl: url(1),
    statsUrl: url(2),
    socketPath,
    output,
    command: async text => runtimeCommand({ path: socketPath }, text),
    stat: async () => showStat({ path: socketPath }),
    stop: async () => stop(child)
  }
}

/** A listening socket on a port the system chose, as a descriptor a child may inherit. */
async function reserve (): Promise<{ readonly server: Server, readonly port: number, readonly fd: number }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle
  return { server, port: (server.address() as AddressInfo).port, fd }
}

function collect (child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => { text = (text + chunk.toString('utf8')).slice(-OUTPUT_CHARS_MAX) })
  }
  return () => text
}

async function ready (socketPath: string, output: () => string, child: ChildProcess): Promise<void> {
  const giveUp = performance.now() + READY_WITHIN_MS
  for (;;) {
    const failure = await runtimeCommand({ path: socketPath }, 'show info').then(() => undefined, (error: unknown) => error as Error)
    if (failure === undefined) return
    if (performance.now() > giveUp || child.exitCode !== null) {
      await stop(child)
      throw new Error(`HAProxy does not come up: ${failure.message}\n${output()}`)
    }
    await new Promise(resolve => { setTimeout(resolve, LOOK_EVERY_MS) })
  }
}

async function stop (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.stdin?.on('error', () => undefined) // it may be gone already
  child.stdin?.end()
  await once(child, 'exit')
}
