/** `JSON.parse` for requests: bounded before it begins, with the digits of large integers, and errors that quote nothing. */

/** An integer beyond 2^53 that is not text already. */
const MAY_LOSE_DIGITS = /[:,[\s]-?\d{16}/

/** Smaller texts cannot become very large, whatever they hold; most requests are. */
const SMALL_BYTES = 256 * 1024
/** A value of 32 levels has about a hundred levels of JSON. */
const MAX_LEVELS = 512
/** Objects and lists: a body of 20 MiB of dense, honest logs has half of it. Each takes some fifty bytes in memory. */
const MAX_NODES = 1_500_000
/** Members of objects: unknown names make the engine build tables of them. */
const MAX_MEMBERS = 4_000_000

export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > SMALL_BYTES) checkShape(bytes)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return MAY_LOSE_DIGITS.test(text) ? JSON.parse(text, keepDigits as never) : JSON.parse(text)
  } catch (error) {
    throw new RangeError(`not JSON: ${reasonOf(error as Error)}`)
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** What a byte outside of texts means for the shape. */
const [TEXT, MEMBER, BEGIN, END] = [1, 2, 3, 4]
const MEANING = new Uint8Array(256)
for (const [characters, meaning] of [
  ['"', TEXT],
  [':', MEMBER],
  ['[{', BEGIN],
  [']}', END],
] as const) {
  for (const character of characters) MEANING[character.charCodeAt(0)] = meaning
}

/** Counts what parsing would make of the text. It need not be JSON: what is not, the parser says. */
function checkShape(bytes: Uint8Array): void {
  let levels = 0
  let nodes = 0
  let members = 0
  for (let i = 0; i < bytes.length && levels <= MAX_LEVELS; i++) {
    switch (MEANING[bytes[i] as number]) {
      case TEXT:
        i = endOfText(bytes, i + 1)
        break
      case MEMBER:
        members += 1
        break
      case BEGIN:
        nodes += 1
        levels += 1
        break
      case END:
        levels -= 1
    }
  }
  if (levels > MAX_LEVELS) throw new RangeError('not JSON: it is nested too deep')
  if (nodes > MAX_NODES || members > MAX_MEMBERS) {
    throw new RangeError('the request has too many objects for its size: send smaller batches')
  }
}

/** Where the text ends that begins at `i`. */
function endOfText(bytes: Uint8Array, i: number): number {
  let at = i
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at
    if (byte === BACKSLASH) at += 1
  }
  return at
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
