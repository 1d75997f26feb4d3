import t from 'tap'
import { profiles } from '../../src/profiles/index.ts'

void t.test('profiles: what a pool is taken out for', async (t) => {
  const rows: ReadonlyArray<readonly [keyof typeof profiles, Readonly<Record<string, string>>]> = [
    ['tahoe-read', { storage: 'tahoe.storage drain', introducer: 'tahoe.introducer warn', latency: 'latency weight 25%' }],
    ['tahoe-write', {
      storage: 'tahoe.storage down', space: 'tahoe.space down', introducer: 'tahoe.introducer warn', latency: 'latency weight 25%'
    }],
    ['http', { http: 'http default' }],
    ['tcp', { tcp: 'tcp default' }]
  ]
  t.same(rows.map(([name]) => name), Object.keys(profiles), 'all of them')
  for (const [name, wanted] of rows) {
    const criteria: Readonly<Record<string, { readonly kind: string, readonly on_fail?: string }>> = profiles[name].criteria
    const found = Object.entries(criteria).map(([key, { kind, on_fail: onFail }]) => [key, `${kind} ${onFail ?? 'default'}`])
    t.same(Object.fromEntries(found), wanted, name)
  }
  t.equal(profiles['tahoe-read'].criteria.storage.at_least, 3, 'shares.needed of Tahoe')
  t.equal(profiles['tahoe-write'].criteria.storage.at_least, 7, 'shares.happy of Tahoe')
  t.equal(profiles['tahoe-write'].criteria.space.at_least, 7, 'and room for as many')
})
