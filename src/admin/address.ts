/** Whose a connection is, by its two ends. */
import { isIPv4, isIPv6 } from 'node:net'

/** The ends of a socket as node names them; of one that was reset before we looked, neither is known. */
export interface Ends { readonly remoteAddress?: string | undefined, readonly localAddress?: string | undefined }

/** A listener on :: sees IPv4 in the clothes of IPv6. */
export function plain (address: string): string {
  const [, inner = ''] = /^::ffff:(.*)$/i.exec(address) ?? []
  return isIPv4(inner) ? inner : address
}

/** A name that only begins like one is a stranger's: 127.0.0.1.example.com. */
export const isLoopback = (host: string): boolean => host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/** Whoever has the address that he connected to is this machine: its kernel gives that address to nobody else. */
export function isLocal ({ remoteAddress, localAddress }: Ends): boolean {
  if (remoteAddress === undefined) return false
  const from = plain(remoteAddress)
  return isLoopback(from) || (localAddress !== undefined && from === plain(localAddress))
}

/** Whose share an address has: of IPv6, whoever has one address has the /64 around it. */
export function neighbourhoodOf (address: string): string {
  const from = plain(address)
  if (!isIPv6(from)) return from
  const [head = '', tail] = from.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  return [...front, ...zeros, ...back].slice(0, 4).join(':')
}
