/** Another program as a child process: what it says, and its end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Program {
  readonly child: ChildProcess
  /** Everything on stdout and stderr, as it came. */
  readonly said: string
  /** Resolves when `pattern` was said. Rejects when the program ends before, or `limitMs` is over. */
  says(pattern: RegExp, limitMs?: number): Promise<void>
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<void>
}

export function program(command: string, args: readonly string[]): Program {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let isOver = false
  const take = (chunk: string): void => {
    said += chunk
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  child.on('error', (error) => take(String(error)))
  const ended = new Promise<void>((resolve) =>
    child.on('close', () => {
      isOver = true
      resolve()
    }),
  )
  return {
    child,
    get said() {
      return said
    },
    async says(pattern, limitMs = 20_000) {
      for (const end = Date.now() + limitMs; !pattern.test(said); await sleep(10)) {
        if (isOver || Date.now() > end) throw new Error(`${command} never said ${pattern}:\n${said}`)
      }
    },
    async end(signal = 'SIGTERM') {
      child.kill(signal)
      await ended
    },
  }
}
