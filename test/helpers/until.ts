/** Waits for what another process, or another part of this one, does at its own pace. */

/** Far more than anything takes: what is merely late must not fail. */
const PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 20

/** What `look` finds, once it finds something. `state` is said when it never does. */
export async function until<T> (what: string, look: () => T | undefined | Promise<T | undefined>, state: () => string): Promise<T> {
  const giveUpMs = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > giveUpMs) throw new Error(`waited in vain: ${what}\n${state()}`)
    await new Promise(resolve => { setTimeout(resolve, LOOK_EVERY_MS) })
  }
}
