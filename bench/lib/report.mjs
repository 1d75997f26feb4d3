/** What a bench says: where it ran, its tables, and the same in RESULTS.md. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { table } from './table.mjs'

/** `Node v20.20.2; 2 CPUs, AMD EPYC; HAProxy 2.6.12`. */
export function machine () {
  const { status, stdout } = spawnSync('haproxy', ['-v'], { encoding: 'utf8' })
  const haproxy = status === 0 ? /version (\S+)/.exec(stdout)?.[1] : undefined
  const model = cpus()[0]?.model.trim() ?? 'unknown'
  return `Node ${process.version}; ${availableParallelism()} CPUs, ${model}; ${haproxy === undefined ? 'no HAProxy' : `HAProxy ${haproxy}`}`
}

const took = tookMs => tookMs < 60_000 ? `${Math.round(tookMs / 1000)} s` : `${(tookMs / 60_000).toFixed(1)} min`

/** A result of a bench as Markdown. One without rows was not measured, and its notes say why. */
export function markdown ({ title, columns, rows, notes = [] }, tookMs) {
  const under = [...notes, `It took ${took(tookMs)}.`].map(note => `- ${note}\n`).join('')
  return `## ${title}\n\n${rows === undefined ? '' : `${table(columns, rows)}\n\n`}${under}`
}

/** Puts `text` between the marks of that section, with today's date and the machine. */
export function writeSection (file, name, text) {
  const [begin, end] = [`<!-- results:${name} -->`, `<!-- /results:${name} -->`]
  const old = readFileSync(file, 'utf8')
  const [from, to] = [old.indexOf(begin), old.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} … ${end}`)
  const today = new Date().toISOString().slice(0, 10)
  writeFileSync(file, `${old.slice(0, from + begin.length)}\n\n${text}- ${today}; ${machine()}\n\n${old.slice(to)}`)
}
