/** Kernel records made by hand, field by field, as the kernel side would write them. */
import * as layout from '../../../src/ebpf/layout/offsets.ts'
import { TYPE } from '../../../src/ebpf/layout/values.ts'
import { type RingMemory, ringMemory } from '../../../src/ebpf/memory.ts'

const { HEADER } = layout

type TypeName = Exclude<keyof typeof TYPE, 'types'>
type Offsets = Readonly<Record<string, number>>
/** Numbers by their width, texts of spans and of `comm`, 16 bytes of an address. */
export type Fields = Readonly<Record<string, number | bigint | string | Uint8Array>>

function offsetsOf(type: TypeName): Offsets {
  const name = type.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
  return (layout as unknown as Record<string, Offsets>)[name] as Offsets
}

/** A record of this type; what is not given is zero. Header fields go by the names of `HEADER`. */
export function record(type: TypeName, header: Fields, fields: Fields = {}): Buffer {
  const own = offsetsOf(type)
  const fixed = own['bytes'] as number
  const tail: Buffer[] = []
  let length = fixed
  const bytes = Buffer.alloc(fixed)
  const put = (offsets: Offsets, name: string, value: Fields[string]): void => {
    const offset = offsets[name]
    if (offset === undefined) throw new Error(`${type} has no field ${name}`)
    if (typeof value === 'bigint') bytes.writeBigUInt64LE(value, offset)
    else if (typeof value === 'number') {
      if (widthOf(offsets, name) === 2) bytes.writeUInt16LE(value & 0xffff, offset)
      else bytes.writeUInt32LE(value >>> 0, offset)
    } else if (offsets[`${name}Off`] === undefined) Buffer.from(value as Uint8Array).copy(bytes, offset)
    else {
      const text = Buffer.from(value as Uint8Array)
      bytes.writeUInt16LE(length, offset)
      bytes.writeUInt16LE(text.length, offset + 2)
      tail.push(text)
      length += text.length
    }
  }
  for (const [name, value] of Object.entries(header)) put(HEADER, name, value)
  for (const [name, value] of Object.entries(fields)) put(own, name, value)
  const size = (length + 7) & ~7
  bytes.writeUInt16LE(TYPE[type], HEADER.type)
  bytes.writeUInt32LE(size, HEADER.size)
  return Buffer.concat([bytes, ...tail], size)
}

const HALF_WORDS = /^(type|flags|op|ingress|kind)$|(Port|Family|Type|Protocol)$/

/** Two bytes where the next field begins two bytes on, or where the field is known to be short. */
function widthOf(offsets: Offsets, name: string): 2 | 4 {
  const offset = offsets[name] as number
  const next = Math.min(...Object.values(offsets).filter((other) => other > offset))
  if (offset % 4 !== 0) return 2
  return next - offset === 2 || (HALF_WORDS.test(name) && next - offset < 4) ? 2 : 4
}

/** Records one after the other, with where each begins and how long it is. */
export interface Records {
  readonly memory: RingMemory
  readonly places: readonly { readonly at: number; readonly size: number }[]
}

export function together(records: readonly Uint8Array[]): Records {
  const places: { at: number; size: number }[] = []
  let length = 0
  for (const { length: size } of records) {
    places.push({ at: length, size })
    length += (size + 7) & ~7
  }
  const buffer = new ArrayBuffer(Math.max(8, length))
  const all = new Uint8Array(buffer)
  for (const [i, one] of records.entries()) all.set(one, places[i]?.at)
  return { memory: ringMemory(buffer), places }
}

/** The records of a file that `kit/raw.ts --save` wrote. */
export function split(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Uint8Array[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true)
    found.push(bytes.subarray(at, at + size))
    at += size
  }
  return found
}

export function ipv4(text: string): Uint8Array {
  const ip = new Uint8Array(16)
  for (const [i, part] of text.split('.').entries()) ip[i] = Number(part)
  return ip
}
