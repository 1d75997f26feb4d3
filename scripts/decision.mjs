/**
 * `npm run decision`: plays every policy over every scenario and writes what came of it into docs/decision.md. With
 * `-- --check` it only compares. Exit 1 where the document is not what came, or claims more than that shows.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { build, checkNode, installPackages, root } from './install.mjs'

const DOCUMENT = `${root}/docs/decision.md`
const BETWEEN = /(?<=<!-- survey -->\n)[\s\S]*(?=<!-- \/survey -->)/
const survey = async () => import('../dist/test/sim/survey.js')

async function main () {
  checkNode()
  installPackages()
  build()
  const { tasks, report, shortfalls } = await survey()
  const startMs = performance.now()
  const played = await playAll(tasks)
  process.stderr.write(`hcf: ${tasks.length} scenarios and farms in ${Math.round((performance.now() - startMs) / 1000)} s\n`)

  const old = readFileSync(DOCUMENT, 'utf8')
  const fresh = old.replace(BETWEEN, `\n${report(played)}\n\n`)
  const wrong = [...shortfalls(played)]
  if (!process.argv.includes('--check')) writeFileSync(DOCUMENT, fresh)
  else if (fresh !== old) wrong.push('docs/decision.md says something else: npm run decision writes it anew')
  for (const line of wrong) process.stderr.write(`hcf: ${line}\n`)
  process.exitCode = wrong.length > 0 ? 1 : 0
}

/** In the order of the tasks, whoever is done first. */
async function playAll (tasks) {
  const played = []
  let next = 0
  await Promise.all(Array.from({ length: availableParallelism() }, () => new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url))
    const give = () => {
      if (next >= tasks.length) return resolve(worker.terminate())
      worker.postMessage({ place: next, task: tasks[next] })
      next += 1
    }
    worker.on('message', ({ place, result }) => {
      played[place] = result
      give()
    })
    worker.on('error', reject)
    give()
  })))
  return played
}

if (isMainThread) await main()
else {
  const { play } = await survey()
  parentPort.on('message', async ({ place, task }) => { parentPort.postMessage({ place, result: await play(task) }) })
}
