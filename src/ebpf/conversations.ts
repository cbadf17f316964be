/**
 * What sockets say to each other: names that were asked for, hosts that were greeted, requests that were made; and whose a
 * socket is once it was accepted.
 *
 * The first bytes of an accepted connection may come before accept() has returned, in the name of who listens. They are
 * held for a moment, so that the record names who serves them.
 */
import type { LogRecord } from '../records/record.ts'
import { bigU64, u16, u32, u64 } from './decode/read.ts'
import { Names } from './layer7/names.ts'
import { type Layer7, Streams } from './layer7/streams.ts'
import { HEADER, L7 } from './layout/offsets.ts'
import { FLAG, L7_KIND } from './layout/values.ts'
import { type RingMemory, ringMemory } from './memory.ts'
import type { Actor } from './process/actor.ts'
import type { Desk } from './records/draft.ts'
import { layer7Record } from './records/layer7.ts'

const HELD_NS = 100e6
const MOST_HELD = 1024
const MOST_ACCEPTED = 65_536
const MOST_ASKED = 16_384
const MOST_WAITING = 4096

interface Held {
  readonly since: number
  readonly memory: RingMemory
  readonly actor: Actor
}

export class Conversations {
  readonly #desk: Desk
  readonly #streams = new Streams()
  readonly #names = new Names()
  readonly #accepted = new Map<number, Actor>()
  readonly #held = new Map<number, Held[]>()
  #heldCount = 0
  #oldestHeld = Number.POSITIVE_INFINITY
  readonly #waiting = new Map<string, { readonly actor: Actor; readonly memory: RingMemory }>()
  /** When a question was sent, by socket and number. */
  readonly #asked = new Map<string, number>()
  #givenUp = 0
  #now = 0

  constructor(desk: Desk) {
    this.#desk = desk
  }

  get size(): number {
    return this.#accepted.size + this.#heldCount
  }

  /** A name that an address was found by lately, in a network namespace. */
  readonly nameOf = (netns: number, ip: string): string | undefined => this.#names.lookup(netns, ip, this.#now)

  packet(actor: Actor, memory: RingMemory, at: number, size: number, out: LogRecord[]): void {
    // Now, and not when it is let go: what is held was looked at.
    if (u16(memory, at + L7.payloadOff) + u16(memory, at + L7.payloadLen) > size)
      throw new RangeError('a payload reaches out of its record')
    const now = u64(memory, at + HEADER.ktime)
    this.#now = now
    if (now - this.#oldestHeld > HELD_NS) this.#release(now - HELD_NS, out)
    const cookie = u64(memory, at + L7.epCookie)
    if ((u16(memory, at + HEADER.flags) & FLAG.listener) !== 0) {
      const server = this.#accepted.get(cookie)
      if (server === undefined && this.#heldCount < MOST_HELD) {
        this.#hold(cookie, { since: now, actor, memory: copyOf(memory, at, size) })
        return
      }
      this.#parse(server ?? actor, memory, at, out)
      return
    }
    this.#parse(actor, memory, at, out)
  }

  accepted(cookie: number, actor: Actor, out: LogRecord[]): void {
    if (this.#accepted.size >= MOST_ACCEPTED) this.#accepted.delete(this.#accepted.keys().next().value as number)
    this.#accepted.set(cookie, actor)
    const held = this.#held.get(cookie)
    if (held === undefined) return
    this.#held.delete(cookie)
    this.#heldCount -= held.length
    for (const { memory } of held) this.#parse(actor, memory, 0, out)
  }

  /** Whose an accepted socket was; forgets it. */
  closed(cookie: number): Actor | undefined {
    const actor = this.#accepted.get(cookie)
    if (actor !== undefined) this.#accepted.delete(cookie)
    return actor
  }

  tick(now: number, out: LogRecord[]): void {
    this.#now = now
    this.#release(now - HELD_NS, out)
    this.#givenUp += this.#streams.expire(now, (cookie, ingress, found) => {
      const key = streamKey(String(cookie), ingress)
      const waiting = this.#waiting.get(key)
      this.#waiting.delete(key)
      if (waiting !== undefined) this.#tell(found, waiting.actor, waiting.memory, 0, out)
    })
  }

  takeGivenUp(): number {
    const given = this.#givenUp
    this.#givenUp = 0
    return given
  }

  #hold(cookie: number, held: Held): void {
    const others = this.#held.get(cookie)
    if (others === undefined) this.#held.set(cookie, [held])
    else others.push(held)
    this.#heldCount++
    this.#oldestHeld = Math.min(this.#oldestHeld, held.since)
  }

  /** Whoever was held since `before` is let go in the name of the listener. */
  #release(before: number, out: LogRecord[]): void {
    if (this.#oldestHeld > before) return
    this.#oldestHeld = Number.POSITIVE_INFINITY
    for (const [cookie, held] of this.#held) {
      const first = held[0] as Held
      if (first.since > before) {
        this.#oldestHeld = Math.min(this.#oldestHeld, first.since)
        continue
      }
      this.#held.delete(cookie)
      this.#heldCount -= held.length
      for (const { actor, memory } of held) this.#parse(actor, memory, 0, out)
    }
  }

  #parse(actor: Actor, memory: RingMemory, at: number, out: LogRecord[]): void {
    const off = u16(memory, at + L7.payloadOff)
    const length = u16(memory, at + L7.payloadLen)
    const kind = u16(memory, at + L7.kind)
    const cookie = `${u32(memory, at + L7.epCookie + 4)}.${u32(memory, at + L7.epCookie)}`
    const ingress = u16(memory, at + L7.ingress) !== 0
    const found = this.#streams.add(
      cookie,
      ingress,
      kind === L7_KIND.dns ? 'dns' : kind === L7_KIND.tls ? 'tls' : 'http',
      u32(memory, at + L7.offset),
      memory.u8,
      at + off,
      length,
      u64(memory, at + HEADER.ktime),
      u16(memory, at + L7.epProtocol) === UDP,
      u32(memory, at + L7.total),
    )
    if (kind !== L7_KIND.dns) this.#remember(streamKey(cookie, ingress), found.length > 0, actor, memory, at)
    this.#tell(found, actor, memory, at, out)
  }

  /** Whose a stream is that has begun and not ended: what can be read of it is told when it is given up. */
  #remember(key: string, isOver: boolean, actor: Actor, memory: RingMemory, at: number): void {
    if (isOver) {
      this.#waiting.delete(key)
      return
    }
    if (this.#waiting.has(key)) return
    if (this.#waiting.size >= MOST_WAITING) this.#waiting.delete(this.#waiting.keys().next().value as string)
    this.#waiting.set(key, { actor, memory: copyOf(memory, at, L7.bytes) })
  }

  #tell(found: readonly Layer7[], actor: Actor, memory: RingMemory, at: number, out: LogRecord[]): void {
    for (const [index, each] of found.entries()) {
      const latency = this.#learn(each, memory, at)
      const record = layer7Record(this.#desk, actor, memory, at, each, this.nameOf, latency, index)
      if (!this.#desk.suppress.has(record.eventName)) out.push(record)
    }
  }

  /** Names and waits of DNS; returns how long an answer took, in nanoseconds. */
  #learn(found: Layer7, memory: RingMemory, at: number): number | undefined {
    if (found.kind !== 'dns') return undefined
    const { message } = found
    const isIngress = u16(memory, at + L7.ingress) !== 0
    const key = `${bigU64(memory, at + L7.epCookie)}.${message.id}`
    const now = u64(memory, at + HEADER.ktime)
    if (!message.isResponse) {
      if (this.#asked.size >= MOST_ASKED) this.#asked.clear()
      this.#asked.set(key, now)
      return undefined
    }
    const asked = this.#asked.get(key)
    // An answer that nobody asked for is not believed.
    if (asked === undefined) return undefined
    // What this machine answers to others teaches nothing.
    if (isIngress) this.#names.learn(u32(memory, at + HEADER.netns), message, now)
    this.#asked.delete(key)
    return now - asked
  }
}

const UDP = 17

function streamKey(cookie: string, ingress: boolean): string {
  return `${cookie}/${ingress ? 1 : 0}`
}

/** A record of its own, at 0. */
function copyOf(memory: RingMemory, at: number, size: number): RingMemory {
  const bytes = new ArrayBuffer((size + 7) & ~7)
  new Uint8Array(bytes).set(memory.u8.subarray(at, at + size))
  return ringMemory(bytes)
}
