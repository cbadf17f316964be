/** The form in which batches stand in a queue on disk: OTLP protobuf, which loses nothing that a record may hold. */
import { decodeOtlpProtobuf } from '../otlp/decode-protobuf.ts'
import { ProtoWriter } from '../otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../otlp/protobuf.ts'
import { InternTable } from '../records/interning.ts'
import type { LogRecord, Resource, Scope } from '../records/record.ts'

/** Grows to the largest batch, and is used for all. */
const writer = new ProtoWriter()

/** Bytes with a buffer of their own, which can be handed to another thread. */
export function toStored(records: readonly LogRecord[]): Uint8Array {
  return new Uint8Array(encodeOtlpProtobuf(records, writer))
}

/** What is read back shares these. Not the common tables: what a request once supplied may be among it. */
const resources = new InternTable<Resource>(1000)
const scopes = new InternTable<Scope>(1000)

/** Throws what the decoder throws where the bytes are damaged. */
export function fromStored(body: Uint8Array): LogRecord[] {
  const records = decodeOtlpProtobuf(body)
  const known = new Map<object, object>()
  for (const record of records) {
    record.resource = shared(record.resource, resources, known)
    record.instrumentationScope = shared(record.instrumentationScope, scopes, known)
  }
  return records
}

/** `known` spares the text of an object that was seen a record ago. */
function shared<T extends object>(one: T, table: InternTable<T>, known: Map<object, object>): T {
  const seen = known.get(one)
  if (seen !== undefined) return seen as T
  const found = table.get(JSON.stringify(one), () => one)
  known.set(one, found)
  return found
}
