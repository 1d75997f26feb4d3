import { scryptSync } from 'node:crypto'
import t from 'tap'
import { encodeHash, hashOf, isSame, LOG_COST_MAX, LOG_COST_MIN, parseHash } from '../../src/admin/hash.ts'
import {
  HASHES_AT_ONCE, HASHES_WAITING_MAX, isTokenName, makeToken, parseTokens, TOKEN_CHARACTERS_MAX, TOKENS_MAX
} from '../../src/admin/tokens.ts'
import { tokensOf } from './farm.ts'

/** Cheap enough for a test, and as right as any other. */
const logCost = LOG_COST_MIN
const hash = (cost = '15'): string => `$scrypt$ln=${cost},r=8,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`

void t.test('a hash is scrypt as everybody computes it', async t => {
  const salt = Buffer.from('0123456789abcdef')
  const { key } = await hashOf('secret', salt, logCost)
  t.same(key, scryptSync('secret', salt, 32, { N: 1024, r: 8, p: 1 }))
})

void t.test('a hash is written and read', async t => {
  const made = await hashOf('secret', Buffer.alloc(16, 7), logCost)
  const text = encodeHash(made)
  t.match(text, /^\$scrypt\$ln=10,r=8,p=1\$[^$:=]{22}\$[^$:=]{43}$/)
  const read = parseHash(text)
  t.same(read, made)
  t.ok(read !== undefined && isSame(read, made))
  t.notOk(isSame(await hashOf('secreT', made.salt, logCost), made))
})

void t.test('costs that a file may ask of us', async t => {
  for (const [cost, right] of [[LOG_COST_MIN - 1, false], [LOG_COST_MIN, true], [LOG_COST_MAX, true], [LOG_COST_MAX + 1, false], ['', false]] as const) {
    t.equal(parseHash(hash(String(cost))) !== undefined, right, String(cost))
  }
  for (const text of ['', 'secret', hash().slice(0, -1), `${hash()}=`, hash().replace('r=8', 'r=9'), hash().replace('scrypt', 'argon2id')]) t.equal(parseHash(text), undefined, text)
})

void t.test('a file of tokens', async t => {
  const parsed = parseTokens(`# who may\n\n  ana:${hash()}  \nbo.b-c_d:${hash()}:read\r\n`)
  t.ok(parsed.ok)
  t.equal(parsed.ok && parsed.tokens.size, 2)
  const empty = parseTokens('# nobody yet\n')
  t.equal(empty.ok && empty.tokens.size, 0, 'an empty one opens to nobody')
})

void t.test('mistakes in a file of tokens, all at once, and never what stands there', async t => {
  const parsed = parseTokens([
    'ana.SECRETSECRET', `ana:${hash()}`, `ana:${hash()}:write`, `ana:${hash()}:read:`, `a b:${hash()}`, `:${hash()}`,
    'bo:SECRET', `ana:${hash()}:read`
  ].join('\n'))
  t.same(parsed, {
    ok: false,
    problems: [
      'line 1 is not like name:hash or name:hash:read: `hcf token NAME` prints one that is right',
      'line 3 ends in something other than :read, which is all that may follow the hash',
      'line 4 is not like name:hash or name:hash:read: `hcf token NAME` prints one that is right',
      'line 5 has a name that is not 1 to 64 of the characters A-Z a-z 0-9 _ . -',
      'line 6 has a name that is not 1 to 64 of the characters A-Z a-z 0-9 _ . -',
      'line 7 has no hash that hcf can read: `hcf token NAME` prints one that is right',
      'line 8 has the name ana once more: remove one of the two'
    ]
  })
})

void t.test('so many tokens, and no more', async t => {
  const file = (count: number): string => Array.from({ length: count }, (_, i) => `t${i}:${hash()}`).join('\n')
  t.ok(parseTokens(file(TOKENS_MAX)).ok)
  t.same(parseTokens(file(TOKENS_MAX + 1)), { ok: false, problems: [`has ${TOKENS_MAX + 1} tokens: at most ${TOKENS_MAX}`] })
})

void t.test('names', async t => {
  for (const [name, right] of [['a', true], ['a'.repeat(64), true], ['a'.repeat(65), false], ['', false], ['a:b', false], ['ana.b_c-1', true], ['ä', false]] as const) t.equal(isTokenName(name), right, name)
})

void t.test('a token opens by its own line only', async t => {
  const ana = await makeToken('ana.of.ops', { logCost })
  const bo = await makeToken('bo', { logCost, readOnly: true })
  const tokens = tokensOf(ana.line, bo.line)
  t.match(ana.token, /^ana\.of\.ops\.[A-Za-z0-9_-]{43}$/)
  t.notOk(ana.line.includes(ana.token.slice(-43)), 'the line does not hold the secret')
  t.not((await makeToken('ana.of.ops', { logCost })).token, ana.token, 'no two are the same')

  const secret = ana.token.slice(-43)
  const rows: ReadonlyArray<readonly [token: string, holder: unknown]> = [
    [ana.token, { name: 'ana.of.ops', readOnly: false }],
    [bo.token, { name: 'bo', readOnly: true }],
    [`bo.${secret}`, 'wrong'],
    [`nobody.${secret}`, 'wrong'], // its hash is the one of the first line
    [secret, 'wrong'],
    [`${ana.token}x`, 'wrong'],
    [ana.token.slice(0, -1), 'wrong'],
    [ana.line, 'wrong'],
    ['', 'wrong'],
    ['.', 'wrong']
  ]
  for (const [token, holder] of rows) t.same(await tokens.verify(token), holder, token)
  t.equal(await tokensOf().verify(ana.token), 'wrong', 'an empty file opens to nobody')
})

void t.test('a token that was right once is known; a wrong one is not', async t => {
  const { token, line } = await makeToken('ana', { logCost })
  const tokens = tokensOf(line)
  t.equal(tokens.known(token), undefined, 'not before it was looked at')
  await tokens.verify(token)
  await tokens.verify(`${token}x`)
  t.same(tokens.known(token), { name: 'ana', readOnly: false })
  t.equal(tokens.known(`${token}x`), undefined)
  t.equal(tokensOf(line).known(token), undefined, 'a new file knows nothing of the old one')
})

void t.test('a token longer than any is not looked at', async t => {
  const { line } = await makeToken('ana', { logCost })
  const tokens = tokensOf(line)
  const started = Array.from({ length: HASHES_AT_ONCE + HASHES_WAITING_MAX }, async (_, i) => tokens.verify(`ana.${i}`))
  t.equal(await tokens.verify('x'.repeat(TOKEN_CHARACTERS_MAX)), 'busy', 'there are as many as may wait')
  t.equal(await tokens.verify('x'.repeat(TOKEN_CHARACTERS_MAX + 1)), 'wrong', 'and this one need not')
  t.same(new Set(await Promise.all(started)), new Set(['wrong']))
  t.equal(await tokens.verify('ana.x'), 'wrong', 'when they are done there is room again')
})

void t.test('a name that is not there takes as long as a wrong secret', async t => {
  const { line } = await makeToken('ana', { logCost: 14 })
  const tokens = tokensOf(line)
  const times = async (token: string): Promise<number> => {
    const taken: number[] = []
    for (let i = 0; i < 5; i += 1) {
      const start = performance.now()
      await tokens.verify(token)
      taken.push(performance.now() - start)
    }
    return Math.min(...taken)
  }
  const [known, unknown] = [await times('ana.x'), await times('nobody.x')]
  t.ok(unknown > known / 3, `${unknown} ms for an unknown name, ${known} ms for a known one`)
})
