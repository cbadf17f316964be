/** Records that a BPF iterator writes, read to its end. */
import { closeSync, readSync } from 'node:fs'
import { type RingMemory, ringMemory, type TakeRecord } from '../memory.ts'
import type { BpfObject } from './object.ts'

/** More than the largest record several times over. */
const BYTES = 1 << 18

export function readIterator(object: BpfObject, iterator: string, take: TakeRecord): void {
  const { fd, end } = object.iterate(iterator)
  const memory = ringMemory(new ArrayBuffer(BYTES))
  let held = 0
  try {
    for (;;) {
      const got = readSync(fd, memory.u8, held, BYTES - held, null)
      if (got === 0) return
      held = takeWhole(memory, held + got, take)
    }
  } finally {
    closeSync(fd)
    end()
  }
}

/** Hands out the whole records of the first `length` bytes, and moves the rest to the front. */
function takeWhole(memory: RingMemory, length: number, take: TakeRecord): number {
  let at = 0
  while (at + 8 <= length) {
    const size = memory.u32[(at + 4) >> 2] as number
    if (size < 8 || at + size > length) break
    take(memory, at, size)
    at += size
  }
  memory.u8.copyWithin(0, at, length)
  return length - at
}
