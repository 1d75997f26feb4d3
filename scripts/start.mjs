/** `npm start`: the main job on an embedded default. Arguments go to `hcf demo`. */
import { spawn } from 'node:child_process'
import { build, checkNode, installHaproxy, installPackages, root } from './install.mjs'

checkNode()
installPackages()
build()
installHaproxy()

const demo = spawn(process.execPath, [`${root}/dist/src/main.js`, 'demo', ...process.argv.slice(2)], { stdio: 'inherit' })
// Ctrl-C reaches the demo too, from the terminal: it ends in its own time, and we with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { if (signal === 'SIGTERM') demo.kill(signal) })
demo.on('exit', code => { process.exitCode = code ?? 1 })
