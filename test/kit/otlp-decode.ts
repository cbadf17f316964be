/** Reads OTLP log requests back, independently of the encoders under test. */

export interface DecodedRecord {
  readonly time: string
  readonly observedTime: string
  readonly severityNumber: number
  readonly severityText: string
  readonly eventName: string
  readonly body: unknown
  readonly attributes: Record<string, unknown>
  readonly resource: Record<string, unknown>
  readonly scope: string
}

type Message = Map<number, (bigint | Buffer)[]>

export function decodeOtlp(body: Buffer, contentType: string): DecodedRecord[] {
  return contentType.startsWith('application/json') ? fromJson(JSON.parse(body.toString('utf8'))) : fromProtobuf(body)
}

/* ---- JSON ---- */

// biome-ignore lint/suspicious/noExplicitAny: a decoder reads what it finds.
type Json = any

function fromJson(request: Json): DecodedRecord[] {
  return request.resourceLogs.flatMap(({ resource, scopeLogs }: Json) =>
    scopeLogs.flatMap(({ scope, logRecords }: Json) =>
      logRecords.map((one: Json) => ({
        time: one.timeUnixNano,
        observedTime: one.observedTimeUnixNano,
        severityNumber: one.severityNumber,
        severityText: one.severityText,
        eventName: one.eventName,
        body: jsonValue(one.body),
        attributes: jsonAttributes(one.attributes),
        resource: jsonAttributes(resource.attributes),
        scope: scope.name,
      })),
    ),
  )
}

function jsonAttributes(list: Json[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, jsonValue(value)]))
}

function jsonValue(value: Json): unknown {
  const [[kind, inner] = ['', undefined]] = Object.entries(value) as [string, Json][]
  if (kind === 'intValue' || kind === 'doubleValue') return Number(inner)
  if (kind === 'arrayValue') return inner.values.map(jsonValue)
  if (kind === 'kvlistValue') return jsonAttributes(inner.values)
  if (kind === 'bytesValue') return Buffer.from(inner, 'base64')
  return inner
}

/* ---- protobuf ---- */

function parse(bytes: Buffer): Message {
  const message: Message = new Map()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('truncated varint')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    let value: bigint | Buffer
    if ((tag & 7) === 0) value = varint()
    else if ((tag & 7) === 2) {
      const length = Number(varint())
      if (at + length > bytes.length) throw new Error('truncated message')
      value = bytes.subarray(at, at + length)
      at += length
    } else {
      const size = (tag & 7) === 1 ? 8 : 4
      value = bytes.subarray(at, at + size)
      at += size
    }
    const list = message.get(tag >> 3) ?? []
    message.set(tag >> 3, list)
    list.push(value)
  }
  return message
}

const all = (message: Message, field: number): Message[] =>
  (message.get(field) ?? []).map((one) => parse(one as Buffer))
const text = (message: Message, field: number): string =>
  (message.get(field)?.[0] as Buffer | undefined)?.toString('utf8') ?? ''
const fixed = (message: Message, field: number): string =>
  (message.get(field)?.[0] as Buffer | undefined)?.readBigUInt64LE().toString() ?? '0'

function fromProtobuf(body: Buffer): DecodedRecord[] {
  return all(parse(body), 1).flatMap((resourceLogs) => {
    const resource = attributes(all(resourceLogs, 1)[0] ?? new Map(), 1)
    return all(resourceLogs, 2).flatMap((scopeLogs) => {
      const scope = text(all(scopeLogs, 1)[0] ?? new Map(), 1)
      return all(scopeLogs, 2).map((one) => ({
        time: fixed(one, 1),
        observedTime: fixed(one, 11),
        severityNumber: Number(one.get(2)?.[0] ?? 0),
        severityText: text(one, 3),
        eventName: text(one, 12),
        body: value(all(one, 5)[0] ?? new Map()),
        attributes: attributes(one, 6),
        resource,
        scope,
      }))
    })
  })
}

function attributes(message: Message, field: number): Record<string, unknown> {
  return Object.fromEntries(all(message, field).map((pair) => [text(pair, 1), value(all(pair, 2)[0] ?? new Map())]))
}

function value(message: Message): unknown {
  const [[field, [first] = []] = []] = [...message]
  switch (field) {
    case 1:
      return (first as Buffer).toString('utf8')
    case 2:
      return first !== 0n
    case 3:
      return Number(BigInt.asIntN(64, first as bigint))
    case 4:
      return (first as Buffer).readDoubleLE()
    case 5:
      return all(parse(first as Buffer), 1).map(value)
    case 6:
      return attributes(parse(first as Buffer), 1)
    case 7:
      return first
    default:
      return undefined
  }
}
