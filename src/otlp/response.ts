/** What an OTLP destination says about a request: `ExportLogsServiceResponse` and `google.rpc.Status`. */

export interface PartialSuccess {
  readonly rejected: number
  readonly message: string
}

/** Partial success of a 2xx answer; `rejected` is 0 where there is none. Undefined when the body cannot be read. */
export function readPartialSuccess(body: Uint8Array, isJson: boolean): PartialSuccess | undefined {
  if (body.length === 0) return { rejected: 0, message: '' }
  try {
    return isJson ? fromJson(body) : fromProtobuf(body)
  } catch {
    return undefined
  }
}

function fromJson(body: Uint8Array): PartialSuccess {
  const { partialSuccess } = JSON.parse(Buffer.from(body).toString('utf8')) as {
    partialSuccess?: { rejectedLogRecords?: number | string; errorMessage?: string }
  }
  const rejected = Number(partialSuccess?.rejectedLogRecords ?? 0)
  if (!(rejected >= 0)) throw new TypeError('not a number')
  return {
    rejected,
    message: String(partialSuccess?.errorMessage ?? ''),
  }
}

// ExportLogsServiceResponse { ExportLogsPartialSuccess partial_success = 1 { int64 rejected = 1; string message = 2 } }
function fromProtobuf(body: Uint8Array): PartialSuccess {
  const partial = fields(body).find(({ field }) => field === 1)?.bytes
  if (partial === undefined) return { rejected: 0, message: '' }
  const inner = fields(partial)
  const message = inner.find(({ field }) => field === 2)?.bytes
  return {
    rejected: inner.find(({ field }) => field === 1)?.value ?? 0,
    message: message === undefined ? '' : Buffer.from(message).toString('utf8'),
  }
}

/** The message of a `google.rpc.Status` (field 2), or the text of a JSON or plain answer; bounded. */
export function readErrorMessage(body: Uint8Array): string {
  const text = Buffer.from(body.subarray(0, 2048)).toString('utf8')
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    if (typeof message === 'string') return message.slice(0, 500)
  } catch {
    // Not JSON: a Status in protobuf, or plain text.
  }
  const isPlain = /^[\x20-\x7e\s]*$/.test(text)
  return (isPlain ? text : (statusMessage(body) ?? '')).trim().slice(0, 500)
}

function statusMessage(body: Uint8Array): string | undefined {
  try {
    const message = fields(body).find(({ field }) => field === 2)?.bytes
    return message === undefined ? undefined : Buffer.from(message).toString('utf8')
  } catch {
    return undefined
  }
}

interface Field {
  readonly field: number
  readonly value: number
  readonly bytes: Uint8Array | undefined
}

function fields(body: Uint8Array): Field[] {
  const found: Field[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = body[at++]
      if (byte === undefined) throw new RangeError('truncated')
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('overlong')
  }
  while (at < body.length) {
    const tag = varint()
    const wire = tag & 7
    if (wire === 0) found.push({ field: tag >>> 3, value: varint(), bytes: undefined })
    else if (wire === 2) {
      const length = varint()
      if (at + length > body.length) throw new RangeError('truncated')
      found.push({ field: tag >>> 3, value: 0, bytes: body.subarray(at, at + length) })
      at += length
    } else throw new RangeError('unexpected wire type')
  }
  return found
}

const RETRY_INFO = 'google.rpc.RetryInfo'

/** How long a `google.rpc.Status` asks to wait (RetryInfo among its details); at most an hour. */
export function readRetryDelayMs(status: Uint8Array): number | undefined {
  try {
    const any = fields(status)
      .filter(({ field, bytes }) => field === 3 && bytes !== undefined)
      .map(({ bytes }) => fields(bytes as Uint8Array))
      .find((details) => textOf(details, 1).endsWith(RETRY_INFO))
    if (any === undefined) return undefined
    const info = fields(any.find(({ field }) => field === 2)?.bytes ?? new Uint8Array(0))
    const delay = fields(info.find(({ field }) => field === 1)?.bytes ?? new Uint8Array(0))
    const part = (wanted: number): number => delay.find(({ field }) => field === wanted)?.value ?? 0
    return Math.min(3_600_000, part(1) * 1000 + part(2) / 1e6)
  } catch {
    return undefined
  }
}

function textOf(found: readonly Field[], wanted: number): string {
  const bytes = found.find(({ field }) => field === wanted)?.bytes
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8')
}
