/** An agent in this process, on sockets in a directory of its own. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { askAgent } from '../../src/agent/ask.ts'
import { startApp, type App } from '../../src/app.ts'
import { parseConfig, type Config } from '../../src/config/load.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { Sink } from '../runtime/sink.ts'

export interface Place {
  readonly dir: string
  /** Listens on `a.sock` and on these besides. */
  readonly config: (more?: readonly string[], text?: string) => Config
}

export function place (t: Test, backend = '{ servers: { a: "http://127.0.0.1:1" } }', journal = 'off'): Place {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-app-')) // short: it holds sockets
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const config = (more: readonly string[] = [], text = `admin: { listen: "unix:${dir}/admin.sock" }`): Config => parseConfig([
    `agent: { listen: [${['a', ...more].map(name => `"unix:${dir}/${name}.sock"`).join(', ')}] }`,
    text,
    `state_dir: ${dir}/state`,
    `journal: ${journal}`, // it writes in real time, whatever the clock says
    `backends: { web: ${backend} }`
  ].join('\n'), join(dir, 'hcf.yaml'), { env: {}, readFile: () => '' })
  return { dir, config }
}

export const start = async (config: Config, clock?: Clock, sink = new Sink()): Promise<App> =>
  startApp(config, { log: sink.log, version: '1.2.3', ...(clock === undefined ? {} : { clock }) })

export const ask = async (dir: string, id = 'web/a', socket = 'a'): Promise<string> =>
  askAgent({ kind: 'unix', path: join(dir, `${socket}.sock`) }, `${id}\n`)

/** What the admin port says. */
export async function show (dir: string, path: string, socket = 'admin'): Promise<unknown> {
  const [answer] = await once(get({ socketPath: join(dir, `${socket}.sock`), path, agent: false }), 'response') as [AsyncIterable<Buffer>]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

/** A node that takes connections and says nothing, as `host:port`. */
export async function silentNode (t: Test): Promise<string> {
  const node = createServer(socket => { socket.on('error', () => undefined) })
  node.listen(0, '127.0.0.1')
  await once(node, 'listening')
  t.teardown(() => { node.close() })
  node.unref()
  return `127.0.0.1:${(node.address() as AddressInfo).port}`
}
