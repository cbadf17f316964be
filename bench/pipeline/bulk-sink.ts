/**
 * The cheapest `_bulk` destination: counts the documents of a request and answers that each was created. Prints its
 * port. Runs beside the pipeline as a process of its own, so that its CPU is not the pipeline's.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

const NEWLINE = 10

function documentsIn(body: Buffer): number {
  let lines = 0
  for (let at = body.indexOf(NEWLINE); at >= 0; at = body.indexOf(NEWLINE, at + 1)) lines += 1
  return lines / 2
}

function answer(documents: number): string {
  const items = '{"create":{"status":201}},'.repeat(documents).slice(0, -1)
  return `{"errors":false,"items":[${items}]}`
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const raw = Buffer.concat(chunks)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer(documentsIn(body)))
  })
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })))
process.on('SIGTERM', () => process.exit(0))
