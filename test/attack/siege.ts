/** An agent under attack, and what has to hold meanwhile and afterwards. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { until } from '../helpers/until.ts'
import { startAgent, type Agent, type Options } from './agent.ts'

export type AttackKind =
  | 'idle' | 'a byte each 20 ms' | 'a byte a second' | 'long line' | 'endless line' | 'reset' | 'reset after asking' | 'stranger' | 'half open' | 'never reads'

export interface Attack {
  readonly kind: AttackKind
  /** Kept at once: one that is closed is made again. */
  readonly connections: number
  /** Its addresses, in turn. */
  readonly sources: readonly string[]
  /** New ones. */
  readonly perSecond: number
}

export interface Siege extends Options {
  readonly attacks: readonly Attack[]
}

/** So often HAProxy asks, at the least: while it goes on, and afterwards. */
const ASKS = 60
/** Generous: what grows with the attack is far more. */
const MEMORY_BYTES_MAX = 150 * 1024 * 1024
/** Connections to nodes come and go. */
const OPEN_FILES_SPARE = 16
const RIGHT = /^up 100%$/

/** The address HAProxy has too. */
export const HAPROXY = ['127.0.0.1']
/** Addresses of others who may ask. */
export const MANY = Array.from({ length: 200 }, (_, i) => `127.9.${i >> 4}.${(i & 15) + 1}`)
/** One that may not. */
export const STRANGER = ['127.0.0.2']

class Attackers {
  readonly #child: ChildProcess
  readonly #attacks: readonly Attack[]

  constructor (t: Test, port: number, attacks: readonly Attack[]) {
    this.#attacks = attacks
    this.#child = fork(new URL('./attacker.js', import.meta.url), [JSON.stringify({ port, attacks })])
    t.teardown(() => { this.#child.kill('SIGKILL') })
  }

  async on (): Promise<void> {
    await once(this.#child, 'message')
  }

  /** Whether each has made all of its connections anew: none had gone when we looked. */
  async haveComeTwice (): Promise<boolean> {
    this.#child.send('made?')
    const [made] = await once(this.#child, 'message') as [number[]]
    return this.#attacks.every(({ connections }, i) => made[i]! >= 2 * connections)
  }

  async end (): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}

/** Every question of HAProxy is answered rightly; memory is bounded; and afterwards all is as it was. */
export async function besiege (t: Test, { attacks, ...options }: Siege): Promise<Agent> {
  const agent = await startAgent(t, options)
  const [openFiles, peakBytes] = [agent.openFiles, agent.peakBytes]
  const attackers = new Attackers(t, agent.port, attacks)
  await attackers.on()

  const during = new Answers(agent)
  await during.ask(ASKS)
  while (!await attackers.haveComeTwice()) await during.ask(1)
  during.check(t, 'while it goes on')
  t.ok(agent.peakBytes - peakBytes < MEMORY_BYTES_MAX, `memory: ${mb(peakBytes)} MB, at most ${mb(agent.peakBytes)} under attack`)

  await attackers.end()
  await until('the connections are closed', () => agent.openFiles <= openFiles + OPEN_FILES_SPARE || undefined, () => `${agent.openFiles} files are open, ${openFiles} were`)
  await changes(t, agent)
  const after = new Answers(agent)
  await after.ask(ASKS)
  after.check(t, 'afterwards')
  return agent
}

const mb = (bytes: number): number => Math.round(bytes / 1024 / 1024)

/** What HAProxy hears, one question after another. */
class Answers {
  readonly #agent: Agent
  /** How often each was heard. */
  readonly #wrong = new Map<string, number>()
  #asked = 0
  #slowestMs = 0

  constructor (agent: Agent) {
    this.#agent = agent
  }

  async ask (times: number): Promise<void> {
    for (let i = 0; i < times; i += 1) {
      const beginMs = performance.now()
      const answer = await this.#agent.ask(this.#agent.names[this.#asked % this.#agent.names.length]!)
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - beginMs)
      this.#asked += 1
      if (!RIGHT.test(answer)) this.#wrong.set(answer, (this.#wrong.get(answer) ?? 0) + 1)
    }
  }

  check (t: Test, when: string): void {
    t.strictSame(Object.fromEntries(this.#wrong), {}, `${when}: ${this.#asked} questions are answered; the slowest took ${Math.round(this.#slowestMs)} ms`)
  }
}

/** A node that falls ill is seen, and when it is well again. */
async function changes (t: Test, agent: Agent): Promise<void> {
  const ill = agent.names.at(-1)!
  agent.ail(ill)
  await agent.says(ill, /^down/)
  agent.recover(ill)
  await agent.says(ill, RIGHT)
  t.pass('polls go on, and verdicts change')
}
