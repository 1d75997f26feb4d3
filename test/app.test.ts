/** The agent as a whole, in this process: reloads that come together, and one that comes too late. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { startApp, type App } from '../src/app.ts'
import { parseConfig, type Config } from '../src/config/load.ts'
import { createLog } from '../src/runtime/log.ts'

const silent = createLog({ level: 'error', destination: new Writable({ write: (_, __, done) => { done() } }) })

function farm (t: Test): (agent: string) => Config {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-app-')) // short: it holds sockets
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  return agent => parseConfig([
    `agent: { listen: ["unix:${dir}/a.sock"${agent === '' ? '' : `, "unix:${dir}/${agent}.sock"`}] }`,
    `admin: { listen: "unix:${dir}/admin.sock" }`,
    'backends: { web: { servers: { a: "http://127.0.0.1:1" } } }'
  ].join('\n'), join(dir, 'hcf.yaml'), { env: {}, readFile: () => '' })
}

const start = async (config: Config): Promise<App> => startApp(config, { log: silent, version: '1' })

void t.test('reloads that come together take turns', async t => {
  const config = farm(t)
  const app = await start(config(''))
  await t.resolves(Promise.all([app.reload(config('b')), app.reload(config('b')), app.reload(config('c'))]))
  t.match(app.agentAddresses, [/a\.sock$/, /c\.sock$/], 'the last one holds')
  await app.stop()
})

void t.test('a reload of an agent that stops opens nothing', async t => {
  const config = farm(t)
  const app = await start(config(''))
  const stopped = app.stop()
  await app.reload(config('late'))
  await stopped
  t.notOk(app.agentAddresses.some(address => address.endsWith('late.sock')))
})
