/**
 * BTF, the kernel's description of types (Documentation/bpf/btf.rst): of its own in /sys/kernel/btf/vmlinux, and of those
 * of our records in the .BTF section of the object.
 */

/** BTF_KIND_*. */
export const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  var: 14,
  datasec: 15,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const

const HEADER = 24
const MAGIC = 0xeb9f

export interface BtfMember {
  readonly name: string
  readonly type: number
  /** In bytes; of a bit field: where its storage unit begins. */
  readonly offset: number
}

export class Btf {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  readonly #strings: number
  /** Where each type begins; type 0 is void. */
  readonly #offsets: number[] = [0]
  readonly #named = new Map<string, number[]>()

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#strings = eachType(bytes, (_kind, _name, at) => this.#offsets.push(at))
  }

  get length(): number {
    return this.#offsets.length
  }

  kind(type: number): number {
    return (this.#info(type) >>> 24) & 31
  }

  name(type: number): string {
    return this.#string(this.#view.getUint32(this.#at(type), true))
  }

  /** Bytes of a struct, union, enum or integer. */
  size(type: number): number {
    return this.#view.getUint32(this.#at(type) + 8, true)
  }

  /** The type that a pointer, typedef, function or qualifier stands for. */
  target(type: number): number {
    return this.#view.getUint32(this.#at(type) + 8, true)
  }

  /** The first type of that name and kind. */
  find(name: string, kind: keyof typeof KIND): number | undefined {
    if (this.#named.size === 0) this.#index()
    return this.#named.get(name)?.find((type) => this.kind(type) === KIND[kind])
  }

  members(type: number): BtfMember[] {
    const at = this.#at(type)
    const bitfields = this.#info(type) >>> 31 === 1
    return Array.from({ length: this.#count(type) }, (_, i) => {
      const member = at + 12 + i * 12
      const raw = this.#view.getUint32(member + 8, true)
      return {
        name: this.#string(this.#view.getUint32(member, true)),
        type: this.#view.getUint32(member + 4, true),
        offset: (bitfields ? raw & 0xffffff : raw) >> 3,
      }
    })
  }

  /** Names and values of an enum. */
  values(type: number): [name: string, value: number][] {
    return enumValues(this.#bytes, this.#at(type), this.#strings)
  }

  /** Element type and length of an array. */
  array(type: number): { readonly element: number; readonly length: number } {
    const at = this.#at(type) + 12
    return { element: this.#view.getUint32(at, true), length: this.#view.getUint32(at + 8, true) }
  }

  isFunction(type: number): boolean {
    return this.kind(type) === KIND.func
  }

  isStruct(type: number): boolean {
    return this.kind(type) === KIND.struct
  }

  isArray(type: number): boolean {
    return this.kind(type) === KIND.array
  }

  isEnum(type: number): boolean {
    return this.kind(type) === KIND.enum
  }

  /** Without typedefs and qualifiers. */
  plain(type: number): number {
    let found = type
    while (
      [KIND.typedef, KIND.const, KIND.volatile, KIND.restrict, KIND.typeTag].some((kind) => kind === this.kind(found))
    )
      found = this.target(found)
    return found
  }

  #index(): void {
    for (let type = 1; type < this.length; type++) {
      const name = this.name(type)
      const types = this.#named.get(name)
      if (types === undefined) this.#named.set(name, [type])
      else types.push(type)
    }
  }

  #at(type: number): number {
    const at = this.#offsets[type]
    if (at === undefined) throw new RangeError(`BTF has no type ${type}`)
    return at
  }

  #info(type: number): number {
    return type === 0 ? 0 : this.#view.getUint32(this.#at(type) + 4, true)
  }

  #count(type: number): number {
    return this.#info(type) & 0xffff
  }

  #string(offset: number): string {
    return textAt(this.#bytes, this.#strings + offset)
  }
}

/**
 * Visits the types in order: kind, where the name begins in the bytes, where the type does. Returns where the names begin.
 * Keeps nothing: of the kernel's hundred thousand types few are of interest.
 */
export function eachType(bytes: Uint8Array, visit: (kind: number, name: number, at: number) => void): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER || view.getUint16(0, true) !== MAGIC) throw new Error('these bytes are no BTF')
  const header = view.getUint32(4, true)
  const types = header + view.getUint32(8, true)
  const end = types + view.getUint32(12, true)
  const strings = header + view.getUint32(16, true)
  for (let at = types; at < end; ) {
    const info = view.getUint32(at + 4, true)
    const kind = (info >>> 24) & 31
    visit(kind, strings + view.getUint32(at, true), at)
    at += sizeOf(kind, info & 0xffff)
  }
  return strings
}

/** Kinds carry different tails. */
function sizeOf(kind: number, count: number): number {
  switch (kind) {
    case KIND.int:
    case KIND.var:
    case KIND.declTag:
      return 16
    case KIND.array:
      return 24
    case KIND.struct:
    case KIND.union:
    case KIND.datasec:
    case KIND.enum64:
      return 12 + count * 12
    case KIND.enum:
    case KIND.funcProto:
      return 12 + count * 8
    default:
      return 12
  }
}

/** Names and values of the enum at `at`; `strings` is where names begin. */
export function enumValues(bytes: Uint8Array, at: number, strings: number): [name: string, value: number][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: view.getUint32(at + 4, true) & 0xffff }, (_, i) => [
    textAt(bytes, strings + view.getUint32(at + 12 + i * 8, true)),
    view.getInt32(at + 12 + i * 8 + 4, true),
  ])
}

function textAt(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.indexOf(0, at) - at).toString()
}

/** A section of a 64-bit little-endian ELF file, or undefined. */
export function elfSection(file: Uint8Array, wanted: string): Uint8Array | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const table = Number(view.getBigUint64(40, true))
  const [entry, count, names] = [view.getUint16(58, true), view.getUint16(60, true), view.getUint16(62, true)]
  const section = (index: number) => {
    const at = table + index * entry
    return {
      name: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
    }
  }
  const text = section(names)
  for (let i = 0; i < count; i++) {
    const { name, offset, size } = section(i)
    const start = text.offset + name
    if (Buffer.from(file.subarray(start, file.indexOf(0, start))).toString() === wanted)
      return file.subarray(offset, offset + size)
  }
  return undefined
}
