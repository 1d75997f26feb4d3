/** Who is at the other end of a connection, and whether it may ask: worked out once for an address. */
import { BlockList, isIP } from 'node:net'
import type { Peer } from './conversation.ts'
import { Memo } from './memo.ts'

const ADDRESSES_MAX = 4096

export interface KnownPeer extends Peer { readonly isAllowed: boolean }

/** Of a unix socket: its file says who may ask. */
export const unixPeer = (): KnownPeer => ({ from: 'unix', isAllowed: true, asking: 0 })

/** By address as the socket tells it. */
export function knownPeers (allow: readonly string[]): Memo<string, KnownPeer> {
  const isAllowed = allowList(allow)
  return new Memo(ADDRESSES_MAX, address => {
    const from = plainAddress(address)
    return { from, isAllowed: isAllowed(from), asking: 0 }
  })
}

/** An IPv4 peer of an IPv6 listener is `::ffff:10.0.0.1`: the same peer. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '')

/** Whether an address is in one of the networks. */
export function allowList (cidrs: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [ip = '', bits] = cidr.split('/')
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(ip, family)
    else list.addSubnet(ip, Number(bits), family)
  }
  return address => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
