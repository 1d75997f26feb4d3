/**
 * Microseconds of the decision core, and their ratio to the same of another commit (by default the one before), measured in
 * turns in one run. Targets are in docs/decision.md.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../scripts/install.mjs'
import { number, ratio } from './lib/table.mjs'

const ROUNDS = 3
const TARGETS = { 'decide + encode, 10 servers': 2, 'sample, 100 servers': 20 }

function measure (dist) {
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'bench/decision-run.mjs'), dist], { encoding: 'utf8' })
  return status === 0 ? JSON.parse(stdout) : undefined
}

/** The other commit, compiled beside: its dist, or undefined where there is none to compile. */
function buildOther (dir, against) {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const archive = spawnSync('sh', ['-c', `git -C '${root}' archive ${git('rev-parse', '--verify', against)} | tar -x -C '${dir}'`])
    if (archive.status !== 0) return undefined
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
    spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], { stdio: 'ignore' })
    return existsSync(join(dir, 'dist')) ? join(dir, 'dist') : undefined
  } catch { // no repository here, or no such commit: nothing to compare with
    return undefined
  }
}

/** The least of each row over all rounds. */
function least (rounds) {
  const names = Object.keys(rounds[0].rows)
  return Object.fromEntries(names.map(name => [name, Math.min(...rounds.map(({ rows }) => rows[name] ?? Infinity))]))
}

export async function run ({ against = 'HEAD~1' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-bench-'))
  try {
    const other = buildOther(dir, against)
    const mine = []
    const theirs = []
    for (let round = 0; round < ROUNDS; round += 1) {
      mine.push(measure(join(root, 'dist')))
      if (other !== undefined) theirs.push(measure(other))
    }
    const now = least(mine)
    const before = theirs.length > 0 && theirs.every(Boolean) ? least(theirs) : undefined
    const unit = Math.min(...mine.map(each => each.unit))
    return {
      title: 'Decision',
      columns: ['what', 'target', 'us', 'units', `to ${against}`],
      rows: Object.entries(now).map(([name, us]) => [
        name, TARGETS[name] === undefined ? '' : `below ${TARGETS[name]} us`, number(us, 2), number(us / unit),
        before?.[name] === undefined ? 'n/a' : ratio(us / before[name])
      ]),
      notes: [
        `A unit is JSON.stringify of a small object: ${number(unit, 2)} us.`,
        ...before === undefined ? [`${against} could not be measured: its core is of another form, or it is not there.`] : []
      ]
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
