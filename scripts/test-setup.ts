/**
 * Brings what the tests need from Debian, before they run: compilers for the eBPF programs and the programs that are
 * watched, a runtime for a real container, an emulator and a kernel for it. Asks for root on Debian or Ubuntu;
 * elsewhere it says what is missing, and the tests that need it are skipped and say so too. What is there already
 * costs a quarter of a second.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cachedKernel, fetchKernel, KERNELS } from '../test/vm/kernels.ts'

/** A package and a file of it: looking for the file also finds what was installed another way. */
const PACKAGES: Readonly<Record<string, string>> = {
  clang: '/usr/bin/clang',
  llvm: '/usr/bin/llvm-strip',
  'libbpf-dev': '/usr/include/bpf/bpf_helpers.h',
  libbpf1: 'libbpf.so.1',
  gcc: '/usr/bin/gcc',
  'libc6-dev': '/usr/include/stdio.h',
  'busybox-static': '/bin/busybox',
  cpio: '/usr/bin/cpio',
  e2fsprogs: '/sbin/mke2fs',
  'xz-utils': '/usr/bin/xz',
  runc: '/usr/sbin/runc',
  bpftool: '/usr/sbin/bpftool',
  'qemu-system-x86': '/usr/bin/qemu-system-x86_64',
}
/** File systems of the kernel that a container image of a test machine may lack. */
const MOUNTS: Readonly<Record<string, string>> = {
  tracefs: '/sys/kernel/tracing',
  securityfs: '/sys/kernel/security',
}
const IS_ROOT = process.getuid?.() === 0

function isMissing(file: string): boolean {
  if (file.startsWith('/')) return !existsSync(file)
  return !spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).stdout?.includes(file)
}

function run(command: string, args: readonly string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', env, timeout: 300_000 })
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').slice(-3).join(' '))
}

function installPackages(): void {
  const missing = Object.keys(PACKAGES).filter((name) => isMissing(PACKAGES[name] as string))
  if (missing.length === 0) return
  const why = installable()
  if (why !== undefined) {
    console.error(`Tests that need ${missing.join(', ')} will be skipped: ${why}.`)
    return
  }
  console.log(`Installing what the tests need: ${missing.join(', ')}.`)
  const failure =
    run('apt-get', ['-qq', 'update']) ??
    run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=60', 'install', '--yes', '--no-install-recommends', ...missing])
  if (failure !== undefined) {
    console.error(`Tests that need ${missing.join(', ')} will be skipped: apt-get did not install them: ${failure}`)
  }
}

function installable(): string | undefined {
  if (!existsSync('/usr/bin/apt-get')) return 'there is no apt-get to install them with'
  return IS_ROOT ? undefined : 'only root can install them (run `npm test` as root once)'
}

function mountFileSystems(): void {
  if (!IS_ROOT) return
  const mounted = readFileSync('/proc/mounts', 'utf8')
  for (const [type, path] of Object.entries(MOUNTS)) {
    if (mounted.includes(` ${path} `) || !existsSync(path)) continue
    const failure = run('mount', ['-t', type, type, path])
    if (failure !== undefined) console.error(`${type} was not mounted on ${path}: ${failure}`)
  }
}

function fetchKernels(names: readonly string[]): void {
  if (process.arch !== 'x64' || isMissing('/usr/bin/apt-get')) return
  for (const name of names.filter((one) => cachedKernel(one) === undefined)) {
    console.log(`Fetching kernel ${name} for the virtual machine.`)
    try {
      fetchKernel(name)
    } catch (error) {
      console.error(`Tests in a virtual machine with kernel ${name} will be skipped: ${(error as Error).message}`)
    }
  }
}

installPackages()
mountFileSystems()
fetchKernels(process.argv.includes('--full') ? KERNELS : KERNELS.slice(0, 1))
