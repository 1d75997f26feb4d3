/** The two sides of a farm as files: the haproxy.cfg whose servers all ask one agent, and the hcf.yaml of that agent. */
import { addressOf } from './farm.mjs'

const SERVICE_PORT = 9 // nobody connects to it: there is no traffic, and no `check`

/**
 * HAProxy with these servers and nothing else. On stdout it says of each agent-check whose status is another than before.
 * `backends`: of farm.mjs; `socket`: where its runtime API shall listen.
 */
export function haproxyConfigOf (backends, { agentPort, interMs, socket }) {
  const sections = backends.map(([backend, servers]) => `backend ${backend}\n${servers.map(server => serverLine(backend, server, { agentPort, interMs })).join('\n')}\n`)
  return `global
  nbthread 1
  maxconn 100
  log stdout format timed local0
  stats socket "${socket}" mode 600 level admin
defaults
  mode tcp
  log global
  option log-health-checks
  timeout connect 5s
  timeout client 5s
  timeout server 5s
${sections.join('')}`
}

const serverLine = (backend, server, { agentPort, interMs }) =>
  `  server ${server} ${addressOf(numberOf(server))}:${SERVICE_PORT} weight 100 agent-check agent-addr 127.0.0.1 agent-port ${agentPort} agent-inter ${interMs}ms agent-send "${backend}/${server}\\n"`

const numberOf = server => Number(server.slice(1))

/**
 * The agent of these servers. `nodes`: how many there are; server number i is node i modulo that, so that with fewer
 * nodes than servers a node is a server of several backends, and is polled once for all of them.
 */
export function agentConfigOf (backends, { nodes, nodePort, intervalMs, dir }) {
  const lines = backends.map(([backend, servers]) => {
    const each = servers.map(server => `${server}: http://${addressOf(numberOf(server) % nodes)}:${nodePort}`)
    return `  ${backend}: { profile: http, policy: { interval: ${intervalMs}ms }, servers: { ${each.join(', ')} } }`
  })
  return `agent: { listen: "127.0.0.1:0" }\nadmin: { listen: "unix:${dir}/admin.sock" }\nstate_dir: ${dir}/state\nbackends:\n${lines.join('\n')}\n`
}
