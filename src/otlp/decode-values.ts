/**
 * Attributes and values of OTLP/protobuf, and how much of them is taken.
 *
 * What is read and counted is kept here for one request at a time: `decodeOtlpProtobuf` is the only entry, and
 * nothing interrupts it.
 */
import type { AnyValue, Attributes } from '../records/record.ts'
import { type DecodeLimits, OWN_LIMITS } from './limits.ts'
import { ProtoReader } from './proto-reader.ts'
import { Shapes } from './shapes.ts'

export let reader = new ProtoReader(new Uint8Array(0))
export let limits = OWN_LIMITS
/** Attributes and values at all levels of what is being read, and how many of them were left out. */
let attributesSeen = 0
let valuesSeen = 0
let cut = 0
let cutInAll = 0

export function beginRequest(bytes: Uint8Array, within: DecodeLimits): void {
  reader = new ProtoReader(bytes)
  limits = within
  cut = 0
  cutInAll = 0
}

/** Lets go of the request. The result says how much of it was left out. */
export function endRequest(): number {
  reader = new ProtoReader(new Uint8Array(0))
  keys.length = 0
  values.length = 0
  return cutInAll + cut
}

/** A record, a resource or a scope begins. */
export function beginItem(): void {
  cutInAll += cut
  attributesSeen = 0
  valuesSeen = 0
  cut = 0
  count = 0
}

/** How much of the present record was left out. */
export function cutFromItem(): number {
  return cut
}

/** The attributes that are being read, side by side. */
const keys: string[] = []
const values: AnyValue[] = []
let count = 0
const shapes = new Shapes()

/** Reads the attribute whose tag was read, unless there were enough. */
export function readAttribute(tag: number, end: number): void {
  if (++attributesSeen > limits.maxAttributes) {
    cut += 1
    reader.skip(tag, end)
    return
  }
  if (!isAllowed(tag, end)) return
  const value = readPair(reader.end(end), 0)
  if (key === '__proto__') cut += 1
  else {
    keys[count] = key
    values[count++] = value
  }
}

/** The attributes that were read since the item began. */
export function takeAttributes(): Attributes {
  const attributes = shapes.make(keys, values, count)
  count = 0
  return attributes
}

/** Counts one more value; passes over the field and says no when there were enough. */
function isAllowed(tag: number, end: number): boolean {
  if (++valuesSeen <= limits.maxValues) return true
  cut += 1
  reader.skip(tag, end)
  return false
}

/** The key of the pair that was read last. */
let key = ''

function readPair(end: number, depth: number): AnyValue {
  let name = ''
  let value: AnyValue = null
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === 0x0a) name = reader.key(reader.end(end))
    else if (tag === 0x12) value = readValue(reader.end(end), depth)
    else reader.skip(tag, end)
  }
  key = name
  return value
}

function put(into: Attributes, value: AnyValue): void {
  // Setting it would change what the object inherits.
  if (key === '__proto__') cut += 1
  else into[key] = value
}

export function readValue(end: number, depth: number): AnyValue {
  let value: AnyValue = null
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === 0x0a) value = reader.text(reader.end(end))
    else if (tag === 0x18) value = reader.int64()
    else value = readOther(tag, end, depth, value)
  }
  return value
}

function readOther(tag: number, end: number, depth: number, before: AnyValue): AnyValue {
  switch (tag) {
    case 0x10:
      return reader.int64() !== 0
    case 0x21:
      return finite(reader.double(end))
    case 0x2a:
    case 0x32:
      return readNested(tag, reader.end(end), depth + 1)
    case 0x3a:
      return reader.bytes(reader.end(end))
    default:
      reader.skip(tag, end)
      return before
  }
}

/** Records hold finite numbers only. */
function finite(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

function readNested(tag: number, end: number, depth: number): AnyValue {
  if (depth > limits.maxDepth) {
    cut += 1
    reader.rewind(end)
    return null
  }
  const list: AnyValue[] = []
  const map: Attributes = {}
  while (reader.hasMore(end)) {
    const inner = reader.tag()
    if (inner !== 0x0a) reader.skip(inner, end)
    else if (!isAllowed(inner, end)) continue
    else if (tag === 0x2a) list.push(readValue(reader.end(end), depth))
    else put(map, readPair(reader.end(end), depth))
  }
  return tag === 0x2a ? list : map
}
