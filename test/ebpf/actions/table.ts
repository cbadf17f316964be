/** All actions; number 30, what happens to the sensor itself, is a test of its own. */
import { fileActions } from './table-files.ts'
import { networkActions } from './table-network.ts'
import { privilegeActions } from './table-privilege.ts'
import { processActions } from './table-process.ts'
import type { Action } from './types.ts'

export const ACTIONS: readonly Action[] = [
  ...processActions,
  ...fileActions,
  ...networkActions,
  ...privilegeActions,
].toSorted((one, other) => Number.parseInt(one.id, 10) - Number.parseInt(other.id, 10))
