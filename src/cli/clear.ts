/** `hcf clear`: ends orders. What wider orders, windows and the criteria say holds again. */
import type { GivenBody, ServerStatus } from '../admin/api.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { agentOptions, askAdmin, findAdmin, type Admin } from './admin-client.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT, type ExitCode, type Io } from './io.ts'
import { parseScopes, WAIT, type OrderOptions } from './order-arguments.ts'
import { renderGiven } from './order-view.ts'
import { interruption, parseWait } from './patience.ts'
import { waitUntilIn } from './wait.ts'

export const define: Define = (command, io, end) => {
  command.argument('[backend/server...]', "as the orders were given: hcf clear 'web/*' ends that for all of web, and leaves one for web/a")
  command.option('--by <name>', 'who, where the token does not say (default: who runs this)')
  command.option('--force', 'also when what it hid (a wider order, a window) leaves fewer than min_up')
  command.option('--wait [duration]', `return when it takes traffic again, or with 1 after this long (default: ${WAIT})`)
  agentOptions(command)
  command.action(async (words: string[], options: OrderOptions) => {
    const isTarget = typeof options.wait === 'string' && options.wait.includes('/') // `--wait web/a`
    const scopes = parseScopes(isTarget ? [...words, String(options.wait)] : words)
    const waitMs = options.wait === undefined ? undefined : parseWait('--wait', options.wait === true || isTarget ? WAIT : options.wait)
    const admin = findAdmin(options, io)
    const given = await clearAll(admin, scopes, `by=${encodeURIComponent(options.by ?? io.user)}${options.force === true ? '&force=true' : ''}`)
    const shown = options.json === true ? `${JSON.stringify(given, undefined, 2)}\n` : renderGiven(given, false, io, clock.wall())
    io.stdout.write(shown)
    end(waitMs === undefined ? EXIT.ok : await wait(given.servers, admin, waitMs, io))
  })
}

/** One after the other: that one of them is not known leaves the others cleared, and is said. */
async function clearAll (admin: Admin, scopes: readonly string[], query: string): Promise<GivenBody> {
  const all: GivenBody[] = []
  for (const scope of scopes) {
    const [backend = '', server = ''] = scope.split('/')
    const path = `/v1/overrides/${encodeURIComponent(backend)}/${encodeURIComponent(server)}?${query}`
    try {
      all.push(await askAdmin(admin, path, { method: 'DELETE' }) as GivenBody)
    } catch (error) {
      const done = scopes.slice(0, all.length)
      if (!(error instanceof CommandError) || done.length === 0) throw error
      throw new CommandError(`${error.message}\n${done.join(', ')} ${done.length === 1 ? 'is' : 'are'} cleared, ${scopes.slice(done.length).join(', ')} not`, error.exitCode)
    }
  }
  return united(all)
}

/** Of what was said twice, the later word. */
function united (all: readonly GivenBody[]): GivenBody {
  const later = <T>(items: readonly T[], key: (item: T) => string): T[] => [...new Map(items.map(item => [key(item), item])).values()]
  return {
    overrides: later(all.flatMap(({ overrides }) => overrides), ({ scope, kind }) => `${kind} ${scope}`),
    servers: later(all.flatMap(({ servers }) => servers), ({ server }) => server),
    backends: later(all.flatMap(({ backends }) => backends), ({ backend }) => backend),
    notes: later(all.flatMap(({ notes }) => notes), note => note)
  }
}

async function wait (servers: readonly ServerStatus[], admin: Admin, waitMs: number, io: Io): Promise<ExitCode> {
  const { signal, off } = interruption(io)
  try {
    return await waitUntilIn(servers, { admin, io, waitMs, signal, stays: 'The order is over all the same' }) ? EXIT.ok : EXIT.no
  } finally {
    off()
  }
}
