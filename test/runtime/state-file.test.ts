import fs, { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { copyAside, readStateFile, setAside, writeStateFile } from '../../src/runtime/state-file.ts'

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

void t.test('what cannot be read is set aside too, where that can be done', async (t) => {
  const below = join(t.testdir({ file: '' }), 'file', 'state.json')
  t.strictSame(readStateFile(below, 1), { kind: 'set-aside', to: below, why: 'cannot be read (ENOTDIR)' }, 'its directory is a file')
  const directory = join(t.testdir({ 'state.json': {} }), 'state.json')
  t.strictSame(readStateFile(directory, 1), { kind: 'set-aside', to: `${directory}.bad-1`, why: 'cannot be read (EISDIR)' }, 'it is a directory')
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

/** What is asked of the disk from now on, in its order. `refuse` may throw instead. */
function watchDisk (t: Test, refuse: (call: string) => void = () => undefined): readonly string[] {
  const calls: string[] = []
  const note = (call: string): void => {
    calls.push(call)
    refuse(call)
  }
  const { fsyncSync, renameSync } = fs
  t.teardown(() => {
    Object.assign(fs, { fsyncSync, renameSync })
    syncBuiltinESMExports()
  })
  fs.fsyncSync = fd => {
    note(fs.fstatSync(fd).isDirectory() ? 'sync directory' : 'sync file')
    fsyncSync(fd)
  }
  fs.renameSync = (from, to) => {
    note('rename')
    renameSync(from, to)
  }
  syncBuiltinESMExports()
  return calls
}

void t.test('a power cut finds the old file or the new one: what it holds and then its name are synced', async (t) => {
  const path = join(t.testdir(), 'state.json')
  const calls = watchDisk(t)
  writeStateFile(path, 1, 'x')
  t.strictSame(calls, ['sync file', 'rename', 'sync directory'])
})

void t.test('a file system that cannot sync a directory is good enough: the file is there', { skip: existsSync('/proc/self/fd') ? false : 'no /proc' }, async (t) => {
  const path = join(t.testdir(), 'state.json')
  const calls = watchDisk(t, call => { if (call === 'sync directory') throw Object.assign(new Error('no'), { code: 'EINVAL' }) })
  writeStateFile(path, 1, 'x')
  t.equal(calls.at(-1), 'sync directory')
  t.strictSame(readStateFile(path, 1), { kind: 'data', data: 'x' })
  for (let i = 0; i < 50; i += 1) writeStateFile(path, 1, i)
  const open = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`)
    } catch { // closed meanwhile: that of the listing
      return []
    }
  })
  t.strictSame(open.filter(name => name.startsWith(join(path, '..'))), [], 'and nothing is left open')
})

void t.test('by hand: aside with a name of its own, or a copy of it', async (t) => {
  const path = join(t.testdir({ 'state.json': 'text' }), 'state.json')
  t.equal(copyAside(path), `${path}.bad-1`)
  t.strictSame([path, `${path}.bad-1`].map(file => readFileSync(file, 'utf8')), ['text', 'text'], 'the file stays')
  t.equal(setAside(path), `${path}.bad-2`)
  t.strictSame(readdirSync(join(path, '..')), ['state.json.bad-1', 'state.json.bad-2'], 'or is gone')
  t.strictSame([setAside(path), copyAside(path)], [path, path], 'what is not there stays where it is')
})
