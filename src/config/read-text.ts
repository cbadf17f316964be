/** Reads a file of configuration: bounded, because `/dev/zero` is a path too, and UTF-8 only. */
import { closeSync, openSync, readSync } from 'node:fs'
import { MAX_TEXT } from './parse.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read the file',
  EISDIR: 'this is a directory; name the files in it',
  ENOTDIR: 'a part of the path is not a directory',
  EMFILE: 'too many files are open',
}

/** Throws an Error whose message is a phrase that follows the file's name. */
export function readText(path: string): string {
  let bytes: Buffer
  try {
    bytes = readBounded(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(REASONS[code ?? ''] ?? message)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('the file is not UTF-8 text')
  }
}

function readBounded(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const chunks: Buffer[] = []
    let total = 0
    for (;;) {
      const chunk = Buffer.allocUnsafe(64 * 1024)
      const length = readSync(file, chunk)
      if (length === 0) return Buffer.concat(chunks)
      total += length
      if (total > MAX_TEXT) throw new Error(`the file is larger than ${MAX_TEXT} bytes`)
      chunks.push(chunk.subarray(0, length))
    }
  } finally {
    closeSync(file)
  }
}
