/**
 * Records what the kernel side says of most actions, on a kernel that stays the same, for the tests that need no kernel:
 *
 *   node test/vm/record-fixture.ts && WEIR_TEST_RENEW=1 node --test test/ebpf/golden.test.ts
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInMachine } from './machine.ts'

/** Without those that are about numbers, or about a big program. */
const ACTIONS = '1 2 3 4 5 6 7 9 10 11 12a 12c 13 14 15 16 18 19 20 21 22 23 24 25 26 28 29'
const run = await runInMachine('6.1', `node test/ebpf/kit/raw.ts --save /results/actions.bin.gz ${ACTIONS}`, [
  'src/ebpf',
])
try {
  if (run.status !== 0) throw new Error(`${run.output}\n${run.console}`)
  copyFileSync(join(run.results, 'actions.bin.gz'), join(import.meta.dirname, '../ebpf/fixtures/actions-6.1.bin.gz'))
} finally {
  run.remove()
}
