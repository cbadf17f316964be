/** Boots a kernel under QEMU without hardware help, waits for its end and unpacks what it brought home. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE } from '../kit/cache.ts'
import type { Image } from './image.ts'
import type { Kernel } from './kernels.ts'

export interface Run {
  /** Status of `/run-tests`; undefined when the machine did not get that far. */
  readonly status: number | undefined
  /** What `/run-tests` said. */
  readonly output: string
  /** What the kernel and the init said, for a person who looks for the reason. */
  readonly console: string
  readonly seconds: number
  /** Directory with everything that stood in `/results`. */
  readonly results: string
  remove(): void
}

export interface Size {
  readonly cpus?: number
  readonly memoryMiB?: number
  readonly limitMs?: number
}

const RESULTS_MIB = 256

export async function boot(kernel: Kernel, image: Image, { cpus = 2, memoryMiB = 2048, limitMs = 300_000 }: Size = {}) {
  const results = mkdtempSync(join(CACHE, 'results-'))
  const disk = join(results, 'results.raw')
  const fd = openSync(disk, 'w')
  ftruncateSync(fd, RESULTS_MIB * 2 ** 20)
  closeSync(fd)
  const started = performance.now()
  const said = await qemu(kernel, image, disk, { cpus, memoryMiB, limitMs })
  // Serial output loses lines under load: the results come by disk.
  spawnSync('tar', ['-xf', disk, '-C', results])
  rmSync(disk)
  const read = (name: string): string =>
    existsSync(join(results, name)) ? readFileSync(join(results, name), 'utf8') : ''
  const run: Run = {
    status: read('status') === '' ? undefined : Number(read('status')),
    output: read('output.txt'),
    console: said,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    results,
    remove: () => rmSync(results, { recursive: true, force: true }),
  }
  return run
}

function qemu(kernel: Kernel, image: Image, results: string, size: Required<Size>): Promise<string> {
  const append = 'console=ttyS0 quiet panic=1 loglevel=4 random.trust_cpu=on lsm=lockdown,capability,bpf rdinit=/init'
  // Without cmpxchg16b: QEMU 7 leaves odd flags behind it, and kernel 6.12 then dies of them now and then.
  const args = [
    '-accel',
    'tcg,thread=multi',
    '-cpu',
    'max,-cx16',
    '-smp',
    String(size.cpus),
    '-m',
    String(size.memoryMiB),
  ]
  args.push('-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot')
  args.push('-kernel', kernel.image, '-initrd', image.initrd, '-append', append)
  // What the machine writes on its root is gone with it.
  args.push('-drive', `file=${image.root},if=virtio,format=raw,cache=unsafe,snapshot=on`)
  args.push('-drive', `file=${results},if=virtio,format=raw,cache=unsafe`)
  return new Promise((resolve, reject) => {
    const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const take = (chunk: string): void => {
      said += chunk
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    const limit = setTimeout(() => {
      said += `\nkilled after ${size.limitMs} ms\n`
      child.kill('SIGKILL')
    }, size.limitMs)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(limit)
      resolve(said)
    })
  })
}
