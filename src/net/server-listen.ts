/** What every server of ours has in common: how it begins to listen, follows its certificates, and closes. */
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { type Endpoint, isLoopback } from './server-settings.ts'
import type { ServerTls } from './server-tls.ts'
import type { WatchedFiles } from './watched-files.ts'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'this machine does not have the address',
  EACCES: 'ports below 1024 need privileges',
  ENOTFOUND: 'the host name is not known',
}

/** Rejects with one sentence that names the endpoint. Resolves with the port. */
export async function listen(server: Server, { host, port }: Endpoint): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve)
  try {
    await promise
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new Error(`cannot listen on ${host ?? ''}:${port}: ${REASONS[code] ?? message}; choose another endpoint`, {
      cause: error,
    })
  }
  server.removeListener('error', reject)
  return (server.address() as AddressInfo).port
}

/** Uses new certificates for new connections as long as the server listens. */
export function followCertificates(
  server: TlsServer,
  tls: WatchedFiles<ServerTls>,
  intervalMs: number,
  onRenewed: () => void,
): void {
  if (intervalMs === 0) return
  const timer = setInterval(async () => {
    if (!(await tls.refresh(true))) return
    server.setSecureContext(tls.value)
    onRenewed()
  }, intervalMs)
  timer.unref()
  server.once('close', () => clearInterval(timer))
}

/** The sockets that are open, so that they can be ended. */
export function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** A sentence for a server that anyone on the network may send to; undefined where it is not so. */
export function openDoorWarning(endpoint: Endpoint, isGuarded: boolean): string | undefined {
  if (isGuarded || isLoopback(endpoint)) return undefined
  return 'Anyone who reaches this address may send records: set auth, or tls::client_ca_file, or listen on localhost.'
}
