/** A flood of requests into a process that may use little memory. */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryCgroup } from '../cgroup.ts'
import { startDestination } from '../faulty-destination.ts'
import { freePort, workspace } from '../weir.ts'
import type { Fault, FaultResult, Size } from './fault.ts'
import { exporterOf } from './flow.ts'

const MIB = 2 ** 20
const LIMIT = 256 * MIB
const RECORDS_A_REQUEST = 100
/** Two MiB a request, of which many are on their way at once. */
const WORDS = 'words of a rather long line '.repeat(750)

function bodyOf(first: number): Buffer {
  const logRecords = Array.from({ length: RECORDS_A_REQUEST }, (_, i) => ({
    body: { stringValue: `seq-${first + i}- ${WORDS}` },
    severityNumber: 9,
  }))
  return Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))
}

interface Sender {
  refusals: number
  send(first: number): Promise<void>
}

/** Sends each request until it is taken, as an OpenTelemetry client does. */
function sender(port: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const post = (body: Buffer): Promise<number> =>
    new Promise((resolve) => {
      const headers = { 'content-type': 'application/json', 'content-length': body.length }
      const one = request({ port, host: '127.0.0.1', path: '/v1/logs', method: 'POST', headers, agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
        response.on('error', () => resolve(0))
      })
      one.on('error', () => resolve(0))
      one.end(body)
    })
  const self: Sender = {
    refusals: 0,
    async send(first) {
      const body = bodyOf(first)
      while ((await post(body)) !== 200) {
        self.refusals += 1
        await sleep(100 + Math.random() * 400)
      }
    },
  }
  return self
}

export const memoryFault: Fault = {
  name: 'a flood into a cgroup of 256 MiB, with a budget larger than that',
  run: flood,
}

/** Without the pages of files, which the kernel can take back. 0 once it has ended. */
function residentMiB(pid: number | undefined): number {
  try {
    return Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return 0
  }
}

async function flood({ records }: Size): Promise<FaultResult> {
  const room = workspace()
  const cgroup = memoryCgroup(LIMIT)
  const to = await startDestination({ kind: 'is slow', ms: 100 })
  const port = await freePort()
  // The limiter alone is to protect it: the budget would let in everything.
  const weir = room.run(
    `
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${port}'}}}}
processors: {memory_limiter: {check_interval: 50ms, limit_percentage: 85, spike_limit_percentage: 25, min_gc_interval_when_soft_limited: 500ms}}
extensions: {file_storage: }
exporters: {otlp_http: ${exporterOf('otlp', to.url, 'memory')}}
service:
  memory: {budget: 1GiB}
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp_http]}}
`,
    { prefix: cgroup.prefix },
  )
  try {
    await weir.says(/Everything is ready/)
    let peak = 0
    const watching = setInterval(() => {
      peak = Math.max(peak, residentMiB(weir.child.pid))
    }, 20)
    void weir.ended.then(() => clearInterval(watching))
    const count = Math.ceil(records / RECORDS_A_REQUEST)
    const client = sender(port)
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < count) await client.send(next++ * RECORDS_A_REQUEST)
    }
    const all = Promise.all(Array.from({ length: 64 }, worker)).then(() => true)
    const isUp = await Promise.race([all, weir.ended.then(() => false)])
    if (!isUp) throw new Error(`Weir ended (killed ${cgroup.oomKills()} times):\n${weir.stderr.slice(-2000)}`)
    // It recovers whole: the door is open, and a request is taken at once.
    await sleep(1500)
    const before = client.refusals
    await client.send(next++ * RECORDS_A_REQUEST)
    clearInterval(watching)
    const total = next * RECORDS_A_REQUEST
    for (const end = Date.now() + 10_000; (await to.report()).arrived < total && Date.now() < end; ) await sleep(50)
    const { arrived, duplicates } = await to.report()
    const isWell = cgroup.oomKills() === 0 && client.refusals === before && weir.child.exitCode === null
    const note = `${before} requests refused, doors shut ${weir.stderr.split('memory is short').length - 1} times, at most ${Math.round(peak)} MiB resident, ${Math.round(residentMiB(weir.child.pid))} MiB after it`
    await weir.end()
    return {
      fault: memoryFault.name,
      records: total,
      missing: total - arrived + (isWell ? 0 : 1),
      duplicates,
      reported: 0,
      note: isWell ? note : `${note}; killed ${cgroup.oomKills()} times, or did not recover`,
    }
  } finally {
    await room.remove()
    await to.close()
    cgroup.remove()
  }
}
