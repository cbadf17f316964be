/** `JSON.parse` for requests: large integers keep their digits, and errors quote nothing of the request. */

/** An integer beyond 2^53 that is not text already. */
const MAY_LOSE_DIGITS = /[:,[\s]-?\d{16}/

export function parseJson(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return MAY_LOSE_DIGITS.test(text) ? JSON.parse(text, keepDigits as never) : JSON.parse(text)
  } catch (error) {
    throw new RangeError(`not JSON: ${reasonOf(error as Error)}`)
  }
}

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? source
    : value
}

/** The engine's message with the place, without the excerpt: that is the sender's data, which belongs in no log. */
function reasonOf({ name, message }: Error): string {
  if (name === 'RangeError') return 'it is nested too deep'
  const place = /at position \d+/.exec(message)
  if (place !== null) return `unexpected text ${place[0]}`
  return /end of/i.test(message) ? 'it ends too early' : 'unexpected text'
}
