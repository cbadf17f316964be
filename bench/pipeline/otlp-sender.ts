/**
 * Sends OTLP requests over kept connections and waits for each answer, as an exporter does; a request that is refused
 * is sent again. Prints one JSON object: records, seconds, retries, and the 99th percentile of an answer.
 *
 *   node bench/pipeline/otlp-sender.ts URL --kind events --requests 20000 --connections 16 [--rate RECORDS/S]
 */
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Kind, RECORDS_PER_REQUEST, requests } from './otlp-requests.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kind: { type: 'string', default: 'events' },
    requests: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '16' },
    rate: { type: 'string', default: '0' },
  },
})
const url = new URL(positionals[0] ?? '')
const total = Number(values.requests)
const rate = Number(values.rate)
const bodies = requests(values.kind as Kind, 50)
const agent = new Agent({ keepAlive: true, maxSockets: Number(values.connections) })

function post(body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
    const sending = request(url, { agent, method: 'POST', headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    sending.on('error', reject).end(body)
  })
}

let next = 0
let retries = 0
const latencies: number[] = []
const startedAt = performance.now()

async function work(): Promise<void> {
  while (next < total) {
    const mine = next++
    if (rate > 0) {
      const due = (mine * RECORDS_PER_REQUEST * 1000) / rate - (performance.now() - startedAt)
      if (due > 0) await sleep(due)
    }
    const sentAt = performance.now()
    while ((await post(bodies[mine % bodies.length] as Buffer)) !== 200) {
      retries += 1
      await sleep(20)
    }
    latencies.push(performance.now() - sentAt)
  }
}

await Promise.all(Array.from({ length: Number(values.connections) }, work))
const seconds = (performance.now() - startedAt) / 1000
latencies.sort((a, b) => a - b)
console.log(
  JSON.stringify({
    records: total * RECORDS_PER_REQUEST,
    seconds,
    retries,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)],
  }),
)
agent.destroy()
