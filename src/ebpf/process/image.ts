/** What a process runs, from its EXEC record. */
import { parts, text, u32 } from '../decode/read.ts'
import { EXEC } from '../layout/offsets.ts'
import type { RingMemory } from '../memory.ts'
import type { Image } from './actor.ts'
import { redactArguments } from './redact.ts'

export interface ImageOptions {
  readonly redactArguments?: boolean
}

const MOST_ARGUMENTS = 512

export function imageOf(memory: RingMemory, at: number, size: number, options: ImageOptions): Image {
  const path = text(memory, at, size, EXEC.exePath)
  const raw = parts(memory, at, size, EXEC.args, MOST_ARGUMENTS)
  const args = options.redactArguments === false ? raw : redactArguments(raw)
  return {
    path,
    // An image on a mount that is gone has a path without a name: what it calls itself is better than nothing.
    name: baseOf(path) || baseOf(args[0] ?? ''),
    args,
    commandLine: args.map(quoted).join(' '),
    workingDirectory: text(memory, at, size, EXEC.cwd),
    interactive: u32(memory, at + EXEC.tty) !== 0,
  }
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** As a shell would need it, so that the boundaries of arguments stay visible. */
function quoted(argument: string): string {
  if (argument === '') return "''"
  return /[\s"'\\$`|&;<>()*?[\]#~]/.test(argument) ? `'${argument.replaceAll("'", "'\\''")}'` : argument
}
