/** What holds of every farm and every history. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { encodeReply, parseReply } from '../../src/agent/protocol.ts'
import { advance, carryOver, newBackend } from '../../src/core/advance.ts'
import { decide } from '../../src/core/decide.ts'
import type { Event } from '../../src/core/event.ts'
import { explain } from '../../src/core/explain.ts'
import { keep } from '../../src/core/floor.ts'
import type { Backend, BackendState, Criterion, Decision, ErrorClass, OnFail, Server } from '../../src/core/model.ts'
import { isUndecided, standing } from '../../src/core/phase.ts'
import { toReply } from '../../src/core/reply.ts'
import { backend, criterion, reach, sampleOf, server } from './drawings.ts'

const RUNS = { numRuns: 300 }
const SECRET = 'aaaabbbbccccddddeeee'
const CAP = `URI:CHK:${SECRET}:ffff:3:10:99`

const onFail: fc.Arbitrary<OnFail> = fc.oneof(
  fc.constantFrom<OnFail>({ action: 'down' }, { action: 'drain' }, { action: 'warn' }),
  fc.integer({ min: 1, max: 99 }).map(percent => ({ action: 'weight', percent } as const))
)
const ignores = fc.constantFrom<readonly ErrorClass[]>([], ['refused', 'noconn'])
const bounds = { rise: fc.integer({ min: 1, max: 4 }), fall: fc.integer({ min: 2, max: 4 }) }
const content = (name: string): fc.Arbitrary<Criterion> =>
  fc.record({ ...bounds, onFail, ignores, probe: fc.constantFrom('p', 'q') }).map(options => criterion(name, options))
const anyServer = (name: string): fc.Arbitrary<Server> => fc.tuple(
  fc.record(bounds).map(options => reach({ ...options, probe: 'p' })), content('one'), content('two'), fc.integer({ min: 1, max: 100 })
).map(([first, one, two, share]) => server(name, [first, one, two], share))
const farm: fc.Arbitrary<Backend> = fc.integer({ min: 1, max: 4 }).chain(count => fc.tuple(
  fc.tuple(...Array.from({ length: count }, (_, i) => anyServer(`s${i}`))), fc.integer({ min: 0, max: 5 })
)).map(([servers, minUp]) => backend(servers, minUp))

/** Each event a second after the one before. */
const history = (maxLength: number): fc.Arbitrary<readonly Event[]> => fc.array(fc.record({
  server: fc.nat(3), probe: fc.constantFrom('p', 'q'), mark: fc.constantFrom(...Array.from('+++++--xtnrpl147'))
}), { maxLength }).map(steps => steps.map(({ server, probe, mark }, i): Event =>
  ({ kind: 'sample', server, probe, sample: sampleOf(mark, (i + 1) * 1000)! })))

const after = (of: Backend, events: readonly Event[]): BackendState =>
  events.reduce((state, event) => advance(of, state, event), newBackend(of))
const decisions = (of: Backend, state: BackendState): readonly Decision[] => of.servers.map((_, i) => decide(of, state, i))

function frozen<T> (value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) frozen(inner)
  }
  return value
}

void t.test('a single failure among passes changes no decision when fall is 2 or more', async () => {
  const marks = fc.constantFrom(...Array.from('-xtnrp'))
  fc.assert(fc.property(farm, fc.constantFrom('+', '3'), fc.nat(3), fc.constantFrom('p', 'q'), marks, (of, good, index, probe, mark) => {
    const clean = of.servers.flatMap((_, i) => ['p', 'q'].map((each): Event =>
      ({ kind: 'sample', server: i, probe: each, sample: sampleOf(good, 1000)! })))
    const state = after(of, clean)
    const wounded = advance(of, state, { kind: 'sample', server: index, probe, sample: sampleOf(mark, 2000)! })
    assert.deepEqual(decisions(of, wounded), decisions(of, state))
  }), RUNS)
})

void t.test('the same events give the same state', async () => {
  fc.assert(fc.property(farm, history(40), (of, events) => {
    assert.deepEqual(after(of, events), after(of, events))
  }), RUNS)
})

void t.test('events of other servers change nothing in what a server is by itself', async () => {
  fc.assert(fc.property(farm, history(40), fc.nat(3), (of, events, chosen) => {
    const index = chosen % of.servers.length
    const [own, others] = [events.filter(event => event.server === index), events.filter(event => event.server !== index)]
    const orders = [events, [...own, ...others], [...others, ...own], own]
    const [first, ...rest] = orders.map(order => standing(of.servers[index]!, after(of, order).servers[index]!))
    for (const other of rest) assert.deepEqual(other, first)
  }), RUNS)
})

void t.test('the order of events of different servers does not matter in the end', async () => {
  fc.assert(fc.property(farm, history(40), (of, events) => {
    const sorted = events.toSorted((a, b) => a.server - b.server)
    assert.deepEqual(after(of, sorted), after(of, events))
  }), RUNS)
})

void t.test('min_up always holds, and nobody is kept without need', async () => {
  fc.assert(fc.property(farm, history(60), (of, events) => {
    let state = newBackend(of)
    for (const event of [undefined, ...events]) {
      if (event !== undefined) state = advance(of, state, event)
      const all = decisions(of, state)
      const serving = all.filter(each => each.state === 'up' || each.state === 'unknown').length
      const kept = all.filter(({ layer }) => layer === 'floor').length
      const needed = Math.min(of.policy.minUp, of.servers.length)
      assert(serving >= needed)
      assert(kept === 0 || serving === needed)
      assert.deepEqual(state.kept, keep(of, state.servers), 'the floor is a function of the servers alone')
    }
  }), RUNS)
})

void t.test('a weight is a whole number of 1 … 100', async () => {
  fc.assert(fc.property(farm, history(60), (of, events) => {
    for (const { weightPercent } of decisions(of, after(of, events))) {
      assert(Number.isInteger(weightPercent) && weightPercent >= 1 && weightPercent <= 100, `${weightPercent}`)
    }
  }), RUNS)
})

void t.test('the worse sample never gives the better answer', async () => {
  const rank = { unknown: 3, up: 3, drain: 2, maint: 1, down: 0 }
  fc.assert(fc.property(farm, history(40), fc.nat(3), fc.constantFrom('p', 'q'), (of, events, chosen, probe) => {
    const index = chosen % of.servers.length
    const state = after(of, events)
    const [good, bad] = ['+', '-'].map(mark =>
      decide(of, advance(of, state, { kind: 'sample', server: index, probe, sample: sampleOf(mark, 100_000)! }), index))
    if (good!.layer === 'criteria' && bad!.layer === 'criteria') assert(rank[bad!.state] <= rank[good!.state])
  }), RUNS)
})

void t.test('our own trouble changes no decision', async () => {
  fc.assert(fc.property(farm, history(40), fc.nat(3), fc.constantFrom('p', 'q'), (of, events, index, probe) => {
    const state = after(of, events)
    const local = advance(of, state, { kind: 'sample', server: index, probe, sample: sampleOf('l', 100_000)! })
    assert.deepEqual(decisions(of, local), decisions(of, state))
  }), RUNS)
})

void t.test('reloading the same farm changes nothing', async () => {
  fc.assert(fc.property(farm, history(40), (of, events) => {
    const state = after(of, events)
    assert.deepEqual(decisions(of, carryOver(of, state, of)), decisions(of, state))
  }), RUNS)
})

void t.test('asking changes nothing, and may be repeated', async () => {
  fc.assert(fc.property(farm, history(40), (of, events) => {
    const state = frozen(events.reduce((before, event) => advance(frozen(of), frozen(before), frozen(event)), newBackend(of)))
    const before = decisions(of, state)
    for (const [index, each] of of.servers.entries()) {
      explain(of, state, index)
      isUndecided(each, state.servers[index]!, 'p')
    }
    assert.deepEqual(decisions(of, state), before)
  }), RUNS)
})

void t.test('every reply is one printable line of at most 128 bytes that HAProxy understands, without secrets', async () => {
  const reason = fc.tuple(fc.string({ unit: 'binary', maxLength: 120 }), fc.constantFrom('', CAP, encodeURIComponent(CAP)), fc.string())
    .map(parts => parts.join(''))
  const modes = fc.record({ adminState: fc.constantFrom('shared' as const, 'owned' as const), releasing: fc.boolean() })
  fc.assert(fc.property(farm, history(40), reason, modes, (of, events, text, { adminState, releasing }) => {
    const judge: Criterion['judge'] = ({ facts }) => ({ pass: facts['ok'] === true, value: text, limit: text, reason: text })
    const talk = (each: Server): Server => ({ ...each, criteria: each.criteria.map(old => ({ ...old, judge })) })
    const talking: Backend = { ...of, servers: of.servers.map(talk) }
    const state = after(talking, events)
    for (const [i, decision] of decisions(talking, state).entries()) {
      const line = encodeReply(toReply(decision, adminState, releasing))
      assert.match(line, /^[\x20-\x7e]*\n$/)
      assert(line.length <= 128)
      assert(!line.includes(SECRET))
      const { admin, health, weight, unknown, maxconn } = parseReply(line.trimEnd())
      assert.equal(unknown, undefined)
      assert.equal(maxconn, undefined)
      const out = decision.state === 'drain' || decision.state === 'maint'
      assert.equal(weight, decision.state === 'unknown' || out ? undefined : `${decision.weightPercent}%`)
      assert.equal(health, decision.state === 'unknown' ? undefined : out ? 'up' : decision.state)
      if (decision.state === 'unknown') assert.equal(admin, undefined)
      else if (adminState === 'owned') assert(admin !== undefined)
      assert(explain(talking, state, i).sentence.length > 0)
    }
  }), RUNS)
})
