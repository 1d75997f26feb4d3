/**
 * `npm run sim -- --seeds 1000 [--from N]`: made-up farms with made-up faults, and after every agent check all that must
 * always hold. Ends with exit code 1 at the first seed that breaks something, with the shortest history that does.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { build, checkNode, installPackages } from './install.mjs'

const PROGRESS_MS = 2000
const say = text => { process.stderr.write(`hcf: ${text}\n`) }

function fail (text) {
  say(text)
  process.exit(2)
}

function wholeNumber (text, name) {
  return /^\d{1,9}$/.test(text) ? Number(text) : fail(`--${name} must be a whole number, is ${text}`)
}

function readArguments () {
  try {
    const { values } = parseArgs({ options: { seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '1' } } })
    return { seeds: wholeNumber(values.seeds, 'seeds'), from: wholeNumber(values.from, 'from') }
  } catch (error) {
    return fail(`${error.message}. Usage: npm run sim -- [--seeds 1000] [--from 1]`)
  }
}

async function work ({ first, end, step }) {
  const { soak } = await import('../dist/src/sim/soak.js')
  for (let seed = first; seed < end; seed += step) parentPort.postMessage(await soak(seed))
}

async function main () {
  const { seeds, from } = readArguments()
  checkNode()
  installPackages()
  build()

  const startMs = performance.now()
  const rate = () => (played / (performance.now() - startMs) * 1000).toFixed(1)
  let played = 0
  let answers = 0
  let failure
  const progress = setInterval(() => { say(`${played} of ${seeds} farms, ${rate()} a second`) }, PROGRESS_MS)

  const step = Math.max(1, Math.min(availableParallelism(), seeds))
  const workers = Array.from({ length: step }, (_, i) =>
    new Worker(new URL(import.meta.url), { workerData: { first: from + i, end: from + seeds, step } }))
  const stopAll = () => Promise.all(workers.map(worker => worker.terminate()))
  await Promise.all(workers.map(worker => new Promise((resolve, reject) => {
    worker.on('message', soaked => {
      played += 1
      answers += soaked.answers
      if (soaked.failure === undefined || failure !== undefined) return
      failure = soaked.failure
      void stopAll()
    })
    worker.on('error', reject)
    worker.on('exit', resolve)
  })))
  clearInterval(progress)

  say(`${played} of ${seeds} farms, ${rate()} a second`)
  if (failure === undefined) {
    process.stdout.write(`${seeds} farms from seed ${from}, ${answers} answers: all that must hold held\n`)
    return
  }
  const again = `To see it: save that as FILE.json, then hcf simulate FILE.json --seed ${failure.seed} --timeline`
  process.stdout.write(`seed ${failure.seed}: ${failure.wrong}\n\n${failure.scenario}\n${again}\n`)
  process.exitCode = 1
}

await (isMainThread ? main() : work(workerData))
