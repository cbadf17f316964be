/** A file system of a few KiB, to fill up. Mounting needs root. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TinyDisk {
  readonly dir: string
  /** Leaves no room for another byte (of file contents). */
  fill(): void
  /** Gives all of it back. */
  free(): void
  remove(): void
}

/** False, or why there is none here: for the `skip` of a test. */
export const NO_TINY_DISK: string | false = canMount() ? false : 'mounting a file system needs root and CAP_SYS_ADMIN'

function canMount(): boolean {
  try {
    tinyDisk(64).remove()
    return true
  } catch (error) {
    // Root that may not mount (a container without the capability) is told apart from a test that rots.
    if (process.getuid?.() === 0 && !/permission|denied|not permitted/i.test(String((error as Error).message)))
      throw error
    return false
  }
}

export function tinyDisk(kib: number): TinyDisk {
  const dir = mkdtempSync(join(tmpdir(), 'weir-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', dir], { stdio: 'pipe' })
  } catch (error) {
    rmdirSync(dir)
    throw error
  }
  const ballast = join(dir, '.ballast')
  return {
    dir,
    fill() {
      const { bsize, bavail } = statfsSync(dir)
      writeFileSync(ballast, Buffer.alloc(bsize * bavail))
    },
    free: () => rmSync(ballast, { force: true }),
    remove() {
      execFileSync('umount', ['--lazy', dir])
      rmdirSync(dir)
    },
  }
}
