/** The table of commands, and how one is run. A command's code is loaded only when it is asked for. */
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/problems.ts'
import { CommandError, EXIT, type ExitCode, type Io } from './io.ts'

/** Gives a command its arguments, options and action. The action ends with an exit code. */
export type Define = (command: Command, io: Io, end: (code: ExitCode) => void) => void

const COMMANDS: Readonly<Record<string, { readonly summary: string, readonly load: () => Promise<{ readonly define: Define }> }>> = {
  serve: { summary: 'run the agent', load: async () => import('./serve.ts') },
  check: { summary: 'check a config, and show it in full with --effective', load: async () => import('./check.ts') },
  probe: { summary: 'look at a server once and show every criterion (exit 0 fit, 1 unfit)', load: async () => import('./probe.ts') },
  ask: { summary: 'ask an agent as HAProxy does', load: async () => import('./ask.ts') },
  status: { summary: 'the farm at a glance, from the running agent', load: async () => import('./status.ts') },
  explain: { summary: 'why the running agent says what it says of a server', load: async () => import('./explain.ts') },
  drain: { summary: 'order: no new clients for a server; running requests and cookies stay', load: async () => import('./orders.ts') },
  maint: { summary: 'order: no clients at all, and no health checks', load: async () => import('./orders.ts') },
  down: { summary: 'order: out of service, whatever its criteria say', load: async () => import('./orders.ts') },
  up: { summary: 'order: in service, whatever its criteria say', load: async () => import('./orders.ts') },
  weight: { summary: 'order: at most this share of its weight', load: async () => import('./orders.ts') },
  ready: { summary: 'no order for a server, not even a wider one: its criteria decide', load: async () => import('./orders.ts') },
  clear: { summary: 'end an order', load: async () => import('./clear.ts') },
  events: { summary: 'what happened and who ordered what, from the running agent or its files', load: async () => import('./events.ts') },
  reload: { summary: 'have the running agent read its config again', load: async () => import('./reload.ts') },
  token: { summary: 'make a token for the admin port', load: async () => import('./token.ts') },
  simulate: { summary: 'play faults on a made-up farm: our decisions beside simpler ones', load: async () => import('./simulate.ts') },
  schema: { summary: 'print the JSON Schema of the config', load: async () => import('./schema.ts') },
  demo: { summary: 'three simulated gateways, the agent and HAProxy, and a story of wounds', load: async () => import('./demo.ts') }
}

/** Runs the command that `args` (without node and script) asks for. Never throws. */
export async function runCli (args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = new Command('hcf').description('HAProxy agent-check server: tells the balancer which node is wounded').version(io.version)
  program.showSuggestionAfterError().showHelpAfterError('(hcf --help shows the commands)').exitOverride()
  program.configureOutput({ writeOut: text => { io.stdout.write(text) }, writeErr: text => { io.stderr.write(text) } })
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(summary).copyInheritedSettings(program)
    if (args.includes(name)) (await load()).define(command, io, ended => { code = ended })
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    return report(error, io)
  }
}

function report (error: unknown, io: Io): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage // it has said why
  if (error instanceof ConfigError || error instanceof CommandError) {
    io.stderr.write(`${error.message}\n`)
    return error instanceof CommandError ? error.exitCode : EXIT.usage
  }
  io.stderr.write(`hcf: a bug: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
  return EXIT.bug
}
