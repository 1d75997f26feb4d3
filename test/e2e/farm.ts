/**
 * The real thing: real HAProxy with haproxy/haproxy.cfg, `hcf serve` as a process of its own with haproxy/hcf.yaml,
 * three simulated gateways, a client through the public port, and the model of HAProxy that hears the same answers.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { request } from 'undici'
import { askAgent } from '../../src/agent/ask.ts'
import type { ServerStat } from '../../src/haproxy/runtime.ts'
import { GATEWAYS, POOLS, type GatewayName } from '../../src/sim/balancer.ts'
import { Client } from '../../src/sim/client.ts'
import type { Gateway } from '../../src/sim/gateway.ts'
import { createServer as createModel, hearLine, setCheck, statusColumn, type HaproxyServer } from '../../src/sim/haproxy.ts'
import { startHaproxy, type Haproxy } from '../../src/sim/haproxy-process.ts'
import { copyWithPolicy, startThreeGateways } from '../../src/sim/three-gateways.ts'
import { root } from '../helpers/paths.ts'
import { until } from '../helpers/until.ts'

export interface LogLine { readonly event: string, readonly level: string, readonly [field: string]: unknown }

export class AgentProcess {
  readonly lines: LogLine[] = []
  readonly #child: ChildProcess
  /** All it has written, as it stands. */
  text = ''

  constructor (config: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [join(root, 'dist/src/main.js'), 'serve', '-c', config], {
      env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe']
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', line => {
        this.text += `${line}\n`
        if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine)
      })
    }
  }

  /** The first line of this kind, from `since` on. */
  async logged (event: string, fits: (line: LogLine) => boolean = () => true, since = 0): Promise<LogLine> {
    return until(`the agent logs ${event}`, () => this.lines.slice(since).find(line => line.event === event && fits(line)), () => this.text.slice(-2000))
  }

  signal (signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** The exit code, or the signal that ended it. */
  async ended (): Promise<number | string> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return exitCode ?? signalCode ?? 0
    const [code, signal] = await once(this.#child, 'exit') as [number | null, string | null]
    return code ?? signal ?? 0
  }
}

export class TestFarm {
  readonly gateways: Readonly<Record<GatewayName, Gateway>>
  readonly haproxy: Haproxy
  readonly client: Client
  readonly workDir: string
  readonly config: string
  readonly env: Readonly<Record<string, string>>
  agent: AgentProcess
  readonly #agentPort: number
  readonly #models = new Map<string, HaproxyServer>()

  constructor (parts: Pick<TestFarm, 'gateways' | 'haproxy' | 'client' | 'workDir' | 'config' | 'env' | 'agent'>, agentPort: number) {
    this.gateways = parts.gateways
    this.haproxy = parts.haproxy
    this.client = parts.client
    this.workDir = parts.workDir
    this.config = parts.config
    this.env = parts.env
    this.agent = parts.agent
    this.#agentPort = agentPort
    for (const pool of POOLS) for (const name of GATEWAYS) this.#models.set(`${pool}/${name}`, createModel())
  }

  /** The agent again, on the port that HAProxy asks. */
  restartAgent (): void {
    this.agent = new AgentProcess(this.config, { ...this.env, HCF_AGENT: `127.0.0.1:${this.#agentPort}` })
  }

  /** A command as an operator types it, in the directory of the config. */
  async hcf (...args: readonly string[]): Promise<{ readonly code: number, readonly text: string }> {
    return this.shell('hcf "$@"', args)
  }

  /** A script that may use `hcf`, and what it printed. */
  async shell (script: string, args: readonly string[] = []): Promise<{ readonly code: number, readonly text: string }> {
    const main = join(root, 'dist/src/main.js')
    const child = spawn('sh', ['-c', `hcf () { '${process.execPath}' '${main}' "$@"; }\n${script}`, 'sh', ...args], {
      cwd: dirname(this.config), env: { PATH: process.env['PATH'], USER: 'ana', ...this.env }, stdio: ['ignore', 'pipe', 'pipe']
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { text += chunk.toString('utf8') })
    const [code] = await once(child, 'close') as [number | null]
    return { code: code ?? -1, text }
  }

  /** What the agent answers. A machine as busy as one with all tests running may be late to say what it asks for: it asks again. */
  async ask (id: string): Promise<string> {
    return until(`the agent answers ${id}`, async () => {
      const line = await askAgent({ kind: 'tcp', host: '127.0.0.1', port: this.#agentPort }, `${id}\n`)
      return line.startsWith('# no server asked for') ? undefined : line
    }, () => this.agent.text.slice(-2000))
  }

  async stat (): Promise<readonly ServerStat[]> {
    return (await this.haproxy.stat()).filter(({ backend }) => POOLS.some(pool => pool === backend))
  }

  /** Resolves when HAProxy shows all of these, `pool/server`: `STATUS` or `STATUS weight`; and every other server `UP 100`. */
  async believes (expected: Readonly<Record<string, string>>): Promise<readonly ServerStat[]> {
    let stat: readonly ServerStat[] = []
    return until(`HAProxy believes ${JSON.stringify(expected)}`, async () => {
      stat = await this.stat()
      return stat.every(row => shows(row, expected[`${row.backend}/${row.server}`] ?? 'UP 100') && row.lastAgent !== '') ? stat : undefined
    }, () => `${JSON.stringify(stat)}\n${this.agent.text.slice(-3000)}`)
  }

  /** Tells the model what the agent answers now, and compares it with what HAProxy made of the same answers. */
  async agreesWithModel (t: Test, when: string): Promise<void> {
    for (const row of await this.stat()) {
      const id = `${row.backend}/${row.server}`
      const line = await this.ask(id)
      const checked = setCheck(this.#models.get(id) ?? createModel(), row.checkStatus === 'L4OK' ? 'up' : 'down')
      const model = hearLine(checked, `${line}\n`)
      this.#models.set(id, model)
      // `UP 2/3`: HAProxy's own check is on its way down, which the model does not count.
      t.equal(statusColumn(model), row.status.replace(/^(UP|DOWN) \d+\/\d+$/, '$1'), `${when}: ${id} has the status the model has ("${line}")`)
      t.equal(model.uweight, row.weight, `${when}: ${id} has the weight the model has`)
    }
  }

  /** Counts requests that begin now, and resolves when so many are done. */
  async traffic (requests: number): Promise<{ readonly served: number, readonly failed: number }> {
    const marked = this.client.mark()
    return until('traffic goes on', () => {
      const counts = marked.counts()
      return counts.served + counts.failed >= requests ? counts : undefined
    }, () => JSON.stringify(this.client.counts))
  }

  /** The status a gateway answers through the diagnostics port. */
  async diagnose (name: GatewayName): Promise<number> {
    const { statusCode, body } = await request(`${this.haproxy.diagnosticsUrl}/statistics?t=json`, { headers: { host: name } })
    await body.dump()
    return statusCode
  }
}

function shows ({ status, weight }: ServerStat, expected: string): boolean {
  const [, wanted = '', wantedWeight] = /^(.*?)(?: (\d+))?$/.exec(expected) ?? []
  return (status === wanted || (wanted === '(DRAIN|DOWN) (agent)' && /^(?:DRAIN|DOWN) \(agent\)$/.test(status))) && (wantedWeight === undefined || weight === Number(wantedWeight))
}

/** The config that users copy. */
export const EXAMPLE = join(root, 'haproxy/hcf.yaml')

/** Impatient: a server that is well again is back soon, and with its whole load; weights move with every look. */
const IMPATIENT = '{ hold: { base: 1s, max: 1s }, ramp: off, weight: { every: 500ms, down: 25%, up: 100% } }'
export const impatient = (dir: string): string => copyWithPolicy(EXAMPLE, IMPATIENT, dir)

interface FarmOptions {
  readonly config?: string
  readonly canaryEvery?: string
  /** The agent may ask HAProxy how many sessions there are. */
  readonly runtimeApi?: boolean
}

/** A farm in which everybody is up. It is taken down with the test. Without a config: the example, impatient. */
export async function startTestFarm (t: Test, { config, canaryEvery = '2s', runtimeApi = false }: FarmOptions = {}): Promise<TestFarm> {
  const workDir = mkdtempSync(join(tmpdir(), 'hcf-e2e-')) // short: a socket's path may have 97 characters
  t.teardown(() => { rmSync(workDir, { recursive: true, force: true }) })
  const grid = await startThreeGateways({ workDir, canaryEvery, canaryWithin: '3s' })
  t.teardown(async () => grid.stop())
  const sockets = { HCF_ADMIN_LISTEN: `unix:${join(workDir, 'admin.sock')}`, HCF_HAPROXY_SOCKET: join(workDir, 'haproxy.sock') }
  const env = { ...grid.env, ...sockets, HCF_LOG_LEVEL: 'debug' }
  const file = config ?? impatient(workDir)
  if (runtimeApi) appendFileSync(file, '\nhaproxy: { sockets: ["unix:${HCF_HAPROXY_SOCKET}"] }\n')
  const agent = new AgentProcess(file, env)
  const listening = await agent.logged('agent.listen')
  const agentPort = Number(/\d+$/.exec(String(listening['address']))?.[0])

  const haproxy = await startHaproxy({
    config: join(root, 'haproxy/haproxy.cfg'), workDir,
    env: { PATH: process.env['PATH'], ...grid.addresses, HCF_AGENT_PORT: String(agentPort), HCF_AGENT_INTER: '500ms' }
  })
  t.teardown(async () => haproxy.stop())
  const client = new Client({ publicUrl: haproxy.publicUrl, readPath: grid.readPath, readsPerSecond: 20, writesPerSecond: 10 })
  t.teardown(async () => client.stop())

  const farm = new TestFarm({ gateways: grid.byName, haproxy, client, workDir, config: file, env, agent }, agentPort)
  t.teardown(async () => {
    farm.agent.signal('SIGKILL')
    await farm.agent.ended()
  })
  await farm.believes({})
  return farm
}
