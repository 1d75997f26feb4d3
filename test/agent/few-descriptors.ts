/** An agent in a process of its own that runs out of descriptors and gets them back when it is told to. */
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { listenAgent } from '../../src/agent/server.ts'

const say = (line: string): void => { process.stdout.write(`${line}\n`) }
const held: number[] = []

function take (): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch (error) {
    say((error as NodeJS.ErrnoException).code ?? 'error')
  }
}

const listener = await listenAgent(
  { address: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
  { allow: ['127.0.0.0/8'], maxConnections: 100, lineTimeoutMs: 500 },
  {
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      return { stop: () => { clearTimeout(timer) } }
    },
    reply: () => ({ health: 'up' }),
    peek: () => undefined,
    onUnknown: () => undefined,
    onRefused: () => undefined,
    onTrouble: () => undefined
  }
)
const input = createInterface({ input: process.stdin })
input.on('line', line => {
  if (line === 'take') return take()
  if (line === 'look') return void setImmediate(() => setImmediate(() => { say('looked') })) // at its connections, in between
  for (const descriptor of held.splice(0)) closeSync(descriptor)
  say('free')
})
input.on('close', () => { void listener.close() })
say(listener.bound)
