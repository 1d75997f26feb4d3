/** `hcf reload`: the running agent reads its config again. One with a mistake changes nothing. */
import type { reloadBody } from '../admin/api.ts'
import type { z } from 'zod'
import { count } from '../core/text.ts'
import { agentOptions, askAdmin, findAdmin, Refusal, type Where } from './admin-client.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT } from './io.ts'

type Reloaded = z.output<typeof reloadBody>

/** It reads files, and may open sockets. */
const TIMEOUT_MS = 30_000

export const define: Define = (command, io, end) => {
  agentOptions(command)
  command.action(async (options: Where & { readonly json?: true }) => {
    try {
      const answer = await askAdmin(findAdmin(options, io), '/v1/reload', { method: 'POST', timeoutMs: TIMEOUT_MS }) as Reloaded
      const { config, backends, servers } = answer
      io.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : `${config}: in force: ${count(backends, 'backend')}, ${count(servers, 'server')}\n`)
      end(EXIT.ok)
    } catch (error) {
      if (!(error instanceof Refusal) || error.problem.problems === undefined) throw error
      if (options.json) io.stdout.write(`${JSON.stringify(error.problem, undefined, 2)}\n`)
      throw new CommandError(`${error.problem.problems.join('\n')}\nthe old config stays in force`, EXIT.usage)
    }
  })
}
