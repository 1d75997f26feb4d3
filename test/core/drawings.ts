/**
 * Stories as drawings: how the servers of a backend fare, to be read at a glance.
 *
 *     a  ++ooo++++++  uuuuddh1122     one line a server: its name, its polls, and what we mean it to be after each:
 *                                     here it falls silent, goes out, waits, and comes back little by little
 *
 * A column is one poll of everybody, line by line, and 2 s. The polls:
 *
 *     +  passes                                x  refuses
 *     -  answers, but every criterion fails    r  resets
 *     S  answers, but the criteria with that   n  no connection
 *        initial fail (any capital)            o  no answer in time
 *     3  passes, and allows 30% (1 … 9)        p  answers, but not what was asked for
 *     y  yawns: passes, after 300 ms           l  trouble of our own
 *     z  sleeps: passes, after 600 ms          *  passes, but we were held up ourselves
 *     ~  the same again for half a minute      %  fails, but we were held up ourselves
 *     .  no poll
 *
 * And what came of them:
 *
 *     u  up                                    d  down by its criteria
 *     3  up with 30 … 39% (1 … 9)              D  drained
 *     0  up with 0%                            h  down, though it passes again
 *     k  kept by the floor, with little        m  maintenance
 *     K  kept by the floor, with all           .  no opinion
 *     ?  up: the others fail too               s  up: nothing known for too long
 *     !  up: the others are strained           w  only watched: would be something else
 *     q  up: others have only just gone out
 *
 * Other lines: `a.canary` are the polls of another probe of `a`; `@gw` those of a node of another backend; `web/a`
 * and `web/*` the operator's orders, in the letters of what comes of them. Text after a line is a remark.
 */
import type { Test } from 'tap'
import { advance, newBackend } from '../../src/core/advance.ts'
import { decide } from '../../src/core/decide.ts'
import type { Voice } from '../../src/core/gate.ts'
import type { Backend, Criterion, Decision, ErrorClass, Judge, OnFail, Sample, Server } from '../../src/core/model.ts'
import { byScope, type Order, type OrderAction } from '../../src/core/order.ts'
import { DEFAULT_POLICY, type Policy } from '../../src/core/policy.ts'
import { judgeReach, REACH, reachCheck } from '../../src/core/reach.ts'
import type { BackendState, CheckState, ServerState } from '../../src/core/state.ts'

export const COLUMN_MS = 2000
/** Polls in a `~`. */
const AGAIN = 15
/** Between the polls of one column. */
const LINE_MS = 10
const TIMEOUT_MS = 2000

const ERRORS: Readonly<Record<string, ErrorClass>> = {
  x: 'refused', r: 'reset', n: 'noconn', o: 'timeout', t: 'timeout', p: 'protocol', l: 'local'
}
const TOOK_MS: Readonly<Record<string, number>> = { y: 300, z: 600, o: TIMEOUT_MS, n: TIMEOUT_MS }
const QUICK_MS = 5

/** What a mark stands for; undefined for one that is no sample. */
export function sampleOf (mark: string, endMs: number, tookMs = QUICK_MS): Sample | undefined {
  const times = { startMs: endMs - tookMs, endMs }
  if (mark === '.') return undefined
  const error = ERRORS[mark]
  if (error !== undefined) return { ok: false, ...times, error: { class: error, message: `${error} by the node` } }
  if (/[1-9]/.test(mark)) return { ok: true, ...times, facts: { ok: true, percent: Number(mark) * 10 } }
  if (/[A-Z]/.test(mark)) return { ok: true, ...times, facts: { ok: true, fails: mark } }
  return { ok: true, ...times, facts: { ok: !'-%'.includes(mark) }, ...('*%'.includes(mark) ? { tainted: true } : {}) }
}

/** Reads a probe of its own name; down at the third failure, back at the second pass. */
export function criterion (name: string, options: Partial<Criterion> = {}): Criterion {
  const judge: Judge = ({ facts: { ok = null, fails, percent } }) => {
    const pass = ok === true && fails !== name.slice(0, 1).toUpperCase()
    const weight = typeof percent === 'number' ? { weightPercent: percent } : {}
    return { pass, value: pass, limit: 'true', reason: pass ? 'is ok' : 'is not ok', ...weight }
  }
  return {
    name, kind: 'test', probe: name, meaning: name, onFail: { action: 'down' }, rise: 2, fall: 3, solo: false, ignores: [], judge, ...options
  }
}
export const reach = (options: Partial<Criterion> = {}): Criterion => criterion(REACH, { kind: REACH, judge: judgeReach, ...options })

/** Reads what reach reads: with no answer there is nothing to judge. */
export const content = (name: string, options: Partial<Criterion> = {}): Criterion =>
  criterion(name, { probe: REACH, ignores: ['refused', 'reset', 'noconn', 'timeout', 'tls', 'local'], ...options })

export const DRAIN: Partial<Criterion> = { onFail: { action: 'drain' } }
export const WARN: Partial<Criterion> = { onFail: { action: 'warn' } }
export const weight = (percent: number): OnFail => ({ action: 'weight', percent })

/** One poll for all: `H` cannot serve, `S` is impaired but able. */
export const CRITERIA: readonly Criterion[] = [reach(), content('http'), content('storage', DRAIN)]

export const server = (name: string, criteria = CRITERIA, options: Partial<Server> = {}): Server =>
  ({ backend: 'web', name, weightPercent: 100, node: `http://${name}`, timeoutMs: TIMEOUT_MS, criteria, ...options })
export const backend = (servers: readonly Server[], policy: Policy = DEFAULT_POLICY): Backend => ({ name: 'web', policy, servers })
/** A server for each letter. */
export const web = (names: string, policy: Policy = DEFAULT_POLICY, criteria = CRITERIA): Backend =>
  backend(Array.from(names).map(name => server(name, criteria)), policy)

/** Only criteria: no layer waits, doubts, remembers or saves. */
export const BARE: Policy = { mode: 'enforce', minUp: 0, maxOutPercent: 100, baseWeight: 100, staleAfterMs: 15_000 }
type Layer = 'window' | 'gate' | 'burst' | 'strain' | 'hold' | 'weight' | 'peers' | 'ramp' | 'staleOpenMs'
export const only = (...layers: readonly Layer[]): Policy =>
  ({ ...BARE, ...Object.fromEntries(layers.map(layer => [layer, DEFAULT_POLICY[layer]])) })
export const without = (...layers: readonly Layer[]): Policy =>
  Object.fromEntries(Object.entries(DEFAULT_POLICY).filter(([name]) => !layers.some(layer => layer === name))) as unknown as Policy

export const order = (scope: string, action: OrderAction, fromMs = 0, untilMs?: number): Order =>
  ({ scope, action, fromMs, ...(untilMs === undefined ? {} : { untilMs }), by: 'al', reason: 'disk' })

/** How a drawing ended, and the drawing as it came out. */
export interface Story { readonly text: string, readonly backend: Backend, readonly state: BackendState, readonly nowMs: number }

/** Plays a drawing, and says that its decisions are what came out. The message of a failure is a drawing, too. */
export function tell (t: Test, why: string, farm: Backend, drawing: string, before?: Story): Story {
  const story = play(farm, drawing, before)
  t.equal(story.text, drawing, why)
  return story
}

export function play (farm: Backend, drawing: string, before?: Story): Story {
  const lines = drawing.split('\n').map(parse)
  const length = Math.max(0, ...lines.map(({ polls }) => polls.length))
  const teller = new Teller(farm, lines, before?.state ?? newBackend(farm, 0), before?.nowMs ?? 0)
  for (let column = 0; column < length; column += 1) teller.play(column)
  return { text: teller.text(), backend: farm, state: teller.state, nowMs: teller.nowMs }
}

/** The same with other orders. */
export function ordered (story: Story, orders: readonly Order[], atMs = story.nowMs): Story {
  return { ...story, state: advance(story.backend, story.state, { kind: 'orders', orders: byScope(orders), atMs }) }
}

/** The state of a server at the end of a drawing. */
export function ownOf ({ backend: { servers }, state }: Story, name = 'a'): ServerState {
  const own = state.servers.at(servers.findIndex(each => each.name === name))
  if (own === undefined) throw new RangeError(`no server ${name}`)
  return own
}

/** What is remembered of one of its criteria. */
export function checkOf (story: Story, at = 0, name = 'a'): CheckState {
  const check = ownOf(story, name).checks[at]
  if (check === undefined) throw new RangeError(`no sample of criterion ${at} of ${name}`)
  return check
}

/** What is meant of a server at the end of a drawing. */
export const decided = ({ backend: farm, state, nowMs }: Story, name = 'a', laterMs = 0): Decision =>
  decide(farm, state, farm.servers.findIndex(each => each.name === name), nowMs + laterMs)

interface Line { readonly before: string, readonly name: string, readonly polls: string, readonly between: string, readonly after: string }

function parse (text: string): Line {
  const [, before = text, name = '', gap = '', polls = '', between = '', after = ''] = /^(\s*)(\S+)(\s+)(\S+)(\s*)(.*)$/.exec(text) ?? []
  return { before: `${before}${name}${gap}${polls}`, name, polls, between, after }
}

class Teller {
  readonly #farm: Backend
  readonly #lines: readonly Line[]
  readonly #decided: string[]
  readonly #last: string[]
  readonly #outside: Backend
  #outsideState: BackendState
  #ordered = ''
  state: BackendState
  nowMs: number

  constructor (farm: Backend, lines: readonly Line[], state: BackendState, nowMs: number) {
    const strangers = lines.filter(({ name }) => name.startsWith('@')).map(({ name }) => server(name))
    this.#farm = farm
    this.#lines = lines
    this.#decided = lines.map(() => '')
    this.#last = lines.map(() => '.')
    this.#outside = { ...backend(strangers, BARE), name: 'other' }
    this.#outsideState = newBackend(this.#outside, nowMs)
    this.state = state
    this.nowMs = nowMs
  }

  play (column: number): void {
    this.#order(column)
    const again = this.#lines.some(({ polls }) => polls[column] === '~')
    for (let n = 0; n < (again ? AGAIN : 1); n += 1) {
      this.nowMs += COLUMN_MS
      for (const [i, { polls }] of this.#lines.entries()) {
        const mark = polls[column] ?? '.'
        if (again && !'~.'.includes(mark)) throw new Error(`${mark} beside ~: both or none last for half a minute`)
        if (mark !== '~') this.#last[i] = mark
        this.#poll(i, this.#last[i] ?? '.')
      }
    }
    for (const [i, { name }] of this.#lines.entries()) {
      const index = this.#indexOf(name)
      if (index >= 0) this.#decided[i] += letter(this.state, index, decide(this.#farm, this.state, index, this.nowMs + COLUMN_MS / 4))
    }
  }

  text (): string {
    return this.#lines.map(({ before, name, between, after }, i) => {
      const remark = /^\S+(.*)$/.exec(after)?.[1] ?? ''
      return `${before}${between}${this.#indexOf(name) >= 0 && after !== '' ? `${this.#decided[i]}${remark}` : after}`
    }).join('\n')
  }

  /** The orders in force from this column on, when they are not those of the one before. */
  #order (column: number): void {
    const lines = this.#lines.filter(({ name, polls }) => name.includes('/') && (polls[column] ?? '.') !== '.')
    const ordered = lines.map(({ name, polls }) => `${name} ${polls[column]}`).join()
    if (ordered === this.#ordered) return
    this.#ordered = ordered
    const atMs = this.nowMs + COLUMN_MS / 2
    const orders = byScope(lines.map(({ name, polls }) => order(name, actionOf(polls[column] ?? ''), atMs)))
    this.state = advance(this.#farm, this.state, { kind: 'orders', orders, atMs })
  }

  #poll (line: number, mark: string): void {
    const name = this.#lines[line]?.name ?? ''
    if (name === '' || name.includes('/')) return
    const sample = sampleOf(mark, this.nowMs + line * LINE_MS, TOOK_MS[mark] ?? QUICK_MS)
    if (sample === undefined) return
    if (name.startsWith('@')) {
      const event = { kind: 'sample' as const, server: this.#outside.servers.findIndex(each => each.name === name), probe: REACH, sample }
      this.#outsideState = advance(this.#outside, this.#outsideState, event)
      return
    }
    const [own = '', probe = REACH] = name.split('.')
    const index = this.#indexOf(own)
    if (index < 0) throw new Error(`no server ${own}`)
    this.state = advance(this.#farm, this.state, { kind: 'sample', server: index, probe, sample }, () => this.#voices())
  }

  #voices (): readonly Voice[] {
    return this.#outside.servers.flatMap((each, i) => {
      const state = this.#outsideState.servers.at(i)
      const check = state === undefined ? undefined : reachCheck(each, state)
      return check === undefined ? [] : [{ node: each.node, check }]
    })
  }

  #indexOf (name: string): number {
    return this.#farm.servers.findIndex(each => each.name === name)
  }
}

const ACTIONS: Readonly<Record<string, OrderAction>> = { r: 'ready', u: 'up', d: 'down', D: 'drain', m: 'maint' }
const actionOf = (mark: string): OrderAction => ACTIONS[mark] ?? { weightPercent: Number(mark) * 10 }

function letter ({ servers }: BackendState, index: number, { state, layer, weightPercent }: Decision): string {
  if (layer === 'stale') return 's'
  if (layer === 'observe') return 'w'
  switch (state) {
    case 'unknown': return '.'
    case 'drain': return 'D'
    case 'maint': return 'm'
    case 'down': return layer === 'hold' ? 'h' : 'd'
    case 'up': break
  }
  if (layer === 'floor') return weightPercent === 100 ? 'K' : 'k'
  const doubt = servers.at(index)?.checks.find(check => check?.doubt !== undefined)?.doubt
  if (layer === 'gate' && doubt !== undefined) return { peers: '?', strain: '!', queue: 'q' }[doubt.why]
  return weightPercent === 100 ? 'u' : weightPercent === 0 ? '0' : String(Math.max(1, Math.floor(weightPercent / 10)))
}
