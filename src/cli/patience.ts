/** Commands that wait: for how long, until when, and how they are told to stop. */
import { duration } from '../criteria/scalars.ts'
import type { Clock } from '../runtime/clock.ts'
import { CommandError, EXIT, type Io } from './io.ts'

/** `60s`, `5m`: ms. `option` is named when it is none. */
export function parseWait (option: string, text: string): number {
  const parsed = duration.safeParse(text)
  if (!parsed.success) throw new CommandError(`${option} must be a duration like 60s, is ${text}`, EXIT.usage)
  return parsed.data
}

/** Aborts at ctrl-C and when we are asked to end; `off` when it shall no more. */
export function interruption ({ onSignal }: Pick<Io, 'onSignal'>): { readonly signal: AbortSignal, readonly off: () => void } {
  const stopped = new AbortController()
  const offs = [onSignal('SIGINT', () => { stopped.abort() }), onSignal('SIGTERM', () => { stopped.abort() })]
  return { signal: stopped.signal, off: () => { for (const off of offs) off() } }
}

/** Aborts at a moment of the clock, or with `outer`; `off` when it shall no more. */
export function stopAt (clock: Clock, ms: number, outer: AbortSignal): { readonly signal: AbortSignal, readonly off: () => void } {
  const inner = new AbortController()
  const stop = (): void => { inner.abort() }
  const timer = clock.after(ms - clock.now(), stop)
  if (outer.aborted) stop()
  outer.addEventListener('abort', stop)
  return {
    signal: inner.signal,
    off: () => {
      timer.stop()
      outer.removeEventListener('abort', stop)
    }
  }
}

/** Returns after so long, or at once when it is aborted. */
export async function pause (clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => {
    const timer = clock.after(ms, done)
    function done (): void {
      timer.stop()
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}
