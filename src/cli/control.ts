/**
 * The control socket: how the command line reaches a running Weir, which owns the state directory.
 *
 * One line of JSON asks: `{"command": "dead-letter replay", "args": {…}}`. The answer is a line of JSON for each piece of
 * text, `{"text": "…"}`, and a last one with the exit code, `{"code": 0}`. The socket stands in the state directory and
 * only its owner may use it.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Logger } from '../telemetry/logger.ts'

/** What a command says goes to `out`; it resolves with its exit code. */
export type ControlCommand = (args: Readonly<Record<string, unknown>>, out: (text: string) => void) => Promise<number>

export interface ControlServer {
  close(): Promise<void>
}

/** The longest path of a Unix socket on Linux, with its end (unix(7)). */
const MAX_PATH = 107
const MAX_LINE = 64 * 1024

export function controlPath(stateDir: string): string {
  return join(stateDir, 'control.sock')
}

/** Serves `commands`. Where there can be no socket the log says so, and there is none. */
export async function serveControl(
  stateDir: string,
  commands: Readonly<Record<string, ControlCommand>>,
  log: Logger,
): Promise<ControlServer> {
  const path = controlPath(stateDir)
  if (Buffer.byteLength(path) > MAX_PATH) {
    log.warn('There is no control socket: the path of the state directory is too long for one.', { path })
    return { close: async () => {} }
  }
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {}) // Whoever asked has gone.
    void answer(socket, commands)
  })
  try {
    // Whoever holds the store is alone here: a socket that is there was left behind.
    rmSync(path, { force: true })
    await listen(server, path)
    chmodSync(path, 0o600)
  } catch (error) {
    log.warn('There is no control socket: it cannot be made.', { path, error })
  }
  server.unref()
  return {
    async close() {
      for (const socket of open) socket.destroy()
      if (!server.listening) return
      await new Promise<void>((resolve) => server.close(() => resolve()))
      rmSync(path, { force: true })
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  // Nobody else may connect even in the moment before the mode is set.
  const mask = process.umask(0o177)
  try {
    server.listen(path, resolve)
  } finally {
    process.umask(mask)
  }
  await promise
}

async function answer(socket: Socket, commands: Readonly<Record<string, ControlCommand>>): Promise<void> {
  const say = (reply: object): void => void (socket.writable && socket.write(`${JSON.stringify(reply)}\n`))
  try {
    const { command, args = {} } = JSON.parse(await firstLine(socket)) as { command?: string; args?: object }
    const run = command !== undefined && Object.hasOwn(commands, command) ? commands[command] : undefined
    if (run === undefined) {
      say({ text: `weir: the running Weir knows no command "${command}"\n` })
      say({ code: 1 })
    } else say({ code: await run(args as Record<string, unknown>, (text) => say({ text })) })
  } catch (error) {
    say({ text: `weir: ${(error as Error).message}\n` })
    say({ code: 1 })
  }
  socket.end()
}

async function firstLine(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
    if (text.length > MAX_LINE) break
  }
  throw new Error('a request is one line of JSON')
}

/** Runs a command in the Weir that owns `stateDir`. Undefined when none is running there. */
export async function askRunning(
  stateDir: string,
  command: string,
  args: Readonly<Record<string, unknown>>,
  out: (text: string) => void,
): Promise<number | undefined> {
  const socket = await connect(controlPath(stateDir))
  if (socket === undefined) return undefined
  socket.write(`${JSON.stringify({ command, args })}\n`)
  let code: number | undefined
  for await (const line of createInterface({ input: socket })) {
    const reply = JSON.parse(line) as { text?: string; code?: number }
    if (reply.text !== undefined) out(reply.text)
    if (reply.code !== undefined) code = reply.code
  }
  if (code === undefined) throw new Error('the running Weir ended before the command was done')
  return code
}

async function connect(path: string): Promise<Socket | undefined> {
  const socket = createConnection(path)
  const { promise, resolve, reject } = Promise.withResolvers<Socket | undefined>()
  socket.once('connect', () => resolve(socket))
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(error.code ?? '')) resolve(undefined)
    else if (error.code === 'EACCES') reject(new Error(`${path} may be used by the owner of the running Weir alone`))
    else reject(error)
  })
  return promise
}
