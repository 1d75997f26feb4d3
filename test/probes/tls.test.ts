import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import t, { type Test } from 'tap'
import type { Node } from '../../src/core/probe.ts'
import { settled } from '../helpers/streams.ts'
import { GET, listenOn, nodeAt, OK, onRequest, outcome, probe, serve, signal, TIMEOUT_TICKS } from './bench.ts'

interface Certificate { readonly cert: string, readonly key: string, readonly file: string }

/** A self-signed certificate that is its own authority. */
function certificate (dir: string, name: string, names: string): Certificate {
  const [file, keyFile] = [`${dir}/${name}.pem`, `${dir}/${name}.key`]
  const { status, stderr } = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=hcf test', '-addext', `subjectAltName=${names}`, '-keyout', keyFile, '-out', file
  ], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl: ${stderr}`)
  return { cert: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8'), file }
}

interface Secure { readonly node: (more?: Partial<Node>) => Node, readonly sni: unknown[], readonly connections: () => number }

async function secure (t: Test, { cert, key }: Certificate): Promise<Secure> {
  const sni: unknown[] = []
  let connections = 0
  const server = createServer({ cert, key }, (_, res) => { res.end('ok') })
  server.on('secureConnection', socket => {
    connections += 1
    sni.push(socket.servername)
  })
  const port = await listenOn(t, server)
  t.teardown(() => { server.closeAllConnections() })
  return { node: more => nodeAt(port, { protocol: 'https', ...more }), sni, connections: () => connections }
}

void t.test('certificates', async t => {
  const dir = t.testdir({ garbage: 'no certificate', key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' })
  const ours = certificate(dir, 'ours', 'DNS:gw.example,IP:127.0.0.1')
  const named = certificate(dir, 'named', 'DNS:gw.example')
  const other = certificate(dir, 'other', 'DNS:gw.example,IP:127.0.0.1')
  const byAddress = await secure(t, ours)
  const byName = await secure(t, named)

  const good: ReadonlyArray<readonly [Node, string]> = [
    [byAddress.node({ caFile: ours.file }), 'its authority is known, its address is in it'],
    [byAddress.node({ caFile: ours.file, serverName: 'gw.example' }), 'or its name'],
    [byName.node({ caFile: named.file, serverName: 'gw.example' }), 'the name alone']
  ]
  for (const [node, why] of good) {
    const { run } = probe(t, node, GET)
    t.match(outcome(await run()), { status: 200, bytes: 2 }, why)
    t.match(outcome(await run()), { status: 200, bytes: 2 }, `${why}: again`)
  }
  t.equal(byName.connections(), 1, 'one connection for both polls')
  t.same(byName.sni, ['gw.example'], 'the name is sent')

  const bad: ReadonlyArray<readonly [Node, string, string]> = [
    [byAddress.node(), 'DEPTH_ZERO_SELF_SIGNED_CERT', 'nobody we know has signed it'],
    [byAddress.node({ caFile: other.file }), 'CERT', 'another authority'],
    [byName.node({ caFile: named.file }), 'ALTNAME', 'its address is not in it'],
    [byName.node({ caFile: named.file, serverName: 'other.example' }), 'ALTNAME', 'nor another name']
  ]
  for (const [node, words, why] of bad) {
    const { run } = probe(t, node, GET)
    for (const turn of ['', ': again']) {
      t.match(outcome(await run()), { class: 'tls', message: new RegExp(`^TLS failed .*${words}`, 'i') }, `${why}${turn}`)
    }
  }

  for (const [file, why] of [['garbage', 'not a PEM certificate'], ['key', 'not a PEM certificate'], ['missing', 'ENOENT']] as const) {
    const caFile = `${dir}/${file}`
    const message = `ca_file ${caFile} cannot be used (${why})`
    t.same(outcome(await probe(t, byAddress.node({ caFile }), GET).run()), { class: 'local', message }, 'our fault, not the node’s')
  }
})

void t.test('server_name goes before a Host header, which goes before the address', async t => {
  const cert = certificate(t.testdir(), 'cert', 'DNS:gw.example')
  const { node, sni } = await secure(t, cert)
  const asking = (host: string): typeof GET => ({ ...GET, options: { ...GET.options, headers: { host } } })
  const both = probe(t, node({ caFile: cert.file, serverName: 'gw.example' }), asking('www.example'))
  t.match(outcome(await both.run()), { status: 200 })
  const header = probe(t, node({ caFile: cert.file }), asking('gw.example'))
  t.match(outcome(await header.run()), { status: 200 })
  t.same(sni, ['gw.example', 'gw.example'])
})

void t.test('a handshake that hangs is a host that was reached', async t => {
  const hello = signal()
  const port = await serve(t, socket => { socket.once('data', () => { hello.give() }) })
  const { run, ticker } = probe(t, nodeAt(port, { protocol: 'https' }), GET)
  const sample = run()
  await hello.given
  await settled()
  ticker.tick(TIMEOUT_TICKS)
  t.same(outcome(await sample), { class: 'timeout', message: 'no answer within 300ms' })
})

void t.test('one side speaks TLS, the other does not', async t => {
  const plain = await serve(t, socket => { socket.once('data', () => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') }) })
  t.match(outcome(await probe(t, nodeAt(plain, { protocol: 'https' }), GET).run()), { class: 'tls' })
  const { node } = await secure(t, certificate(t.testdir(), 'cert', 'IP:127.0.0.1'))
  const sample = outcome(await probe(t, node({ protocol: 'http' }), GET).run())
  t.ok(['protocol', 'reset'].includes(String(sample['class' as keyof typeof sample])), JSON.stringify(sample))
  const closing = await serve(t, socket => { onRequest(socket, () => { socket.write(OK) }); socket.once('data', () => { socket.end() }) })
  t.match(outcome(await probe(t, nodeAt(closing, { protocol: 'https' }), GET).run()), { class: 'reset' }, 'closed in the handshake')
})
