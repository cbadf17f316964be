/** How much memory this process may use. */
import { totalmem } from 'node:os'

/** In bytes: what its cgroup allows, or the machine has. */
export function memoryLimit(): number {
  return Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem())
}
