/** Puts in place what a fresh clone lacks: packages, the build, HAProxy. Says what it does; does nothing twice. */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const say = text => { process.stderr.write(`hcf: ${text}\n`) }

/** Runs a command and ends the process when it fails, with its exit code. */
export function run (command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })
  if (error !== undefined) say(`${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

const has = command => spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0

export function checkNode () {
  const [major, minor, patch] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && (minor > 18 || (minor === 18 && patch >= 1)))) return
  say(`needs Node 20.18.1 or newer, this is ${process.versions.node}`)
  process.exit(1)
}

export function installPackages () {
  const marker = `${root}/node_modules/.package-lock.json`
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(`${root}/package-lock.json`).mtimeMs && existsSync(`${root}/node_modules/typescript`)) return
  say('installing packages (npm ci)')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

export function build () {
  run(process.execPath, [`${root}/scripts/build.mjs`])
}

/** Real HAProxy, when we may install it. Returns whether there is one. */
export function installHaproxy () {
  if (has('haproxy')) return true
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    say('HAProxy is not installed. Debian, Ubuntu: sudo apt-get install haproxy. Fedora: sudo dnf install haproxy. macOS: brew install haproxy')
    return false
  }
  say('installing HAProxy (apt-get install haproxy)')
  const options = { stdio: ['ignore', 'ignore', 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  const install = () => spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'haproxy'], options).status === 0
  // Package lists may be missing or old: then they are fetched, and it is tried again.
  if (!install() && spawnSync('apt-get', ['update', '-qq'], options).status === 0) install()
  if (!has('haproxy')) say('apt-get could not install HAProxy')
  return has('haproxy')
}

