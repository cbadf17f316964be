/**
 * A small OTLP/HTTP receiver for trying things out: takes log records as JSON, counts them by event name and
 * answers as a Collector would. Listens on localhost only.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface OtlpReceiver {
  readonly endpoint: string
  /** Records by event name. */
  readonly counts: ReadonlyMap<string, number>
  close(): Promise<void>
}

const MAX_BODY = 64 * 1024 * 1024

interface ExportRequest {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly { readonly logRecords: readonly { readonly eventName?: string }[] }[]
  }[]
}

/** `port` 0 takes a free one. */
export async function startOtlpReceiver(port = 0): Promise<OtlpReceiver> {
  const counts = new Map<string, number>()
  const take = (body: Buffer): void => {
    const { resourceLogs } = JSON.parse(body.toString('utf8')) as ExportRequest
    for (const { eventName = 'log' } of resourceLogs.flatMap((one) => one.scopeLogs).flatMap((one) => one.logRecords)) {
      counts.set(eventName, (counts.get(eventName) ?? 0) + 1)
    }
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks)
    const isGzip = request.headers['content-encoding'] === 'gzip'
    try {
      take(isGzip ? gunzipSync(raw, { maxOutputLength: MAX_BODY }) : raw)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}')
    } catch (error) {
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ message: String(error) }))
    }
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
