/** The admin port moves while somebody is connected to it. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { get, request as send, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApp, type App } from '../../src/app.ts'
import { SimClock } from '../../src/sim/clock.ts'
import { place, show } from '../helpers/agent.ts'
import { until } from '../helpers/until.ts'
import { Sink } from '../runtime/sink.ts'

interface Moving {
  readonly dir: string
  readonly app: App
  readonly clock: SimClock
  /** What `hcf reload` does, at the socket of this name, with a config whose admin port is at another. */
  readonly reload: (at: string, to: string) => Promise<unknown>
}

async function begin (t: Test): Promise<Moving> {
  const { dir, config } = place(t)
  const clock = new SimClock()
  let to = 'admin'
  const readConfig = (): ReturnType<typeof config> => config([], `admin: { listen: "unix:${dir}/${to}.sock" }`)
  const app = await startApp(readConfig(), { log: new Sink().log, version: '1.2.3', clock, readConfig })
  t.teardown(async () => app.stop())
  return {
    dir, app, clock,
    reload: async (at, next) => {
      to = next
      const request = send({ socketPath: join(dir, `${at}.sock`), method: 'POST', path: '/v1/reload', agent: false })
      request.end()
      const [answer] = await once(request, 'response') as [IncomingMessage]
      let text = ''
      for await (const chunk of answer) text += String(chunk)
      return JSON.parse(text)
    }
  }
}

void t.test('a reload through the port that it moves is answered', async t => {
  const { dir, app, clock, reload } = await begin(t)
  t.match(await reload('admin', 'other'), { backends: 1, servers: 1 })
  t.equal(app.adminAddress, `unix:${dir}/other.sock`)
  t.match(await show(dir, '/health', 'other'), { status: 'ok' })
  await clock.advance(1000)
  await until('the old one is closed', () => existsSync(join(dir, 'admin.sock')) ? undefined : true, () => 'it is not')
  t.match(await show(dir, '/health', 'other'), { status: 'ok' })
})

void t.test('there and back within the second in which the old one is still there', async t => {
  const { dir, app, clock, reload } = await begin(t)
  for (const [at, to] of [['admin', 'other'], ['other', 'admin'], ['admin', 'other'], ['other', 'third']] as const) {
    t.match(await reload(at, to), { servers: 1 }, `to ${to}`)
    t.match(await show(dir, '/health', to), { status: 'ok' }, `at ${to}`)
    await clock.advance(400)
  }
  t.equal(app.adminAddress, `unix:${dir}/third.sock`)
  for (const left of ['admin', 'other']) t.match(await show(dir, '/health', left), { status: 'ok' }, `${left} has its second`)
  await clock.advance(600)
  for (const gone of ['admin', 'other']) await until(`${gone} is closed`, () => existsSync(join(dir, `${gone}.sock`)) ? undefined : true, () => 'it is not')
  t.match(await show(dir, '/health', 'third'), { status: 'ok' }, 'what closes late takes nothing along')
})

void t.test('the old one and who is on it do not hold up the end', async t => {
  const { dir, app, clock, reload } = await begin(t)
  const [stream] = await once(get({ socketPath: join(dir, 'admin.sock'), path: '/v1/events', headers: { accept: 'text/event-stream' }, agent: false }), 'response') as [IncomingMessage]
  stream.on('error', () => undefined)
  stream.resume()
  const closed = once(stream, 'close')
  await reload('admin', 'other')
  await app.stop()
  await closed
  t.strictSame(['admin', 'other'].filter(name => existsSync(join(dir, `${name}.sock`))), [], 'nothing is left open')
  t.equal(clock.waiting, 0, 'nor does anything wait')
})
