/**
 * One agent a state_dir: two would write over each other's orders. The lock is a socket somebody listens on, which the
 * kernel takes away from whoever is killed.
 */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { makeRoom } from './unix-socket.ts'

export interface StateLock { readonly release: () => void }

/** 'taken' when another agent runs with this directory. Where no socket can be made there is no lock, and we go on. */
export async function lockState (stateDir: string): Promise<StateLock | 'taken'> {
  const path = join(stateDir, 'lock.sock')
  const none: StateLock = { release: () => undefined }
  const server = createServer(socket => { socket.destroy() })
  server.unref()
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o750 })
    await makeRoom(path)
    server.listen(path)
    await once(server, 'listening')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EADDRINUSE' && await isHeld(path) ? 'taken' : none
  }
  return { release: () => { server.close() } }
}

/** A socket that another user left behind may neither be asked nor removed: nobody must be kept from running by that. */
async function isHeld (path: string): Promise<boolean> {
  const probe = connect(path)
  try {
    await once(probe, 'connect')
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' // somebody, with more to do
  } finally {
    probe.destroy()
  }
}
