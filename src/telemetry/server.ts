/** Serves the metrics to Prometheus. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MetricRegistry } from './registry.ts'

export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

/** Listens on `host:port` and answers `GET /metrics`. Rejects with a sentence when it cannot listen. */
export async function serveMetrics(metrics: MetricRegistry, host: string, port: number): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Only /metrics is served here.\n')
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
    } else {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics.expose())
    }
  })
  server.maxConnections = 50
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  try {
    await promise
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'the address is in use' : (error as Error).message
    throw new Error(
      `service::telemetry::metrics: cannot listen on ${host}:${port}: ${why}; choose another port or set level: none`,
      { cause: error },
    )
  }
  // Metrics must not keep a program alive that has nothing else to do.
  server.unref()
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
