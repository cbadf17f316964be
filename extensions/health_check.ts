/**
 * Says over HTTP whether Weir is alive, ready and well, for probes and for people.
 *
 * The Collector's extension is healthy while it drops everything; this one names the component that is
 * not well, and why.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { z } from 'zod'
import { defineExtension, type Host } from '../src/component.ts'
import { duration } from '../src/config/values.ts'

const httpPath = z.string().regex(/^\//, 'expected a path that begins with /')

const config = z.strictObject({
  endpoint: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, 'expected host:port, such as localhost:13133')
    .refine((endpoint) => Number(endpoint.split(':').at(-1)) <= 65_535, 'expected a port from 0 to 65535')
    .default('localhost:13133')
    .describe('Where to listen, `host:port`. Use `0.0.0.0:13133` where the kubelet probes a pod.'),
  path: httpPath.default('/').describe('Path of readiness: 200 when ready and well, else 503.'),
  live_path: httpPath.default('/live').describe('Path of liveness: 200 while the event loop turns.'),
  recovery_duration: duration()
    .prefault('5m')
    .describe('How long a component may be unhealthy, while it can recover, before readiness fails.'),
})

export const healthCheck = defineExtension({
  type: 'health_check',
  aliases: ['healthcheckv2'],
  stability: 'beta',
  summary: 'Answers liveness and readiness probes, and says which component is unhealthy and why.',
  config,
  unsupported: {
    response_body: 'the answer names the unhealthy components; it cannot be replaced',
    check_collector_pipeline: 'every component is watched always; leave it out',
    use_v2: 'there is one version, which tells about components; leave it out',
    component_health: 'use recovery_duration',
    http: 'write endpoint and path at the top level',
    grpc: 'health over gRPC is not available',
    tls: 'TLS is not available; listen on localhost or in the pod network only',
  },
  examples: [{}, { endpoint: '0.0.0.0:13133', path: '/ready' }],
  create(settings, { host, log }) {
    let server: Server | undefined
    return {
      async start() {
        const { hostname, port } = split(settings.endpoint)
        const started = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, ({ url, method }, response) => {
          const path = url?.split('?')[0]
          if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end()
          else if (path === settings.live_path && path !== settings.path) answer(response, 200, { status: 'alive' })
          else if (path === settings.path) readiness(response, host, settings.recovery_duration)
          else answer(response, 404, { status: `only ${settings.path} and ${settings.live_path} are served here` })
        })
        started.maxConnections = 100
        await listen(started, hostname, port, settings.endpoint)
        server = started
        log.info('Answering health checks.', { endpoint: settings.endpoint })
      },
      async stop() {
        const closing = server
        server = undefined
        closing?.closeAllConnections()
        await new Promise<void>((done) => (closing === undefined ? done() : closing.close(() => done())))
      },
    }
  },
})

function readiness(response: ServerResponse, host: Host, recoveryMs: number): void {
  const now = Date.now()
  const unhealthy = [...host.health()].filter(([, { status }]) => status !== 'ok')
  const failing = unhealthy.filter(([, { status, since }]) => status === 'permanent' || now - since >= recoveryMs)
  const isWell = host.isReady && failing.length === 0
  answer(response, isWell ? 200 : 503, {
    status: isWell ? 'Server available' : 'Server not available',
    ready: isWell,
    upSince: new Date(host.startedAt).toISOString(),
    uptime: `${Math.round((now - host.startedAt) / 1000)}s`,
    unhealthy: unhealthy.map(([component, { status, reason, since }]) => ({
      component,
      status,
      reason,
      since: new Date(since).toISOString(),
    })),
    // Past, so no reason to be unready; and never silent.
    lost: host.losses().map(({ component, reason, records }) => ({ component, reason, records })),
  })
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}

function split(endpoint: string): { hostname: string; port: number } {
  const colon = endpoint.lastIndexOf(':')
  const hostname = endpoint.slice(0, colon).replace(/^\[|\]$/g, '')
  return { hostname, port: Number(endpoint.slice(colon + 1)) }
}

async function listen(server: Server, hostname: string, port: number, endpoint: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, hostname, resolve)
  try {
    await promise
  } catch (error) {
    throw new Error(`endpoint: cannot listen on ${endpoint}: ${(error as Error).message}`, { cause: error })
  }
}
