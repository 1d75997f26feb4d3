/** Asks the running agent over its admin port. */
import { Client } from 'undici'
import { loadConfig } from '../config/load.ts'
import { parseAddress, showAddress, type Address } from '../config/schema.ts'
import { CommandError, EXIT, findConfig, type Io } from './io.ts'

const TIMEOUT_MS = 5000

export interface Where { readonly config?: string, readonly admin?: string }

/** --admin, then HCF_ADMIN, then the config. */
export function findAdmin ({ config, admin }: Where, io: Io): Address {
  const given = admin ?? io.env['HCF_ADMIN']
  if (given === undefined) return loadConfig(findConfig(config), io.env).adminListen
  const address = parseAddress(given.replace(/^http:\/\//, '').replace(/\/$/, '')) // a URL is what a browser shows
  if (address === undefined) throw new CommandError(`the admin address must be like 127.0.0.1:9778 or unix:/path, is ${given}`, EXIT.usage)
  return address
}

/** The JSON at `path`. A 404 is the user's mistake, with the agent's own words for it. */
export async function askAdmin (address: Address, path: string): Promise<unknown> {
  const client = address.kind === 'unix'
    ? new Client('http://localhost', { socketPath: address.path })
    : new Client(`http://${showAddress(address)}`)
  try {
    const { statusCode, body } = await client.request({ path, method: 'GET', signal: AbortSignal.timeout(TIMEOUT_MS) })
    const answer = await body.json() as { readonly detail?: string }
    if (statusCode === 404) throw new CommandError(answer.detail ?? 'not found', EXIT.usage)
    if (statusCode !== 200) throw new CommandError(`the agent answered ${statusCode}: ${answer.detail ?? ''}`, EXIT.unavailable)
    return answer
  } catch (error) {
    if (error instanceof CommandError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw new CommandError(`no agent at ${showAddress(address)} (${code ?? message}). Is hcf serve running? hcf probe looks at a server without it`, EXIT.unavailable)
  } finally {
    await client.destroy()
  }
}
