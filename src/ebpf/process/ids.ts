/** Identities that outlive a pid. */
import { createHash } from 'node:crypto'

/**
 * Of processes: from the machine's boot, the pid and the time of birth, so that a pid that is used again is somebody
 * else, and every observer of the same process finds the same. 24 characters of base64url.
 */
export class EntityIds {
  readonly #boot: Buffer

  constructor(bootId: string) {
    this.#boot = createHash('sha256').update(bootId).digest().subarray(0, 6)
  }

  of(tgid: number, startLow: number, startHigh: number): string {
    const bytes = Buffer.allocUnsafe(18)
    this.#boot.copy(bytes)
    bytes.writeUInt32LE(tgid, 6)
    bytes.writeUInt32LE(startLow, 10)
    bytes.writeUInt32LE(startHigh, 14)
    return bytes.toString('base64url')
  }
}

/** Tetragon's form, base64 of `node:ktime:pid` (pkg/process/process_id_linux.go), so that its users can join. */
export function execId(node: string, ktime: bigint, tgid: number): string {
  return Buffer.from(`${node}:${ktime}:${tgid}`).toString('base64')
}
