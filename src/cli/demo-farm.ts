/** Three simulated gateways, the agent with haproxy/hcf.yaml, and a balancer in front: all of it on loopback, in one process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startApp, type App } from '../app.ts'
import { loadConfig } from '../config/load.ts'
import { createLog } from '../runtime/log.ts'
import { GATEWAYS, type Balancer, type GatewayName } from '../sim/balancer.ts'
import { Client } from '../sim/client.ts'
import { Gateway, type Files } from '../sim/gateway.ts'
import { haproxyVersion, startHaproxy } from '../sim/haproxy-process.ts'
import { startModelBalancer } from '../sim/model-balancer.ts'
import type { DestinationStream } from 'pino'

/** The directory with the haproxy.cfg and hcf.yaml that users copy: the demo runs exactly these. */
export const EXAMPLES = fileURLToPath(new URL('../../../haproxy', import.meta.url))

export interface Farm {
  /** What haproxy.cfg and hcf.yaml take from the environment to find the gateways. */
  readonly addresses: Readonly<Record<string, string>>
  readonly gateways: Readonly<Record<GatewayName, Gateway>>
  readonly app: App
  readonly balancer: Balancer
  readonly client: Client
  stop: () => Promise<void>
}

export interface FarmOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  readonly log: DestinationStream
  /** Use the model even where there is HAProxy. */
  readonly model: boolean
}

const AGENT_INTER_MS = 1000

export async function startFarm ({ env, version, log, model }: FarmOptions): Promise<Farm> {
  const closers: Array<() => Promise<void> | void> = []
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const workDir = mkdtempSync(join(tmpdir(), 'hcf-demo-'))
    closers.push(() => { rmSync(workDir, { recursive: true, force: true }) })
    const files: Files = new Map() // one grid: what is written through one gateway is read through another
    const started = await Promise.all(GATEWAYS.map(async name => [name, await Gateway.start({ name, files })] as const))
    for (const [, gateway] of started) closers.push(async () => gateway.stop())
    const gateways = Object.fromEntries(started) as Record<GatewayName, Gateway>

    const { mutableRead, mutableWrite, immutable } = gateways.webapi1.caps
    writeFileSync(join(workDir, 'read.cap'), mutableRead)
    writeFileSync(join(workDir, 'write.cap'), mutableWrite)
    const addresses = Object.fromEntries(started.map(([name, { port }]) => [`HCF_${name.toUpperCase()}`, `127.0.0.1:${port}`]))
    const config = loadConfig(join(EXAMPLES, 'hcf.yaml'), {
      ...addresses,
      HCF_AGENT: '127.0.0.1:0',
      HCF_ADMIN_LISTEN: '127.0.0.1:0',
      HCF_STATE_DIR: join(workDir, 'state'),
      HCF_READ_CAP: join(workDir, 'read.cap'),
      HCF_WRITE_CAP: join(workDir, 'write.cap'),
      // Canaries at a demo's pace.
      HCF_CANARY_EVERY: '3s',
      HCF_CANARY_WITHIN: '3s',
      HCF_CANARY_WRITE_EVERY: '3s',
      HCF_CANARY_WRITE_WITHIN: '3s'
    })
    const app = await startApp(config, { log: createLog({ level: 'info', destination: log }), version })
    closers.push(async () => app.stop())

    const agentPort = Number(/\d+$/.exec(app.agentAddresses[0] ?? '')?.[0])
    const balancer = !model && haproxyVersion() !== undefined
      ? await startHaproxy({
        config: join(EXAMPLES, 'haproxy.cfg'),
        workDir,
        env: { PATH: env['PATH'], ...addresses, HCF_AGENT_PORT: String(agentPort), HCF_AGENT_INTER: `${AGENT_INTER_MS}ms` }
      })
      : await startModelBalancer({
        agent: { kind: 'tcp', host: '127.0.0.1', port: agentPort },
        agentInterMs: AGENT_INTER_MS,
        ports: started.map(([, { port }]) => port)
      })
    closers.push(async () => balancer.stop())
    const client = new Client({ publicUrl: balancer.publicUrl, readPath: `/uri/${encodeURIComponent(immutable)}`, readsPerSecond: 20, writesPerSecond: 5 })
    closers.push(async () => client.stop())
    return { addresses, gateways, app, balancer, client, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
