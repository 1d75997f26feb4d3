/** The gateways of haproxy/haproxy.cfg and haproxy/hcf.yaml, simulated, and what those two files take from the environment. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GATEWAYS, type GatewayName } from './balancer.ts'
import { Gateway, type Files } from './gateway.ts'

export interface ThreeGateways {
  readonly byName: Readonly<Record<GatewayName, Gateway>>
  /** Where the gateways are, for both files. */
  readonly addresses: Readonly<Record<string, string>>
  /** The rest, for hcf.yaml: ports of its own choice, its state and the caps of its canaries in `workDir`. */
  readonly env: Readonly<Record<string, string>>
  /** The path of a file that every gateway can read. */
  readonly readPath: string
  stop: () => Promise<void>
}

export interface ThreeGatewaysOptions {
  readonly workDir: string
  /** How often and how long the canaries look: `3s`. Quicker than an operator would want. */
  readonly canaryEvery: string
  readonly canaryWithin: string
}

export async function startThreeGateways ({ workDir, canaryEvery, canaryWithin }: ThreeGatewaysOptions): Promise<ThreeGateways> {
  const files: Files = new Map() // one grid: what is written through one gateway is read through another
  const started = await Promise.all(GATEWAYS.map(async name => [name, await Gateway.start({ name, files })] as const))
  const byName = Object.fromEntries(started) as Record<GatewayName, Gateway>
  const addresses = Object.fromEntries(started.map(([name, { port }]) => [`HCF_${name.toUpperCase()}`, `127.0.0.1:${port}`]))

  const [readCap, writeCap] = [join(workDir, 'read.cap'), join(workDir, 'write.cap')]
  writeFileSync(readCap, byName.webapi1.caps.mutableRead)
  writeFileSync(writeCap, byName.webapi1.caps.mutableWrite)
  return {
    byName,
    addresses,
    env: {
      ...addresses,
      HCF_AGENT: '127.0.0.1:0',
      HCF_ADMIN_LISTEN: '127.0.0.1:0',
      HCF_STATE_DIR: join(workDir, 'state'),
      HCF_READ_CAP: readCap,
      HCF_WRITE_CAP: writeCap,
      HCF_CANARY_EVERY: canaryEvery,
      HCF_CANARY_WITHIN: canaryWithin,
      HCF_CANARY_WRITE_EVERY: canaryEvery,
      HCF_CANARY_WRITE_WITHIN: canaryWithin
    },
    readPath: `/uri/${encodeURIComponent(byName.webapi1.caps.immutable)}`,
    stop: async () => { await Promise.all(started.map(async ([, gateway]) => gateway.stop())) }
  }
}

/** A copy in `dir` of an example config with another policy for every backend, as YAML: its own pace is that of a farm, not of a demonstration. */
export function copyWithPolicy (example: string, policy: string, dir: string): string {
  const file = join(dir, 'hcf.yaml')
  writeFileSync(file, readFileSync(example, 'utf8').replace(/^( +)profile: .*$/gm, `$&\n$1policy: ${policy}`))
  return file
}
