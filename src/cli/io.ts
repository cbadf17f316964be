/** What a command may touch, so that a test can run one without a process. */
import type { Registry } from '../component.ts'

export interface Io {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly registry: Registry
}

/** Runs with the arguments that follow its name; resolves with the exit code. */
export type Command = (args: string[], io: Io) => Promise<number>
