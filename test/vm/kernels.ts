/** Kernels of Debian for the virtual machine: fetched once with apt, unpacked into the cache of the tests. */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { CACHE } from '../kit/cache.ts'

export interface Kernel {
  /** Such as `6.1`. */
  readonly name: string
  /** Such as `6.1.0-56-cloud-amd64`. */
  readonly release: string
  readonly image: string
  /** `lib/modules/RELEASE`. */
  readonly modules: string
}

/** Suites of Debian's archive, each with a kernel for clouds: small, and with everything that eBPF needs. */
const SUITES: Readonly<Record<string, string>> = { '6.1': 'bookworm', '6.12': 'bookworm-backports' }
export const KERNELS = Object.keys(SUITES)
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** What the cache holds of a kernel; undefined when it was never fetched. */
export function cachedKernel(name: string): Kernel | undefined {
  const dir = join(CACHE, 'kernels', name)
  const [image] = globSync(join(dir, 'boot/vmlinuz-*'))
  if (image === undefined) return undefined
  const release = basename(image).replace('vmlinuz-', '')
  return { name, release, image, modules: join(dir, 'lib/modules', release) }
}

/** Fetches a kernel unless the cache has it. The sources of this machine stay as they are: apt gets its own. */
export function fetchKernel(name: string): Kernel {
  const cached = cachedKernel(name)
  if (cached !== undefined) return cached
  const suite = SUITES[name]
  if (suite === undefined) throw new Error(`there is no kernel ${name}: known are ${KERNELS.join(', ')}`)
  mkdirSync(join(CACHE, 'kernels'), { recursive: true })
  const work = mkdtempSync(join(CACHE, 'fetch-'))
  try {
    const options = privateApt(work, suite)
    run('apt-get', [...options, '-q', 'update'], work)
    const depends = run('apt-cache', [...options, 'depends', 'linux-image-cloud-amd64'], work)
    const name_ = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
    if (name_ === undefined) throw new Error(`${suite} names no kernel for clouds`)
    run('apt-get', [...options, '-q', 'download', name_], work)
    const [archive] = globSync(join(work, '*.deb'))
    if (archive === undefined) throw new Error(`apt-get download brought no archive of ${name_}`)
    run('dpkg-deb', ['-x', archive, join(work, 'kernel')], work)
    const target = join(CACHE, 'kernels', name)
    // Another run may have been faster.
    if (!existsSync(target)) renameSync(join(work, 'kernel'), target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const kernel = cachedKernel(name)
  if (kernel === undefined) throw new Error(`the package of kernel ${name} holds no image`)
  return kernel
}

function privateApt(dir: string, suite: string): string[] {
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(dir, name), { recursive: true })
  const list = join(dir, 'sources.list')
  writeFileSync(list, `deb [arch=amd64 signed-by=${KEYRING}] ${mirror(dir)} ${suite} main\n`)
  const settings = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::Cache': dir,
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': 'root',
  }
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
}

/** The archive that this machine takes Debian's packages from. */
function mirror(dir: string): string {
  const sites = run('apt-get', ['indextargets', '--format', '$(SITE)'], dir).split('\n')
  const site = sites.find((each) => /\/debian\/?$/.test(each))
  if (site === undefined) throw new Error('no archive of Debian is among the sources of apt on this machine')
  return site
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 120_000 })
  if (status !== 0) throw new Error(`${command} ${args.at(-1)} failed: ${error?.message ?? stderr.trim()}`)
  return stdout
}
