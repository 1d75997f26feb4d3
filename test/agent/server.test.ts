import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { allowList } from '../../src/agent/peers.ts'
import type { ListenOptions } from '../../src/agent/server.ts'
import { SOCKET_PATH_BYTES_MAX } from '../../src/runtime/unix-socket.ts'
import { ask, dial, idle, listen, LIMITS, LOOPBACK, never, portOf } from './listeners.ts'

const unix = (path: string): ListenOptions => ({ address: { kind: 'unix', path } })
/** A directory whose path is short enough for sockets. */
function shortDir (t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-'))
  t.teardown(() => { rmSync(dir, { recursive: true }) })
  return dir
}

const up = (id: string): string => `up 100% #${id}\n`

void t.test('TCP, IPv4 and IPv6: where it listens, and what it answers', async t => {
  const four = await listen(t)
  const six = await listen(t, { address: { kind: 'tcp', host: '::1', port: 0 } })
  const both = await listen(t, { address: { kind: 'tcp', host: '::', port: 0 } })
  t.match(four.listener.bound, /^127\.0\.0\.1:[1-9]\d*$/, 'the port that the system chose')
  t.match(six.listener.bound, /^\[::1\]:[1-9]\d*$/)
  t.match(both.listener.bound, /^\[::\]:[1-9]\d*$/)
  t.equal(await ask(four.listener.bound, 'web/a\n'), up('web/a'))
  t.equal(await ask(six.listener.bound, 'web/b\n'), up('web/b'))
  t.equal(await ask(`127.0.0.1:${portOf(both.listener.bound)}`, 'web/c\n'), up('web/c'))
  t.same(four.known, ['web/a for 127.0.0.1'])
  t.same(six.known, ['web/b for ::1'])
  t.same(both.known, ['web/c for 127.0.0.1'], 'an IPv4 peer of an IPv6 listener is shown as what it is')
  t.same(four.listener.address, LOOPBACK.address)
})

void t.test('a unix socket', async t => {
  const path = join(shortDir(t), 'agent.sock')
  const { listener, known } = await listen(t, unix(path), { allow: [] })
  t.equal(listener.bound, `unix:${path}`)
  t.equal(statSync(path).mode & 0o777, 0o660, 'for user and group')
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'), 'its file says who may ask, not agent.allow')
  t.same(known, ['web/a for unix'])
  await listener.close()
  t.equal(existsSync(path), false, 'gone with its listener')
})

/** A unix listener in a process of its own, that has been stopped or killed. */
async function foreignSocket (t: Test, path: string, signal: 'SIGSTOP' | 'SIGKILL'): Promise<void> {
  const script = `require('node:net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill(signal)
  if (signal === 'SIGKILL') await once(child, 'exit')
}

void t.test('a socket file left behind is removed, one that is in use is not', async t => {
  const path = (name: string): string => join(dir, name)
  const dir = shortDir(t)
  await foreignSocket(t, path('stale'), 'SIGKILL')
  t.ok(lstatSync(path('stale')).isSocket(), 'nobody cleans up after a kill')
  const { listener } = await listen(t, unix(path('stale')))
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'))

  await t.rejects(listen(t, unix(path('stale'))), { code: 'EADDRINUSE' }, 'ours')
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'), 'it still answers')

  await foreignSocket(t, path('full'), 'SIGSTOP')
  const waiting: Socket[] = []
  let refusal: NodeJS.ErrnoException | undefined
  while (refusal === undefined) {
    const socket = connect(path('full'))
    waiting.push(socket)
    refusal = await new Promise(resolve => {
      socket.on('connect', () => { resolve(undefined) })
      socket.on('error', resolve)
    })
  }
  t.equal(refusal.code, 'EAGAIN', 'a listener that cannot take one connection more')
  await t.rejects(listen(t, unix(path('full'))), { code: 'EADDRINUSE' }, 'has not left its socket behind')
  t.ok(existsSync(path('full')))
  for (const socket of waiting) socket.destroy()

  writeFileSync(path('file'), 'precious')
  await t.rejects(listen(t, unix(path('file'))), { code: 'EADDRINUSE' }, 'a file that is no socket')
  t.equal(statSync(path('file')).size, 'precious'.length, 'is left alone')
  await t.rejects(listen(t, unix(path('no/such/dir'))), { code: /ENOENT|EACCES/ })
})

void t.test('the path of a unix socket: the longest, and one more', async t => {
  const dir = shortDir(t)
  const longest = join(dir, 'a'.repeat(SOCKET_PATH_BYTES_MAX - dir.length - 1))
  const { listener } = await listen(t, unix(longest))
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'))
  await t.rejects(listen(t, unix(`${longest}a`)), { code: 'ENAMETOOLONG' })
})

void t.test('a port in use is told by its error', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  await t.rejects(listen(t, { address: { kind: 'tcp', host: '127.0.0.1', port } }), { code: 'EADDRINUSE' })
})

void t.test('several listeners, each with whom it answers for when no request comes', async t => {
  const a = await listen(t, { ...LOOPBACK, server: 'web/a' })
  const b = await listen(t, { ...LOOPBACK, server: 'web/b' })
  const none = await listen(t)
  t.equal(await ask(a.listener.bound, ''), up('web/a'), 'silence')
  t.equal(await ask(b.listener.bound, '\n'), up('web/b'), 'an empty line')
  t.equal(await ask(a.listener.bound, 'web/c\n'), up('web/c'), 'a request goes before')
  t.equal(await ask(none.listener.bound, '\n'), '# no server asked for: agent-send must name one, with a line end\n', 'neutral')
  t.equal(await ask(none.listener.bound, 'web/x ?\n'), '# peeked web/x\n', 'a person')
  t.equal(await ask(none.listener.bound, 'app/x ?\n'), '# unknown app/x\n')
  t.same(none.known, [], 'who has been told nothing')
  t.same([...a.unknown, ...b.unknown, ...none.unknown], [], 'nobody asked for what is not there')
})

void t.test('what we do not know changes nothing in HAProxy, and is told', async t => {
  const { listener, unknown, known } = await listen(t)
  t.equal(await ask(listener.bound, 'shop/a\n'), '# unknown shop/a\n')
  t.equal(await ask(listener.bound, 'GET / HTTP/1.0\r\n\r\n'), '# not a backend/server name: GET / HTTP/1.0\n')
  t.equal(await ask(listener.bound, `web/${'a'.repeat(600)}\n`), '# request over 512 bytes\n')
  t.same(unknown, [
    'shop/a by 127.0.0.1',
    'not a backend/server name: GET / HTTP/1.0 by 127.0.0.1',
    'request over 512 bytes by 127.0.0.1'
  ])
  t.same(known, [])
})

void t.test('who may ask', async t => {
  const { listener, refused, known } = await listen(t, LOOPBACK, { allow: ['127.0.0.1'] })
  t.equal(await ask(listener.bound, 'web/a\n', '127.0.0.1'), up('web/a'))
  t.equal(await ask(listener.bound, 'web/a\n', '127.0.0.2'), '', 'not a word')
  t.same(refused, ['127.0.0.2: not in agent.allow'])
  t.same(known, ['web/a for 127.0.0.1'])
  listener.update(LOOPBACK, { ...LIMITS, allow: ['127.0.0.0/8'] })
  t.equal(await ask(listener.bound, 'web/a\n', '127.0.0.2'), up('web/a'), 'from now on')
  t.equal(refused.length, 1)
})

void t.test('the default server can be changed, on the same address', async t => {
  const { listener } = await listen(t, { ...LOOPBACK, server: 'web/a' })
  t.equal(await ask(listener.bound, ''), up('web/a'))
  listener.update({ ...LOOPBACK, server: 'web/b' }, LIMITS)
  t.equal(await ask(listener.bound, ''), up('web/b'), 'from now on')
})

void t.test('networks', async t => {
  const rows: ReadonlyArray<readonly [string, readonly string[], boolean]> = [
    ['127.0.0.1', ['127.0.0.0/8'], true],
    ['127.255.255.255', ['127.0.0.0/8'], true],
    ['128.0.0.1', ['127.0.0.0/8'], false],
    ['10.0.0.1', ['10.0.0.1'], true],
    ['10.0.0.2', ['10.0.0.1', '10.0.0.2/32'], true],
    ['10.0.0.3', ['10.0.0.1', '10.0.0.2/32'], false],
    ['8.8.8.8', ['0.0.0.0/0'], true],
    ['8.8.8.8', ['fd00::/8'], false],
    ['::1', ['::1'], true],
    ['::1', ['127.0.0.0/8'], false],
    ['fd00::5', ['fd00::/8'], true],
    ['fe80::1%eth0', ['fe80::/10'], true],
    ['fe80::1%eth0', ['fd00::/8'], false],
    ['unix', ['0.0.0.0/0', '::/0'], false],
    ['10.0.0.1', [], false]
  ]
  for (const [address, networks, allowed] of rows) {
    t.equal(allowList(networks)(address), allowed, `${address} ${allowed ? '' : 'not '}in ${networks.join(', ')}`)
  }
})

void t.test('a peer that resets its connection is nobody’s trouble', async t => {
  const { listener, known, refused, trouble } = await listen(t)
  for (const when of ['data', 'connect'] as const) {
    const socket = dial(listener.bound)
    socket.write('web/a\n')
    await once(socket, when)
    socket.resetAndDestroy()
  }
  t.equal(await ask(listener.bound, 'web/b\n'), up('web/b'), 'the next one is answered')
  t.ok(known.length >= 2)
  t.same([...refused, ...trouble], [])
})

void t.test('a peer that has reset before it was accepted is not refused', async t => {
  const { listener, refused } = await listen(t)
  const script = `const s = require('node:net').connect(${portOf(listener.bound)}, '127.0.0.1', () => s.resetAndDestroy())`
  t.equal(spawnSync(process.execPath, ['-e', script]).status, 0, 'while we cannot look')
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'))
  t.same(refused, [])
})

void t.test('a peer that has said all it will can still be answered', async t => {
  const { listener } = await listen(t, LOOPBACK, {}, never)
  const socket = dial(listener.bound)
  socket.end('web/a')
  const heard: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) heard.push(chunk)
  t.equal(Buffer.concat(heard).toString(), up('web/a'))
})

void t.test('500 connections at once are all answered', async t => {
  const { listener, known } = await listen(t, LOOPBACK, { maxConnections: 500 })
  const ids = Array.from({ length: 500 }, (_, i) => `web/${i}`)
  const answers = await Promise.all(ids.map(async id => ask(listener.bound, `${id}\n`)))
  t.same(answers, ids.map(up))
  t.equal(known.length, 500)
})

void t.test('connections: the bound and one more', async t => {
  const { listener, refused } = await listen(t, LOOPBACK, { maxConnections: 2 })
  const first = await idle(t, listener.bound)
  const closed = once(first, 'close')
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'), 'at the bound')
  t.same(refused, [])
  const second = await idle(t, listener.bound)
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'), 'one more')
  await closed // it made room: it had its answer
  t.same(refused, ['127.0.0.1: over 2 connections, closed early after its answer'])

  listener.update(LOOPBACK, { ...LIMITS, maxConnections: 3 })
  const third = await idle(t, listener.bound)
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'), 'the bound can be raised')
  t.equal(refused.length, 1)
  for (const socket of [second, third]) socket.destroy()
})

void t.test('one more on a unix socket', async t => {
  const { listener, refused } = await listen(t, unix(join(shortDir(t), 'agent.sock')), { maxConnections: 1 })
  const closed = once(await idle(t, listener.bound), 'close')
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'))
  await closed
  t.same(refused, ['unix: over 1 connections, closed early after its answer'])
})

void t.test('a listener that closes ends its connections', async t => {
  const { listener } = await listen(t, LOOPBACK, {}, never)
  const socket = dial(listener.bound)
  socket.write('web/a\n')
  await once(socket, 'data')
  socket.on('error', () => { /* An RST is an end too. */ })
  const closed = new Promise(resolve => { socket.on('close', resolve) })
  await listener.close()
  await closed
  t.equal(await ask(listener.bound, 'web/a\n'), '', 'nobody listens')
  await listener.close()
})

void t.test('an error of the listener is told and survived', async t => {
  const { listener, trouble } = await listen(t)
  const handles = (process as unknown as { _getActiveHandles: () => unknown[] })._getActiveHandles()
  const server = handles.find((handle): handle is Server => handle instanceof Server && isAt(handle, portOf(listener.bound)))
  server?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  t.same(trouble, ['EMFILE'])
  t.equal(await ask(listener.bound, 'web/a\n'), up('web/a'))
})

const isAt = (server: Server, port: number): boolean => {
  const address = server.address()
  return typeof address === 'object' && address?.port === port
}

void t.test('without descriptors it goes on, and answers when there are some again', async t => {
  const script = new URL('./few-descriptors.js', import.meta.url).pathname
  const child = spawn('/bin/sh', ['-c', `ulimit -n 64; exec "${process.execPath}" "${script}"`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => String((await lines.next()).value)

  const bound = await line()
  t.equal(await ask(bound, 'web/a\n'), 'up\n')
  child.stdin.write('take\n')
  t.equal(await line(), 'EMFILE', 'not one is left')
  const sockets = Array.from({ length: 20 }, () => dial(bound))
  await Promise.all(sockets.map(async socket => once(socket, 'connect')))
  for (const socket of sockets) socket.on('error', () => { /* It may be closed at once. */ })
  child.stdin.write('look\n')
  t.equal(await line(), 'looked', 'it lives on')
  for (const socket of sockets) socket.destroy()
  child.stdin.write('give back\n')
  t.equal(await line(), 'free')
  t.equal(await ask(bound, 'web/a\n'), 'up\n')
  child.stdin.end()
  t.same(await exited, [0, null])
})
