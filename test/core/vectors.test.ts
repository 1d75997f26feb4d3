/** The core decides as a model in another language did, but for where it means to do better. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { root } from '../helpers/paths.ts'
import { replay } from './vectors.ts'

const DIRECTORY = `${root}test/fixtures/vectors`
const DECISIONS = 48_820
const MEANT = 333

void t.test('the core decides as was recorded', async (t) => {
  const all = { decisions: 0, meant: 0 }
  for (const file of readdirSync(DIRECTORY).filter(name => name.endsWith('.txt')).toSorted()) {
    const { compared, meant, wrong } = replay(readFileSync(`${DIRECTORY}/${file}`, 'utf8'))
    all.decisions += compared
    all.meant += meant
    t.strictSame(wrong.slice(0, 5), [], `${file}: ${compared} decisions, ${meant} of them not the model's`)
  }
  t.strictSame(all, { decisions: DECISIONS, meant: MEANT }, `${DECISIONS} decisions`)
})
