/**
 * Answers to OTLP requests: `ExportLogsServiceResponse` and `google.rpc.Status`, in protobuf and in JSON.
 *
 *   ExportLogsServiceResponse  partial_success 1 { rejected_log_records 1, error_message 2 }
 *   Status                     code 1, message 2, details 3 (Any)
 *   Any                        type_url 1, value 2
 *   RetryInfo                  retry_delay 1 { seconds 1, nanos 2 }
 */
import { ProtoWriter } from './proto-writer.ts'

/** Codes of gRPC (google/rpc/code.proto), as far as we give them. */
export const CODE = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

export interface Status {
  readonly code: number
  readonly message: string
  /** When the client should try again. */
  readonly retryAfterMs?: number | undefined
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'
const EMPTY = Buffer.alloc(0)
const EMPTY_JSON = Buffer.from('{}')

/** "All of it was taken", with a warning where there is one. */
export function encodeAccepted(isJson: boolean, warning = ''): Buffer {
  if (warning === '') return isJson ? EMPTY_JSON : EMPTY
  if (isJson) return Buffer.from(JSON.stringify({ partialSuccess: { rejectedLogRecords: '0', errorMessage: warning } }))
  const writer = new ProtoWriter(64 + warning.length * 3)
  const partial = writer.begin(0x0a)
  writer.string(0x12, warning)
  writer.end(partial)
  return writer.take()
}

export function encodeStatus(isJson: boolean, { code, message, retryAfterMs }: Status): Buffer {
  if (isJson) {
    const details =
      retryAfterMs === undefined ? {} : { details: [{ '@type': RETRY_INFO, retryDelay: `${retryAfterMs / 1000}s` }] }
    return Buffer.from(JSON.stringify({ code, message, ...details }))
  }
  const writer = new ProtoWriter(128 + message.length * 3)
  writer.uint(0x08, code)
  writer.string(0x12, message)
  if (retryAfterMs !== undefined) writeRetryInfo(writer, retryAfterMs)
  return writer.take()
}

function writeRetryInfo(writer: ProtoWriter, retryAfterMs: number): void {
  const any = writer.begin(0x1a)
  writer.string(0x0a, RETRY_INFO)
  const info = writer.begin(0x12)
  const delay = writer.begin(0x0a)
  writer.uint(0x08, Math.floor(retryAfterMs / 1000))
  writer.uint(0x10, (retryAfterMs % 1000) * 1_000_000)
  writer.end(delay)
  writer.end(info)
  writer.end(any)
}
