/** Who still has traffic on a server: what each HAProxy counts now. */
import { showStat, type RuntimeSocket } from './runtime.ts'

export interface Traffic {
  readonly socket: string
  /** As HAProxy shows it: `DRAIN (agent)`. */
  readonly status?: string
  /** Absent where HAProxy has no such server, or did not answer. */
  readonly sessions?: number
  readonly error?: string
}

/** One that cannot be asked is said so, and holds up nobody else. */
export async function trafficOn (id: string, sockets: ReadonlyArray<RuntimeSocket & { readonly name: string }>): Promise<readonly Traffic[]> {
  return Promise.all(sockets.map(async ({ name: socket, ...where }): Promise<Traffic> => {
    try {
      const row = (await showStat(where)).find(({ backend, server }) => `${backend}/${server}` === id)
      return row === undefined ? { socket } : { socket, status: row.status, sessions: row.sessionsNow + row.queued }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return { socket, error: code ?? message }
    }
  }))
}
