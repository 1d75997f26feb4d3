/** Configs of one backend `web`, and what is in them. */
import { parseConfig, type Config } from '../../src/config/load.ts'
import type { Criterion } from '../../src/core/model.ts'
import type { Poll } from '../../src/core/probe.ts'

export const CAP = 'URI:SSK:aaaa:bbbb\n'
type Env = Readonly<Record<string, string>>
export const parse = (text: string, env: Env = {}, file = '/etc/hcf/hcf.yaml'): Config => parseConfig(text, file, { env, readFile: () => CAP })

/** One backend `web` with one server, and what is given. */
export const web = (more = ''): string => `backends:\n  web:\n    servers: { a: "http://10.0.0.1:80" }\n${more}`
export const policy = (text: string): string => web(`    policy: ${text}\n`)
export const criteria = (text: string, of = web()): string => `${of}    criteria:\n${text.split('\n').map(line => `      ${line}\n`).join('')}`

export const criterion = ({ backends }: Config, name: string, backend = 0, server = 0): Criterion => {
  const found = backends[backend]?.servers[server]?.criteria.find(each => each.name === name)
  if (found === undefined) throw new Error(`no criterion ${name}`)
  return found
}
export const pollOf = (config: Config, name: string, backend = 0, server = 0): Poll =>
  config.polls.find(({ key }) => key === criterion(config, name, backend, server).probe)!
