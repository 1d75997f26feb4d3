/** `hcf check`: every problem of a config with its place, or what it comes to. */
import { loadConfig } from '../config/load.ts'
import { count } from '../core/text.ts'
import type { Define } from './index.ts'
import { EXIT, findConfig } from './io.ts'

export const define: Define = (command, io, end) => {
  command.option('-c, --config <file>', 'config file (default: ./hcf.yaml, then /etc/hcf/hcf.yaml)')
  command.option('--effective', 'print the config in full, with profiles and defaults filled in')
  command.action((options: { config?: string, effective?: true }) => {
    const file = findConfig(options.config)
    const { effective, backends, polls } = loadConfig(file, io.env)
    const servers = backends.reduce((sum, { servers: { length } }) => sum + length, 0)
    const summary = [count(backends.length, 'backend'), count(servers, 'server'), count(polls.length, 'poll')].join(', ')
    io.stdout.write(options.effective ? effective : `${file}: ok: ${summary}\n`)
    end(EXIT.ok)
  })
}
