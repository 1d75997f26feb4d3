/** The files that users copy: valid as they stand, and what clients see when a pool has nobody left. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { request } from 'undici'
import { startHaproxy } from '../../src/sim/haproxy-process.ts'
import { root } from '../helpers/paths.ts'
import { until } from '../helpers/until.ts'

t.setTimeout(120_000)
const config = join(root, 'haproxy/haproxy.cfg')

function workDir (): string {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-e2e-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  return dir
}

void t.test('haproxy.cfg is valid without a warning', async t => {
  const socket = join(workDir(), 'admin.sock')
  const env = { PATH: process.env['PATH'] }
  for (const [what, more] of [['as it stands', {}], ['with addresses from the environment', { HCF_WEBAPI1: '127.0.0.1:1', HCF_AGENT_PORT: '1234', HCF_PUBLIC: ':8443' }]] as const) {
    const { status, stdout, stderr } = spawnSync('haproxy', ['-c', '-f', config], { env: { ...env, HCF_HAPROXY_SOCKET: socket, ...more }, encoding: 'utf8' })
    t.equal(status, 0, what)
    t.match(`${stdout}${stderr}`, 'Configuration file is valid', what)
    t.notMatch(`${stdout}${stderr}`, /WARNING|ALERT/, `${what}: no warning`)
  }
})

void t.test('a pool without servers says 503 and when to come back; no cap is logged', async t => {
  const dir = workDir()
  mkdirSync(join(dir, 'state'))
  const nobody = '127.0.0.1:1' // tcpmux: refused on loopback
  const haproxy = await startHaproxy({
    config, workDir: dir,
    env: { PATH: process.env['PATH'], HCF_WEBAPI1: nobody, HCF_WEBAPI2: nobody, HCF_WEBAPI3: nobody, HCF_AGENT_PORT: '1' }
  })
  t.teardown(async () => haproxy.stop())
  await until('HAProxy sees that nobody is there', async () =>
    (await haproxy.stat()).filter(({ backend }) => backend.startsWith('tahoe_')).every(({ status }) => status === 'DOWN') || undefined, haproxy.output)

  const secret = 'z6ssz2iazndtm5r3j4mfoymxum'
  for (const [method, path] of [['GET', `/uri/URI:CHK:${secret}:aaaa:3:5:20000`], ['PUT', `/uri/URI%3ASSK%3A${secret}`], ['GET', `/file/URI%3ALIT%3A${secret}`], ['POST', `/${secret}?cap=URI:DIR2:${secret}`]] as const) {
    const { statusCode, headers, body } = await request(`${haproxy.publicUrl}${path}`, { method, headers: { referer: `http://x/uri/URI:CHK:${secret}` } })
    const text = await body.text()
    t.equal(statusCode, 503, `${method}: no server is left`)
    t.equal(headers['retry-after'], '10', `${method}: Retry-After`)
    t.match(text, 'No gateway of this pool is fit', `${method}: and why`)
  }
  await until('HAProxy has logged them all', () => haproxy.output().split('\n').filter(line => line.includes('tahoe_') && / 503 /.test(line)).length >= 4 || undefined, haproxy.output)
  t.notOk(haproxy.output().includes(secret), 'no part of a cap is in the log')
  t.match(haproxy.output(), /gateway tahoe_read\/<NOSRV> .* 503 .* GET \/uri\n/, 'but method and area are')

  const unnamed = await request(haproxy.diagnosticsUrl)
  t.equal(unnamed.statusCode, 404, 'the diagnostics port wants a name')
  t.match(await unnamed.body.text(), /webapi1, webapi2, webapi3/, 'and says which')
})
