/** Messages as they go over the wire, put together by hand, so that they may be wrong as well. */

/** Labels of a name; `*` and a number is a pointer to there. */
export function name(text: string): Buffer {
  const parts: Buffer[] = []
  for (const label of text === '' ? [] : text.split('.')) {
    if (label.startsWith('*')) {
      const at = Number(label.slice(1))
      return Buffer.concat([...parts, Buffer.from([0xc0 | (at >> 8), at & 255])])
    }
    const bytes = Buffer.from(label, 'latin1')
    parts.push(Buffer.from([bytes.length]), bytes)
  }
  return Buffer.concat([...parts, Buffer.from([0])])
}

export function u16(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 2)
  for (const [i, number] of numbers.entries()) bytes.writeUInt16BE(number & 0xffff, i * 2)
  return bytes
}

export function question(text: string, type = 1): Buffer {
  return Buffer.concat([name(text), u16(type, 1)])
}

export function answer(text: string, type: number, data: Buffer, ttl = 300): Buffer {
  return Buffer.concat([name(text), u16(type, 1, ttl >>> 16, ttl, data.length), data])
}

export interface Parts {
  readonly id?: number
  readonly flags?: number
  readonly counts?: readonly [number, number, number, number]
  readonly questions?: readonly Buffer[]
  readonly answers?: readonly Buffer[]
  readonly others?: readonly Buffer[]
}

export const QUERY = 0x0100
export const RESPONSE = 0x8180

export function dns(parts: Parts): Buffer {
  const { id = 7, flags = QUERY, questions = [], answers = [], others = [] } = parts
  const counts = parts.counts ?? [questions.length, answers.length, 0, others.length]
  return Buffer.concat([u16(id, flags, ...counts), ...questions, ...answers, ...others])
}

export interface HelloParts {
  readonly version?: number
  readonly ciphers?: readonly number[]
  readonly extensions?: readonly (readonly [type: number, data: Buffer])[]
}

function long(bytes: Buffer): Buffer {
  return Buffer.concat([u16(bytes.length), bytes])
}

export function short(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

export const serverName = (host: string): [number, Buffer] => [
  0,
  long(Buffer.concat([Buffer.from([0]), long(Buffer.from(host, 'latin1'))])),
]
export const alpn = (...all: string[]): [number, Buffer] => [
  16,
  long(Buffer.concat(all.map((one) => short(Buffer.from(one, 'latin1'))))),
]
export const versions = (...all: number[]): [number, Buffer] => [43, short(u16(...all))]
export const signatures = (...all: number[]): [number, Buffer] => [13, long(u16(...all))]

/** The message without its record. */
export function helloMessage({ version = 0x0303, ciphers = [0x1301], extensions = [] }: HelloParts): Buffer {
  const all = Buffer.concat(extensions.map(([type, data]) => Buffer.concat([u16(type), long(data)])))
  const body = [
    u16(version),
    Buffer.alloc(32, 5),
    short(Buffer.alloc(32, 6)),
    long(u16(...ciphers)),
    Buffer.from([1, 0]),
  ]
  const bytes = Buffer.concat([...body, long(all)])
  return Buffer.concat([Buffer.from([1, 0]), long(bytes)])
}

/** In records of at most `most` bytes. */
export function records(message: Buffer, most = 16_384): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < message.length; at += most)
    parts.push(Buffer.from([22, 3, 1]), long(message.subarray(at, at + most)))
  return Buffer.concat(parts)
}

export function hello(parts: HelloParts, most?: number): Buffer {
  return records(helloMessage(parts), most)
}

export function frame(type: number, flags: number, stream: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0]), u16(data.length), Buffer.from([type, flags]), u16(0, stream), data])
}

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
export const SETTINGS = frame(4, 0, 0, Buffer.alloc(0))
