/** Packs the package, installs it in an empty directory, and runs `hcf` there as a stranger would. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, root } from './install.mjs'

const dir = mkdtempSync(join(tmpdir(), 'hcf-package-'))

function must (command, args, cwd, expected) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status === 0 && expected.test(stdout)) return
  process.stderr.write(`hcf: ${command} ${args.join(' ')}: exit ${status}, wanted ${expected}\n${stdout}${stderr}\n`)
  process.exit(1)
}

try {
  build()
  must('npm', ['pack', '--ignore-scripts', '--pack-destination', dir], root, /\.tgz/)
  const [tarball] = readdirSync(dir)
  must('npm', ['init', '-y'], dir, /./)
  must('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`], dir, /./)
  const hcf = join(dir, 'node_modules/.bin/hcf')
  const { version } = JSON.parse(spawnSync('npm', ['pkg', 'get', 'version', 'name', '--json'], { cwd: root, encoding: 'utf8' }).stdout)
  must(hcf, ['--version'], dir, new RegExp(`^${version.replaceAll('.', '\\.')}\n$`))
  must(hcf, ['schema'], dir, /"hcf\.yaml"/)
  must(hcf, ['simulate', '--policy', 'none', '--policy', 'hcf'], dir, /6 scenarios/)
  must(hcf, ['demo', '--model', '--duration', '3s'], dir, /requests served/)
  process.stdout.write(`hcf: the package ${tarball} installs and runs\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
