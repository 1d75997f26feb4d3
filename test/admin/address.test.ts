import t from 'tap'
import { isLocal, neighbourhoodOf } from '../../src/admin/address.ts'

void t.test('who is on this machine', async t => {
  const rows: ReadonlyArray<readonly [remoteAddress: string | undefined, localAddress: string | undefined, local: boolean, why: string]> = [
    ['127.0.0.1', '127.0.0.1', true, 'loopback'],
    ['127.1.2.3', '127.0.0.1', true, 'all of 127/8 is'],
    ['::1', '::1', true, 'of IPv6'],
    ['::ffff:127.0.0.1', '::ffff:127.0.0.1', true, 'to a listener on ::'],
    ['10.0.0.5', '10.0.0.5', true, 'by its own address'],
    ['::ffff:10.0.0.5', '::ffff:10.0.0.5', true, 'by its own address, to a listener on ::'],
    ['::FFFF:10.0.0.5', '10.0.0.5', true, 'however it is written'],
    ['2001:db8::5', '2001:db8::5', true, 'by its own address, of IPv6'],
    ['10.0.0.9', '10.0.0.5', false, 'a neighbour'],
    ['10.0.0.50', '10.0.0.5', false, 'one that begins like it'],
    ['10.0.0.9', '127.0.0.1', false, 'of nowhere'],
    ['2001:db8::6', '2001:db8::5', false, 'a neighbour, of IPv6'],
    ['::ffff:1', '1', false, 'nothing but IPv4 wears that dress'],
    ['10.0.0.9', undefined, false, 'half an answer'],
    [undefined, undefined, false, 'reset before we looked: two that are unknown are not the same'],
    [undefined, '127.0.0.1', false, 'reset before we looked']
  ]
  for (const [remoteAddress, localAddress, local, why] of rows) t.equal(isLocal({ remoteAddress, localAddress }), local, `${remoteAddress} at ${localAddress}: ${why}`)
})

void t.test('who counts as one', async t => {
  const rows: ReadonlyArray<readonly [address: string, neighbourhood: string]> = [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2'],
    ['2001:db8:1:2:ffff::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['unix', 'unix']
  ]
  for (const [address, neighbourhood] of rows) t.equal(neighbourhoodOf(address), neighbourhood, address)
})
