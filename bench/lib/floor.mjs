/**
 * The floor: the least that `node:net` can do for an agent-check. Reads to the line end, answers the same to all, waits
 * for the reset. No names, no limits, no deadlines, no log: nobody should run this. `cluster`: two of it behind one handle;
 * told `meter` it says what both have used.
 */
import cluster from 'node:cluster'
import { createServer } from 'node:net'

const REPLY = Buffer.from('up 100%\n')
const [mode = 'one', port = '0'] = process.argv.slice(2)

function onData (chunk) {
  if (chunk.includes(0x0a)) this.write(REPLY)
}
function onError () { this.destroy() } // the reset is how HAProxy ends

const meterOf = async worker => new Promise(resolve => {
  worker.once('message', ({ meter }) => { resolve(meter) })
  worker.send('meter')
})

function listen () {
  const server = createServer({ noDelay: true }, socket => {
    socket.on('data', onData)
    socket.on('error', onError)
  })
  server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 }, () => { process.stdout.write(`listens on ${server.address().port}\n`) })
}

if (mode === 'cluster' && cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_NONE
  for (let i = 0; i < 2; i += 1) cluster.fork()
  process.removeAllListeners('message') // the meter's: its own use is not what is asked for
  process.on('message', async () => {
    const both = await Promise.all(Object.values(cluster.workers).map(meterOf))
    const sum = what => both.reduce((total, meter) => total + meter[what], 0)
    process.send({ meter: { ...both[0], cpuUs: sum('cpuUs'), rssBytes: sum('rssBytes') } })
  })
} else {
  listen()
}
