/** Before listening on a unix socket: who killed a process left its socket behind, and that refuses the next one. */
import { existsSync, lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'

/** What fits into a socket's address [unix(7)]; libuv would cut a longer path and listen somewhere else. */
export const SOCKET_PATH_BYTES_MAX = 107

/** A socket left by a process that was killed would refuse us; one that answers belongs to somebody alive. */
export async function makeRoom (path: string): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw Object.assign(new Error(`listen ENAMETOOLONG: over ${SOCKET_PATH_BYTES_MAX} bytes ${path}`), { code: 'ENAMETOOLONG' })
  }
  if (!existsSync(path) || !lstatSync(path).isSocket()) return
  const alive = await new Promise<boolean>(resolve => {
    const probe = connect(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve(true)
    })
    // Whatever else is wrong (a full backlog, no permission), there is somebody.
    probe.on('error', (error: NodeJS.ErrnoException) => { resolve(error.code !== 'ECONNREFUSED') })
  })
  if (!alive) unlinkSync(path)
}
