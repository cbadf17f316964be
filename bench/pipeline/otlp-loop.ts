/**
 * The yardsticks of OTLP in, OTLP out, with the serializers of the pipeline and nothing else.
 *
 *   node bench/pipeline/otlp-loop.ts serialize KIND REQUESTS    decode and encode, in memory: prints what it cost
 *   node bench/pipeline/otlp-loop.ts serve URL                  HTTP in, decode, encode, HTTP out: prints its port
 */
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeOtlpProtobuf } from '../../src/otlp/decode-protobuf.ts'
import { Identities } from '../../src/otlp/identities.ts'
import { OWN_LIMITS } from '../../src/otlp/limits.ts'
import { ProtoWriter } from '../../src/otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../../src/otlp/protobuf.ts'
import { type Kind, RECORDS_PER_REQUEST, requests } from './otlp-requests.ts'

const identities = new Identities()
const [mode, first = '', count = ''] = process.argv.slice(2)

function recode(body: Buffer, writer: ProtoWriter): Buffer {
  return encodeOtlpProtobuf(decodeOtlpProtobuf(body, OWN_LIMITS, identities), writer)
}

if (mode === 'serialize') {
  const bodies = requests(first as Kind, 50)
  const writer = new ProtoWriter()
  const once = (times: number): number => {
    const before = process.cpuUsage()
    for (let i = 0; i < times; i++) recode(bodies[i % bodies.length] as Buffer, writer)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / times / RECORDS_PER_REQUEST
  }
  once(2000)
  console.log(JSON.stringify({ microsecondsPerRecord: once(Number(count)) }))
} else {
  const url = new URL(first)
  const agent = new Agent({ keepAlive: true, maxSockets: 4, scheduling: 'lifo' })
  const free: ProtoWriter[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const writer = free.pop() ?? new ProtoWriter()
      const body = recode(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), writer)
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
      request(url, { agent, method: 'POST', headers }, (answer) => {
        answer.resume().on('end', () => {
          free.push(writer)
          response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 }).end()
        })
      }).end(body)
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })))
}
