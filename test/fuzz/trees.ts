/** Requests with whatever a client may write, in both encodings, made by hand: keys that bite, depth, too much of all. */
import fc from 'fast-check'
import { varint, within } from './arbitraries.ts'

export type Tree =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'int'; readonly int: number }
  | { readonly kind: 'double'; readonly double: number }
  | { readonly kind: 'bool'; readonly bool: boolean }
  | { readonly kind: 'list'; readonly list: readonly Tree[] }
  | { readonly kind: 'map'; readonly map: readonly Pair[] }
export type Pair = readonly [key: string, value: Tree]

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', 'a\ud800b', '\udfff', 'constructor', '__proto__'),
)
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'k8s.pod.name', '0') },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'x\udc00', '') },
  { weight: 2, arbitrary: text },
)

const { tree, pairs } = fc.letrec<{ tree: Tree; pairs: Pair[] }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, depthSize: 'large', withCrossShrink: true },
    fc.constant<Tree>({ kind: 'nothing' }),
    text.map((one): Tree => ({ kind: 'text', text: one })),
    fc.maxSafeInteger().map((int): Tree => ({ kind: 'int', int })),
    fc.double().map((double): Tree => ({ kind: 'double', double: double + 0 })),
    fc.boolean().map((bool): Tree => ({ kind: 'bool', bool })),
    fc.array(tie('tree') as fc.Arbitrary<Tree>, { maxLength: 6 }).map((list): Tree => ({ kind: 'list', list })),
    (tie('pairs') as fc.Arbitrary<Pair[]>).map((map): Tree => ({ kind: 'map', map })),
  ),
  pairs: fc.array(fc.tuple(key, tie('tree') as fc.Arbitrary<Tree>), { maxLength: 6 }),
}))

export interface Wild {
  readonly attributes: readonly Pair[]
  readonly body: Tree
}

/** A record of a request. */
export const wild: fc.Arbitrary<Wild> = fc.record({
  attributes: fc.oneof(
    pairs as fc.Arbitrary<Pair[]>,
    fc.array(fc.tuple(key, tree as fc.Arbitrary<Tree>), { minLength: 15, maxLength: 40 }),
  ),
  body: tree as fc.Arbitrary<Tree>,
})

export function wildJson({ attributes, body }: Wild): Buffer {
  const logRecords = [{ attributes: attributes.map(jsonPair), body: jsonOf(body) }]
  return Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))
}

function jsonPair([name, value]: Pair): object {
  return { key: name, value: jsonOf(value) }
}

function jsonOf(value: Tree): object {
  switch (value.kind) {
    case 'text':
      return { stringValue: value.text }
    case 'int':
      return { intValue: String(value.int) }
    case 'double':
      return { doubleValue: Number.isFinite(value.double) ? value.double : String(value.double) }
    case 'bool':
      return { boolValue: value.bool }
    case 'list':
      return { arrayValue: { values: value.list.map(jsonOf) } }
    case 'map':
      return { kvlistValue: { values: value.map.map(jsonPair) } }
    default:
      return {}
  }
}

export function wildProtobuf({ attributes, body }: Wild): Buffer {
  const fields = attributes.map((pair) => within(0x32, protobufPair(pair)))
  return within(0x0a, within(0x12, within(0x12, within(0x2a, protobufOf(body)), ...fields)))
}

function protobufPair([name, value]: Pair): Buffer {
  return Buffer.concat([within(0x0a, Buffer.from(name)), within(0x12, protobufOf(value))])
}

function protobufOf(value: Tree): Buffer {
  switch (value.kind) {
    case 'text':
      return within(0x0a, Buffer.from(value.text))
    case 'int':
      return Buffer.concat([Buffer.from([0x18]), varint(BigInt.asUintN(64, BigInt(value.int)))])
    case 'double': {
      const bytes = Buffer.alloc(9, 0x21)
      bytes.writeDoubleLE(value.double, 1)
      return bytes
    }
    case 'bool':
      return Buffer.from([0x10, value.bool ? 1 : 0])
    case 'list':
      return within(0x2a, ...value.list.map((one) => within(0x0a, protobufOf(one))))
    case 'map':
      return within(0x32, ...value.map.map((pair) => within(0x0a, protobufPair(pair))))
    default:
      return Buffer.alloc(0)
  }
}
