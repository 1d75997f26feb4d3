/** `hcf probe`: look at one server now, without an agent, and show every criterion with value and limit. */
import { loadConfig, type Config } from '../config/load.ts'
import { advance, newBackend } from '../core/advance.ts'
import { explain, type CriterionStory, type Story } from '../core/explain.ts'
import { serverId, type Backend, type Sample } from '../core/model.ts'
import type { Poll } from '../core/probe.ts'
import { duration } from '../criteria/scalars.ts'
import { Deadlines } from '../probes/deadline.ts'
import { createProbe } from '../probes/index.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT, findConfig, painter, table, useColor, type Io } from './io.ts'

interface Options { readonly config?: string, readonly wait?: string, readonly json?: true }

export const define: Define = (command, io, end) => {
  command.argument('<backend/server>', 'the server to look at')
  command.option('-c, --config <file>', 'config file (default: ./hcf.yaml, then /etc/hcf/hcf.yaml)')
  command.option('--wait <duration>', 'look again until it is fit, for at most this long (a gate at start-up)')
  command.option('--json', 'print JSON')
  command.action(async (id: string, options: Options) => {
    const config = loadConfig(findConfig(options.config), io.env)
    const { backend, index } = findServer(config, id)
    const waitMs = options.wait === undefined ? 0 : parseWait(options.wait)
    const { story, samples } = await lookUntilFit(config, backend, index, waitMs)
    const fit = story.decision.state === 'up'
    io.stdout.write(options.json ? `${JSON.stringify({ server: id, fit, ...story, samples }, undefined, 2)}\n` : `${render(id, story, io)}\n`)
    end(fit ? EXIT.ok : EXIT.no)
  })
}

function findServer (config: Config, id: string): { readonly backend: Backend, readonly index: number } {
  for (const backend of config.backends) {
    const index = backend.servers.findIndex(server => serverId(server) === id)
    if (index >= 0) return { backend, index }
  }
  const known = config.backends.flatMap(({ servers }) => servers.map(serverId))
  throw new CommandError(`no server ${id} in ${config.file}; it has ${known.join(', ')}`, EXIT.usage)
}

function parseWait (text: string): number {
  const parsed = duration.safeParse(text)
  if (!parsed.success) throw new CommandError(`--wait must be a duration like 60s, is ${text}`, EXIT.usage)
  return parsed.data
}

async function lookUntilFit (config: Config, backend: Backend, index: number, waitMs: number): Promise<{ story: Story, samples: readonly Sample[] }> {
  const polls = config.polls.filter(({ readers }) => readers.some(reader => reader.backend === backend.name && reader.server === index))
  const untilMs = clock.now() + waitMs
  for (;;) {
    const samples = await lookOnce(polls)
    const alone = aloneAtOnce(backend)
    const state = polls.reduce((before, { key }, i) => {
      const sample = samples[i]
      return sample === undefined ? before : advance(alone, before, { kind: 'sample', server: index, probe: key, sample })
    }, newBackend(alone, clock.now()))
    const story = explain(alone, state, index, clock.now())
    const pauseMs = Math.min(1000, ...polls.map(({ fastMs }) => fastMs))
    if (story.decision.state === 'up' || clock.now() + pauseMs > untilMs) return { story, samples }
    await new Promise<void>(resolve => { clock.after(pauseMs, resolve) })
  }
}

/** What the farm can afford is not asked: here is one server by its own criteria, and one look at each decides. */
function aloneAtOnce (backend: Backend): Backend {
  const { baseWeight, staleAfterMs, weight } = backend.policy
  const atOnce = weight === undefined ? {} : { weight: { ...weight, everyMs: 0, downPercent: 1 } }
  return {
    ...backend,
    policy: { mode: 'enforce', minUp: 0, maxOutPercent: 100, baseWeight, staleAfterMs, ...atOnce },
    servers: backend.servers.map(server => ({ ...server, criteria: server.criteria.map(criterion => ({ ...criterion, rise: 1, fall: 1 })) }))
  }
}

async function lookOnce (polls: readonly Poll[]): Promise<readonly Sample[]> {
  const deadlines = new Deadlines((tick, everyMs) => clock.every(everyMs, tick))
  const probes = polls.map(poll => createProbe(poll, { now: () => clock.now(), deadlines }))
  try {
    return await Promise.all(probes.map(async probe => probe.run()))
  } finally {
    for (const probe of probes) probe.close()
  }
}

function render (id: string, { sentence, criteria }: Story, io: Io): string {
  const paint = painter(useColor(io))
  const rows = criteria.map((criterion: CriterionStory) => [
    paint(criterion.status === 'pass' ? 'green' : criterion.status === 'fail' ? 'red' : 'yellow', criterion.status),
    criterion.name,
    String(criterion.value ?? '-'),
    criterion.limit ?? '-',
    criterion.onFail,
    criterion.reason ?? '-'
  ])
  return [`${paint('bold', id)}  ${sentence}`, '', table([['', 'criterion', 'value', 'limit', 'on fail', 'measured'], ...rows])].join('\n')
}
