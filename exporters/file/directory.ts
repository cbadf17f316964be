/** Makes the directory of a file, and says why it cannot be made. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { getSystemErrorMessage } from 'node:util'

/**
 * Makes the directory and those above it. One by one: Node's own `recursive` tries for ever where a directory exists
 * in which none can be made (`/proc`).
 */
export async function makeDirectory(path: string): Promise<void> {
  const missing: string[] = []
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (found?.isDirectory()) break
    if (found !== undefined) throw new Error(`${at} is not a directory`)
    missing.push(at)
  }
  for (const at of missing.reverse()) await makeOne(at)
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, 0o750)
  } catch (error) {
    // Somebody else made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** The reason in words, without the names of system calls. */
export function whyNot(error: NodeJS.ErrnoException): string {
  const { errno, path } = error
  if (errno === undefined) return error.message
  return `${getSystemErrorMessage(errno)}${path === undefined ? '' : ` (${path})`}`
}
