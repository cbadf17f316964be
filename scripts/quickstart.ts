/**
 * The quickstart: compiles Weir, starts an OTLP receiver on this machine, sends the bundled audit log through
 * `configs/quickstart.yaml` and says what arrived. Leaves nothing behind but dist/.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startOtlpReceiver } from './otlp-receiver.ts'

const root = join(import.meta.dirname, '..')
const build = spawnSync(process.execPath, [join(root, 'scripts/build.ts')], { stdio: ['ignore', 'ignore', 'inherit'] })
if (build.status !== 0) process.exit(1)

const receiver = await startOtlpReceiver()
const stateDir = mkdtempSync(join(tmpdir(), 'weir-quickstart-'))
const args = ['run', '--drain', '--config', 'configs/quickstart.yaml', '--state-dir', stateDir]
console.log(`$ bin/weir ${args.slice(0, 4).join(' ')}\n`)
const weir = spawn(join(root, 'bin/weir'), args, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, OTLP_ENDPOINT: receiver.endpoint },
})
process.exitCode = await new Promise<number>((resolve) => weir.on('close', (code) => resolve(code ?? 1)))
await receiver.close()
rmSync(stateDir, { recursive: true, force: true })
for (const [eventName, count] of receiver.counts) {
  console.log(`The OTLP endpoint ${receiver.endpoint} received ${count} ${eventName} records.`)
}
