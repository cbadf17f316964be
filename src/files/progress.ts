/** How far a file has been read, and how far of that is acknowledged. */
import type { Outcome } from '../flow/ack.ts'
import type { Position } from './identity.ts'

/** A page on its way. */
export interface Flight {
  /** Where the checkpoint may stand once this page and all before it are acknowledged; undefined: where it stands. */
  to: Position | undefined
  isDone: boolean
}

const HISTORY = 16

export class Progress {
  /** Where the next page begins. */
  read: Position
  /** Everything before is acknowledged: the checkpoint. */
  acked: Position
  #flights: Flight[] = []
  #history: Position[] = []

  constructor(at: Position) {
    this.read = at
    this.acked = at
  }

  get hasFlights(): boolean {
    return this.#flights.length > 0
  }

  isCurrent(flight: Flight): boolean {
    return this.#flights.includes(flight)
  }

  /** A page leaves that ends at `to`, where the next one will begin. */
  depart(to: Position): Flight {
    const flight: Flight = { to, isDone: false }
    this.#flights.push(flight)
    this.#moveTo(to)
    return flight
  }

  /** Moves on over bytes that no page holds. Returns true when the checkpoint moved. */
  skip(to: Position): boolean {
    this.#flights.push({ to, isDone: true })
    this.#moveTo(to)
    return this.#land()
  }

  /**
   * A page's journey ended. `stale` when the file was rewound since: the page was or will be sent again.
   * `failed` rewinds: all that is not acknowledged will be read again.
   */
  settle(flight: Flight, outcome: Outcome): 'stale' | 'waiting' | 'acked' | 'failed' {
    if (!this.isCurrent(flight)) return 'stale'
    if (outcome.kind === 'failed') {
      this.rewind()
      return 'failed'
    }
    flight.isDone = true
    return this.#land() ? 'acked' : 'waiting'
  }

  /** What stands before the position has changed, on purpose: do not compare. */
  forgetMarks(): void {
    this.read = { ...this.read, markBytes: 0, markCrc: 0 }
    this.acked = { ...this.acked, markBytes: 0, markCrc: 0 }
  }

  rewind(): void {
    this.#flights = []
    this.read = this.acked
  }

  /** The furthest place known at or before `offset`, of the last few. */
  knownBefore(offset: number): Position | undefined {
    const known = [...this.#history, this.acked, this.read].filter((position) => position.offset <= offset)
    return known.sort((a, b) => b.offset - a.offset)[0]
  }

  #moveTo(to: Position): void {
    this.read = to
    this.#history.push(to)
    if (this.#history.length > HISTORY) this.#history.shift()
  }

  #land(): boolean {
    let moved = false
    for (let first = this.#flights[0]; first?.isDone; first = this.#flights[0]) {
      this.#flights.shift()
      moved = true
      if (first.to !== undefined) this.acked = first.to
    }
    return moved
  }
}
