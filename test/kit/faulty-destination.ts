/**
 * A destination that misbehaves on request: OTLP over HTTP and Elasticsearch's `_bulk`, as a process of its own, so that
 * what it costs is not the test's. It counts every record by the `seq-<number>-` in its text.
 *
 *   startDestination()                        from a test
 *   node faulty-destination.ts                with an IPC channel
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

export type Mood =
  | { readonly kind: 'accepts' }
  /** Nobody listens on the port. */
  | { readonly kind: 'down' }
  | { readonly kind: 'answers'; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: 'hangs' }
  /** Takes part of the request and resets the connection. */
  | { readonly kind: 'resets' }
  /** Takes everything, and resets the connection instead of answering. */
  | { readonly kind: 'takes and resets' }
  /** Takes everything, and resets the connection in the middle of the answer. */
  | { readonly kind: 'breaks off' }
  /** Takes everything and answers 200 with what is no answer, or with somebody's web page. */
  | { readonly kind: 'answers garbage'; readonly type?: string }
  /** OTLP: takes one half and refuses the other for good. `_bulk`: takes one half, and the other not now. */
  | { readonly kind: 'takes half' }
  /** Refuses for good what has a number divisible by `every`: the item of a `_bulk`, or the whole OTLP request with it. */
  | { readonly kind: 'refuses'; readonly every: number }
  | { readonly kind: 'is slow'; readonly ms: number }
  /** Now this, now that, by lot. */
  | { readonly kind: 'changes'; readonly moods: readonly Mood[] }

export interface Report {
  readonly requests: number
  /** Distinct records, and arrivals beyond the first of each. */
  readonly arrived: number
  readonly duplicates: number
  /** Records that were refused for good: by a partial success, or each by itself. */
  readonly refused: number
  /** When the last new record came, in milliseconds since the epoch. */
  readonly lastAt: number
}

export interface Destination {
  readonly url: string
  mood(mood: Mood): Promise<void>
  report(): Promise<Report>
  /** The numbers below `count` that never came (the first thousand). */
  missing(count: number): Promise<readonly number[]>
  close(): Promise<void>
}

type Ask =
  | { readonly ask: 'mood'; readonly mood: Mood }
  | { readonly ask: 'report' }
  | { readonly ask: 'missing'; readonly count: number }

export async function startDestination(mood: Mood = { kind: 'accepts' }): Promise<Destination> {
  const child = fork(import.meta.filename, [JSON.stringify(mood)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting: ((value: never) => void)[] = []
  const { promise: port, resolve: listening } = Promise.withResolvers<number>()
  waiting.push(listening as (value: never) => void)
  child.on('message', (value) => waiting.shift()?.(value as never))
  const ask = <T>(question: Ask): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<T>()
    waiting.push(resolve as (value: never) => void)
    child.send(question)
    return promise
  }
  return {
    url: `http://127.0.0.1:${await port}`,
    mood: (next) => ask({ ask: 'mood', mood: next }),
    report: () => ask({ ask: 'report' }),
    missing: (count) => ask({ ask: 'missing', count }),
    close: () => ended(child),
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await gone
}

const SEQ = /seq-(\d+)-/g
const counts = new Map<number, number>()
const report = { requests: 0, duplicates: 0, refused: 0, lastAt: 0 }

/** One number a record: its text may stand in it more than once. */
function numbersOf(body: Buffer, isBulk: boolean): number[] {
  const text = body.toString('latin1')
  const parts = isBulk ? text.split('\n').filter((_, i) => i % 2 === 1) : [text]
  return parts.flatMap((part) => {
    const found = [...part.matchAll(SEQ)].map(([, number]) => Number(number))
    return isBulk ? found.slice(0, 1) : [...new Set(found)]
  })
}

function take(numbers: readonly number[]): void {
  for (const number of numbers) {
    const times = counts.get(number) ?? 0
    counts.set(number, times + 1)
    if (times === 0) report.lastAt = Date.now()
    else report.duplicates += 1
  }
}

interface Request {
  readonly numbers: readonly number[]
  readonly isBulk: boolean
  readonly isJson: boolean
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const condemned = new Set<number>()

/** Counts a record that is refused by itself, once. */
function condemn(numbers: readonly number[]): void {
  for (const number of numbers) {
    if (!condemned.has(number)) report.refused += 1
    condemned.add(number)
  }
}

function refuse({ numbers, isBulk, response }: Request, every: number): void {
  const isPoison = (number: number): boolean => number % every === 0
  const poison = numbers.filter(isPoison)
  if (isBulk) {
    take(numbers.filter((number) => !isPoison(number)))
    condemn(poison)
    const error = { type: 'document_parsing_exception', reason: 'poison' }
    endBulk(
      response,
      numbers.map((number) => (isPoison(number) ? { status: 400, error } : TAKEN)),
    )
  } else if (poison.length === 0) {
    take(numbers)
    response.writeHead(200).end()
  } else {
    if (numbers.length === 1) condemn(poison)
    response.writeHead(400).end('{"message":"poison"}')
  }
}

function accept({ numbers, isBulk, isJson, response }: Request, half = false): void {
  const kept = half ? numbers.slice(0, Math.ceil(numbers.length / 2)) : numbers
  take(kept)
  if (isBulk) bulkAnswer(response, numbers.length, kept.length)
  else if (kept.length === numbers.length) response.writeHead(200).end(isJson ? '{}' : '')
  else {
    report.refused += numbers.length - kept.length
    response.writeHead(200, { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' })
    response.end(isJson ? partialJson(numbers.length - kept.length) : partialProto(numbers.length - kept.length))
  }
}

const partialJson = (count: number): string =>
  JSON.stringify({ partialSuccess: { rejectedLogRecords: String(count), errorMessage: 'half of them' } })

/** ExportLogsServiceResponse { partial_success = 1 { rejected_log_records = 1 } }. */
function partialProto(count: number): Buffer {
  const varint: number[] = []
  for (let rest = count; ; rest >>>= 7) {
    varint.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  return Buffer.from([0x0a, 1 + varint.length, 0x08, ...varint])
}

const TAKEN = { status: 201, _index: 'logs-x-default' }

function endBulk(response: ServerResponse, results: readonly { readonly status: number }[]): void {
  const items = results.map((create) => ({ create }))
  response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
  response.end(JSON.stringify({ took: 1, errors: results.some(({ status }) => status >= 400), items }))
}

function bulkAnswer(response: ServerResponse, count: number, kept: number): void {
  const error = { type: 'es_rejected_execution_exception', reason: 'queue is full' }
  endBulk(
    response,
    Array.from({ length: count }, (_, i) => (i < kept ? TAKEN : { status: 429, error })),
  )
}

async function behave(mood: Mood, all: Request): Promise<void> {
  const { response, request } = all
  if (mood.kind === 'accepts') accept(all)
  else if (mood.kind === 'answers') {
    const { status, retryAfter } = mood
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }).end('{}')
  } else if (mood.kind === 'takes and resets') {
    take(all.numbers)
    request.socket.resetAndDestroy()
  } else if (mood.kind === 'breaks off') {
    take(all.numbers)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{"took":1,', () => request.socket.resetAndDestroy())
  } else if (mood.kind === 'refuses') refuse(all, mood.every)
  else if (mood.kind === 'answers garbage') {
    take(all.numbers)
    response.writeHead(200, { 'content-type': mood.type ?? 'application/json' }).end('<html>\u0000\u0001 all is well')
  } else if (mood.kind === 'takes half') accept(all, true)
  else if (mood.kind === 'is slow') {
    await sleep(mood.ms)
    accept(all)
  } else if (mood.kind === 'changes') {
    const { moods } = mood
    await behave(moods[Math.floor(Math.random() * moods.length)] as Mood, all)
  }
  // 'hangs' answers nothing; 'down' has no listener.
}

async function serve(mood: Mood, request: IncomingMessage, response: ServerResponse): Promise<void> {
  report.requests += 1
  if (mood.kind === 'resets') {
    request.once('data', () => request.socket.resetAndDestroy())
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = Buffer.concat(chunks)
  const encoding = request.headers['content-encoding']
  const body = encoding === 'gzip' ? gunzipSync(raw) : encoding === 'zstd' ? zstdDecompressSync(raw) : raw
  const isBulk = request.url?.includes('_bulk') ?? false
  const isJson = String(request.headers['content-type']).includes('json')
  await behave(mood, { numbers: numbersOf(body, isBulk), isBulk, isJson, request, response })
}

async function run(first: Mood): Promise<void> {
  let mood = first
  let port = 0
  let server: Server | undefined
  const up = async (): Promise<void> => {
    const started = createServer((request, response) => void serve(mood, request, response).catch(() => {}))
    await new Promise<void>((resolve) => started.listen(port, '127.0.0.1', resolve))
    port = (started.address() as AddressInfo).port
    server = started
  }
  const down = async (): Promise<void> => {
    const closing = server
    server = undefined
    closing?.closeAllConnections()
    await new Promise<void>((resolve) => (closing === undefined ? resolve() : closing.close(() => resolve())))
  }
  const answers = {
    async mood(question: Ask & { ask: 'mood' }) {
      const { mood: next } = question
      mood = next
      // Whoever was left without an answer gets none.
      if (next.kind === 'down') await down()
      else if (server === undefined) await up()
      return null
    },
    report: async () => ({ ...report, arrived: counts.size }),
    missing: async ({ count }: Ask & { ask: 'missing' }) =>
      Array.from({ length: count }, (_, i) => i)
        .filter((i) => !counts.has(i))
        .slice(0, 1000),
  }
  process.on('message', (question: Ask) => {
    void answers[question.ask](question as never).then((value) => process.send?.(value as object))
  })
  // Whoever started this is gone.
  process.once('disconnect', () => process.exit())
  await up()
  process.send?.(port)
  if (first.kind === 'down') await down()
}

if (import.meta.main) await run(JSON.parse(process.argv[2] ?? '{"kind":"accepts"}') as Mood)
