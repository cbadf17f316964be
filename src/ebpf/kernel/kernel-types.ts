/**
 * Which functions and tracepoints the running kernel describes, from its BTF. The description is 5 MB of a hundred
 * thousand types: it is read once, and of the names only hashes are kept.
 */
import { readFileSync } from 'node:fs'
import { eachType, enumValues, KIND } from './btf.ts'

/** Kernels have some sixty thousand. */
const MOST_FUNCTIONS = 500_000
const PREFIX = Buffer.from('btf_trace_')

/** By which a name is looked up: 52 bits of two FNV-1a hashes, so that no two names of a kernel share one. */
function hashOf(bytes: Uint8Array, at: number): number {
  let one = 0x811c9dc5
  let two = 0x01000193
  for (let i = at; bytes[i] !== 0 && i < bytes.length; i++) {
    const byte = bytes[i] as number
    one = Math.imul(one ^ byte, 0x01000193)
    two = Math.imul(two ^ byte, 0x811c9dc5) ^ (two >>> 15)
  }
  return (one >>> 0) * 2 ** 20 + ((two >>> 0) & 0xfffff)
}

function hashOfText(text: string): number {
  return hashOf(Buffer.from(`${text}\0`), 0)
}

export class KernelTypes {
  readonly #functions: Float64Array
  readonly #tracepoints: ReadonlySet<number>
  readonly #cgroupSubsystems: ReadonlyMap<string, number>

  constructor(bytes: Uint8Array) {
    const functions = new Float64Array(MOST_FUNCTIONS)
    let count = 0
    const tracepoints = new Set<number>()
    const subsystem = hashOfText('cgroup_subsys_id')
    let subsystems = 0
    const strings = eachType(bytes, (kind, name, at) => {
      if (kind === KIND.func) functions[count++] = hashOf(bytes, name)
      else if (kind === KIND.typedef) {
        if (startsWith(bytes, name, PREFIX)) tracepoints.add(hashOf(bytes, name + PREFIX.length))
      } else if (kind === KIND.enum && hashOf(bytes, name) === subsystem) subsystems = at
    })
    this.#functions = functions.slice(0, Math.min(count, MOST_FUNCTIONS)).sort()
    this.#tracepoints = tracepoints
    this.#cgroupSubsystems = new Map(subsystems === 0 ? [] : enumValues(bytes, subsystems, strings))
  }

  /** Of the running kernel; undefined when it does not describe itself. */
  static ofKernel(path = '/sys/kernel/btf/vmlinux'): KernelTypes | undefined {
    try {
      return new KernelTypes(readFileSync(path))
    } catch {
      return undefined
    }
  }

  hasFunction(name: string): boolean {
    const wanted = hashOfText(name)
    let low = 0
    let high = this.#functions.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#functions[middle] as number) < wanted) low = middle + 1
      else high = middle
    }
    return this.#functions[low] === wanted
  }

  /** Whether programs of kind `tp_btf` can be attached to the tracepoint. */
  hasTracepoint(name: string): boolean {
    return this.#tracepoints.has(hashOfText(name))
  }

  /** Index of a cgroup controller in `css_set.subsys`. */
  cgroupSubsystem(controller: string): number | undefined {
    return this.#cgroupSubsystems.get(`${controller}_cgrp_id`)
  }
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false
  return true
}
