/** Keys of the maps by which the kernel side includes and excludes. */
import { isIPv4, isIPv6 } from 'node:net'
import { ADDRESS_KEY, INODE_KEY, PATH_KEY } from '../layout/offsets.ts'
import { RULE } from '../layout/values.ts'

export type RuleKind = 'exclude' | 'include'

const MOST_TEXT = PATH_KEY.bytes - PATH_KEY.text

export function ruleValue(rule: RuleKind): Buffer {
  return u32(RULE[rule])
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

/** `dev` as the kernel has it: major << 20 | minor. */
export function inodeKey(dev: number, ino: bigint): Buffer {
  const bytes = Buffer.alloc(INODE_KEY.bytes)
  bytes.writeBigUInt64LE(ino, INODE_KEY.ino)
  bytes.writeUInt32LE(dev >>> 0, INODE_KEY.dev)
  return bytes
}

/** Throws a RangeError when the prefix is empty or longer than the kernel side compares. */
export function pathKey(prefix: string): Buffer {
  const text = Buffer.from(prefix)
  if (text.length === 0 || text.length > MOST_TEXT)
    throw new RangeError(`a prefix of a path has 1 to ${MOST_TEXT} bytes`)
  const bytes = Buffer.alloc(PATH_KEY.bytes)
  bytes.writeUInt32LE(text.length * 8, PATH_KEY.prefixLen)
  text.copy(bytes, PATH_KEY.text)
  return bytes
}

/** Of `10.0.0.0/8`, `fd00::/8` or a single address; IPv4 is kept as ::ffff:a.b.c.d. Throws a RangeError. */
export function addressKey(cidr: string): Buffer {
  const [address = '', length] = cidr.split('/')
  const isV4 = isIPv4(address)
  if (!isV4 && !isIPv6(address)) throw new RangeError(`${cidr} is no address and no CIDR range`)
  const most = isV4 ? 32 : 128
  const bits = length === undefined ? most : Number(length)
  if (!Number.isInteger(bits) || bits < 0 || bits > most)
    throw new RangeError(`${cidr}: the prefix has 0 to ${most} bits`)
  const bytes = Buffer.alloc(ADDRESS_KEY.bytes)
  bytes.writeUInt32LE(isV4 ? bits + 96 : bits, ADDRESS_KEY.prefixLen)
  const ip = bytes.subarray(ADDRESS_KEY.ip, ADDRESS_KEY.ip + 16)
  if (isV4) {
    ip[10] = 0xff
    ip[11] = 0xff
    address.split('.').forEach((part, i) => {
      ip[12 + i] = Number(part)
    })
  } else parseIPv6(address).copy(ip)
  return bytes
}

function parseIPv6(text: string): Buffer {
  const bytes = Buffer.alloc(16)
  // The tail may be written as IPv4.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = plain.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((each) => Number.parseInt(each, 16))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  for (const [i, group] of before.entries()) bytes.writeUInt16BE(group, i * 2)
  for (const [i, group] of after.entries()) bytes.writeUInt16BE(group, 16 - (after.length - i) * 2)
  return bytes
}
