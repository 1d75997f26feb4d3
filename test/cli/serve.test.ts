/** `hcf serve` as a process of its own: what must not stop it, and what must. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askAgent } from '../../src/agent/ask.ts'
import { Gateway } from '../../src/sim/gateway.ts'
import { root } from '../helpers/paths.ts'
import { until } from '../helpers/until.ts'

t.setTimeout(120_000)

interface Served {
  readonly child: ChildProcess
  readonly dir: string
  readonly out: () => string
  readonly err: () => string
}

async function config (t: Test): Promise<string> {
  const gateway = await Gateway.start()
  t.teardown(async () => gateway.stop())
  const dir = mkdtempSync(join(tmpdir(), 'hcf-serve-')) // short: it holds sockets
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  writeFileSync(join(dir, 'hcf.yaml'), [
    `agent: { listen: "unix:${join(dir, 'agent.sock')}" }`,
    `admin: { listen: "unix:${join(dir, 'admin.sock')}" }`,
    'backends:', '  web:', `    servers: { a: "${gateway.url}" }`, '    policy: { interval: 100ms }', ''
  ].join('\n'))
  return dir
}

async function serve (t: Test, dir: string): Promise<Served> {
  const child = spawn(process.execPath, [join(root, 'dist/src/main.js'), 'serve', '-c', join(dir, 'hcf.yaml')], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => { child.kill('SIGKILL') })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
  await until('it is up', () => out.includes('"to":"up"') || undefined, () => out + err)
  return { child, dir, out: () => out, err: () => err }
}

const ask = async (dir: string): Promise<string> => askAgent({ kind: 'unix', path: join(dir, 'agent.sock') }, 'web/a\n')

void t.test('a log that cannot be written any more does not end it', async t => {
  const { child, dir, err } = await serve(t, await config(t))
  child.stdout?.destroy()
  child.kill('SIGHUP') // which has something to log
  await until('it complains', () => err().includes('cannot write its log (EPIPE)') || undefined, err)
  t.equal(await ask(dir), 'up 100%', 'it goes on answering')
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
})

void t.test('sockets left behind by a kill do not stop the next one', async t => {
  const dir = await config(t)
  const first = await serve(t, dir)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  t.ok(existsSync(join(dir, 'agent.sock')) && existsSync(join(dir, 'admin.sock')), 'they are there')
  await serve(t, dir)
  t.equal(await ask(dir), 'up 100%')
})

void t.test('one that cannot listen ends by itself', async t => {
  const dir = await config(t)
  await serve(t, dir)
  const elsewhere = join(dir, 'elsewhere.yaml')
  writeFileSync(elsewhere, `${readFileSync(join(dir, 'hcf.yaml'), 'utf8')}\nstate_dir: elsewhere\n`)
  const rows: ReadonlyArray<readonly [file: string, says: RegExp]> = [
    [elsewhere, /cannot listen on .*agent\.sock: something already listens there/],
    [join(dir, 'hcf.yaml'), /state_dir is in use: another hcf runs with /]
  ]
  for (const [file, says] of rows) {
    const second = spawn(process.execPath, [join(root, 'dist/src/main.js'), 'serve', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    t.teardown(() => { second.kill('SIGKILL') })
    let err = ''
    second.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
    t.same(await once(second, 'exit'), [2, null], 'nothing keeps it')
    t.match(err, says)
  }
})

void t.test('SIGHUP while it stops: it stops', async t => {
  const { child } = await serve(t, await config(t))
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGHUP', 'SIGHUP'] as const) child.kill(signal)
  t.same(await once(child, 'exit'), [0, null])
})

void t.test('reload: state_dir takes a restart, and that is said', async t => {
  const dir = await config(t)
  const { child, out } = await serve(t, dir)
  const text = `state_dir: elsewhere\n${'backends: { web: { servers: { a: "http://127.0.0.1:1" } } }'}\n`
  writeFileSync(join(dir, 'hcf.yaml'), text)
  child.kill('SIGHUP')
  await until('it refuses', () => /config\.rejected.*state_dir cannot change while running/.test(out()) || undefined, out)
  t.equal(await ask(dir), 'up 100%', 'the old config goes on')
})
