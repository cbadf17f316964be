/**
 * The cheapest OTLP/HTTP destination: takes every request, answers 200, counts. Prints its port, then on SIGTERM
 * what it got. Runs beside the pipeline as a process of its own, so that its CPU is not the pipeline's.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

let requests = 0
let bytes = 0
const server = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  request.on('end', () => {
    requests += 1
    response.writeHead(200, { 'content-type': request.headers['content-type'] }).end()
  })
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })))
process.on('SIGTERM', () => {
  console.log(JSON.stringify({ requests, bytes }))
  process.exit(0)
})
