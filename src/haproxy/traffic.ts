/** Who still has traffic on a server: what each HAProxy counts now. */
import { showStat, type RuntimeSocket, type ServerStat } from './runtime.ts'

/** `show stat` tells of all servers, which takes HAProxy its time: who wants to know of many asks it once. */
export const STAT_SHARED_MS = 250

export interface Traffic {
  readonly socket: string
  /** As HAProxy shows it: `DRAIN (agent)`. */
  readonly status?: string
  /** Absent where HAProxy has no such server, or did not answer. */
  readonly sessions?: number
  readonly error?: string
}

export type NamedSocket = RuntimeSocket & { readonly name: string }

interface Look { readonly askedMs: number, readonly rows: Promise<ReadonlyMap<string, ServerStat>> }

export class TrafficWatch {
  readonly #looks = new Map<string, Look>()
  readonly #now: () => number

  /** `now`: monotonic milliseconds. */
  constructor (now: () => number) {
    this.#now = now
  }

  /** One that cannot be asked is said so, and holds up nobody else. */
  async on (id: string, sockets: readonly NamedSocket[]): Promise<readonly Traffic[]> {
    return Promise.all(sockets.map(async ({ name: socket, ...where }): Promise<Traffic> => {
      try {
        const row = (await this.#look(socket, where)).get(id)
        return row === undefined ? { socket } : { socket, status: row.status, sessions: row.sessionsNow + row.queued }
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        return { socket, error: code ?? message }
      }
    }))
  }

  /** Its age counts from the question: HAProxy may have counted right then, however late the answer comes. */
  async #look (name: string, where: RuntimeSocket): Promise<ReadonlyMap<string, ServerStat>> {
    const askedMs = this.#now()
    for (const [each, look] of this.#looks) if (askedMs - look.askedMs >= STAT_SHARED_MS) this.#looks.delete(each)
    const look = this.#looks.get(name) ?? { askedMs, rows: rowsOf(where) }
    this.#looks.set(name, look)
    return look.rows
  }
}

const rowsOf = async (where: RuntimeSocket): Promise<ReadonlyMap<string, ServerStat>> =>
  new Map((await showStat(where)).map(row => [`${row.backend}/${row.server}`, row]))
