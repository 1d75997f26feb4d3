import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { encodeReply, parseReply } from '../../src/agent/protocol.ts'
import type { Reply } from '../../src/core/reply.ts'
import { toReply } from '../../src/core/reply.ts'
import type { AgentOutcome, HaproxyServer, StatusColumn } from '../../src/sim/haproxy.ts'
import {
  ADMIN, BUFFER_BYTES, HAPROXY_2_6, HAPROXY_3_4, HAPROXY_3_5, MESSAGE_BYTES_MAX, createServer, effectiveWeight, hear,
  hearLine, operate, restart, setCheck, statusColumn, takesTraffic
} from '../../src/sim/haproxy.ts'
import type { Cell, Difference } from '../fixtures/haproxy-replies.ts'
import { DIRTY, REPLIES } from '../fixtures/haproxy-replies.ts'
import type { Step } from '../fixtures/haproxy-stories.ts'
import { STORIES } from '../fixtures/haproxy-stories.ts'

const LETTERS: Partial<Record<StatusColumn, string>> = {
  UP: 'U', 'DOWN (agent)': 'D', 'DRAIN (agent)': 'R', MAINT: 'M'
}

const cell = (server: HaproxyServer): Cell => [
  LETTERS[statusColumn(server)] ?? statusColumn(server),
  server.admin,
  server.uweight,
  server.maxconn === Infinity ? '-' : server.maxconn,
  server.agentStatus,
  server.agentHealth
].join(' ')

function outcomeOf (bytes: string, { as, eof = 'fin' }: Difference): AgentOutcome {
  return as === undefined ? { kind: 'bytes', bytes, eof } : { kind: as }
}

void t.test('164 replies are taken as real HAProxies took them', async (t) => {
  t.equal(REPLIES.length, 164)
  for (const [older, traits] of [[true, HAPROXY_2_6], [false, HAPROXY_3_5]] as const) {
    const pristine = createServer({ iweight: 100, maxconn: 50, traits })
    const dirty = hearLine(pristine, DIRTY)
    t.equal(cell(dirty), 'D 8 40 7 L7STS 0')

    for (const [index, row] of REPLIES.entries()) {
      const [bytes, forPristine, forDirty, said, extra = {}] = row
      const outcome = outcomeOf(bytes, extra)
      const last = older && extra.older !== undefined ? extra.older : olderWords(said, older)
      const wanted = older ? [forPristine, forDirty] : extra.newer ?? [forPristine, forDirty]
      for (const [at, start] of [pristine, dirty].entries()) {
        const name = `${older ? '2.6' : '3.5'} #${index + 1} ${at === 0 ? 'pristine' : 'dirty'} ${show(bytes)}`
        let server = hear(start, outcome)
        if (older && extra.race !== undefined) server = hear(server, { kind: extra.race })
        else t.same(hear(server, outcome), server, `${name}: said again, it changes nothing`)
        t.equal(cell(server), wanted[at], name)
        if (last === null) continue
        if (last.endsWith('…')) t.ok(server.lastAgt.startsWith(last.slice(0, -1)), `${name}: ${last}`)
        else t.equal(server.lastAgt, last, `${name}: last_agt`)
      }
    }
  }
})

/** last_agt was noted on 3.5; 2.6 has shorter words for the same failures. */
function olderWords (said: string | null, older: boolean): string | null {
  if (!older || said === null) return said
  if (said === 'ECONNREFUSED returned by OS') return 'Connection refused'
  return /^ECONNRESET returned by OS \((.*)\)$/.exec(said)?.[1] ?? said
}

function show (bytes: string): string {
  return JSON.stringify(bytes.length > 40 ? `${bytes.slice(0, 40)}…` : bytes)
}

void t.test('the buffer: a line end is found at its last byte, not at the one after', async (t) => {
  const up = hearLine(createServer(), 'up\n')
  const line = (bytes: number): string => `${'down'.padEnd(bytes - 1)}\n`
  t.equal(hearLine(up, line(BUFFER_BYTES)).agentHealth, 0, 'at bound')
  const over = hearLine(up, line(BUFFER_BYTES + 1))
  t.equal(over.agentHealth, 1, 'at bound + 1')
  t.equal(over.lastAgt, 'Ignoring incomplete line from agent')
  const newer = hearLine(createServer({ traits: HAPROXY_3_5 }), 'up\n')
  t.equal(hearLine(newer, line(BUFFER_BYTES - 1)).agentHealth, 0, '3.5 at bound')
  t.equal(hearLine(newer, line(BUFFER_BYTES)).agentHealth, 1, '3.5 drops what fills the buffer')
})

void t.test('a message keeps its first 127 bytes, frame included', async (t) => {
  const said = (text: string): string => hearLine(createServer(), `down #${text}\n`).lastAgt
  const room = MESSAGE_BYTES_MAX - 'via agent : down ()'.length
  t.equal(said('x'.repeat(room)), `via agent : down (${'x'.repeat(room)})`, 'at bound')
  t.equal(said('x'.repeat(room + 1)), `via agent : down (${'x'.repeat(room + 1)}`, 'at bound + 1 the frame is cut')
  t.equal(said('x'.repeat(room + 9)).length, MESSAGE_BYTES_MAX)
})

function after (server: HaproxyServer, step: Step): HaproxyServer {
  if (typeof step === 'string') return hearLine(server, `${step}\n`)
  if ('is' in step) return hear(server, outcomeOf('x', step.is === 'bytes' ? {} : { as: step.is }))
  if ('op' in step) return operate(server, step.op)
  if ('restart' in step) return restart(server, { withStateFile: step.restart === 'with state file' })
  return setCheck(server, step.check)
}

void t.test('what sticks: stories of agents and operators', async (t) => {
  for (const [why, steps, wanted, config] of STORIES) {
    const end = steps.reduce(after, createServer(config))
    const seen = {
      status: statusColumn(end),
      weight: end.uweight,
      admin: end.admin,
      health: end.agentHealth,
      maxconn: end.maxconn,
      traffic: takesTraffic(end)
    }
    t.match(seen, wanted, why)
  }
})

void t.test('inherited and resolver maintenance are out of reach of the words', async (t) => {
  for (const bit of [ADMIN.IMAINT, ADMIN.RMAINT]) {
    const server = { ...createServer(), admin: bit, running: false }
    t.equal(statusColumn(hearLine(server, 'up ready 100%\n')), 'MAINT')
    t.equal(hearLine(hearLine(server, 'drain\n'), 'ready\n').admin, bit)
  }
  const inherited = { ...createServer(), admin: ADMIN.IDRAIN }
  t.equal(statusColumn(hearLine(inherited, 'up ready\n')), 'DRAIN (agent)')
  t.equal(effectiveWeight(inherited), 0)
})

void t.test('health checks pause in maint', async (t) => {
  const maint = hearLine(createServer(), 'maint\n')
  t.equal(setCheck(maint, 'down'), maint)
})

void t.test('a refused weight leaves a warning that up shows', async (t) => {
  const server = createServer({ staticAlgorithm: true })
  const why = "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'."
  t.equal(hearLine(server, '50%\n').lastAgt, `agent warns : ${why}`)
  t.equal(hearLine(server, 'up 50%\n').lastAgt, `via agent : up (${why})`.slice(0, MESSAGE_BYTES_MAX))
  t.equal(hearLine(server, 'down 50% #disk\n').lastAgt, 'via agent : down (disk)')
  const range = 'Absolute weight can only be between 0 and 256 inclusive.'
  t.equal(hearLine(server, '999%x\n').lastAgt, `agent warns : ${range}`, 'the range is looked at before the tail')
  const first = 'Trailing garbage in weight string'
  t.equal(hearLine(server, '50%% maxconn:x\n').lastAgt, `agent warns : ${first}`, 'the first warning is told')
  t.equal(hearLine(server, 'down 50%%\n').lastAgt, `via agent : down (${first})`, 'by down too, without a description')
  t.equal(hearLine(server, 'down 50%% huh\n').lastAgt, 'via agent : down (huh)', 'an unknown word goes first')
  t.equal(hearLine(server, 'up huh #fine\n').lastAgt, 'via agent : up (huh)', 'before the description of up')
  const newer = createServer({ traits: HAPROXY_3_5 })
  t.equal(hearLine(newer, 'weight:-5%\n').lastAgt, 'agent warns : Relative weight must be positive.')
})

const replies: fc.Arbitrary<Reply> = fc.record({
  admin: fc.constantFrom('ready', 'drain', 'maint'),
  health: fc.constantFrom('up', 'down', 'stopped', 'fail'),
  weightPercent: fc.integer({ min: 0, max: 100 }),
  text: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(' ', ',', '#', '\n', '\r', '\0', 'up', 'down', 'maint', '5%', 'maxconn:1', 'weight:1'))
      .map((words) => words.join(''))
  )
}, { requiredKeys: [] })

const FORCED = { ready: 0, drain: ADMIN.FDRAIN, maint: ADMIN.FMAINT }

void t.test('no reply we can write is misread: what it names is set, all else is left alone', async () => {
  const lines = fc.constantFrom('# \n', DIRTY, 'maint down 30%\n', 'up 70% maxconn:9\n', 'ready up\n')
  const traits = fc.constantFrom(HAPROXY_2_6, HAPROXY_3_4, HAPROXY_3_5)
  fc.assert(fc.property(replies, lines, traits, fc.boolean(), (reply, before, traits, check) => {
    const was = hearLine(createServer({ maxconn: 50, traits, check }), before)
    const line = encodeReply(reply)
    const now = hear(was, { kind: 'bytes', bytes: line, eof: 'open' })

    const admin = reply.admin === undefined ? was.admin : FORCED[reply.admin]
    const health = reply.health === undefined ? was.agentHealth : reply.health === 'up' ? 1 : 0
    const maint = (admin & ADMIN.FMAINT) !== 0
    const left = reply.admin !== undefined && reply.admin !== 'maint' && statusColumn(was) === 'MAINT'
    const moved = left || reply.health !== undefined
    const running = !maint && (moved ? health === 1 : was.running)
    const text = parseReply(line.trimEnd()).text ?? ''
    const info = `via agent : ${reply.health}${text === '' ? '' : ` (${text})`}`
    assert.deepEqual(now, {
      ...was,
      admin,
      running,
      agentHealth: health,
      uweight: reply.weightPercent ?? was.uweight,
      agentStatus: reply.health === undefined ? 'CHECKED' : reply.health === 'up' ? 'L7OK' : 'L7STS',
      lastAgt: reply.health === undefined ? '' : info
    })
  }), { numRuns: 1000 })
})

void t.test('every decision of ours has the traffic it means, whatever was before', async (t) => {
  const wishes = [['up', 'UP', true], ['down', 'DOWN (agent)', false], ['drain', 'DRAIN (agent)', false],
    ['maint', 'MAINT', false]] as const
  for (const [state, status, traffic] of wishes) {
    for (const before of ['#', 'down 1%', 'drain', 'maint down', 'up 50%']) {
      const reply = toReply({ state, weightPercent: 40, layer: 'criteria', because: ['disk: 1% free'] }, 'owned', false)
      const server = hearLine(hearLine(createServer(), `${before}\n`), encodeReply(reply))
      t.equal(statusColumn(server), status, `${before} → ${state}`)
      t.equal(takesTraffic(server), traffic)
      if (state === 'up' || state === 'down') t.equal(server.uweight, 40)
    }
  }
})
