/** What is written in the place of a secret. */
import { createHmac, hash } from 'node:crypto'

export const MASK = '****'
export const HASH_FUNCTIONS = ['md5', 'sha1', 'sha3', 'hmac-sha256', 'hmac-sha512'] as const
export type HashFunction = (typeof HASH_FUNCTIONS)[number]

export interface Masks {
  /** For keys and values that the configuration blocks: `****`, or a hash in hexadecimal. */
  mask(secret: string): string
  /** For what a detector found: `[REDACTED:jwt]`, with a keyed hash `[REDACTED:jwt:8f3a…]`. */
  mark(kind: string, secret: string): string
}

/**
 * The Collector's functions: `sha3` is SHA3-256. Only a keyed hash is put beside what a detector found: a plain hash
 * of a card number or a password can be turned back by trying.
 */
export function createMasks(name: HashFunction | undefined, key: string | undefined): Masks {
  const mark = (kind: string): string => `[REDACTED:${kind}]`
  if (name === undefined) return { mask: () => MASK, mark }
  if (!isKeyed(name)) {
    const algorithm = name === 'sha3' ? 'sha3-256' : name
    return { mask: (secret) => hash(algorithm, secret, 'hex'), mark }
  }
  const algorithm = name.slice('hmac-'.length)
  const mask = (secret: string): string =>
    createHmac(algorithm, key ?? '')
      .update(secret)
      .digest('hex')
  return { mask, mark: (kind, secret) => `[REDACTED:${kind}:${mask(secret)}]` }
}

/** Least length of the key in bytes, where the function takes one. */
export function leastKeyLength(name: HashFunction | undefined): number | undefined {
  if (name === undefined || !isKeyed(name)) return undefined
  return name === 'hmac-sha256' ? 32 : 64
}

function isKeyed(name: HashFunction): name is 'hmac-sha256' | 'hmac-sha512' {
  return name.startsWith('hmac-')
}
