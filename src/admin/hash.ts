/** A secret as it may lie in a file: scrypt, written as a PHC string, which has no colon. */
import { scrypt, timingSafeEqual } from 'node:crypto'

/** `logCost`: 2 to this power is how much work it is, and how much memory. */
export interface Hash { readonly logCost: number, readonly salt: Buffer, readonly key: Buffer }

/** 32 MiB and some 80 ms a guess. */
export const LOG_COST = 15
/** What a file may ask of us: below, it protects nothing; above, a login would be an attack. */
export const LOG_COST_MIN = 10
export const LOG_COST_MAX = 17
export const SALT_BYTES = 16
const KEY_BYTES = 32
const BLOCK = 8
const PHC = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/

export function parseHash (text: string): Hash | undefined {
  const [, cost = '', salt = '', key = ''] = PHC.exec(text) ?? []
  const logCost = Number(cost)
  if (logCost < LOG_COST_MIN || logCost > LOG_COST_MAX) return undefined
  return { logCost, salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') }
}

export const encodeHash = ({ logCost, salt, key }: Hash): string => `$scrypt$ln=${logCost},r=8,p=1$${plain(salt)}$${plain(key)}`

const plain = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')

/** Runs in the thread pool, where files and names are read too. */
export async function hashOf (secret: string, salt: Buffer, logCost = LOG_COST): Promise<Hash> {
  const cost = 2 ** logCost
  const key = await new Promise<Buffer>((resolve, reject) => {
    scrypt(secret, salt, KEY_BYTES, { cost, blockSize: BLOCK, maxmem: 256 * BLOCK * cost }, (error, derived) => {
      if (error === null) resolve(derived)
      else reject(error)
    })
  })
  return { logCost, salt, key }
}

/** Takes as long for any difference. */
export const isSame = (one: Hash, other: Hash): boolean => timingSafeEqual(one.key, other.key)
