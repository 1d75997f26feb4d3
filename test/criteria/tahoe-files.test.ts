import t from 'tap'
import { checkResults, fileStatus, stateNames } from '../fixtures/tahoe.ts'
import { judge, judgeRows, refusals, sample, type Row } from './judge.ts'

const FILE = { cap_file: 'canary.cap' }
const HASH = 'ab12cd34'.repeat(8)

void t.test('tahoe.read', async (t) => {
  const whole = { status: 200, bytes: 20_000, expectedBytes: 20_000, sha256: HASH }
  const rows: readonly Row[] = [
    [whole, FILE, true, 'read 20000 bytes in 20ms, needs 20000 bytes', 'as long as its cap says'],
    [{ ...whole, bytes: 19_999 }, FILE, false, 'read 19999 bytes, needs 20000 bytes', 'one byte short: the body ended early'],
    [{ ...whole, bytes: 20_001 }, FILE, false, 'read 20001 bytes, needs 20000 bytes', 'one too many'],
    [whole, { ...FILE, bytes: '20001B' }, false, 'read 20000 bytes, needs 20001 bytes', 'the length of the config wins'],
    [{ status: 200, bytes: 23 }, { ...FILE, bytes: '23B' }, true, 'read 23 bytes in 20ms, needs 23 bytes', 'mutable: the config says'],
    [{ status: 200, bytes: 1 }, FILE, true, 'read 1 bytes in 20ms, needs at least 1 byte', 'mutable: nobody says'],
    [{ status: 200, bytes: 0 }, FILE, false, 'read 0 bytes, needs at least 1 byte', 'but nothing at all is no file'],
    [{ status: 200 }, FILE, false, 'read 0 bytes, needs at least 1 byte', 'no length'],
    [{ status: 200, bytes: '20000' }, FILE, false, 'read 0 bytes, needs at least 1 byte', 'a text is no length'],
    [whole, { ...FILE, sha256: HASH }, true, 'read 20000 bytes in 20ms, needs 20000 bytes', 'the hash given'],
    [whole, { ...FILE, sha256: HASH.toUpperCase() }, true, 'read 20000 bytes in 20ms, needs 20000 bytes', 'in capitals'],
    [whole, { ...FILE, sha256: '0'.repeat(64) }, false,
      'read 20000 bytes of SHA-256 ab12cd34..., needs 00000000...', 'another hash, as long'],
    [{ ...whole, sha256: null }, { ...FILE, sha256: HASH }, false,
      'read 20000 bytes of SHA-256 unknown, needs ab12cd34...', 'no hash where one is wanted'],
    [{ status: 410, bytes: 20_000 }, FILE, false, 'read answered 410, needs 200', 'too few shares'],
    [{ status: 201, bytes: 20_000 }, FILE, false, 'read answered 201, needs 200', 'bound + 1'],
    [{ status: 199 }, FILE, false, 'read answered 199, needs 200', 'bound - 1'],
    [{}, FILE, false, 'read answered no status, needs 200', 'no facts'],
    [{ status: '200' }, FILE, false, 'read answered no status, needs 200', 'a text is no status']
  ]
  judgeRows(t, 'tahoe.read', rows)
  const HEX = 'must be 64 hex digits'
  refusals(t, 'tahoe.read', [
    [{}, ['cap_file is missing: it must be the path of a file'], 'missing'],
    [{ cap_file: '' }, ['cap_file must be the path of a file, is empty'], 'empty'],
    [{ ...FILE, bytes: 20_000 }, ['bytes must be a size like 20KiB or 10GiB, is 20000'], 'without a unit'],
    [{ ...FILE, sha256: HASH.slice(1) }, [`sha256 ${HEX}, is "${HASH.slice(1)}"`], '63 digits'],
    [{ ...FILE, sha256: `${HASH}0` }, [`sha256 ${HEX}, is "${HASH}0"`], '65 digits'],
    [{ ...FILE, sha256: 0 }, [`sha256 ${HEX}, is 0`], 'a number']
  ])
})

void t.test('tahoe.check', async (t) => {
  const good = { status: 200, recoverable: true, healthy: true, happiness: 5, sharesGood: 5 }
  const rows: readonly Row[] = [
    [good, FILE, true, 'recoverable, happiness 5, 5 good shares, needs recoverable', 'healthy'],
    [good, { ...FILE, at_least: 5 }, true,
      'recoverable, happiness 5, 5 good shares, needs recoverable, happiness at least 5', 'at the bound'],
    [good, { ...FILE, at_least: 6 }, false,
      'recoverable, happiness 5, 5 good shares, needs recoverable, happiness at least 6', 'one over'],
    [{ ...good, recoverable: false, happiness: 2, sharesGood: 2 }, FILE, false,
      'file not recoverable: 2 good shares, needs recoverable', 'too few shares'],
    [{ ...good, recoverable: 'true' }, FILE, false, 'file not recoverable: 5 good shares, needs recoverable', 'a text is no truth'],
    [{ status: 200, recoverable: true }, { ...FILE, at_least: 1 }, false,
      'recoverable, happiness 0, 0 good shares, needs recoverable, happiness at least 1', 'no happiness'],
    [{ status: 200, recoverable: null, happiness: null, sharesGood: null }, FILE, false,
      'file not recoverable: 0 good shares, needs recoverable', 'null'],
    [{ status: 200 }, FILE, false, 'file not recoverable: 0 good shares, needs recoverable', 'no facts but the status'],
    [{ status: 404 }, FILE, false, 'check answered 404, needs 200', 'no such file'],
    [{}, FILE, false, 'check answered no status, needs 200', 'no facts']
  ]
  judgeRows(t, 'tahoe.check', rows)
  refusals(t, 'tahoe.check', [
    [{ at_least: 4 }, ['cap_file is missing: it must be the path of a file'], 'missing'],
    [{ ...FILE, at_least: -1 }, ['at_least must be a whole number, at least 0, is -1'], 'below 0']
  ])
})

void t.test('tahoe.check: what the gateway says in every state', async (t) => {
  for (const state of stateNames) {
    const results = checkResults(state)
    if (results === 'hang') continue // a timeout is an error of the probe, not a fact
    const { recoverable, 'count-happiness': happiness, 'count-shares-good': sharesGood } = results
    const facts = { status: 200, recoverable: recoverable!, happiness: happiness!, sharesGood: sharesGood! }
    const { pass } = judge('tahoe.check', FILE, sample(facts))
    t.equal(pass, fileStatus(state).read !== 410, `${state}: recoverable just when a read is not 410`)
  }
})

void t.test('tahoe.write', async (t) => {
  const LIT = 'a smaller file fits into its cap, and no storage server is asked'
  const EITHER = 'needs cap_file (overwrite in place) or upload (a new file each time), one of them'
  const rows: readonly Row[] = [
    [{ status: 200 }, FILE, true, 'write answered 200 in 20ms, needs 200 or 201', 'overwritten'],
    [{ status: 201 }, FILE, true, 'write answered 201 in 20ms, needs 200 or 201', 'created'],
    [{ status: 202 }, FILE, false, 'write answered 202, needs 200 or 201', 'bound + 1'],
    [{ status: 199 }, FILE, false, 'write answered 199, needs 200 or 201', 'bound - 1'],
    [{ status: 500 }, { upload: '20KiB' }, false, 'write answered 500, needs 200 or 201', 'below happy'],
    [{}, FILE, false, 'write answered no status, needs 200 or 201', 'no facts'],
    [{ status: null }, FILE, false, 'write answered no status, needs 200 or 201', 'null'],
    [{ status: '200' }, FILE, false, 'write answered no status, needs 200 or 201', 'a text is no status']
  ]
  judgeRows(t, 'tahoe.write', rows)
  refusals(t, 'tahoe.write', [
    [FILE, [], 'overwrite in place'],
    [{}, [EITHER], 'neither'],
    [{ ...FILE, upload: '20KiB' }, [EITHER], 'both'],
    [{ upload: '56B' }, [], 'the smallest file that is stored'],
    [{ upload: '55B' }, [`upload must be from 56B (${LIT}) to 4MiB`], 'kept in its cap'],
    [{ upload: '0B' }, [`upload must be from 56B (${LIT}) to 4MiB`], 'nothing'],
    [{ upload: '4MiB' }, [], 'the largest'],
    [{ upload: '4194305B' }, [`upload must be from 56B (${LIT}) to 4MiB`], 'one over'],
    [{ upload: 2000 }, ['upload must be a size like 20KiB or 10GiB, is 2000'], 'without a unit']
  ])
})

void t.test('canaries: status of a real read and write in every state', async (t) => {
  for (const state of stateNames) {
    const { read, write } = fileStatus(state)
    if (read !== 'hang') {
      t.equal(judge('tahoe.read', FILE, sample({ status: read, bytes: 20_000 })).pass, !/s123|sall/.test(state), `${state}: read`)
    }
    if (write !== 'hang') {
      t.equal(judge('tahoe.write', FILE, sample({ status: write })).pass, !/s12|sall/.test(state), `${state}: write`)
    }
  }
})
