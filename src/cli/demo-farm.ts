/** Three simulated gateways, the agent with haproxy/hcf.yaml, and a balancer in front: all of it on loopback, in one process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startApp, type App } from '../app.ts'
import { loadConfig } from '../config/load.ts'
import { createLog } from '../runtime/log.ts'
import type { Balancer } from '../sim/balancer.ts'
import { Client } from '../sim/client.ts'
import { haproxyVersion, startHaproxy } from '../sim/haproxy-process.ts'
import { startModelBalancer } from '../sim/model-balancer.ts'
import { copyWithPolicy, startThreeGateways, type ThreeGateways } from '../sim/three-gateways.ts'
import type { DestinationStream } from 'pino'

/** The directory with the haproxy.cfg and hcf.yaml that users copy: the demo runs exactly these. */
export const EXAMPLES = fileURLToPath(new URL('../../../haproxy', import.meta.url))

export interface Farm {
  readonly gateways: ThreeGateways
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
/** A night in two minutes: back soon after an outage, and weights in two steps. */
const QUICK = '{ hold: { base: 2s }, ramp: { for: 4s }, weight: { every: 1s, down: 50% } }'

export async function startFarm ({ env, version, log, model }: FarmOptions): Promise<Farm> {
  const closers: Array<() => Promise<void> | void> = []
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const workDir = mkdtempSync(join(tmpdir(), 'hcf-demo-'))
    closers.push(() => { rmSync(workDir, { recursive: true, force: true }) })
    const gateways = await startThreeGateways({ workDir, canaryEvery: '3s', canaryWithin: '3s' })
    closers.push(async () => gateways.stop())
    const config = loadConfig(copyWithPolicy(join(EXAMPLES, 'hcf.yaml'), QUICK, workDir), gateways.env)
    const app = await startApp(config, { log: createLog({ level: 'info', destination: log }), version })
    closers.push(async () => app.stop())

    const agentPort = Number(/\d+$/.exec(app.agentAddresses[0] ?? '')?.[0])
    const balancer = !model && haproxyVersion() !== undefined
      ? await startHaproxy({
        config: join(EXAMPLES, 'haproxy.cfg'),
        workDir,
        env: { PATH: env['PATH'], ...gateways.addresses, HCF_AGENT_PORT: String(agentPort), HCF_AGENT_INTER: `${AGENT_INTER_MS}ms` }
      })
      : await startModelBalancer({
        agent: { kind: 'tcp', host: '127.0.0.1', port: agentPort },
        agentInterMs: AGENT_INTER_MS,
        ports: Object.values(gateways.byName).map(({ port }) => port)
      })
    closers.push(async () => balancer.stop())
    closers.push(async () => app.stop()) // before the balancer: its last word is heard at once
    const client = new Client({ publicUrl: balancer.publicUrl, readPath: gateways.readPath, readsPerSecond: 20, writesPerSecond: 5 })
    closers.push(async () => client.stop())
    return { gateways, app, balancer, client, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
