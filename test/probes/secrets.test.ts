/** Caps and furls are permissions: none may come out of a probe, however a node serves them. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import t from 'tap'
import type { ProbeRequest } from '../../src/core/probe.ts'
import { classify } from '../../src/probes/errors.ts'
import { sampleOf } from '../../src/probes/run.ts'
import type { Wounds } from '../../src/sim/gateway.ts'
import { start } from '../helpers/gateway.ts'
import { GET, listenOn, nodeAt, probe, TIMEOUT_TICKS } from './bench.ts'

const KEY = 'aaaabbbbccccddddeeeeffff22'
const LEAK = `URI:CHK:${KEY}:gggghhhhiiiijjjjkkkkllll33mmmmnnnnooooppppqqqqrrrrssss:3:10:1234`
const FURL = `pb://${KEY}@tcp:10.0.0.1:3456/${KEY}`
const FORMS: ReadonlyArray<readonly [string, (text: string) => string]> = [
  ['plain', text => text],
  ['percent-encoded', encodeURIComponent],
  ['twice', text => encodeURIComponent(encodeURIComponent(text))],
  ['in lower case', text => encodeURIComponent(text).replace(/%../g, code => code.toLowerCase())],
  ['in a path', text => `/uri/${encodeURIComponent(text)}?t=json`],
  ['in a sentence', text => `no such file <${text}>, "${text}"`]
]

void t.test('a gateway that puts a cap wherever it can', async t => {
  const dir = t.testdir()
  for (const [form, write] of FORMS) {
    const gateway = await start(t)
    const { immutable, mutableRead, mutableWrite } = gateway.caps
    for (const [name, cap] of Object.entries(gateway.caps)) writeFileSync(`${dir}/${name}`, cap)
    const http: ProbeRequest = { kind: 'http', options: {
      ...GET.options,
      path: '/?t=json',
      contains: 'servers',
      matches: 'nodeid',
      pointers: ['/introducers/statuses/0', '/servers/0/nickname', '/servers/0/version', '/servers/0/connection_status'],
      follow: 3
    } }
    const requests: readonly ProbeRequest[] = [
      { kind: 'tahoe-welcome', options: {} },
      { kind: 'tahoe-statistics', options: {}, wants: ['node.uptime', write(LEAK)] },
      { kind: 'tahoe-read', options: { capFile: `${dir}/immutable` } },
      { kind: 'tahoe-read', options: { capFile: `${dir}/mutableRead` } },
      { kind: 'tahoe-check', options: { capFile: `${dir}/mutableRead` } },
      { kind: 'tahoe-write', options: { capFile: `${dir}/mutableWrite`, bytes: 100 } },
      { kind: 'tahoe-write', options: { bytes: 100 } },
      { kind: 'metrics', options: { path: '/statistics?t=openmetrics' }, wants: ['tahoe_stats_node_uptime'] },
      http,
      { kind: 'http', options: { ...GET.options, path: '/nothing', pointers: [''] } },
      { kind: 'tcp', options: { send: 'GET / HTTP/1.0\r\n\r\n', expect: 'URI:' } }
    ]
    const wounds: ReadonlyArray<Partial<Wounds>> = [
      {}, { storageConnected: 1, introducerConnected: false }, { storageConnected: 0 }, { storageConnected: 5, disksBroken: 3 },
      { mode: 'hang' }, { mode: 'accept-close' }, { mode: 'refused' }
    ]
    const keys = [KEY, ...[immutable, mutableRead, mutableWrite].flatMap(cap => cap.split(':').filter(part => part.length > 20))]
    for (const wound of wounds) {
      await gateway.wound({ ...wound, leak: write(LEAK) })
      for (const request of requests) {
        const { run, ticker } = probe(t, nodeAt(gateway.port), request)
        const { received } = gateway
        const sample = run()
        if (wound.mode === 'hang') {
          await gateway.arrived(received + 1)
          ticker.tick(TIMEOUT_TICKS)
        }
        const said = JSON.stringify(await sample)
        const shown = keys.filter(key => said.toLowerCase().includes(key))
        t.same(shown, [], `${request.kind} with ${JSON.stringify(wound)}, ${form}: ${shown.length > 0 ? said : ''}`)
      }
    }
  }
})

void t.test('facts and errors, whatever a look makes of them', async t => {
  for (const secret of [LEAK, FURL]) {
    for (const [form, write] of FORMS) {
      const text = write(secret)
      const facts = { [`name ${text}`]: 1, text, list: [1, text, null], long: `${text}${'x'.repeat(500)}` }
      const good = await sampleOf(() => 0, async () => facts)
      t.notMatch(JSON.stringify(good), KEY, `facts, ${form}`)
      t.ok(good.ok && good.facts['list'] !== undefined)
      const bad = await sampleOf(() => 0, async () => { throw new Error(`GET ${text} failed`, { cause: new Error(text) }) })
      t.notMatch(JSON.stringify(bad), KEY, `error, ${form}`)
      t.notMatch(JSON.stringify(classify(new AggregateError([new Error(text)], text))), KEY, `errors, ${form}`)
    }
  }
})

void t.test('redirects and bad answers that hold a cap', async t => {
  let location = ''
  const server = createServer((_, res) => { res.writeHead(302, `Moved ${LEAK}`, { location, 'x-cap': LEAK }).end(LEAK) })
  const port = await listenOn(t, server)
  const { run } = probe(t, nodeAt(port), { ...GET, options: { ...GET.options, follow: 1 } })
  for (const to of [`http://127.0.0.9/uri/${LEAK}`, `/uri/${LEAK}`, `http://${LEAK}`]) {
    location = to
    t.notMatch(JSON.stringify(await run()), KEY, to)
  }
})

void t.test('what is in a cap_file is not in an error, cap or not', async t => {
  const dir = t.testdir({ odd: `${KEY} ${LEAK}`, two: `${LEAK}\n${LEAK}`, bad: `URI:${KEY}` })
  const gateway = await start(t)
  for (const name of ['odd', 'two', 'bad']) {
    for (const kind of ['tahoe-read', 'tahoe-check'] as const) {
      const said = JSON.stringify(await probe(t, nodeAt(gateway.port), { kind, options: { capFile: `${dir}/${name}` } }).run())
      t.notMatch(said, KEY, `${kind} of ${name}`)
    }
  }
})
