/** Addresses as text, the way the rest of the receiver writes them. */
import { big16 } from './text.ts'

export function ipv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
}

/** RFC 5952: lower case, the longest run of two zero groups or more as `::`. An IPv4 address mapped into IPv6 as IPv4. */
export function ipv6(bytes: Uint8Array, at: number): string {
  const run = longestRun(bytes, at)
  if (run.from === 0 && run.length === 5 && big16(bytes, at + 10) === 0xffff) return ipv4(bytes, at + 12)
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === run.from) {
      text += '::'
      i += run.length - 1
      continue
    }
    if (text !== '' && !text.endsWith(':')) text += ':'
    text += big16(bytes, at + i * 2).toString(16)
  }
  return text
}

function longestRun(bytes: Uint8Array, at: number): { from: number; length: number } {
  const best = { from: -1, length: 1 }
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && big16(bytes, at + (i + length) * 2) === 0) length++
    if (length > best.length) {
      best.from = i
      best.length = length
    }
    i += length
  }
  return best
}
