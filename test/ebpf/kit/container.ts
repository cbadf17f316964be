/** A real container, as Kubernetes makes one: runc, a root of layers, and the path of its cgroup. */
import { spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Programs } from './programs.ts'

export interface Container {
  readonly id: string
  readonly podUid: string
  /** What is put before a command, so that it runs in the container as `kubectl exec` would start it. */
  readonly prefix: readonly string[]
  remove(): void
}

const TOKEN = 'var/run/secrets/kubernetes.io/serviceaccount/token'
const CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID', 'NET_BIND_SERVICE', 'NET_RAW', 'KILL']
const MOUNTS = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
]

export function startContainer({ deed }: Programs): Container {
  const dir = mkdtempSync(join(tmpdir(), 'weir-container-'))
  const id = randomBytes(32).toString('hex')
  const podUid = randomUUID()
  const pod = `kubepods-burstable-pod${podUid.replaceAll('-', '_')}.slice`
  const cgroup = `/kubepods.slice/kubepods-burstable.slice/${pod}/cri-containerd-${id}.scope`
  const runc = ['runc', '--root', join(dir, 'state')]
  const remove = (): void => {
    run([...runc, 'delete', '--force', id])
    run(['umount', join(dir, 'rootfs')])
    removeCgroups(pod)
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    makeRoot(dir, deed)
    writeFileSync(join(dir, 'config.json'), JSON.stringify(configuration(cgroup)))
    // Its output goes nowhere: a pipe would stay open as long as the container runs.
    const started = spawnSync('runc', [...runc.slice(1), 'run', '--detach', '--bundle', dir, id], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    if (started.status !== 0) throw new Error(`runc did not start a container: ${logOf(runc, dir, id)}`)
  } catch (error) {
    remove()
    throw error
  }
  return { id, podUid, prefix: [...runc, 'exec', '--cwd', '/', id], remove }
}

function makeRoot(dir: string, deed: string): void {
  const lower = join(dir, 'lower')
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', TOKEN.slice(0, -6)]) {
    mkdirSync(join(lower, name), { recursive: true })
  }
  copyFileSync('/bin/busybox', join(lower, 'bin/busybox'))
  copyFileSync(deed, join(lower, 'bin/deed'))
  symlinkSync('deed', join(lower, 'bin/httpd'))
  for (const tool of ['sh', 'ls', 'cat', 'sleep']) symlinkSync('busybox', join(lower, 'bin', tool))
  writeFileSync(join(lower, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n')
  writeFileSync(join(lower, 'etc/shadow'), 'root:*:::::::\n', { mode: 0o600 })
  writeFileSync(join(lower, TOKEN), 'not.a.token\n')
  for (const name of ['upper', 'work', 'rootfs']) mkdirSync(join(dir, name))
  const layers = `lowerdir=${lower},upperdir=${join(dir, 'upper')},workdir=${join(dir, 'work')}`
  const failure = run(['mount', '-t', 'overlay', '-o', layers, 'overlay', join(dir, 'rootfs')])
  if (failure !== undefined) throw new Error(`the root of a container was not mounted: ${failure}`)
}

function configuration(cgroupsPath: string): object {
  const caps = CAPABILITIES.map((name) => `CAP_${name}`)
  return {
    ociVersion: '1.0.2',
    hostname: 'web-0',
    root: { path: 'rootfs' },
    mounts: MOUNTS,
    process: {
      args: ['/bin/sleep', '600'],
      cwd: '/',
      env: ['PATH=/bin'],
      user: { uid: 0, gid: 0 },
      noNewPrivileges: false,
      capabilities: { bounding: caps, effective: caps, permitted: caps },
    },
    linux: {
      cgroupsPath,
      namespaces: ['pid', 'mount', 'uts', 'ipc', 'network'].map((type) => ({ type })),
    },
  }
}

/** The error of a start, from a second one that may speak. */
function logOf(runc: readonly string[], dir: string, id: string): string {
  run([...runc, 'delete', '--force', id])
  return run([...runc, 'create', '--bundle', dir, id]) ?? 'it did not say why'
}

/** Of every hierarchy, from the pod's up to the first that others use. */
function removeCgroups(pod: string): void {
  const parents = ['', '/kubepods-burstable.slice', `/kubepods-burstable.slice/${pod}`]
  for (const root of globSync(['/sys/fs/cgroup/kubepods.slice', '/sys/fs/cgroup/*/kubepods.slice'])) {
    for (const parent of parents.toReversed()) {
      const path = root + parent
      try {
        for (const child of globSync(`${path}/cri-containerd-*`)) rmdirSync(child)
        if (existsSync(path)) rmdirSync(path)
      } catch {
        // Another container lives there.
      }
    }
  }
}

function run(command: readonly string[]): string | undefined {
  const [name = '', ...args] = command
  const { status, stderr, error } = spawnSync(name, args, { encoding: 'utf8', timeout: 30_000 })
  return status === 0 ? undefined : (error?.message ?? stderr.trim())
}
