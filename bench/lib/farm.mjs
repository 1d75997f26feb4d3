/** Farms of many servers on loopback, as hcf.yaml has them. */

/** The address of node number `i`: 127.1.0.0 and on. */
export const addressOf = i => `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`

/** Names of `size` servers in backends of at most `backendSize`: `[['b0', ['s0', 's1', …]], …]`. */
export function farm (size, backendSize = size) {
  const backends = []
  for (let i = 0; i < size; i += 1) {
    const at = Math.floor(i / backendSize)
    const [, servers] = backends[at] ??= [`b${at}`, []]
    servers.push(`s${i}`)
  }
  return backends
}

export const namesOf = backends => backends.flatMap(([backend, servers]) => servers.map(server => `${backend}/${server}`))

/** hcf.yaml for that farm; all nodes at `port`. */
export function configOf (backends, { port, intervalMs, stateDir, agentPort = 0, extra = '' }) {
  const lines = backends.map(([backend, servers]) => {
    const nodes = servers.map(server => `${server}: http://${addressOf(Number(server.slice(1)))}:${port}`)
    return `  ${backend}: { profile: http, policy: { interval: ${intervalMs}ms }, servers: { ${nodes.join(', ')} } }`
  })
  return `agent: { listen: "127.0.0.1:${agentPort}" }\nadmin: { listen: "127.0.0.1:0" }\nstate_dir: ${stateDir}\n${extra}backends:\n${lines.join('\n')}\n`
}
