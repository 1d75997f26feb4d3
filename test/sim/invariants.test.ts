/** What the invariants let pass and what they do not, on farms of the real core. How to read the drawings: ../core/drawings.ts. */
import t from 'tap'
import { encodeReply } from '../../src/agent/protocol.ts'
import { newBackend } from '../../src/core/advance.ts'
import { decide } from '../../src/core/decide.ts'
import type { OrderAction } from '../../src/core/order.ts'
import { DEFAULT_POLICY, type Policy } from '../../src/core/policy.ts'
import { toReply } from '../../src/core/reply.ts'
import type { ServerState } from '../../src/core/state.ts'
import { INVARIANTS, checkAnswer, type Seen } from '../../src/sim/invariants.ts'
import { order, ordered, ownOf, play, web, without, type Story } from '../core/drawings.ts'

const farm = (drawing: string, policy: Partial<Policy> = {}): Story => play(web('abc', { ...DEFAULT_POLICY, ...policy }), drawing)

const NEW = farm('')
const UP_DRAWING = `
    a  ++
    b  ++
    c  ++`
const UP = farm(UP_DRAWING)
const OUT_DRAWING = `
    a  ~+xxx
    b  ~++++
    c  ~++++`
const OUT = farm(OUT_DRAWING)
const HELD = farm(`
    a  ~+xxx++
    b  ~++++++
    c  ~++++++`)
/** One goes out, and the next one is one too many. */
const KEPT = play(web('abc', without('gate', 'burst')), `
    a  ++xxx
    b  +xxx.
    c  +++++`)
const WATCHED = farm(OUT_DRAWING, { mode: 'observe' })

interface Moment {
  /** After the last poll of `a`, if there was one. */
  readonly laterMs?: number
  /** Who is asked about. */
  readonly of?: string
  /** Lines instead of those of the real core, by server. */
  readonly says?: Readonly<Record<string, string>>
}

/** An agent check as the real core answers it, but for what is said instead. */
function seen ({ backend, state, nowMs }: Story, { laterMs = 500, of = 'a', says = {} }: Moment = {}): Seen {
  const atMs = (state.servers.at(0)?.lastMs ?? nowMs) + laterMs
  const honest = (index: number): string => encodeReply(toReply(decide(backend, state, index, atMs), 'shared', false)).trimEnd()
  const lines = backend.servers.map(({ name }, i) => says[name] ?? honest(i))
  const server = backend.servers.findIndex(({ name }) => name === of)
  return { atMs, server, line: lines[server] ?? says[of] ?? '', lines, backend, state }
}

const says = (story: Story, line: string, laterMs = 500): Seen => seen(story, { laterMs, says: { a: line } })

/** The same farm under an order, which came with the last poll. */
const under = (story: Story, scope: string, action: OrderAction, untilMs?: number): Story =>
  ordered(story, [order(scope, action, 0, untilMs)])

/** The same farm, with a server that the core would never have left like this. */
function bent ({ state, ...story }: Story, name: string, change: Partial<ServerState>): Story {
  const at = story.backend.servers.findIndex(each => each.name === name)
  return { ...story, state: { ...state, servers: [...state.servers].map((own, i) => i === at ? { ...own, ...change } : own) } }
}

/** The names of all that say something. */
const broken = (now: Seen, previous?: Seen): readonly string[] =>
  Object.entries(INVARIANTS).flatMap(([name, invariant]) => invariant(now, previous) === undefined ? [] : [name])

const X118 = 'x'.repeat(118)
const FLOORED: Partial<Policy> = { minUp: 3 }
const ALL_NEEDED = farm(UP_DRAWING, FLOORED)
const leaves = (up: number, least: number, minUp: number, maxOut = 50): string =>
  `leaves ${up} servers in service, must leave ${least} (min_up ${minUp}, max_out ${maxOut}%)`

type Good = readonly [why: string, now: Seen, previous?: Seen]
type Bad = readonly [how: string, now: Seen, previous?: Seen]
interface Rows { readonly good: readonly Good[], readonly bad: readonly Bad[] }

const ROWS: Readonly<Record<string, Rows>> = {
  grammar: {
    good: [
      ...[
        'up 100%', 'ready up 100% #ok', 'up 65%', 'down 100% #reach: no answer', 'ready down 100% #x', 'stopped 100% #held', 'fail 100%',
        'drain up', 'drain up #storage', 'drain up 100% #x', 'maint up #by al: disk', 'up 100% #'
      ].map((line): Good => [line, says(UP, line)]),
      ...['# no verdict yet', '# unknown be/x'].map((line): Good => [line, says(NEW, line)]),
      ['a server that is in no backend', seen(UP, { of: 'x', says: { x: '# unknown web/x' } })]
    ],
    bad: [
      ...[
        'up 100% #a\nmaint', 'up 100% #caf\u00e9', 'up 100% #a\tb', 'up 100% maint', 'UP 100%', 'up 100%#ok', 'up  100%', 'up 0100%',
        'up 100% ', ' up 100%'
      ].map((line): Bad => [`is no reply of our grammar: ${JSON.stringify(line)}`, says(UP, line)]),
      ...['', '#', '#no verdict yet', 'ready 100%', '100%', 'ready', '# caf\u00e9']
        .map((line): Bad => [`is no reply of our grammar: ${JSON.stringify(line)}`, says(NEW, line)])
    ]
  },
  length: {
    good: [['128 bytes with the line feed', says(UP, `up 100% #${X118}`)]],
    bad: [['has 129 bytes with its line feed, must have at most 128', says(UP, `up 100% #x${X118}`)]]
  },
  'one restriction': {
    good: ['down 100%', 'ready down 100%', 'drain up', 'maint up', 'ready up 50%'].map(line => [line, says(UP, line)]),
    bad: [
      ...['down 50%', 'ready stopped 50%', 'fail 99%', 'drain down #x', 'maint up 10%', 'drain up 99%']
        .map((line): Bad => [`restricts in 2 ways, must be at most one: ${line}`, says(UP, line)]),
      ['restricts in 3 ways, must be at most one: maint down 10%', says(UP, 'maint down 10%')]
    ]
  },
  weight: {
    good: [
      ['the least', says(UP, 'up 1%')],
      ['the least of 10', says(farm(UP_DRAWING, { baseWeight: 10 }), 'up 10%')],
      ['0 by order', seen(under(UP, 'web/a', { weightPercent: 0 }))],
      ['0 by order of all', seen(under(UP, '*/*', { weightPercent: 0 }))],
      ['out by order', says(under(UP, 'web/a', 'maint'), 'up 0%')]
    ],
    bad: [
      ['raises a weight: up 101%', says(UP, 'up 101%')],
      ['raises a weight: up 999% #x', says(under(UP, 'web/a', { weightPercent: 0 }), 'up 999% #x')],
      ...([
        [UP, 'up 0% #x'],
        [farm(UP_DRAWING, { baseWeight: 9 }), 'up 11%'],
        [under(UP, 'web/a', { weightPercent: 1 }), 'up 0%'],
        [under(UP, 'web/a', 'up'), 'up 0%'],
        [under(UP, 'web/a', { weightPercent: 0 }, 4500), 'up 0%'],
        [under(farm(UP_DRAWING, { maxOutPercent: 67 }), 'web/b', { weightPercent: 0 }), 'up 0%']
      ] as const).map(([story, line]) => [`takes a server out by weight, which only an operator may: ${line}`, says(story, line)] as const)
    ]
  },
  floor: {
    good: [
      ['one of three is out', says(UP, 'down 100%')],
      ['two, as that is allowed', seen(farm(UP_DRAWING, { maxOutPercent: 67 }), { says: { b: 'down 100%', c: 'drain up' } })],
      ['all, as that is allowed',
        seen(farm(UP_DRAWING, { minUp: 0, maxOutPercent: 100 }), { says: { a: 'down 100%', b: 'down 100%', c: 'maint up' } })],
      ['no opinion takes nobody out', seen(farm('', FLOORED))],
      ['little load is in service', seen(ALL_NEEDED, { says: { b: 'up 1%' } })],
      ['kept, for it is missing', seen(KEPT)],
      ['out, as another one is kept', seen(KEPT, { of: 'b' })],
      ['out by order is not missing', seen(under(ALL_NEEDED, 'web/b', 'down'))],
      ['nobody is', seen(under(ALL_NEEDED, 'web/*', 'drain'))],
      ['nor by a weight of 0', seen(under(ALL_NEEDED, '*/*', { weightPercent: 0 }))]
    ],
    bad: [
      [leaves(1, 2, 1), seen(UP, { says: { b: 'down 100%', c: 'maint up' } })],
      [leaves(0, 1, 1, 100),
        seen(farm(UP_DRAWING, { maxOutPercent: 100 }), { says: { a: 'drain up', b: 'fail 100%', c: 'stopped 100%' } })],
      [leaves(2, 3, 3), says(ALL_NEEDED, 'drain up')],
      [leaves(2, 3, 0, 0), says(farm(UP_DRAWING, { minUp: 0, maxOutPercent: 0 }), 'down 100%')],
      [leaves(2, 3, 3), seen(ALL_NEEDED, { says: { b: 'up 0%' } })],
      [leaves(1, 2, 1), seen(KEPT, { of: 'c', says: { a: 'down 100%' } })],
      [leaves(1, 2, 3), seen(under(ALL_NEEDED, 'web/b', 'down'), { says: { c: 'down 100%' } })],
      [leaves(2, 3, 3), seen(under(ALL_NEEDED, '*/*', { weightPercent: 50 }), { says: { c: 'down 100%' } })],
      [leaves(2, 3, 3), seen(under(ALL_NEEDED, '*/*', 'up'), { says: { c: 'down 100%' } })],
      [leaves(2, 3, 3), seen(under(ALL_NEEDED, 'web/c', 'maint', 4500), { says: { c: 'maint up' } })],
      ['is kept though 3 are fit and 2 are wanted',
        seen({ ...UP, state: { ...UP.state, floor: { kept: new Map([[0, 'dead']]), fit: 2, untilMs: Infinity } } }, { says: { a: 'up 100%' } })]
    ]
  },
  'no opinion only at the start, and not for long': {
    good: [
      ['at the start', seen(NEW)],
      ['until it is open', seen(NEW, { laterMs: 120_000 })],
      ['then it is up', seen(NEW, { laterMs: 120_001 })],
      ['for ever, as that is how it is set', seen(play(web('abc', without('staleOpenMs')), ''), { laterMs: 9_999_999 })]
    ],
    bad: [
      ...[UP, OUT, HELD].map((story): Bad => ['has no opinion though it has had a verdict: # none', says(story, '# none')]),
      ['has no opinion though it has had a verdict: # x', says(bent(NEW, 'a', { phase: 'held' }), '# x')],
      ['has still no opinion: # no verdict yet', says(NEW, '# no verdict yet', 120_001)]
    ]
  },
  'old news is marked, then given up': {
    good: [
      ['not old', says(UP, 'up 100%', 15_000)],
      ['old', seen(OUT, { laterMs: 15_001 })],
      ['old, and up', seen(UP, { laterMs: 15_001 })],
      ['at the start there is none', says(NEW, '# no verdict yet', 15_001)],
      ['not too old', says(OUT, 'down 100% #stale', 120_000)],
      ['given up', seen(OUT, { laterMs: 120_001 })],
      ['never given up', says(play(web('abc', without('staleOpenMs')), OUT_DRAWING), 'down 100% #stale', 999_999)],
      ['an order is no news', seen(under(UP, 'web/a', 'drain'), { laterMs: 120_001 })],
      ['a cap is none', seen(under(UP, 'web/a', { weightPercent: 50 }), { laterMs: 120_001 })],
      ['nor is it marked', says(under(UP, 'web/a', 'up'), 'up 100%', 15_001)]
    ],
    bad: [
      ['does not say that it is old: up 100%', says(UP, 'up 100%', 15_001)],
      ['does not say that it is old: down 100% #reach', says(OUT, 'down 100% #reach', 120_000)],
      ['does not say that it is old: up 100%', says(under(UP, 'web/a', 'up', 19_001), 'up 100%', 15_001)],
      ...['down 100% #stale', 'drain up #stale', 'up 10% #stale']
        .map((line): Bad => [`holds to a verdict that is too old: ${line}`, says(OUT, line, 120_001)]),
      ['holds to a verdict that is too old: down 100% #stale', says(NEW, 'down 100% #stale', 120_001)],
      ['holds to a verdict that is too old: maint up #stale',
        says(bent(UP, 'a', { lastMs: undefined, bornMs: -120_000 }), 'maint up #stale')]
    ]
  },
  'observe only watches': {
    good: [
      ['it would be out', seen(WATCHED)],
      ['up', says(WATCHED, 'ready up 100%')],
      ['no verdict', seen(farm('', { mode: 'observe' }))],
      ['an order counts', seen(under(WATCHED, 'web/a', 'down'))],
      ['a cap counts', seen(under(farm(UP_DRAWING, { mode: 'observe' }), 'web/a', { weightPercent: 50 }))],
      ['only where it is set', says(OUT, 'down 100%')]
    ],
    bad: ['down 100% #x', 'drain up', 'maint up', 'up 99%'].map(line => [`acts, and should only watch: ${line}`, says(WATCHED, line)])
  },
  'phases are their own': {
    good: [
      ['the first check', seen(OUT)],
      ['nothing moves', seen(OUT), seen(OUT)],
      ['by polls of its own', seen(OUT), seen(farm(OUT_DRAWING.replaceAll('xxx', 'xx')))],
      ['orders move nobody', seen(under(OUT, 'web/*', 'down')), seen(OUT)],
      ['another poll', seen(bent(UP, 'b', { phase: 'out', lastMs: 4011 })), seen(UP)],
      ['memory that began anew', seen(bent(UP, 'b', { phase: 'start', bornMs: 1 })), seen(UP)],
      ['a server more than before',
        seen(UP), { ...seen(UP), state: { ...UP.state, servers: [...UP.state.servers].slice(0, 2) } }]
    ],
    bad: [
      ['server 1 went from in to out without a poll of its own', seen(bent(UP, 'b', { phase: 'out' })), seen(UP)],
      ['server 0 went from in to held without a poll of its own', seen(bent(UP, 'a', { phase: 'held' })), seen(UP)],
      ['server 0 went from out to in without a poll of its own', seen(bent(OUT, 'a', { phase: 'in' })), seen(OUT)],
      ['server 2 went from start to in without a poll of its own', seen(bent(NEW, 'c', { phase: 'in' })), seen(NEW)]
    ]
  }
}

void t.test('the farms are what they are meant to be', async t => {
  t.strictSame([NEW, UP, OUT, HELD, KEPT].map(story => ownOf(story).phase), ['start', 'in', 'out', 'held', 'out'])
  t.match(seen(KEPT), { line: /^up \d+% #kept up by the floor/, lines: [/^up/, /^down 100%/, 'up 100%'] })
  t.match(seen(WATCHED).line, /^up 100% #observe, would be down/)
})

void t.test('each invariant has its rows', async t => {
  t.strictSame(Object.keys(ROWS), Object.keys(INVARIANTS))
  for (const [name, { good, bad }] of Object.entries(ROWS)) t.ok(good.length > 0 && bad.length > 0, name)
})

for (const [name, { good, bad }] of Object.entries(ROWS)) {
  void t.test(name, async t => {
    for (const [why, now, previous] of good) {
      t.strictSame(broken(now, previous), [], `holds: ${why}`)
      t.equal(checkAnswer(now, previous), undefined, now.line)
    }
    for (const [how, now, previous] of bad) {
      t.strictSame(broken(now, previous), [name], `breaks this one alone: ${now.line} of ${now.lines.join(', ')}`)
      t.equal(checkAnswer(now, previous), `${name}: web/${now.backend.servers[now.server]?.name} at ${now.atMs / 1000}s ${how}`)
    }
  })
}

void t.test('a broken answer about no server of ours, and about two invariants', async t => {
  t.equal(checkAnswer(seen(UP, { of: 'x', says: { x: 'x' } })), 'grammar: ? at 4.51s is no reply of our grammar: "x"')
  t.match(checkAnswer(says(UP, 'maint down 0%')), /^one restriction: /, 'the first of them says so')
})

void t.test('whatever the real core answers is good', async t => {
  const drawing = `
    a      ++ooo+++SSS++xxxx+++++
    b      ++zzzzzzzzzz++----++++
    c      ++zzzzzzzzzzxxxxxx++++
    d      ooooooSSSSSSSSS+++xx++
    e      l.++-----+-+-+-+--++--
    web/b  ..............dddd....
    web/*  .......555............`.split('\n')
  const watched: Policy = { ...without('gate', 'burst'), mode: 'observe', minUp: 3 }
  const policies = [DEFAULT_POLICY, without('gate'), without('strain', 'hold'), watched]
  for (const policy of policies) {
    let before = newBackend(web('abcde', policy), 0)
    const wrong = new Set<string>()
    for (let columns = 1; columns <= 22; columns += 1) {
      const story = play(web('abcde', policy), drawing.map(line => line.slice(0, 11 + columns)).join('\n'))
      for (const laterMs of [100, 2000, 15_500, 119_000, 121_000]) {
        for (const of of 'abcde') {
          const now = seen(story, { of, laterMs })
          const said = checkAnswer(now, { ...now, state: before })
          if (said !== undefined) wrong.add(said)
        }
      }
      before = story.state
    }
    t.strictSame([...wrong], [])
  }
})
