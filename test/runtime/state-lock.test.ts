import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { lockState, type StateLock } from '../../src/runtime/state-lock.ts'

/** Short: it holds a socket. */
function place (t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-lock-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  return dir
}
const lock = async (dir: string): Promise<StateLock> => {
  const got = await lockState(dir)
  if (got === 'taken') throw new Error('taken')
  return got
}

void t.test('one at a time', async t => {
  const dir = join(place(t), 'made', 'for it')
  const first = await lock(dir)
  t.equal(await lockState(dir), 'taken')
  const other = await lock(place(t))
  other.release()
  first.release()
  const second = await lock(dir)
  t.equal(await lockState(dir), 'taken', 'and again')
  second.release()
})

void t.test('who is killed holds nothing', async t => {
  const dir = place(t)
  const module = fileURLToPath(new URL('../../src/runtime/state-lock.js', import.meta.url))
  const child = spawn(process.execPath, ['--input-type=module', '-e', `
    const { lockState } = await import(${JSON.stringify(module)})
    process.stdout.write(await lockState(${JSON.stringify(dir)}) === 'taken' ? 'taken' : 'held')
    setInterval(() => undefined, 1000)`], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = await once(child.stdout, 'data') as [Buffer]
  t.equal(String(said), 'held')
  t.equal(await lockState(dir), 'taken')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const mine = await lock(dir)
  mine.release()
})

void t.test('what another left there that nobody listens on holds nobody up', async t => {
  const dir = place(t)
  writeFileSync(join(dir, 'lock.sock'), 'no socket at all')
  const mine = await lock(dir)
  mine.release()
})

void t.test('where there can be no lock, nobody is kept from running', async t => {
  const file = join(place(t), 'file')
  writeFileSync(file, '')
  for (const dir of [file, join(place(t), 'x'.repeat(100))]) {
    const first = await lock(dir)
    const second = await lock(dir)
    first.release()
    second.release()
  }
})
