/** A real nginx, where `WEIR_TEST_NGINX` names its program: in a directory of its own, on ports of this machine only. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Program, program } from './program.ts'
import { until } from './weir.ts'

const PATH = process.env['WEIR_TEST_NGINX']

/** Why its tests are skipped; false where they run. */
export const NO_NGINX = PATH === undefined ? 'WEIR_TEST_NGINX names no nginx (see docs/interop.md)' : (false as const)

export interface Nginx extends Program {
  /** The master and its workers end at once, as if the machine had. */
  kill(): Promise<void>
}

/** Starts it with `http`, what stands in that block, and waits until `port` answers. */
export async function nginx(dir: string, http: string, port: number): Promise<Nginx> {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'nginx.conf')
  // As root it would give its workers to a user who may not enter the directory.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/${name};`,
  )
  writeFileSync(
    path,
    `${user}
worker_processes 1;
pid ${dir}/nginx.pid;
error_log stderr notice;
events { worker_connections 256; }
http {
  access_log ${dir}/access.log;
  ${temporary.join('\n  ')}
  ${http}
}
`,
  )
  const one = program(PATH as string, ['-p', dir, '-c', path, '-e', 'stderr', '-g', 'daemon off;'])
  await until(async () => {
    if (one.child.exitCode !== null) throw new Error(`nginx ended:\n${one.said}`)
    return isOpen(port)
  }, `nginx on port ${port}`)
  return Object.assign(one, {
    async kill() {
      // Stopped first, so that it starts no worker anew.
      one.child.kill('SIGSTOP')
      for (const pid of one.said.match(/(?<=start worker process )\d+/g) ?? []) killed(Number(pid))
      await one.end('SIGKILL')
    },
  })
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It had ended before.
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('connect', () => socket.destroy())
    socket.on('error', () => resolve(false))
  })
}
