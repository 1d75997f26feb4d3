import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readStateFile, writeStateFile } from '../../src/runtime/state-file.ts'

void t.test('what is written is read', async (t) => {
  const path = join(t.testdir(), 'deep', 'below', 'state.json')
  t.strictSame(readStateFile(path, 1), { kind: 'absent' }, 'nothing yet')
  for (const data of [{ a: [1, null, 'ä'] }, {}, null, 'text', [{ b: true }]]) {
    writeStateFile(path, 1, data)
    t.strictSame(readStateFile(path, 1), { kind: 'data', data }, JSON.stringify(data))
  }
  t.strictSame(readdirSync(join(path, '..')), ['state.json'], 'and nothing else is left')
  t.equal(statSync(path).mode & 0o007, 0, 'not for everybody')
})

void t.test('what is not understood is set aside', async (t) => {
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    ['', 'is torn or not ours', 'empty'],
    ['{"version":1,"da', 'is torn or not ours', 'torn'],
    ['{"version":1}', 'is torn or not ours', 'no data'],
    ['{"data":{}}', 'is torn or not ours', 'no version'],
    ['[1,2]', 'is torn or not ours', 'a list'],
    ['null', 'is torn or not ours', 'null'],
    ['7', 'is torn or not ours', 'a number'],
    ['\0\x01\xff', 'is torn or not ours', 'no text'],
    ['{"version":2,"data":{}}', 'has version 2, this hcf reads 1', 'newer'],
    ['{"version":"1","data":{}}', 'has version 1, this hcf reads 1', 'version as text']
  ]
  for (const [text, reason, why] of rows) {
    const path = join(t.testdir({ 'state.json': text }), 'state.json')
    t.strictSame(readStateFile(path, 1), { kind: 'set-aside', to: `${path}.bad-1`, why: reason }, why)
    t.equal(readFileSync(`${path}.bad-1`, 'latin1'), Buffer.from(text).toString('latin1'), `${why}: kept for a person`)
    t.strictSame(readStateFile(path, 1), { kind: 'absent' }, `${why}: and out of the way`)
  }
})

void t.test('what was set aside before is not overwritten', async (t) => {
  const path = join(t.testdir({ 'state.json': 'c', 'state.json.bad-1': 'a', 'state.json.bad-2': 'b' }), 'state.json')
  t.match(readStateFile(path, 1), { kind: 'set-aside', to: `${path}.bad-3` })
  t.strictSame(['bad-1', 'bad-2', 'bad-3'].map(end => readFileSync(`${path}.${end}`, 'utf8')), ['a', 'b', 'c'])
})

void t.test('what cannot be read is left where it is', async (t) => {
  const below = join(t.testdir({ file: '' }), 'file', 'state.json')
  t.strictSame(readStateFile(below, 1), { kind: 'set-aside', to: below, why: 'cannot be read (ENOTDIR)' }, 'its directory is a file')
  const directory = join(t.testdir({ 'state.json': {} }), 'state.json')
  t.strictSame(readStateFile(directory, 1), { kind: 'set-aside', to: directory, why: 'cannot be read (EISDIR)' }, 'it is a directory')
})

void t.test('a write that fails keeps the old file', { skip: existsSync('/dev/full') ? false : 'no /dev/full' }, async (t) => {
  const path = join(t.testdir(), 'state.json')
  writeStateFile(path, 1, 'old')
  symlinkSync('/dev/full', `${path}.new`)
  t.throws(() => { writeStateFile(path, 1, 'new') }, { code: 'ENOSPC' }, 'a full disk')
  t.strictSame(readStateFile(path, 1), { kind: 'data', data: 'old' })
})

void t.test('a directory that cannot be made throws', async (t) => {
  const path = join(t.testdir({ file: '' }), 'file', 'below', 'state.json')
  t.throws(() => { writeStateFile(path, 1, 'new') }, { code: 'ENOTDIR' })
})

void t.test('what a crash left half written is overwritten', async (t) => {
  const path = join(t.testdir(), 'state.json')
  writeFileSync(`${path}.new`, '{"version":1,"data":"much longer than what comes after it"')
  writeStateFile(path, 1, 'x')
  t.equal(readFileSync(path, 'utf8'), '{"version":1,"data":"x"}\n')
  mkdirSync(`${path}.new`)
  t.throws(() => { writeStateFile(path, 1, 'y') }, { code: 'EISDIR' })
  t.equal(readFileSync(path, 'utf8'), '{"version":1,"data":"x"}\n')
})
