/** A real OTLP/HTTP destination on a free port: decodes with the SDK's own protobuf and JSON, and misbehaves on request. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type DecodedRecord, decodeOtlp } from './otlp-decode.ts'

export interface SinkRequest {
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly bytes: number
  readonly records: readonly DecodedRecord[]
}

export interface OtlpSink {
  readonly url: string
  readonly requests: SinkRequest[]
  /** Records of accepted requests. */
  readonly accepted: DecodedRecord[]
  /** Answers instead of accepting; undefined accepts. */
  respond: ((request: SinkRequest, response: ServerResponse) => void) | undefined
  close(): Promise<void>
}

export async function otlpSink(): Promise<OtlpSink> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks)
    const encoding = request.headers['content-encoding']
    const body = encoding === 'gzip' ? gunzipSync(raw) : encoding === 'zstd' ? zstdDecompressSync(raw) : raw
    const records = decodeOtlp(body, String(request.headers['content-type']))
    const seen = { headers: request.headers, path: request.url ?? '', bytes: raw.length, records }
    sink.requests.push(seen)
    if (sink.respond !== undefined) {
      sink.respond(seen, response)
      return
    }
    sink.accepted.push(...records)
    response.writeHead(200, { 'content-type': String(request.headers['content-type']) }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sink: OtlpSink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    accepted: [],
    respond: undefined,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return sink
}
