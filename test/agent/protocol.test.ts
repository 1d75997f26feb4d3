import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { ParsedReply } from '../../src/agent/protocol.ts'
import { REQUEST_BYTES_MAX, encodeReply, parseReply, parseRequest } from '../../src/agent/protocol.ts'
import type { Decision, State } from '../../src/core/model.ts'
import type { Reply } from '../../src/core/reply.ts'
import { TEXT_BYTES_MAX, neutral, toReply } from '../../src/core/reply.ts'

/** HAProxy keeps 127 bytes of a message, its own frame included [check.c]. */
const LINE_BYTES_MAX = 127

const CAP = 'URI:CHK:aaaabbbbccccddddeeeeffff22:gggghhhhiiiijjjjkkkkllll33:3:10:1234'
const FURL = 'pb://k2wpcfyfuzqzkv3m4gzhjxbg5s3q7epp@tcp:10.0.0.1:3456/introducer'

void t.test('parseRequest: a server by name, with or without a line end', async (t) => {
  const server = { kind: 'server', id: 'web/a' }
  const rows: ReadonlyArray<readonly [string, object, string]> = [
    ['web/a\n', server, 'LF'],
    ['web/a', server, 'no line end: the CLI cannot set one'],
    ['web/a\r', server, 'CR'],
    ['web/a\r\n', server, 'CRLF'],
    [' \tweb/a \t\r\n', server, 'blanks around'],
    ['web/a\nweb/b\n', server, 'the first line only'],
    ['web/a\rweb/b\n', server, 'the first line only, by CR'],
    ['web/a\n\0\xff', server, 'whatever follows the line'],
    ['web/a ?\n', { ...server, peeks: true }, 'a person'],
    ['web/a?\n', { kind: 'malformed', why: 'not a backend/server name: web/a?' }, 'a mark stands apart'],
    [' ?\n', { kind: 'malformed', why: 'not a backend/server name: ?' }, 'a mark alone'],
    ['We_b.1:x-y/A-b.2:z_\n', { kind: 'server', id: 'We_b.1:x-y/A-b.2:z_' }, "HAProxy's whole alphabet"],
    ['', { kind: 'absent' }, 'nothing'],
    ['\n', { kind: 'absent' }, 'an empty line'],
    ['\nweb/a\n', { kind: 'absent' }, 'an empty line first'],
    [' \t \r\n', { kind: 'absent' }, 'blanks']
  ]
  for (const [bytes, wanted, why] of rows) t.same(parseRequest(bytes), wanted, why)
})

void t.test('parseRequest: what is no name', async (t) => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['web', 'no server'], ['web/', 'empty server'], ['/a', 'empty backend'], ['/', 'both empty'],
    ['web/a/b', 'too many parts'], ['web a', 'blank for slash'], ['web/a b', 'blank within'],
    ['web/é', 'beyond ASCII'], ['wéb/a', 'beyond ASCII'], ['web/a%0a', 'percent'], ['web/"a"', 'quotes'],
    ['web/a\0', 'NUL'], ['\x1b[31mweb/a', 'escape'], ['web/a\x7f', 'DEL'], ['web/a;x', 'semicolon'],
    ['web/a\\n', 'the backslash of a single-quoted agent-send'], ['GET / HTTP/1.0\r\n\r\n', 'someone else']
  ]
  for (const [bytes, why] of rows) {
    const request = parseRequest(`${bytes}\n`)
    t.equal(request.kind, 'malformed', why)
    if (request.kind !== 'malformed') continue
    t.match(request.why, /^not a backend\/server name: [\x20-\x7e]*$/, `${why}: printable`)
    t.notMatch(request.why, /["<>]/, `${why}: no quotes`)
  }
})

void t.test('parseRequest: length, at the bound and one over', async (t) => {
  const name = `web/${'a'.repeat(REQUEST_BYTES_MAX - 'web/'.length)}`
  t.same(parseRequest(name), { kind: 'server', id: name }, 'at bound')
  t.same(parseRequest(`${name}a`), { kind: 'malformed', why: 'request over 512 bytes' }, 'at bound + 1')
  t.equal(parseRequest(`web/a\n${' '.repeat(REQUEST_BYTES_MAX)}`).kind, 'malformed', 'the line end does not save it')
})

void t.test('parseRequest: an answer to a stranger shows no cap and is short', async (t) => {
  for (const secret of [CAP, FURL, encodeURIComponent(CAP), `x ${CAP}`, `/uri/${encodeURIComponent(CAP)}`]) {
    const request = parseRequest(secret)
    assert(request.kind === 'malformed')
    t.notMatch(request.why, /aaaabbbb|gggghhhh|k2wpcfyf/i)
    t.ok(request.why.length <= 80)
  }
})

void t.test('encodeReply: words, their order, and the line end', async (t) => {
  const rows: ReadonlyArray<readonly [Reply, string, string]> = [
    [{}, '\n', 'nothing to say: a neutral line'],
    [{ health: 'up', weightPercent: 100 }, 'up 100%\n', 'up'],
    [{ health: 'up', weightPercent: 0 }, 'up 0%\n', 'up without new clients'],
    [{ health: 'down', weightPercent: 100, text: 'disk full' }, 'down 100% #disk full\n', 'down and why'],
    [{ admin: 'ready', health: 'up', weightPercent: 40 }, 'ready up 40%\n', 'taking an admin word back'],
    [{ admin: 'ready', health: 'down', weightPercent: 40 }, 'ready down 40%\n', 'down, taking an admin word back'],
    [{ admin: 'drain', health: 'up', text: 'by joe' }, 'drain up #by joe\n', 'drain'],
    [{ admin: 'maint', health: 'up' }, 'maint up\n', 'maint'],
    [{ health: 'stopped' }, 'stopped\n', 'stopped'],
    [{ health: 'fail' }, 'fail\n', 'fail'],
    [{ weightPercent: 7 }, '7%\n', 'a weight alone'],
    [{ admin: 'drain' }, 'drain\n', 'an admin word alone'],
    [{ health: 'up', text: '' }, 'up\n', 'an empty description is none'],
    [{ health: 'up', text: ' \n ' }, 'up\n', 'nor are blanks'],
    [neutral('no verdict yet'), '# no verdict yet\n', 'neutral'],
    [neutral('unknown web/x'), '# unknown web/x\n', 'neutral, for a stranger']
  ]
  for (const [reply, line, why] of rows) t.equal(encodeReply(reply), line, why)
})

void t.test('encodeReply: every state as it goes on the wire', async (t) => {
  const rows: ReadonlyArray<readonly [State, string, string, string]> = [
    ['unknown', '# because\n', '# because\n', '# because\n'],
    ['up', 'up 40% #because\n', 'ready up 40% #because\n', 'ready up 40% #because\n'],
    ['down', 'down 40% #because\n', 'ready down 40% #because\n', 'ready down 40% #because\n'],
    ['drain', 'drain up #because\n', 'drain up #because\n', 'drain up #because\n'],
    ['maint', 'maint up #because\n', 'maint up #because\n', 'maint up #because\n']
  ]
  for (const [state, shared, releasing, owned] of rows) {
    const decision: Decision = { state, weightPercent: 40, layer: 'criteria', because: ['because'] }
    t.equal(encodeReply(toReply(decision, 'shared', false)), shared, `${state}, shared`)
    t.equal(encodeReply(toReply(decision, 'shared', true)), releasing, `${state}, shared, releasing`)
    t.equal(encodeReply(toReply(decision, 'owned', false)), owned, `${state}, owned`)
  }
})

void t.test('encodeReply: a reason cannot act, end the line or leak', async (t) => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['disk\nmaint', 'disk maint'], ['disk\r\nup', 'disk up'], ['a\0b', 'a b'], ['a\tb', 'a b'], ['a\u2028b', 'a b'],
    ['say "hi" <b>', "say 'hi' 'b'"], ['café', 'caf'], ['  two  blanks ', 'two blanks'], ['# hash', '# hash'],
    [`lost ${CAP} of 3`, 'lost URI:[redacted] of 3'],
    [`GET /uri/${encodeURIComponent(CAP)}`, 'GET /uri/URI:[redacted]'],
    [`at ${FURL}`, 'at pb://[redacted]']
  ]
  for (const [text, shown] of rows) t.equal(encodeReply({ health: 'down', text }), `down #${shown}\n`, shown)
})

void t.test('encodeReply: the description ends at its bound, the line before HAProxy cuts', async (t) => {
  const said = (bytes: number): string => encodeReply({ health: 'down', weightPercent: 100, text: 'x'.repeat(bytes) })
  t.equal(said(TEXT_BYTES_MAX), `down 100% #${'x'.repeat(90)}\n`, 'at bound')
  t.equal(said(TEXT_BYTES_MAX + 1), `down 100% #${'x'.repeat(87)}...\n`, 'at bound + 1')
  const longest = encodeReply({ admin: 'ready', health: 'stopped', weightPercent: 100, text: 'x'.repeat(999) })
  t.ok(longest.length <= LINE_BYTES_MAX, `${longest.length} bytes`)
  t.ok(`via agent : stopped (${'x'.repeat(TEXT_BYTES_MAX)})`.length <= LINE_BYTES_MAX, 'shown whole')
})

void t.test("parseReply: HAProxy's grammar", async (t) => {
  const rows: ReadonlyArray<readonly [string, ParsedReply, string]> = [
    ['', {}, 'empty'],
    [' ,\t ,', {}, 'separators alone'],
    ['Up READY 50% MaxConn:9', { health: 'up', admin: 'ready', weight: '50%', maxconn: '9' }, 'letter case'],
    ['up,down\tfail', { health: 'fail' }, 'the last health word wins'],
    ['drain maint ready', { admin: 'ready' }, 'the last admin word wins'],
    ['10% 20%', { weight: '20%' }, 'the last weight wins'],
    ['maxconn:1 maxconn:', { maxconn: '' }, 'the last maxconn wins, empty or not'],
    ['up huh what', { health: 'up', unknown: 'huh' }, 'the first unknown word is told'],
    ['down#disk', { unknown: 'down#disk' }, '# within a word'],
    ['down #', { health: 'down', text: '' }, '# alone'],
    ['down # \t up, 5% # x ', { health: 'down', text: 'up, 5% # x ' }, 'a description holds no words'],
    ['#up', { text: 'up' }, 'a description alone'],
    ['5%x 5', { weight: '5%x', unknown: '5' }, 'a digit first and a percent sign anywhere: a weight'],
    ['-5% % +5%', { unknown: '-5%' }, 'no digit first: no weight'],
    ['up;down', { unknown: 'up;down' }, 'a semicolon separates nothing'],
    [';up', { unknown: ';up' }, 'nor is it skipped'],
    ['up\vdown', { unknown: 'up\vdown' }, 'nor does VT'],
    ['weight:50', { unknown: 'weight:50' }, 'unknown before 3.1']
  ]
  for (const [line, wanted, why] of rows) t.same(parseReply(line), wanted, why)
  const newer = { weightWord: true }
  t.same(parseReply('WEIGHT:5 9%', newer), { weight: '9%' }, 'one slot for both weights')
  t.same(parseReply('9% weight:', newer), { weight: '' }, 'the last one wins, empty or not')
})

const replies: fc.Arbitrary<Reply> = fc.record({
  admin: fc.constantFrom('ready', 'drain', 'maint'),
  health: fc.constantFrom('up', 'down', 'stopped', 'fail'),
  weightPercent: fc.integer({ min: 0, max: 100 }),
  text: fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom('#', ' #', ',up', '\nmaint', CAP, FURL))
}, { requiredKeys: [] })

void t.test('whatever we encode is one short printable line, and says what was meant', async () => {
  fc.assert(fc.property(replies, fc.boolean(), (reply, weightWord) => {
    const line = encodeReply(reply)
    assert.match(line, /^[\x20-\x7e]*\n$/)
    assert(line.length <= LINE_BYTES_MAX)
    const { text = '', ...words } = parseReply(line.slice(0, -1), { weightWord })
    const { admin, health, weightPercent } = reply
    assert.deepEqual(words, {
      ...(admin === undefined ? {} : { admin }),
      ...(health === undefined ? {} : { health }),
      ...(weightPercent === undefined ? {} : { weight: `${weightPercent}%` })
    })
    assert(text.length <= TEXT_BYTES_MAX)
    assert.doesNotMatch(text, /["<>]|aaaabbbb|k2wpcfyf/)
    if (/^[a-z]+(?: [a-z]+)*$/.test(reply.text ?? '')) assert.equal(text, reply.text?.slice(0, TEXT_BYTES_MAX))
  }), { numRuns: 1000 })
})

void t.test('every name in the alphabet comes through, whatever ends it', async () => {
  const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-'
  const part = fc.string({ unit: fc.constantFrom(...alphabet.split('')), minLength: 1, maxLength: 60 })
  const end = fc.constantFrom('\n', '', '\r', '\r\n', ' \n')
  fc.assert(fc.property(part, part, end, (backend, name, lineEnd) => {
    const id = `${backend}/${name}`
    assert.deepEqual(parseRequest(`${id}${lineEnd}`), { kind: 'server', id })
  }))
})

void t.test('no bytes at all make parseRequest throw or name something unprintable', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (bytes) => {
    const request = parseRequest(bytes)
    if (request.kind === 'server') assert.match(request.id, /^[\w.:-]+\/[\w.:-]+$/)
    if (request.kind === 'malformed') assert.match(request.why, /^[\x20-\x7e]{1,80}$/)
  }))
})
