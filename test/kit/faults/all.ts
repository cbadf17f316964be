/** Every fault, in the order of the table in docs/delivery.md. */
import { NO_CGROUP } from '../cgroup.ts'
import { NO_TINY_DISK } from '../tiny-disk.ts'
import { destinationFaults } from './destinations.ts'
import type { Fault } from './fault.ts'
import { gatewayFaults } from './gateway.ts'
import { memoryFault } from './memory.ts'
import { diskFull, processFaults } from './process.ts'
import { rotationFaults } from './rotation.ts'

export const FAULTS: readonly Fault[] = [
  ...processFaults,
  ...destinationFaults,
  ...rotationFaults,
  ...gatewayFaults,
  diskFull,
  memoryFault,
]

/** Why a fault cannot be made on this machine; undefined when it can. */
export function obstacle({ name }: Fault): string | undefined {
  if (name === diskFull.name) return NO_TINY_DISK || undefined
  return name === memoryFault.name ? NO_CGROUP || undefined : undefined
}
