/** Puts in place what a fresh clone lacks: packages, the build, HAProxy, other versions of Node. Says what it does; does nothing twice. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
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

/**
 * The binary of a Node of that version (`22`, or `22.12.0`): the one that runs, or one that npm has as a package, kept in
 * .versions, as npm ci empties node_modules. Ends the process where there is none.
 */
export function installNode (version) {
  if (`${process.versions.node}.`.startsWith(`${version}.`)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const dir = `${root}/.versions/${version}`
  const binary = `${dir}/node_modules/${name}/bin/node`
  if (!existsSync(`${dir}/node_modules/.package-lock.json`) || !existsSync(binary)) {
    say(`fetching Node ${version} (npm install ${name}@${version}) into .versions`)
    mkdirSync(dir, { recursive: true })
    run('npm', ['install', '--prefix', dir, '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`])
  }
  if (spawnSync(binary, ['-v'], { stdio: 'ignore' }).status === 0) return binary
  say(`${binary} does not run here`)
  return process.exit(1)
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

