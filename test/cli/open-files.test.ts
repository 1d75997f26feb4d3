import { join } from 'node:path'
import t from 'tap'
import { openFilesMax } from '../../src/cli/open-files.ts'

const never = (): never => { throw new Error('the report takes too long to be asked for nothing') }

void t.test('what /proc says', async t => {
  const rows: ReadonlyArray<readonly [line: string, wanted: number | undefined]> = [
    ['Max open files            256                  4096                 files     ', 256],
    ['Max open files            524288               524288               files     ', 524288],
    ['Max open files            unlimited            unlimited            files     ', undefined],
    ['Max processes             96365                96365                processes ', undefined]
  ]
  for (const [line, wanted] of rows) {
    const dir = t.testdir({ limits: `Limit                     Soft Limit           Hard Limit           Units     \n${line}\nMax locked memory         8388608              8388608              bytes     \n` })
    t.equal(openFilesMax(never, join(dir, 'limits')), wanted, line)
  }
})

void t.test('elsewhere, what Node.js says of itself', async t => {
  const rows: ReadonlyArray<readonly [report: object, wanted: number | undefined]> = [
    [{ userLimits: { open_files: { soft: 10240, hard: 'unlimited' } } }, 10240],
    [{ userLimits: { open_files: { soft: 'unlimited', hard: 'unlimited' } } }, undefined],
    [{ userLimits: {} }, undefined],
    [{}, undefined] // Windows
  ]
  for (const [report, wanted] of rows) t.equal(openFilesMax(() => report, '/no/such/file'), wanted, JSON.stringify(report))
  t.type(openFilesMax(() => process.report.getReport(), '/no/such/file'), 'number', 'here')
})
