/** Compiles to dist, from nothing: a file that was renamed leaves no ghost of itself behind. */
import { chmodSync, rmSync } from 'node:fs'
import { root, run } from './install.mjs'

rmSync(`${root}/dist`, { recursive: true, force: true })
run(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-p', root])
chmodSync(`${root}/dist/src/main.js`, 0o755)
