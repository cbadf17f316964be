/** The programs that are watched: compiled once into the cache of the tests, and links to the tools of BusyBox. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE } from '../../kit/cache.ts'

const SOURCES = join(import.meta.dirname, '../actions')
const BUSYBOX = '/bin/busybox'
/** Tools that actions call by their path; BusyBox' shell would run them within itself otherwise. */
const TOOLS = ['sh', 'id', 'whoami', 'uname', 'ls', 'cat', 'nc', 'true', 'sleep']

export interface Programs {
  /** Holds `deed`, `deed32` on x86-64, and links to BusyBox. */
  readonly dir: string
  readonly deed: string
}

/** `WEIR_TEST_PROGRAMS` names a directory that has them already, as in a virtual machine without a compiler. */
export function programs(): Programs {
  const ready = process.env['WEIR_TEST_PROGRAMS']
  const dir = ready ?? compiled()
  return { dir, deed: join(dir, 'deed') }
}

function compiled(): string {
  const files = globSync(['deed/*.{c,h}', 'deed32.c'], { cwd: SOURCES }).sort()
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(readFileSync(join(SOURCES, file)))
  const dir = join(CACHE, `programs-${process.arch}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(dir)) return dir
  const work = `${dir}.${process.pid}`
  mkdirSync(work, { recursive: true })
  const deeds = files.filter((file) => /^deed\/.*\.c$/.test(file))
  // Static, so that they run in a container and in a virtual machine, and open nothing to begin with.
  compile(['-static', '-s', '-o', join(work, 'deed'), ...deeds, '-lpthread'])
  if (process.arch === 'x64') {
    compile([
      '-m32',
      '-nostdlib',
      '-static',
      '-ffreestanding',
      '-fno-pic',
      '-no-pie',
      '-o',
      join(work, 'deed32'),
      'deed32.c',
    ])
  }
  for (const tool of TOOLS) symlinkSync(BUSYBOX, join(work, tool))
  try {
    renameSync(work, dir)
  } catch (error) {
    // Another run was faster.
    if (!existsSync(dir)) throw error
    rmSync(work, { recursive: true })
  }
  return dir
}

function compile(args: readonly string[]): void {
  const flags = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror']
  const { status, stderr, error } = spawnSync('gcc', [...flags, ...args], { cwd: SOURCES, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the programs that are watched were not compiled: ${error?.message ?? stderr}`)
}
