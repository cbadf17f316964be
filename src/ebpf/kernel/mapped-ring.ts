/** A ring buffer map of the kernel, mapped into this process. */
import { libbpf, type Pointer } from './libbpf.ts'
import { Ring } from './ring.ts'

/** struct bpf_map_info: max_entries at 16. */
const MAX_ENTRIES = 16

export class MappedRing extends Ring {
  readonly #mappings: readonly [Pointer, number][]

  constructor(fd: number) {
    const lib = libbpf()
    const page = lib.pageSize
    const size = lib.info(fd, 88).readUInt32LE(MAX_ENTRIES)
    const consumer = lib.map(fd, page, 0, true)
    const producer = lib.map(fd, page + 2 * size, page, false)
    super({
      consumer: new BigInt64Array(consumer.memory, 0, 1),
      producer: new BigInt64Array(producer.memory, 0, 1),
      data: producer.memory,
      offset: page,
      size,
    })
    this.#mappings = [
      [consumer.pointer, page],
      [producer.pointer, page + 2 * size],
    ]
  }

  /** Nothing may read the ring any more. */
  close(): void {
    for (const [pointer, length] of this.#mappings) libbpf().unmap(pointer, length)
  }
}
