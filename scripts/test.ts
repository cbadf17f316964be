/**
 * Runs the tests, and ends with the plain count of them.
 *
 *   npm test                   everything in test/, at a size for every commit
 *   npm run test:full          the same, then the suites of test/full at full size; the table of results, dated,
 *                              is written to docs/test-results.md
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { KERNELS } from '../test/vm/kernels.ts'

const root = join(import.meta.dirname, '..')
const isFull = process.argv.includes('--full')
if (isFull) process.env['WEIR_TEST_KERNELS'] ??= KERNELS.join(',')
const files = globSync('test/**/*.test.ts', { cwd: root, exclude: (path) => path.startsWith('test/full') })

function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): boolean {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status === 0
}

/** Tests that are about time and load, and start many processes: alone, or they would measure each other. */
const HEAVY =
  /^test\/(integration\/(faults|kills|agent-gateway|hostile-files)|files\/restart|receivers\/otlp\/|fuzz\/|ebpf\/(actions|loss|load|restart)|vm\/)/
const suites = [
  { concurrency: 2, files: files.filter((file) => !HEAVY.test(file)) },
  { concurrency: 1, files: files.filter((file) => HEAVY.test(file)) },
]

// A leaked timer or socket would hold the runner for ever: the limit turns it into a failure.
let isWell = true
for (const { concurrency, files: some } of suites) {
  const flags = ['--test', '--test-timeout=180000', `--test-concurrency=${concurrency}`, '--test-reporter=spec']
  isWell = run([...flags, ...some]) && isWell
}
if (isWell && isFull) isWell = run(['test/full/run.ts'])
process.exitCode = isWell ? 0 : 1
