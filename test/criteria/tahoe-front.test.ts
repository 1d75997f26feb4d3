import t from 'tap'
import { nodeIds } from '../fixtures/tahoe.ts'
import { judge, judgeRows, refusals, sample, type Row } from './judge.ts'

const REFUSED = 'ConnectionRefusedError: Connection was refused by other s...'
const SILENT = 'ResponseNeverReceived'

void t.test('tahoe.introducer', async (t) => {
  const rows: readonly Row[] = [
    ['foolscap/healthy', {}, true, '1 of 1 introducers connected, needs 1', 'Foolscap'],
    ['http/healthy', {}, true, '1 of 1 introducers connected, needs 1', 'HTTP'],
    ['foolscap/intro-down', {}, false,
      '0 of 1 introducers connected, needs 1 (Reconnecting)', 'lost: Foolscap'],
    ['http/intro-down', {}, false,
      '0 of 1 introducers connected, needs 1 (Reconnecting)', 'lost: HTTP'],
    ['foolscap/intro-down', { at_least: 0 }, true, '0 of 1 introducers connected, needs 0', 'none needed'],
    ['foolscap/healthy', { at_least: 2 }, false, '1 of 1 introducers connected, needs 2', 'more than there are: no status to blame'],
    [{}, {}, false, '0 of 0 introducers connected, needs 1', 'no facts'],
    [{ introducersConnected: null, introducersTotal: null, introducerStatus: null }, {}, false,
      '0 of 0 introducers connected, needs 1', 'null'],
    [{ introducersConnected: '1', introducersTotal: true }, {}, false, '0 of 0 introducers connected, needs 1', 'wrong types'],
    [{ introducersConnected: Number.NaN }, {}, false, '0 of 0 introducers connected, needs 1', 'NaN']
  ]
  judgeRows(t, 'tahoe.introducer', rows)
  refusals(t, 'tahoe.introducer', [
    [{ at_least: -1 }, ['at_least must be a whole number, at least 0, is -1'], 'below 0'],
    [{ at_least: '1' }, ['at_least must be a whole number, at least 0, is "1"'], 'a text'],
    [{ at_least: 1.5 }, ['at_least must be a whole number, at least 0, is 1.5'], 'half an introducer']
  ])
})

void t.test('tahoe.storage', async (t) => {
  const rows: readonly Row[] = [
    ['foolscap/healthy', { at_least: 5 }, true, '5 of 5 storage servers connected, needs 5', 'at the bound'],
    ['foolscap/healthy', { at_least: 6 }, false, '5 of 5 storage servers connected, needs 6', 'one over: a number, not "all"'],
    ['http/healthy', { at_least: 5 }, true, '5 of 5 storage servers connected, needs 5', 'HTTP'],
    ['foolscap/s1-down', { at_least: 4 }, true, '4 of 5 storage servers connected, needs 4', 'one down, at the bound'],
    ['foolscap/s1-down', { at_least: 5 }, false,
      '4 of 5 storage servers connected, needs 5 (Reconnecting)', 'one down, one over'],
    ['foolscap/s12-down', { at_least: 4 }, false,
      '3 of 5 storage servers connected, needs 4 (Reconnecting)', 'below happy'],
    ['foolscap/s12-down', { at_least: 3 }, true, '3 of 5 storage servers connected, needs 3', 'and reads go on'],
    ['foolscap/s123-down', { at_least: 3 }, false,
      '2 of 5 storage servers connected, needs 3 (Reconnecting)', 'below needed'],
    ['foolscap/sall-down', { at_least: 1 }, false,
      '0 of 5 storage servers connected, needs 1 (Reconnecting)', 'none'],
    ['http/s1-down', { at_least: 4 }, true, '4 of 5 storage servers connected, needs 4', 'HTTP, one down'],
    ['http/s1-down', { at_least: 5 }, false, `4 of 5 storage servers connected, needs 5 (${REFUSED})`, 'a traceback on one short line'],
    ['http/sall-down', { at_least: 3 }, false, `0 of 5 storage servers connected, needs 3 (${REFUSED})`, 'HTTP, none'],
    ['http/s12-hang', { at_least: 4 }, false, `3 of 5 storage servers connected, needs 4 (${SILENT})`, 'HTTP sees a hang'],
    ['foolscap/s12-hang', { at_least: 5 }, true, '5 of 5 storage servers connected, needs 5', 'Foolscap does not: only a canary does'],
    ['foolscap/intro-down', { at_least: 5 }, true, '5 of 5 storage servers connected, needs 5', 'no introducer needed'],
    [{}, { at_least: 1 }, false, '0 of 0 storage servers connected, needs 1', 'no facts'],
    [{ storageConnected: 0, storageTotal: 0, storageStatus: '' }, { at_least: 1 }, false,
      '0 of 0 storage servers connected, needs 1', 'right after a start the list is empty'],
    [{ storageConnected: null, storageTotal: '5', storageStatus: 7 }, { at_least: 1 }, false,
      '0 of 0 storage servers connected, needs 1', 'null and wrong types']
  ]
  judgeRows(t, 'tahoe.storage', rows)
  refusals(t, 'tahoe.storage', [
    [{}, ['at_least is missing: it must be a whole number, at least 1'], 'missing'],
    [{ at_least: 0 }, ['at_least must be a whole number, at least 1, is 0'], '0 would always hold'],
    [{ at_least: '50%' }, ['at_least must be a whole number, at least 1, is "50%"'], 'no percentages: of what?']
  ])
})

void t.test('tahoe.blessed', async (t) => {
  const [one, two, three] = nodeIds.foolscap
  const rows: readonly Row[] = [
    ['foolscap/healthy', { ids: [...nodeIds.foolscap] }, true, '0 of 5 blessed servers missing, at most 0 may be', 'all'],
    ['foolscap/s1-down', { ids: [one] }, false, '1 of 1 blessed servers missing (v0-4leya7k6), at most 0 may be', 'known, not connected'],
    ['foolscap/s1-down', { ids: [two, three] }, true, '0 of 2 blessed servers missing, at most 0 may be', 'another one is not our affair'],
    ['foolscap/s12-down', { ids: [one, two, three], missing_at_most: 2 }, true,
      '2 of 3 blessed servers missing (v0-4leya7k6, v0-tiklhjwj), at most 2 may be', 'at the bound'],
    ['foolscap/s12-down', { ids: [one, two, three], missing_at_most: 1 }, false,
      '2 of 3 blessed servers missing (v0-4leya7k6, v0-tiklhjwj), at most 1 may be', 'one over'],
    ['http/healthy', { ids: [one] }, false, '1 of 1 blessed servers missing (v0-4leya7k6), at most 0 may be', 'not announced at all'],
    ['http/s12-hang', { ids: [...nodeIds.http] }, false,
      '2 of 5 blessed servers missing (v0-ywksrfqk, v0-ee6m37s2), at most 0 may be', 'HTTP, by name'],
    ['http/sall-down', { ids: [...nodeIds.http] }, false,
      '5 of 5 blessed servers missing (v0-ywksrfqk, v0-ee6m37s2, v0-52o2s2rc), at most 0 may be', 'three names are enough'],
    [{}, { ids: ['v0-aaaa'] }, false, '1 of 1 blessed servers missing (v0-aaaa), at most 0 may be', 'no facts'],
    [{ ids: 'v0-aaaa' }, { ids: ['v0-aaaa'] }, false, '1 of 1 blessed servers missing (v0-aaaa), at most 0 may be', 'no list'],
    [{ ids: [null, 7, true] }, { ids: ['v0-aaaa'] }, false,
      '1 of 1 blessed servers missing (v0-aaaa), at most 0 may be', 'null in the list']
  ]
  judgeRows(t, 'tahoe.blessed', rows)
  const ID = 'must be a node id: v0- and base32, as the front page shows it'
  refusals(t, 'tahoe.blessed', [
    [{}, ['ids is missing: it must be a list of node ids'], 'missing'],
    [{ ids: [] }, ['ids must list at least one node id, is empty'], 'none'],
    [{ ids: 'v0-aaaa' }, ['ids must be a list of node ids, is "v0-aaaa"'], 'one, not in a list'],
    [{ ids: ['v0-aaaa', 'storage-1'] }, [`ids[1] ${ID}, is "storage-1"`], 'a nickname, which anyone may take'],
    [{ ids: ['v0-aaa1'] }, [`ids[0] ${ID}, is "v0-aaa1"`], 'no base32'],
    [{ ids: ['v0-aaaa', 'v0-bbbb', 'v0-aaaa'] }, ['ids lists v0-aaaa twice'], 'twice the same'],
    [{ ids: ['v0-aaaa', 'v0-bbbb'], missing_at_most: 1 }, [], 'one of two'],
    [{ ids: ['v0-aaaa', 'v0-bbbb'], missing_at_most: 2 }, ['missing_at_most 2 allows all 2 ids to be missing'], 'never fails']
  ])
})

void t.test('tahoe.space', async (t) => {
  const GiB = 1024 ** 3
  const rows: readonly Row[] = [
    ['foolscap/healthy', { at_least: 5 }, true, '5 of 5 connected servers have 1GiB free, needs 5', 'room'],
    ['foolscap/s12-full', { at_least: 3 }, true, '3 of 5 connected servers have 1GiB free, needs 3', 'full, at the bound'],
    ['foolscap/s12-full', { at_least: 4 }, false, '3 of 5 connected servers have 1GiB free, needs 4', 'full, one over'],
    ['http/s12-full', { at_least: 4 }, false, '3 of 5 connected servers have 1GiB free, needs 4', 'HTTP'],
    ['foolscap/s12-down', { at_least: 4 }, false, '3 of 3 connected servers have 1GiB free, needs 4', 'only the connected count'],
    ['foolscap/healthy', { at_least: 1, free: '74GiB' }, false, '0 of 5 connected servers have 74GiB free, needs 1', 'more than they have'],
    [{ spaces: [GiB, GiB - 1] }, { at_least: 1 }, true, '1 of 2 connected servers have 1GiB free, needs 1', 'bound and bound - 1'],
    [{ spaces: [GiB, GiB - 1] }, { at_least: 2 }, false, '1 of 2 connected servers have 1GiB free, needs 2', 'bound - 1 is not enough'],
    [{ spaces: [null, 0] }, { at_least: 1 }, true, '1 of 2 connected servers have 1GiB free, needs 1', 'null: says nothing, writable'],
    [{ spaces: ['9999999999', true, Number.NaN] }, { at_least: 1 }, false,
      '0 of 3 connected servers have 1GiB free, needs 1', 'wrong types are no room'],
    [{}, { at_least: 1 }, false, '0 of 0 connected servers have 1GiB free, needs 1', 'no facts']
  ]
  judgeRows(t, 'tahoe.space', rows)
  refusals(t, 'tahoe.space', [
    [{}, ['at_least is missing: it must be a whole number, at least 1'], 'missing'],
    [{ at_least: 1, free: 1024 }, ['free must be a size like 20KiB or 10GiB, is 1024'], 'without a unit'],
    [{ at_least: 1, free: '10GB' }, ['free must be a size like 20KiB or 10GiB, is "10GB"'], 'not our unit']
  ])
})

void t.test('tahoe.fresh', async (t) => {
  const rows: readonly Row[] = [
    ['foolscap/s12-hang', { at_least: 3, heard_within: '15s' }, true,
      '3 of 5 connected servers heard from within 15s, needs 3', 'a hang behind "Connected"'],
    ['foolscap/s12-hang', { at_least: 4, heard_within: '15s' }, false,
      '3 of 5 connected servers heard from within 15s, needs 4 (silent: v0-4leya7k6, v0-tiklhjwj)', 'names the guilty'],
    ['foolscap/s12-hang', { at_least: 5, heard_within: '20s' }, true,
      '5 of 5 connected servers heard from within 20s, needs 5', 'silent for 18 s'],
    ['http/healthy', { at_least: 5, heard_within: '3s' }, true,
      '5 of 5 connected servers heard from within 3s, needs 5', 'HTTP: under 2 s'],
    ['foolscap/s1-down', { at_least: 5, heard_within: '60s' }, false,
      '4 of 4 connected servers heard from within 1m, needs 5 (silent: none known)', 'all that are connected were heard'],
    [{ ids: ['v0-aaaa', 'v0-bbbb'], agesMs: [5000, 5001] }, { at_least: 1, heard_within: '5s' }, true,
      '1 of 2 connected servers heard from within 5s, needs 1', 'bound and bound + 1'],
    [{ ids: ['v0-aaaa', 'v0-bbbb'], agesMs: [5000, 5001] }, { at_least: 2, heard_within: '5s' }, false,
      '1 of 2 connected servers heard from within 5s, needs 2 (silent: v0-bbbb)', 'bound + 1 is silent'],
    [{ ids: ['v0-aaaa'], agesMs: [null] }, { at_least: 1, heard_within: '5s' }, false,
      '0 of 1 connected servers heard from within 5s, needs 1 (silent: v0-aaaa)', 'never heard, or no clock'],
    [{ ids: ['v0-aaaa'], agesMs: ['10'] }, { at_least: 1, heard_within: '5s' }, false,
      '0 of 1 connected servers heard from within 5s, needs 1 (silent: v0-aaaa)', 'a text is no age'],
    [{ ids: ['v0-aaaa'] }, { at_least: 1, heard_within: '5s' }, false,
      '0 of 0 connected servers heard from within 5s, needs 1 (silent: v0-aaaa)', 'no ages'],
    [{}, { at_least: 1, heard_within: '5s' }, false,
      '0 of 0 connected servers heard from within 5s, needs 1 (silent: none known)', 'no facts']
  ]
  judgeRows(t, 'tahoe.fresh', rows)
  refusals(t, 'tahoe.fresh', [
    [{ at_least: 3 }, ['heard_within is missing: it must be a duration like 500ms, 2s or 5m'], 'missing'],
    [{ at_least: 3, heard_within: 40 }, ['heard_within must be a duration like 500ms, 2s or 5m, is 40'], 'without a unit']
  ])
})

void t.test('all of them read one poll, and say what they measured as data', async (t) => {
  const verdict = judge('tahoe.storage', { at_least: 4 }, sample({ storageConnected: 3, storageTotal: 5 }))
  t.same(verdict, { pass: false, value: 3, limit: 'at least 4', reason: '3 of 5 storage servers connected, needs 4' })
})
