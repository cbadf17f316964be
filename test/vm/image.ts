/** Makes what a virtual machine boots from: a small initramfs with the drivers of its disks, and a root on ext4. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CACHE } from '../kit/cache.ts'
import type { Kernel } from './kernels.ts'

export interface Disk {
  /** Directories of the machine, each copied from one of here. */
  readonly copies: Readonly<Record<string, string>>
  /** Programs and libraries of the machine, each copied from one of here; the libraries they need come along. */
  readonly programs: Readonly<Record<string, string>>
  /** Text files of the machine. */
  readonly texts: Readonly<Record<string, string>>
}

export interface Image {
  readonly initrd: string
  readonly root: string
  remove(): void
}

/** Drivers in the order in which they can be inserted; a kernel that has one built in has no file of it. */
const DRIVERS = ['virtio', 'virtio_ring', 'virtio_pci_modern_dev', 'virtio_pci_legacy_dev', 'virtio_pci', 'virtio_blk']
/** Loaded when the root is there: what the actions need. */
const LATER = ['overlay', 'vsock', 'af_alg', 'algif_hash']

const BUSYBOX = '/bin/busybox'

/** Leaves the initramfs for the root disk. */
const EARLY_INIT = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for driver in ${DRIVERS.join(' ')}; do
  [ -f /modules/$driver.ko ] && /bin/busybox insmod /modules/$driver.ko
done
while [ ! -b /dev/vda ]; do /bin/busybox sleep 0.05; done
/bin/busybox mount -t ext4 -o noatime /dev/vda /new || /bin/busybox poweroff -f
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new /init
`

/** Sets the machine up as the tests expect one, runs \`/run-tests\`, and brings \`/results\` home on the second disk. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mount -t tracefs trace /sys/kernel/tracing
mount -t securityfs security /sys/kernel/security
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup /sys/fs/cgroup
for driver in ${LATER.join(' ')}; do
  [ -f /modules/$driver.ko ] && insmod /modules/$driver.ko
done
hostname weir-vm
ip link set lo up
echo "machine is up after $(cut -d' ' -f1 /proc/uptime) s"
mkdir -p /results
/run-tests > /results/output.txt 2>&1
echo $? > /results/status
dmesg > /results/dmesg.txt
echo "tests ended after $(cut -d' ' -f1 /proc/uptime) s"
tar -cf /dev/vdb -C /results .
sync
poweroff -f
`

export function makeImage(kernel: Kernel, disk: Disk): Image {
  mkdirSync(CACHE, { recursive: true })
  const work = mkdtempSync(join(CACHE, 'image-'))
  const remove = (): void => rmSync(work, { recursive: true, force: true })
  try {
    return { initrd: makeInitrd(kernel, work), root: makeRoot(kernel, disk, work), remove }
  } catch (error) {
    remove()
    throw error
  }
}

function makeInitrd(kernel: Kernel, work: string): string {
  const dir = join(work, 'initrd')
  for (const name of ['bin', 'dev', 'modules', 'new']) mkdirSync(join(dir, name), { recursive: true })
  copyFileSync(BUSYBOX, join(dir, 'bin/busybox'))
  copyModules(kernel, DRIVERS, join(dir, 'modules'))
  writeProgram(join(dir, 'init'), EARLY_INIT)
  const path = join(work, 'initrd.cpio')
  run('sh', ['-c', `find . | cpio --quiet -o -H newc > ${path}`], dir)
  return path
}

function makeRoot(kernel: Kernel, { copies, programs, texts }: Disk, work: string): string {
  const dir = join(work, 'root')
  const names = 'bin dev etc home lib lib64 modules new proc results root run sys tmp usr/bin usr/lib usr/sbin var/log'
  for (const name of names.split(' ')) mkdirSync(join(dir, name), { recursive: true })
  symlinkSync('bin', join(dir, 'sbin'))
  copyFileSync(BUSYBOX, join(dir, 'bin/busybox'))
  copyModules(kernel, LATER, join(dir, 'modules'))
  for (const [to, from] of Object.entries(copies)) cpSync(from, join(dir, to), { recursive: true, dereference: true })
  const libraries = new Set(Object.values(programs).flatMap(librariesOf))
  for (const [to, from] of [...Object.entries(programs), ...[...libraries].map((path) => [path, path] as const)]) {
    mkdirSync(dirname(join(dir, to)), { recursive: true })
    copyFileSync(realpathSync(from), join(dir, to))
  }
  writeProgram(join(dir, 'init'), INIT)
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeProgram(join(dir, path), text)
  }
  chmodSync(join(dir, 'root'), 0o700)
  if (existsSync(join(dir, 'etc/shadow'))) chmodSync(join(dir, 'etc/shadow'), 0o640)
  const path = join(work, 'root.ext4')
  // The root belongs to root, whoever makes it.
  run('/sbin/mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'root_owner=0:0', '-d', dir, path, '768M'], work)
  rmSync(dir, { recursive: true, force: true })
  return path
}

function copyModules(kernel: Kernel, names: readonly string[], to: string): void {
  for (const name of names) {
    const [file] = globSync(join(kernel.modules, `**/{${name},${name.replaceAll('_', '-')}}.ko{,.xz}`))
    if (file === undefined) continue
    const copy = join(to, basename(file).replaceAll('-', '_'))
    copyFileSync(file, copy)
    if (copy.endsWith('.xz')) run('xz', ['-d', copy], to)
  }
}

/** Shared libraries that a program or library needs, by the path at which it looks for them. */
function librariesOf(path: string): string[] {
  const { stdout, status } = spawnSync('ldd', [path], { encoding: 'utf8' })
  // A static program needs none.
  return status === 0 ? [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file as string) : []
}

function writeProgram(path: string, text: string): void {
  writeFileSync(path, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr.trim()}`)
}
