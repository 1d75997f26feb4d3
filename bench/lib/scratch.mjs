/** Whatever a run writes and starts is gone when it ends, also by Ctrl-C. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

/** A directory for this run, where `tmpdir()` then also puts what its parts write. Children are killed as this process exits. */
export function scratch () {
  const dir = mkdtempSync(join(tmpdir(), 'hcf-'))
  process.env.TMPDIR = dir
  process.on('exit', () => { rmSync(dir, { recursive: true, force: true, maxRetries: 5 }) })
  for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => { process.exit(code) })
  return dir
}
