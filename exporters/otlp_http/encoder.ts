/** Encodes requests into buffers that are used again once their request is over. */
import { bufferPool } from '../../src/otlp/buffer-pool.ts'
import { GrowingBuffer } from '../../src/otlp/growing-buffer.ts'
import { encodeOtlpJson } from '../../src/otlp/json.ts'
import { ProtoWriter } from '../../src/otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../../src/otlp/protobuf.ts'
import type { LogRecord } from '../../src/records/record.ts'

export interface Encoder {
  encode(records: readonly LogRecord[]): Buffer
  /** See `BufferPool`. */
  release(body: Uint8Array): void
}

export function createEncoder(encoding: 'json' | 'proto'): Encoder {
  return encoding === 'json'
    ? pooled(() => new GrowingBuffer(), encodeOtlpJson)
    : pooled(() => new ProtoWriter(), encodeOtlpProtobuf)
}

function pooled<B extends { take(): Buffer }>(
  create: () => B,
  encode: (records: readonly LogRecord[], into: B) => Buffer,
): Encoder {
  const pool = bufferPool(create)
  return {
    encode: (records) => pool.encode((into) => encode(records, into)),
    release: (body) => pool.release(body),
  }
}
