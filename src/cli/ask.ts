/** `hcf ask`: one agent-check as HAProxy makes it, but for the mark that it is none; and what HAProxy will do with the answer. */
import { askAgent, NoAnswer } from '../agent/ask.ts'
import { parseReply, PEEK, type ParsedReply } from '../agent/protocol.ts'
import { parseAddress } from '../config/schema.ts'
import { clean } from '../core/text.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT } from './io.ts'

export const define: Define = (command, io, end) => {
  command.argument('<address>', 'of the agent, as in agent.listen: 127.0.0.1:9777 or unix:/path')
  command.argument('<backend/server>', 'the server to ask for')
  command.option('--json', 'print JSON')
  command.action(async (where: string, id: string, options: { json?: true }) => {
    const address = parseAddress(where)
    if (address === undefined) throw new CommandError(`the address must be like 127.0.0.1:9777, [::1]:9777 or unix:/path, is ${where}`, EXIT.usage)
    const line = await askAgent(address, `${id}${PEEK}\n`).catch((error: unknown) => {
      if (error instanceof NoAnswer) throw new CommandError(`no answer from the agent at ${where}: ${error.message}`, EXIT.unavailable)
      throw error
    })
    const parsed = parseReply(line)
    const effects = effectsOf(parsed)
    io.stdout.write(options.json ? `${JSON.stringify({ line, ...parsed, effects })}\n` : `${clean(line, 200)}\n${effects.map(effect => `  ${effect}\n`).join('')}`)
    end(EXIT.ok)
  })
}

/** What a reply does to a server, in words; what it does not name stays. */
export function effectsOf ({ admin, health, weight, unknown, text }: ParsedReply): readonly string[] {
  const effects: string[] = []
  if (admin === 'ready') effects.push('ready: ends a drain or maintenance, the operator’s own too')
  if (admin === 'drain') effects.push('drain: no new clients; those with a cookie and running requests stay')
  if (admin === 'maint') effects.push('maint: no clients at all; health checks stop')
  if (health === 'up') effects.push('up: in service, if HAProxy’s own check agrees')
  if (health !== undefined && health !== 'up') effects.push(`${health}: out of service until an answer says up`)
  if (weight !== undefined) effects.push(`${weight}: of the weight on the server line`)
  if (unknown !== undefined) effects.push(`${clean(unknown, 40)}: unknown to HAProxy, ignored`)
  if (effects.length === 0) effects.push('no word that acts: HAProxy notes an answer and changes nothing')
  if (text !== undefined && text !== '') effects.push(`why: ${clean(text)}`)
  return effects
}
