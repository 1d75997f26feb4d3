/** Fewer files than polls and connections would take. */
import t from 'tap'
import { startAgent } from './agent.ts'
import { besiege, MANY } from './siege.ts'

t.setTimeout(120_000)

const NODES = 300
const OPEN_FILES_MAX = 256

void t.test('256 files, 300 nodes and 4,096 connections', async t => {
  const agent = await besiege(t, {
    nodes: NODES, openFiles: OPEN_FILES_MAX, interval: '1s', attacks: [{ kind: 'idle', connections: 4096, perSecond: 3000, sources: MANY }]
  })
  t.strictSame(agent.logged('agent.trouble'), [], 'there was always one left')
  t.strictSame(agent.logged('poll.local'), [], 'for polls too')
  t.match(agent.logged('agent.descriptors'), [{ level: 'warn', limit: OPEN_FILES_MAX, kept: 'none', msg: /LimitNOFILE=\d+/ }], 'it was said once')
  t.equal(agent.logged('agent.descriptors').length, 1)
})

void t.test('enough for both', async t => {
  const agent = await startAgent(t, { nodes: 100, agent: 'max_connections: 100', openFiles: 1024 })
  t.strictSame(agent.logged('agent.descriptors'), [])
})
