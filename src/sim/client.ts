/** A small client of the public port: reads a file and writes small ones, steadily, and counts what fails. */
import { Agent } from 'undici'

export interface ClientOptions {
  readonly publicUrl: string
  /** The path of a file that can be read. */
  readonly readPath: string
  readonly readsPerSecond: number
  readonly writesPerSecond: number
}

export interface Counts { readonly served: number, readonly failed: number }

/** Longer than any healthy answer, shorter than patience. */
const TIMEOUT_MS = 5000
const IN_FLIGHT_MAX = 200
/** More than fits into a cap, so that storing it takes storage servers. */
const WRITE_BYTES = 2000

export class Client {
  readonly #options: ClientOptions
  readonly #agent = new Agent({ connections: IN_FLIGHT_MAX, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS })
  readonly #timers: NodeJS.Timeout[]
  readonly #inFlight = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  #served = 0
  #failed = 0
  /** Of requests that began after the last `mark`. */
  #marked: { served: number, failed: number } = { served: 0, failed: 0 }

  constructor (options: ClientOptions) {
    this.#options = options
    this.#timers = [
      setInterval(() => { this.#begin('GET') }, 1000 / options.readsPerSecond),
      setInterval(() => { this.#begin('PUT') }, 1000 / options.writesPerSecond)
    ]
  }

  get counts (): Counts { return { served: this.#served, failed: this.#failed } }

  /** Counts anew the requests that begin from now on; `counts` of the returned object are theirs alone. */
  mark (): { readonly counts: () => Counts } {
    const marked = { served: 0, failed: 0 }
    this.#marked = marked
    return { counts: () => ({ ...marked }) }
  }

  /** Begins no more, and waits for those on their way. */
  async stop (): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#abort.abort()
    await Promise.allSettled(this.#inFlight)
    await this.#agent.destroy()
  }

  #begin (method: 'GET' | 'PUT'): void {
    if (this.#inFlight.size >= IN_FLIGHT_MAX) return
    const { publicUrl, readPath } = this.#options
    const marked = this.#marked
    const request = this.#ask(publicUrl, method, method === 'GET' ? readPath : '/uri').then(ok => {
      if (this.#abort.signal.aborted) return // cut off by our own end
      if (ok) this.#served += 1
      else this.#failed += 1
      if (ok) marked.served += 1
      else marked.failed += 1
    })
    this.#inFlight.add(request)
    void request.finally(() => this.#inFlight.delete(request))
  }

  async #ask (origin: string, method: 'GET' | 'PUT', path: string): Promise<boolean> {
    try {
      const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(TIMEOUT_MS)])
      const { statusCode, body } = await this.#agent.request({ origin, path, method, signal, body: method === 'PUT' ? Buffer.alloc(WRITE_BYTES, 'hcf') : null })
      await body.dump({ limit: Infinity })
      return statusCode < 400
    } catch { // refused, reset or too slow: it failed, and the count is all we want
      return false
    }
  }
}
