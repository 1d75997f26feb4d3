import t from 'tap'
import { parseTokens } from '../../src/admin/tokens.ts'
import { hcf } from '../helpers/cli.ts'

void t.test('the line goes to stdout, the token to stderr, and they belong together', async t => {
  for (const [args, readOnly] of [[['ana'], false], [['ana', '--read-only'], true]] as const) {
    const { code, out, err } = await hcf(['token', ...args])
    t.equal(code, 0)
    const [, token = ''] = /^ {2}(ana\.\S+)$/m.exec(err) ?? []
    t.match(token, /^ana\.[A-Za-z0-9_-]{43}$/)
    t.match(out, /^ana:\$scrypt\$ln=15,r=8,p=1\$[^:\n]+(?::read)?\n$/, 'one line, ready for the file')
    t.notOk(out.includes(token.slice(4)), 'which never gets the secret')
    const parsed = parseTokens(out)
    t.same(parsed.ok && await parsed.tokens.verify(token), { name: 'ana', readOnly })
  }
})

void t.test('names that cannot be', async t => {
  for (const name of ['', 'a b', 'ana:x', 'ä', 'a'.repeat(65)]) {
    const { code, out, err } = await hcf(['token', name])
    t.equal(code, 2, name)
    t.equal(out, '', name)
    t.match(err, /^the name must be 1 to 64 of the characters A-Z a-z 0-9 _ \. -$/m, name)
  }
  t.equal((await hcf(['token'])).code, 2, 'none')
})

void t.test('the help says how to keep it out of the file', async t => {
  const { code, out } = await hcf(['token', '--help'])
  t.equal(code, 0)
  t.match(out, /hcf token ana >> \/etc\/hcf\/tokens/)
})
