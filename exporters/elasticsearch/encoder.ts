/** Encodes `_bulk` requests into buffers that are used again once their request is over. */
import { createHash } from 'node:crypto'
import { toEcsJson } from '../../src/ecs/document.ts'
import { bufferPool } from '../../src/otlp/buffer-pool.ts'
import { GrowingBuffer } from '../../src/otlp/growing-buffer.ts'
import { escaped } from '../../src/records/json-text.ts'
import type { AnyValue, LogRecord } from '../../src/records/record.ts'
import type { Config } from './config.ts'
import { toOtelJson, toRawJson } from './otel.ts'
import type { Stream } from './streams.ts'

export interface Encoder {
  encode(records: readonly LogRecord[]): Buffer
  /** Gives a body back after a request that was answered: until then a socket may be reading it. */
  release(body: Uint8Array): void
}

const DOCUMENTS = { ecs: toEcsJson, otel: toOtelJson, raw: toRawJson } as const

export function createEncoder(config: Config, streamOf: (record: LogRecord) => Stream): Encoder {
  const toJson = DOCUMENTS[config.mapping.mode]
  const idOf = idReader(config)
  const pool = bufferPool(() => new GrowingBuffer())

  // Record by record: one text of megabytes would only be flattened, copied and thrown away.
  function write(records: readonly LogRecord[], into: GrowingBuffer): Buffer {
    for (const record of records) {
      const { action, names } = streamOf(record)
      const id = idOf(record)
      into.text(`${action}${id === '' ? '' : `,"_id":"${escaped(id)}"`}}}\n${toJson(record, names)}\n`)
    }
    return into.take()
  }
  return {
    encode: (records) => pool.encode((into) => write(records, into)),
    release: (body) => pool.release(body),
  }
}

/** Longest `_id` that servers take, in bytes. */
const MAX_ID = 512

/** The id of a document; empty where the server shall choose one. */
function idReader({ dedupe, logs_dynamic_id }: Config): (record: LogRecord) => string {
  return (record) => {
    const chosen = logs_dynamic_id.enabled ? asId(record.attributes['elasticsearch.document_id']) : ''
    return chosen === '' && dedupe ? idOf(record) : chosen
  }
}

/**
 * The uid and the record's own time, where it has one. A client of a Kubernetes API server may choose the audit ID of
 * its request, and several servers may log one request under the same: with the uid alone the second event would count
 * as a copy of the first, and nobody would see it.
 */
function idOf({ attributes, hrTime, hrTimeObserved }: LogRecord): string {
  const uid = attributes['log.record.uid']
  if (typeof uid !== 'string' || uid === '') return ''
  const [seconds, nanos] = hrTime
  // Without a time of its own a record has that of its reading, which is another one when it is read again.
  const hasOwnTime = seconds !== hrTimeObserved[0] || nanos !== hrTimeObserved[1]
  return asId(hasOwnTime ? `${uid}@${seconds}.${nanos}` : uid)
}

function asId(value: AnyValue): string {
  if (typeof value !== 'string') return ''
  if (value.length * 3 <= MAX_ID || Buffer.byteLength(value) <= MAX_ID) return value
  return createHash('sha256').update(value).digest('hex')
}
