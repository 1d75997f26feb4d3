/** docs/hardening.md has a row for each attack that is tested, and none that is not. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../helpers/paths.ts'

const titlesIn = (file: string): readonly string[] =>
  [...readFileSync(join(root, 'test/attack', file), 'utf8').matchAll(/^void t\.test\('([^']+)'.*\n.*besiege/gm)].map(([, title = '']) => title)

void t.test('the attacks in docs/hardening.md are those that are tested', async t => {
  const tested = readdirSync(join(root, 'test/attack')).filter(file => file.endsWith('.test.ts')).flatMap(titlesIn)
  const document = readFileSync(join(root, 'docs/hardening.md'), 'utf8')
  const [, section = ''] = document.split('## Under attack')
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| ([^|]+?) \|/gm)].map(([, first = '']) => first).filter(first => first !== 'attack')
  t.ok(rows.length > 10)
  t.strictSame(rows.toSorted(), tested.toSorted())
})
