/** The real program as a child process, and a directory for what it reads and writes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
/** The program as users start it. */
export const BIN = join(import.meta.dirname, '../../bin/weir')
/** What Node is given before the arguments of the program. */
export const PROGRAM = ['--disable-warning=ExperimentalWarning', MAIN] as const

export interface WeirProcess {
  readonly child: ChildProcess
  readonly stdout: string
  readonly stderr: string
  /** Resolves when `pattern` stands on stderr. Rejects with the whole of it when the program ends before. */
  says(pattern: RegExp, limitMs?: number): Promise<void>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** `prefix` is put before the command, `bin/weir`, for a program that runs under another. */
export function weir(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  prefix: readonly string[] = [],
): WeirProcess {
  const program = prefix.length > 0 ? [...prefix, BIN] : [process.execPath, ...PROGRAM]
  const [command = '', ...rest] = [...program, ...args]
  const child = spawn(command, rest, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const seen = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk) => (seen.stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk) => (seen.stderr += chunk))
  let isOver = false
  const ended: WeirProcess['ended'] = new Promise((resolve) =>
    child.on('close', (code, signal) => {
      isOver = true
      resolve({ code, signal })
    }),
  )
  return {
    child,
    get stdout() {
      return seen.stdout
    },
    get stderr() {
      return seen.stderr
    },
    async says(pattern, limitMs = 20_000) {
      for (const end = Date.now() + limitMs; !pattern.test(seen.stderr); await sleep(10)) {
        if (isOver || Date.now() > end) throw new Error(`never said ${pattern}:\n${seen.stderr}`)
      }
    },
    ended,
    end(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

export interface Workspace {
  readonly dir: string
  readonly stateDir: string
  path(name: string): string
  /** Writes a file and returns its path. */
  write(name: string, text: string): string
  read(name: string): string
  /** `weir run` with a configuration and this state directory. Killed with the workspace if it still runs. */
  run(
    config: string,
    options?: {
      readonly flags?: readonly string[]
      readonly env?: Record<string, string>
      readonly prefix?: readonly string[]
    },
  ): WeirProcess
  remove(): Promise<void>
}

export function workspace(): Workspace {
  const dir = mkdtempSync(join(tmpdir(), 'weir-run-'))
  const started: WeirProcess[] = []
  const path = (name: string): string => join(dir, name)
  const write = (name: string, text: string): string => {
    writeFileSync(path(name), text)
    return path(name)
  }
  return {
    dir,
    stateDir: path('state'),
    path,
    write,
    read: (name) => readFileSync(path(name), 'utf8'),
    run(config, { flags = [], env = {}, prefix = [] } = {}) {
      write('weir.yaml', config)
      const one = weir(['run', '--config', path('weir.yaml'), '--state-dir', path('state'), ...flags], env, prefix)
      started.push(one)
      return one
    },
    async remove() {
      await Promise.all(started.map((one) => one.end('SIGKILL')))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A port that nobody listens on: taken and given back. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** Waits until `done` holds; says what it waited for when it never does. */
export async function until(done: () => boolean | Promise<boolean>, what: string, limitMs = 20_000): Promise<void> {
  for (const end = Date.now() + limitMs; !(await done()); await sleep(10)) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`)
  }
}
