import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from '../../src/cli/io.ts'
import { registry } from '../config/registry.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command in a directory that holds the files. */
export async function run(
  command: Command,
  args: string[],
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const cwd = mkdtempSync(join(tmpdir(), 'weir-cli-'))
  const written = { stdout: '', stderr: '' }
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
    const code = await command(args, {
      stdout: (text) => void (written.stdout += text),
      stderr: (text) => void (written.stderr += text),
      env,
      cwd,
      registry,
    })
    return { code, ...written }
  } finally {
    rmSync(cwd, { recursive: true })
  }
}
