/** The receiver at work in this process: its intake with a neighbour that judges, and clients on real sockets. */
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { TestContext as NodeTest } from 'node:test'
import { otlp } from '../../../receivers/otlp/index.ts'
import { DELIVERED, type Outcome } from '../../../src/flow/ack.ts'
import { Budget } from '../../../src/flow/budget.ts'
import type { Gate } from '../../../src/flow/gate.ts'
import { Intake } from '../../../src/flow/intake.ts'
import { ProtoWriter } from '../../../src/otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../../../src/otlp/protobuf.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { testContext } from '../../kit/context.ts'
import { record } from '../../kit/records.ts'
import { freePort } from '../../kit/weir.ts'

export type Judge = (records: readonly LogRecord[]) => Outcome | Promise<Outcome>

export interface Reception {
  readonly http: number
  readonly grpc: number
  readonly received: LogRecord[]
  readonly log: string[]
  readonly counts: Record<string, number>
  /** By `transport status`. */
  readonly answers: Record<string, number>
  readonly budget: Budget
  judge: Judge
  /** What `weir` does when it is stopped: nothing new, then the answers that are owed, then the end. */
  readonly stopTaking: () => Promise<void>
  readonly stop: () => Promise<void>
}

export interface ReceptionOptions {
  readonly http?: object | null
  readonly grpc?: object | null
  readonly admission_timeout?: string
  readonly budget?: number
  readonly gate?: Gate
  /** False: the receiver is started, but nobody runs it yet. */
  readonly runs?: boolean
}

/** Starts the receiver on free ports, and stops it with the test. */
export async function reception(t: Pick<NodeTest, 'after'>, options: ReceptionOptions = {}): Promise<Reception> {
  const [http, grpc] = [await freePort(), await freePort()]
  const log: string[] = []
  const answers: Record<string, number> = {}
  const context = testContext({
    log: createLogger({ level: 'info', encoding: 'console', write: (line) => void log.push(line), repeatMs: 0 }),
    count(metric, value, labels) {
      context.counts[metric] = (context.counts[metric] ?? 0) + value
      if (metric !== 'weir_receiver_requests') return
      const key = `${labels?.['transport']} ${labels?.['status']}`
      answers[key] = (answers[key] ?? 0) + value
    },
  })
  const settings = otlp.config.parse({
    protocols: {
      ...(options.http === null ? {} : { http: { endpoint: `127.0.0.1:${http}`, ...options.http } }),
      ...(options.grpc === undefined || options.grpc === null
        ? {}
        : { grpc: { endpoint: `127.0.0.1:${grpc}`, ...options.grpc } }),
    },
    ...(options.admission_timeout === undefined ? {} : { admission_timeout: options.admission_timeout }),
  })
  const receiver = otlp.create(settings, context)
  const budget = new Budget(options.budget ?? 8 * 1024 * 1024)
  const intake = new Intake(budget, { isFinal: true, ...(options.gate === undefined ? {} : { gate: options.gate }) })
  const received: LogRecord[] = []
  const here: Reception = {
    http,
    grpc,
    received,
    log,
    counts: context.counts,
    answers,
    budget,
    judge: () => DELIVERED,
    async stopTaking() {
      taking.abort(new Error('shutting down'))
      await running
    },
    async stop() {
      await here.stopTaking()
      await receiver.stop?.(new AbortController().signal)
    },
  }
  intake.batches$.subscribe(async ({ records, ack }) => {
    received.push(...records)
    ack.settle(await here.judge(records))
  })
  const taking = new AbortController()
  await receiver.start?.(taking.signal)
  const running = options.runs === false ? Promise.resolve() : receiver.run(intake, taking.signal)
  t.after(async () => {
    taking.abort(new Error('the test is over'))
    await running
    await receiver.stop?.(AbortSignal.abort(new Error('now')))
  })
  return here
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface PostOptions {
  readonly path?: string
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly tls?: object
}

/** One request on a connection of its own. */
export function post(
  port: number,
  body: Buffer | string,
  { path = '/v1/logs', method = 'POST', headers = {}, tls }: PostOptions = {},
): Promise<Answer> {
  const type = typeof body === 'string' ? 'application/json' : 'application/x-protobuf'
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const options = { host: '127.0.0.1', port, path, method, agent: false, headers: { 'content-type': type, ...headers } }
  const request = (tls === undefined ? httpRequest : httpsRequest)({ ...options, ...tls }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
    )
    response.on('error', reject)
  })
  request.on('error', reject)
  request.end(body)
  return promise
}

export function protobuf(...records: LogRecord[]): Buffer {
  return Buffer.from(encodeOtlpProtobuf(records, new ProtoWriter(1024)))
}

export function someRecords(count: number): LogRecord[] {
  return Array.from({ length: count }, (_, i) => record({ id: `r${i}` }))
}

/** The text of a Status in protobuf, which is all that a person needs. */
export function said({ body }: Answer): string {
  return body.toString('latin1').replaceAll(/[^\x20-\x7e]+/g, ' ')
}
