/** Hostile input: noise, and what is almost right, which gets further. */
import fc from 'fast-check'
import type { AnyValue, LogRecord } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

const KINDS = ['flip', 'set', 'insert', 'delete', 'cut', 'repeat', 'swap', 'ones'] as const

interface Mutation {
  readonly kind: (typeof KINDS)[number]
  readonly at: number
  readonly value: number
  readonly length: number
}

function mutate(bytes: Buffer, { kind, at: somewhere, value, length }: Mutation): Buffer {
  const at = bytes.length === 0 ? 0 : somewhere % bytes.length
  const before = bytes.subarray(0, at)
  const here = bytes.subarray(at, at + length)
  const after = bytes.subarray(at + length)
  switch (kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.from([(bytes[at] ?? 0) ^ (1 << (value & 7))]), bytes.subarray(at + 1)])
    case 'set':
      return Buffer.concat([before, Buffer.from([value]), bytes.subarray(at + 1)])
    case 'insert':
      return Buffer.concat([before, Buffer.alloc(length, value), bytes.subarray(at)])
    case 'delete':
      return Buffer.concat([before, after])
    case 'cut':
      return Buffer.from(before)
    case 'repeat':
      return Buffer.concat([before, here, here, here, after])
    case 'swap':
      return Buffer.concat([after, here, before])
    case 'ones':
      return Buffer.concat([before, Buffer.alloc(Math.min(10, length), 0xff), after])
  }
}

const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    at: fc.nat(1_000_000),
    value: fc.nat(255),
    length: fc.integer({ min: 1, max: 64 }),
  }),
  { minLength: 1, maxLength: 5 },
)

/** Bytes that were one of the samples before something happened to them. */
export function damaged(samples: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.constantFrom(...samples), mutations).map(([sample, all]) => all.reduce(mutate, sample))
}

export const noise: fc.Arbitrary<Buffer> = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))

/** Anything, or almost right. */
export function hostile(samples: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc.oneof({ weight: 1, arbitrary: noise }, { weight: 4, arbitrary: damaged(samples) })
}

const KNOWN_TAGS = [
  0x08, 0x09, 0x0a, 0x10, 0x12, 0x18, 0x1a, 0x20, 0x21, 0x22, 0x2a, 0x32, 0x38, 0x3a, 0x45, 0x4a, 0x52, 0x59, 0x62,
]

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

/** A message or text with its tag and its length. */
export function within(tag: number, ...inside: Buffer[]): Buffer {
  const body = Buffer.concat(inside)
  return Buffer.concat([varint(tag), varint(body.length), body])
}

/** Messages of the right form whose content makes no sense, at times with a length that is a lie. */
const message: fc.Arbitrary<Buffer> = fc.letrec<{ message: Buffer; field: Buffer }>((tie) => ({
  message: fc
    .array(tie('field') as fc.Arbitrary<Buffer>, { maxLength: 5, depthIdentifier: 'protobuf' })
    .map((parts) => Buffer.concat(parts)),
  field: fc
    .tuple(
      fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...KNOWN_TAGS) }, { weight: 1, arbitrary: fc.nat(4000) }),
      fc.oneof(
        { depthIdentifier: 'protobuf', maxDepth: 7, withCrossShrink: true },
        fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
        tie('message') as fc.Arbitrary<Buffer>,
      ),
      fc.oneof(
        { weight: 12, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -3, max: 2 ** 40 }) },
      ),
    )
    .map(([tag, body, lie]) => {
      const size = (tag & 7) === 1 ? 8 : (tag & 7) === 5 ? 4 : undefined
      if (size !== undefined)
        return Buffer.concat([
          varint(tag),
          Buffer.concat([body, Buffer.alloc(size, lie === 0 ? 0xff : 0)]).subarray(0, size),
        ])
      if ((tag & 7) === 0) return Buffer.concat([varint(tag), varint(body.length * 1000 + (body[0] ?? 0))])
      return Buffer.concat([varint(tag), varint(Math.max(0, body.length + lie)), body])
    }),
})).message

/** The places of a request where a message may stand: as itself, a record, the value of an attribute, in a list. */
const PLACES: ((inside: Buffer) => Buffer)[] = [
  (inside) => inside,
  (inside) => within(0x0a, within(0x12, within(0x12, inside))),
  (inside) =>
    within(0x0a, within(0x12, within(0x12, within(0x32, Buffer.from([0x0a, 1, 0x6b]), within(0x12, inside))))),
  (inside) =>
    within(0x0a, within(0x12, within(0x12, within(0x2a, within(0x2a, within(0x0a, inside), within(0x0a, inside)))))),
]

export const protobufLike: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(...PLACES), message)
  .map(([place, inside]) => place(inside))

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 60 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'constructor', 'toString', '0', '4294967295', 'k8s.pod.name', 'é'.repeat(41)),
  },
)
const key = text.filter((one) => one !== '__proto__')

/** Values as records hold them. */
const value: fc.Arbitrary<AnyValue> = fc.letrec<{ value: AnyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ) as fc.Arbitrary<AnyValue>,
})).value

/** Records that our own receivers could have made. */
export const records: fc.Arbitrary<LogRecord[]> = fc.array(
  fc
    .record({
      hrTime: fc.tuple(fc.nat(18_446_744_072), fc.nat(999_999_999)),
      hrTimeObserved: fc.tuple(fc.nat(2 ** 31 - 1), fc.nat(999_999_999)),
      eventName: text,
      severityNumber: fc.integer({ min: 0, max: 24 }),
      severityText: text,
      body: value,
      attributes: fc.dictionary(key, value, { maxKeys: 20, noNullPrototype: true }),
      droppedAttributesCount: fc.nat(2 ** 31 - 1),
    })
    .map((fields) => record({}, fields as Partial<LogRecord>)),
  { minLength: 1, maxLength: 4 },
)
