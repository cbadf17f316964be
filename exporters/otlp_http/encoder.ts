/** Encodes requests into buffers that are used again once their request is over. */
import { GrowingBuffer } from '../../src/otlp/growing-buffer.ts'
import { encodeOtlpJson } from '../../src/otlp/json.ts'
import { ProtoWriter } from '../../src/otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../../src/otlp/protobuf.ts'
import type { LogRecord } from '../../src/records/record.ts'

export interface Encoder {
  encode(records: readonly LogRecord[]): Buffer
  /**
   * Gives a body back after a request that was answered. A body whose request was cut off is not given back:
   * the socket may still be reading it.
   */
  release(body: Uint8Array): void
}

export function createEncoder(encoding: 'json' | 'proto'): Encoder {
  return encoding === 'json'
    ? pooled(() => new GrowingBuffer(), encodeOtlpJson)
    : pooled(() => new ProtoWriter(), encodeOtlpProtobuf)
}

function pooled<B>(create: () => B, encode: (records: readonly LogRecord[], into: B) => Buffer): Encoder {
  const free: B[] = []
  const lent = new WeakMap<Uint8Array, B>()
  return {
    encode(records) {
      const buffer = free.pop() ?? create()
      const body = encode(records, buffer)
      lent.set(body, buffer)
      return body
    },
    release(body) {
      const buffer = lent.get(body)
      if (buffer !== undefined && lent.delete(body)) free.push(buffer)
    },
  }
}
