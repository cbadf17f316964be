/** Reading fields of a kernel record in place. Every offset comes from layout/; every span is checked. */
import type { RingMemory } from '../memory.ts'

export function u16(memory: RingMemory, at: number): number {
  return memory.u16[at >> 1] as number
}

export function u32(memory: RingMemory, at: number): number {
  return memory.u32[at >> 2] as number
}

export function i32(memory: RingMemory, at: number): number {
  return memory.i32[at >> 2] as number
}

/** Exact to 2^53. */
export function u64(memory: RingMemory, at: number): number {
  return (memory.u32[at >> 2] as number) + (memory.u32[(at + 4) >> 2] as number) * 2 ** 32
}

export function bigU64(memory: RingMemory, at: number): bigint {
  return (BigInt(memory.u32[(at + 4) >> 2] as number) << 32n) | BigInt(memory.u32[at >> 2] as number)
}

/** A span that points outside of its record. */
export class BadSpan extends Error {}

/** Bytes of text that are looked up before a string is made of them. */
const SHORT = 64
/** A power of two. */
const PLACES = 16_384
/** Each place holds the last text that fell on it: others make the table useless, never larger and never wrong. */
const texts = new Array<string>(PLACES).fill('')

/**
 * The text of a span: UTF-8, what is none as U+FFFD. Texts repeat a lot (paths of libraries, names of programs), so that
 * short ones are looked up by a hash of their bytes before they are made.
 */
export function text(memory: RingMemory, record: number, size: number, span: number): string {
  const off = memory.u16[(record + span) >> 1] as number
  const length = memory.u16[(record + span + 2) >> 1] as number
  if (length === 0) return ''
  if (off + length > size) throw new BadSpan()
  return textAt(memory, record + off, length)
}

export function textAt(memory: RingMemory, at: number, length: number): string {
  if (length > SHORT) return memory.text.toString('utf8', at, at + length)
  const { u8 } = memory
  const end = at + length
  let hash = length
  let bits = 0
  for (let i = at; i < end; i++) {
    const byte = u8[i] as number
    bits |= byte
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  // Only characters that are one byte can be compared in place.
  if (bits >= 0x80) return memory.text.toString('utf8', at, end)
  const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
  const known = texts[place] as string
  if (known.length === length && isSame(u8, at, known)) return known
  const made = memory.text.toString('latin1', at, end)
  texts[place] = made
  return made
}

function isSame(u8: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (u8[at + i] !== text.charCodeAt(i)) return false
  return true
}

/** A fixed field of characters that ends at a NUL or with the field. */
export function name(memory: RingMemory, at: number, most: number): string {
  let length = 0
  while (length < most && memory.u8[at + length] !== 0) length++
  return textAt(memory, at, length)
}

/** Parts between NULs, at most `most`. */
export function parts(memory: RingMemory, record: number, size: number, span: number, most: number): string[] {
  const off = memory.u16[(record + span) >> 1] as number
  const length = memory.u16[(record + span + 2) >> 1] as number
  if (length === 0) return []
  if (off + length > size) throw new BadSpan()
  const found: string[] = []
  const end = record + off + length
  for (let at = record + off; at < end && found.length < most; ) {
    let stop = memory.u8.indexOf(0, at)
    if (stop < 0 || stop > end) stop = end
    found.push(textAt(memory, at, stop - at))
    at = stop + 1
  }
  return found
}

/** AF_* (include/linux/socket.h). */
export const AF = { unix: 1, inet: 2, inet6: 10 } as const

/** An address as text; an IPv4 address that is mapped into IPv6 as IPv4. */
export function address(memory: RingMemory, at: number, family: number): string {
  const { u8 } = memory
  if (family === AF.inet) return `${u8[at]}.${u8[at + 1]}.${u8[at + 2]}.${u8[at + 3]}`
  if (family !== AF.inet6) return ''
  let isMapped = u8[at + 10] === 0xff && u8[at + 11] === 0xff
  for (let i = 0; isMapped && i < 10; i++) isMapped = u8[at + i] === 0
  if (isMapped) return `${u8[at + 12]}.${u8[at + 13]}.${u8[at + 14]}.${u8[at + 15]}`
  return ipv6(u8, at)
}

/** RFC 5952: lower case, the longest run of two zero groups or more as `::`. */
function ipv6(u8: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((u8[at + i * 2] as number) << 8) | (u8[at + i * 2 + 1] as number))
  let best = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && groups[i + run] === 0) run++
    if (run > length) {
      best = i
      length = run
    }
    i += run
  }
  const hex = groups.map((group) => group.toString(16))
  if (best < 0) return hex.join(':')
  return `${hex.slice(0, best).join(':')}::${hex.slice(best + length).join(':')}`
}
