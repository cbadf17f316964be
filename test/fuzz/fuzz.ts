/** Every decoder of ours against input that nobody meant well with. */
import assert from 'node:assert/strict'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { judge } from '../../exporters/elasticsearch/response.ts'
import { config as fileLogConfig } from '../../receivers/file_log/config.ts'
import { criReader } from '../../receivers/file_log/cri.ts'
import { jsonReader } from '../../receivers/file_log/json.ts'
import type { LineReader, Output } from '../../receivers/file_log/take.ts'
import { createAuditDecoder, emptyDecoded } from '../../src/audit/decode.ts'
import { defaultAuditOptions } from '../../src/audit/options.ts'
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import { type BodyEncoding, BodyError, unpack } from '../../src/net/server-body.ts'
import { decodeOtlpJson } from '../../src/otlp/decode-json.ts'
import { decodeOtlpProtobuf } from '../../src/otlp/decode-protobuf.ts'
import { toOtlpJson } from '../../src/otlp/json.ts'
import type { DecodeLimits } from '../../src/otlp/limits.ts'
import { ProtoWriter } from '../../src/otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../../src/otlp/protobuf.ts'
import { readErrorMessage, readPartialSuccess, readRetryDelayMs } from '../../src/otlp/response.ts'
import { CODE, encodeAccepted, encodeStatus } from '../../src/otlp/status.ts'
import { recordToJson } from '../../src/records/json.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { event } from '../audit/events.ts'
import { record } from '../kit/records.ts'
import { damaged, hostile, noise, protobufLike, records } from './arbitraries.ts'
import { assertHarmless } from './harmless.ts'
import { wild, wildJson, wildProtobuf } from './trees.ts'

export interface FuzzResult {
  readonly name: string
  readonly cases: number
  /** The longest that one case took. */
  readonly slowestMs: number
  /** What went wrong, with the seed that repeats it. */
  readonly failure: string | undefined
}

interface Target {
  readonly name: string
  /** Of all cases, how many. */
  readonly share: number
  readonly property: (timed: <T>(run: () => T) => T) => fc.IRawProperty<unknown>
}

const LIMITS: DecodeLimits = { maxRecords: 50, maxAttributes: 20, maxValues: 60, maxDepth: 4 }
const TIGHT: DecodeLimits = { maxRecords: 1, maxAttributes: 10, maxValues: 14, maxDepth: 2 }
const WIDE: DecodeLimits = { maxRecords: 1000, maxAttributes: 1000, maxValues: 10_000, maxDepth: 32 }

const samples: LogRecord[] = [
  record({ text: 'plain', n: 5, big: 2 ** 40, d: 0.5, yes: true, list: ['a', 1, [2]], map: { a: { b: 'c' } } }),
  record({ most: Number.MAX_VALUE, bytes: new Uint8Array([1, 2]), umlaut: 'Grüße 世界' }, { body: { a: [1] } }),
  record(
    {},
    { spanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 } },
  ),
]
const writer = new ProtoWriter(1024)
const protobuf = (all: readonly LogRecord[]): Buffer => Buffer.from(encodeOtlpProtobuf(all, writer))
const protobufSamples = [protobuf(samples), ...samples.map((one) => protobuf([one]))]
const jsonSamples = [Buffer.from(toOtlpJson(samples)), ...samples.map((one) => Buffer.from(toOtlpJson([one])))]

/** A decoder either reads it, or says in words why not. */
function decodes(decode: typeof decodeOtlpJson, bytes: Buffer, limits: DecodeLimits): void {
  let decoded: LogRecord[]
  try {
    decoded = decode(bytes, limits)
  } catch (error) {
    assert(error instanceof RangeError, `${error}`)
    assert.match(error.message, /^[a-zA-Z][\x20-\x7e]{5,200}$/, 'a sentence, and nothing of the request')
    return
  }
  assertHarmless(decoded, limits)
  // What was read can be sent on.
  protobuf(decoded)
  toOtlpJson(decoded)
  for (const one of decoded) recordToJson(one)
}

const essence = (all: readonly LogRecord[]): unknown =>
  all.map(({ resource: _, instrumentationScope: __, ...one }) => one)

const fileOptions = fileLogConfig.parse({ include: ['/x'], max_log_size: 4096 })
const lines = [
  '2026-01-02T03:04:05.000000006Z stdout F GET / 200',
  '2026-01-02T03:04:06.000000006Z stderr P half a ',
  '{"log":"text\\n","stream":"stdout","time":"2026-01-02T03:04:06.000000006Z"}',
  '{"time":"2026-01-02T03:04:05Z","level":"warn","message":"m","a":{"b":[1,{"c":2}]},"n":12345678901234567890}',
].map((line) => Buffer.from(line))
const auditLines = [
  event(),
  event({ requestObject: { kind: 'Secret', data: { a: 'cGFzc3dvcmQ=' } }, responseObject: { status: 'x' } }),
  { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items: [event(), event({ user: null })] },
].map((one) => Buffer.from(JSON.stringify(one)))

function output(made: LogRecord[]): Output {
  return {
    record(body, offset) {
      const one = record({ 'log.record.uid': `x:${offset}` }, { body })
      made.push(one)
      return one
    },
    reject: (error, raw) => assert(error.length > 0 && raw.length >= 0),
    truncated: (bytes) => assert(bytes > 0),
  }
}

function reads(reader: LineReader, text: string): void {
  const made: LogRecord[] = []
  const out = output(made)
  for (const line of text.split('\n')) reader.read(line, 0, out)
  reader.flush(out)
  assertHarmless(made, { ...WIDE, maxDepth: 64 })
  toOtlpJson(made)
}

const PACK: Record<Exclude<BodyEncoding, ''>, (body: Buffer) => Buffer> = {
  gzip: (body) => gzipSync(body),
  zstd: (body) => zstdCompressSync(body),
  zlib: (body) => deflateSync(body),
  deflate: (body) => deflateSync(body),
}
const packed = Object.entries(PACK).flatMap(([encoding, pack]) =>
  [Buffer.alloc(0), protobufSamples[0] as Buffer, Buffer.alloc(100_000, 'bomb')].map((body) => ({
    encoding: encoding as BodyEncoding,
    body: pack(body),
  })),
)
const UNPACK_LIMIT = 50_000

const bulkAnswers = [
  { errors: false, items: [{ create: { status: 201 } }] },
  { errors: true, items: [{ create: { status: 400, error: { type: 'x', reason: 'y', caused_by: { reason: 'z' } } } }] },
  { errors: true, items: [{ create: { status: 429 } }] },
].map((one) => Buffer.from(JSON.stringify(one)))
const VERDICTS = [HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError]

const answers = [
  encodeAccepted(false, 'a warning'),
  encodeAccepted(true, 'a warning'),
  encodeStatus(false, { code: CODE.unavailable, message: 'because', retryAfterMs: 1500 }),
  encodeStatus(true, { code: CODE.unavailable, message: 'because', retryAfterMs: 1500 }),
]

const TARGETS: Target[] = [
  {
    name: 'OTLP protobuf',
    share: 0.2,
    property: (timed) =>
      fc.property(fc.oneof(hostile(protobufSamples), protobufLike), fc.boolean(), (bytes, isWide) =>
        timed(() => decodes(decodeOtlpProtobuf, bytes, isWide ? WIDE : LIMITS)),
      ),
  },
  {
    name: 'OTLP JSON',
    share: 0.15,
    property: (timed) =>
      fc.property(
        fc.oneof(
          hostile(jsonSamples),
          fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
        ),
        fc.boolean(),
        (bytes, isWide) => timed(() => decodes(decodeOtlpJson, bytes, isWide ? WIDE : LIMITS)),
      ),
  },
  {
    name: 'one request is the same in both encodings, whatever is too much in it',
    share: 0.15,
    property: (timed) =>
      fc.property(wild, fc.constantFrom(TIGHT, LIMITS, WIDE), (one, limits) =>
        timed(() => {
          const fromProtobuf = decodeOtlpProtobuf(wildProtobuf(one), limits)
          assertHarmless(fromProtobuf, limits)
          const fromJson = decodeOtlpJson(wildJson(one), limits)
          assertHarmless(fromJson, limits)
          assert.deepEqual(essence(fromProtobuf), essence(fromJson))
        }),
      ),
  },
  {
    name: 'records that were encoded come back equal, in both encodings',
    share: 0.1,
    property: (timed) =>
      fc.property(records, (all) =>
        timed(() => {
          assert.deepEqual(essence(decodeOtlpProtobuf(protobuf(all))), essence(all))
          const fromJson = decodeOtlpJson(Buffer.from(toOtlpJson(all)))
          assert.deepEqual(essence(fromJson), essence(all))
        }),
      ),
  },
  {
    name: 'gzip, zstd and zlib bodies',
    share: 0.05,
    property: (timed) =>
      fc.asyncProperty(
        fc
          .constantFrom(...packed)
          .chain(({ encoding, body }) =>
            fc.tuple(fc.constant(encoding), fc.oneof(noise, damaged([body]), fc.constant(body))),
          ),
        ([encoding, body]) =>
          timed(async () => {
            try {
              assert((await unpack(body, encoding, UNPACK_LIMIT)).length <= UNPACK_LIMIT)
            } catch (error) {
              assert(error instanceof BodyError && [400, 413].includes(error.status), `${error}`)
            }
          }),
      ),
  },
  {
    name: 'Kubernetes audit lines',
    share: 0.15,
    property: (timed) => {
      const decoder = createAuditDecoder(defaultAuditOptions({ default_ignores: false }))
      return fc.property(
        fc.oneof(
          hostile(auditLines),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) =>
          timed(() => {
            const into = emptyDecoded()
            decoder.line(bytes.toString('utf8'), [1, 2], into)
            toOtlpJson(into.records)
            protobuf(into.records)
          }),
      )
    },
  },
  {
    name: 'log files: JSON lines and container logs',
    share: 0.15,
    property: (timed) =>
      fc.property(
        fc.oneof(
          hostile(lines),
          fc.json().map((text) => Buffer.from(text)),
        ),
        fc.boolean(),
        (bytes, isCri) => timed(() => reads((isCri ? criReader : jsonReader)(fileOptions), bytes.toString('utf8'))),
      ),
  },
  {
    name: 'answers of destinations',
    share: 0.05,
    property: (timed) =>
      fc.property(hostile([...answers, ...bulkAnswers]), fc.integer({ min: 200, max: 599 }), (body, status) =>
        timed(() => {
          for (const isJson of [true, false]) {
            const partial = readPartialSuccess(body, isJson)
            if (partial !== undefined) assert(typeof partial.message === 'string')
          }
          assert(readErrorMessage(body).length <= 500)
          assert((readRetryDelayMs(body) ?? 0) <= 3_600_000)
          const tally = { deduplicated: 0, failureStore: { used: 0, failed: 0, not_enabled: 0 } }
          try {
            judge([record()], { status, headers: {}, body, isCut: false }, true, tally)
          } catch (error) {
            assert(
              VERDICTS.some((verdict) => error instanceof verdict),
              `${error}`,
            )
          }
        }),
      ),
  },
]

/** Runs about `cases` cases over all decoders; the same seed gives the same cases. */
export async function fuzz(cases: number, seed = Date.now() % 2 ** 31): Promise<FuzzResult[]> {
  const results: FuzzResult[] = []
  for (const { name, share, property } of TARGETS) {
    let slowestMs = 0
    const timed = <T>(run: () => T): T => {
      const startedAt = performance.now()
      try {
        return run()
      } finally {
        slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      }
    }
    const numRuns = Math.ceil(cases * share)
    const report = await fc.check(property(timed), { numRuns, seed })
    const failure = report.failed ? `${report.errorInstance}\n${fc.defaultReportMessage(report)}` : undefined
    results.push({ name, cases: report.numRuns, slowestMs, failure })
  }
  return results
}
