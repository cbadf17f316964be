/** Records carry nanoseconds since boot; people want the time of day. */
import { libbpf } from './libbpf.ts'

const REALTIME = 0
const BOOTTIME = 7
const TRIES = 5

/** Nanoseconds since boot, sleep included: the clock of all records. */
export function bootNs(): bigint {
  return libbpf().clock(BOOTTIME)
}

/** What is to be added to nanoseconds since boot, to have those since 1970. It changes when the clock is set. */
export function wallOffsetNs(): bigint {
  let best = 0n
  let least: bigint | undefined
  for (let i = 0; i < TRIES; i++) {
    const before = libbpf().clock(BOOTTIME)
    const wall = libbpf().clock(REALTIME)
    const after = libbpf().clock(BOOTTIME)
    if (least !== undefined && after - before >= least) continue
    least = after - before
    best = wall - (before + after) / 2n
  }
  return best
}
