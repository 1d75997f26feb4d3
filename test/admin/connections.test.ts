/** Who gets in while others lay siege to the port. Strangers are made of loopback: of 127.9.x.y the port sees 192.0.x.y. */
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Connections } from '../../src/admin/connections.ts'
import { LIMITS } from '../../src/admin/limits.ts'
import { serverWith } from '../../src/admin/server.ts'
import { until } from '../helpers/until.ts'

/** Whoever is connected may be silent for as long as the test takes. */
const PATIENT = { ...LIMITS, headersMs: 600_000, requestMs: 600_000 }
const HERE = '127.0.0.1'
const stranger = (n: number): string => `127.9.0.${n}`

interface Port {
  readonly open: (from: string) => Promise<Socket>
  /** How many the port holds. */
  readonly held: () => Promise<number>
}

async function served (t: Test, path?: string): Promise<Port> {
  const server = serverWith(PATIENT, new Connections(PATIENT), (_, answer) => { answer.end('ok') })
  server.keepAliveTimeout = 600_000
  server.prependListener('connection', socket => {
    const { remoteAddress = '' } = socket
    if (remoteAddress.startsWith('127.9.')) Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress.replace('127.9.', '192.0.') })
  })
  server.listen(path ?? { host: HERE, port: 0 })
  await once(server, 'listening')
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  return {
    open: async from => {
      const socket = connect(path === undefined ? { host: HERE, port: (server.address() as AddressInfo).port, localAddress: from } : { path })
      sockets.push(socket)
      socket.on('error', () => undefined)
      socket.resume()
      await once(socket, 'connect')
      return socket
    },
    held: async () => new Promise((resolve, reject) => {
      server.getConnections((error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
  }
}

/** Whether it is answered, or cut off. */
async function answered (socket: Socket): Promise<boolean> {
  if (socket.destroyed) return false
  return new Promise(resolve => {
    socket.on('data', () => { resolve(true) })
    socket.on('close', () => { resolve(false) })
    socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n')
  })
}

/** Of `count` more from there, how many are answered; they stay. */
async function fill (port: Port, from: string, count: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, async () => answered(await port.open(from))))
  return answers.filter(Boolean).length
}

void t.test('so many of one address elsewhere, and no more', async t => {
  const port = await served(t)
  const first = await port.open(stranger(1))
  t.ok(await answered(first))
  t.equal(await fill(port, stranger(1), LIMITS.perAddress + 10), LIMITS.perAddress - 1)
  t.equal(await port.held(), LIMITS.perAddress, 'the others are gone at once')
  t.ok(await answered(await port.open(stranger(2))), 'another address has its own')
  first.destroy()
  await until('there is room for one', async () => await answered(await port.open(stranger(1))) ? true : undefined, () => 'none')
  t.notOk(await answered(await port.open(stranger(1))), 'and no more')
  t.equal(await fill(port, HERE, LIMITS.perAddress + 1), LIMITS.perAddress + 1, 'this machine is not counted like that')
})

void t.test('the last places are for this machine', async t => {
  const port = await served(t)
  const outside = LIMITS.connections - LIMITS.reserved
  const addresses = outside / LIMITS.perAddress
  for (let n = 1; n <= addresses; n += 1) t.equal(await fill(port, stranger(n), LIMITS.perAddress), LIMITS.perAddress, stranger(n))
  t.notOk(await answered(await port.open(stranger(addresses + 1))), 'whoever comes from elsewhere now is refused')
  t.equal(await fill(port, HERE, LIMITS.reserved), LIMITS.reserved)
  t.equal(await port.held(), LIMITS.connections)
  t.notOk(await answered(await port.open(HERE)), 'until there are none left')
})

void t.test('this machine may take every place, and leaves none to others while it does', async t => {
  const port = await served(t)
  t.equal(await fill(port, HERE, LIMITS.connections - LIMITS.reserved), LIMITS.connections - LIMITS.reserved)
  t.notOk(await answered(await port.open(stranger(1))))
  t.equal(await fill(port, HERE, LIMITS.reserved + 1), LIMITS.reserved)
})

void t.test('over a unix socket everybody is of this machine', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-connections-'))
  t.teardown(() => { rmSync(dir, { recursive: true }) })
  const port = await served(t, join(dir, 's'))
  t.equal(await fill(port, '', LIMITS.connections + 1), LIMITS.connections)
})

void t.test('a siege: some hundred that come back as soon as they are cut off', async t => {
  const port = await served(t)
  let [over, comeBack] = [false, 0]
  const besiege = async (from: string): Promise<void> => {
    while (!over) {
      const socket = await port.open(from).catch(() => undefined)
      comeBack += 1
      if (socket !== undefined && !socket.destroyed) await new Promise(resolve => { socket.on('close', resolve) })
      else await new Promise(resolve => { setImmediate(resolve) })
    }
  }
  for (let i = 0; i < 200; i += 1) void besiege(stranger(1))
  await until('they come back', () => comeBack > 600 ? true : undefined, () => String(comeBack))
  for (let i = 0; i < 10; i += 1) {
    t.ok(await answered(await port.open(HERE)), 'this machine gets in')
    t.ok(await answered(await port.open(stranger(2))), 'and so does somebody else')
  }
  t.ok(await port.held() <= LIMITS.perAddress + 20)
  over = true
})

void t.test('the bounds in force', async t => {
  const { connections, reserved, perAddress } = LIMITS
  t.same({ connections, reserved, perAddress }, { connections: 256, reserved: 32, perAddress: 32 })
})
