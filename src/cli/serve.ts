/** `hcf serve`: the agent, until SIGTERM. SIGHUP reads the config again; a bad one changes nothing. */
import type { DestinationStream } from 'pino'
import { startApp, type App } from '../app.ts'
import { loadConfig, type Config } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
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
  const app = await start(config, log, io)
  const offHup = io.onSignal('SIGHUP', () => { void reload(app, file, log, io) })
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

async function start (config: Config, log: Log, { version }: Io): Promise<App> {
  try {
    return await startApp(config, { log, version })
  } catch (error) {
    throw listenError(error)
  }
}

async function reload (app: App, file: string, log: Log, io: Io): Promise<void> {
  try {
    await app.reload(loadConfig(file, io.env))
  } catch (error) {
    const problems = error instanceof ConfigError ? error.message.split('\n') : [listenError(error).message]
    log.event('config.rejected', { config: file, problems }, 'the new config is not used; the old one stays')
  }
}

function listenError (error: unknown): Error {
  const { code, address = '', port = '', message } = error as NodeJS.ErrnoException & { address?: string, port?: number }
  if (code === undefined) return error as Error
  const cure: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something already listens there: another hcf?',
    EACCES: 'not permitted: choose a port above 1023, or a directory this user may write',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOENT: 'the directory of the socket does not exist'
  }
  return new CommandError(`cannot listen on ${[address, port].filter(part => part !== '' && part !== -1).join(':') || message}: ${cure[code] ?? code}`, EXIT.usage)
}
