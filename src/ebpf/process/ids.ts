/** Identities that outlive a pid. */
import { createHash } from 'node:crypto'

const ALPHABET = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', (char) =>
  char.charCodeAt(0),
)

/**
 * Of processes: from the machine's boot, the pid and the time of birth, so that a pid that is used again is somebody
 * else, and every observer of the same process finds the same. 24 characters of base64url.
 */
export class EntityIds {
  readonly #boot: string

  constructor(bootId: string) {
    this.#boot = createHash('sha256').update(bootId).digest('base64url').slice(0, 8)
  }

  of(tgid: number, startLow: number, startHigh: number): string {
    return this.#boot + characters(startHigh, startLow >>> 16) + characters(startLow, tgid >>> 16) + characters(0, tgid)
  }
}

/** 32 bits and the lower 16 of another number: eight characters of base64url. */
export function characters(high: number, low: number): string {
  return String.fromCharCode(
    ALPHABET[high >>> 26] as number,
    ALPHABET[(high >>> 20) & 63] as number,
    ALPHABET[(high >>> 14) & 63] as number,
    ALPHABET[(high >>> 8) & 63] as number,
    ALPHABET[(high >>> 2) & 63] as number,
    ALPHABET[((high & 3) << 4) | ((low >>> 12) & 15)] as number,
    ALPHABET[(low >>> 6) & 63] as number,
    ALPHABET[low & 63] as number,
  )
}

/** Tetragon's form, base64 of `node:ktime:pid` (pkg/process/process_id_linux.go), so that its users can join. */
export function execId(node: string, ktime: bigint, tgid: number): string {
  return Buffer.from(`${node}:${ktime}:${tgid}`).toString('base64')
}
