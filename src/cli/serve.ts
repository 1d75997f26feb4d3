/** `hcf serve`: the agent, until SIGTERM. SIGHUP reads the config again; a bad one changes nothing. */
import type { DestinationStream } from 'pino'
import { startApp, type App } from '../app.ts'
import { listenProblem } from '../app/listen-error.ts'
import { loadConfig, type Config } from '../config/load.ts'
import { createLog, type Log } from '../runtime/log.ts'
import type { Define } from './index.ts'
import { CommandError, EXIT, findConfig, useColor, type Io } from './io.ts'

export const define: Define = (command, io, end) => {
  command.option('-c, --config <file>', 'config file (default: ./hcf.yaml, then /etc/hcf/hcf.yaml)')
  command.action(async (options: { config?: string }) => {
    await serve(findConfig(options.config), io)
    end(EXIT.ok)
  })
}

async function serve (file: string, io: Io): Promise<void> {
  const config = loadConfig(file, io.env)
  const log = createLog({ level: config.logLevel, destination: await destination(io) })
  const stopAsked = new Promise<void>(resolve => {
    io.onSignal('SIGTERM', resolve)
    io.onSignal('SIGINT', resolve)
  })
  io.surviveOutput()
  const app = await start(config, log, file, io)
  const offHup = io.onSignal('SIGHUP', () => { void app.reloadFile() })
  await stopAsked
  offHup()
  io.onSignal('SIGHUP', () => undefined) // while stopping it would end us before the last word is heard
  await app.stop()
}

/** JSON for programs; for a person at a terminal, lines a person reads. */
async function destination (io: Io): Promise<DestinationStream> {
  if (io.stdout.isTTY !== true) return io.stdout
  const { default: pretty } = await import('pino-pretty')
  return pretty({ colorize: useColor(io), destination: io.stdout, ignore: 'event,level', messageFormat: '{level} {event}: {msg}', hideObject: true })
}

async function start (config: Config, log: Log, file: string, { version, env, openFilesMax }: Io): Promise<App> {
  try {
    return await startApp(config, { log, version, readConfig: () => loadConfig(file, env), openFilesMax: openFilesMax() })
  } catch (error) {
    const problem = listenProblem(error)
    throw problem === undefined ? error : new CommandError(problem, EXIT.usage)
  }
}
