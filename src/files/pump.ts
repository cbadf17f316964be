/** Reads the files that have something to read, a page of each in turn, and sees what becomes of the pages. */
import type { Outcome } from '../flow/ack.ts'
import type { LineLimits } from './lines.ts'
import type { Page, Taken, TakePage } from './page.ts'
import type { Flight } from './progress.ts'
import { type PageBuffer, type ReadPage, readPage } from './read-page.ts'
import type { Tail, Work } from './tail.ts'

const READERS = 2
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 10_000
/** Between attempts to read a file that cannot be read. */
const TROUBLE_MS = 1000

export interface PumpOptions {
  readonly limits: LineLimits
  readonly fingerprintBytes: number
  readonly forceFlushMs: number
  readonly take: TakePage
  readonly signal: AbortSignal
  readonly isDraining: boolean
  /** A tail's checkpoint moved. */
  readonly onAcked: (tail: Tail) => void
  /** A page failed and its file was rewound. */
  readonly onFailed: (tail: Tail, outcome: Outcome & { kind: 'failed' }, waitMs: number) => void
  /** The file's content is not what it was. */
  readonly onSuspect: (tail: Tail) => void
  /** The file could not be read. */
  readonly onTrouble: (tail: Tail, error: unknown) => void
  /** What was read to its end is a damaged compressed file; said again with every reading. */
  readonly onDamage: (tail: Tail) => void
  readonly onRead: (tail: Tail, bytes: number, dropped: number) => void
  /** A file has nothing more to read for now, or a page has landed. */
  readonly onIdle: () => void
  /** The receiver broke its promise: the follower ends. */
  readonly onBroken: (error: unknown) => void
}

export class Pump {
  readonly #options: PumpOptions
  readonly #queue: Tail[] = []
  readonly #buffers: PageBuffer[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #running = new Set<Promise<void>>()

  constructor(options: PumpOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => {
      for (const timer of this.#timers) clearTimeout(timer)
      this.#queue.length = 0
    })
  }

  get isRunning(): boolean {
    return this.#running.size > 0 || this.#queue.length > 0
  }

  /** Looks whether there is work for this file. */
  wake(tail: Tail): void {
    if (tail.isQueued || tail.isRunning || this.#options.signal.aborted || this.#workFor(tail) === undefined) return
    tail.isQueued = true
    this.#queue.push(tail)
    this.#start()
  }

  /** Resolves when no reader is at work any more. After an abort that is soon. */
  async stopped(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #workFor(tail: Tail): Work | undefined {
    const { forceFlushMs, limits } = this.#options
    return tail.work(Date.now(), forceFlushMs, limits.encoding.unit)
  }

  #start(): void {
    while (this.#running.size < READERS && !this.#options.signal.aborted) {
      const tail = this.#queue.shift()
      if (tail === undefined) return
      tail.isQueued = false
      tail.isRunning = true
      const run = this.#turn(tail).finally(() => {
        tail.isRunning = false
        this.#running.delete(run)
        this.wake(tail)
        this.#options.onIdle()
        this.#start()
      })
      this.#running.add(run)
    }
  }

  async #turn(tail: Tail): Promise<void> {
    const buffer = this.#buffers.pop() ?? { bytes: Buffer.alloc(0) }
    const mustGoOn = (): boolean =>
      tail.source?.isCompressed === true && tail.hasUnread && !tail.isSuspect && !this.#options.signal.aborted
    try {
      // A half-read compressed file holds a window of memory: it is finished before another is begun.
      do await this.#step(tail, buffer)
      while (mustGoOn())
    } catch (error) {
      this.#options.onBroken(error)
    } finally {
      this.#buffers.push(buffer)
    }
  }

  async #step(tail: Tail, buffer: PageBuffer): Promise<void> {
    const work = this.#workFor(tail)
    if (work === undefined) return
    if (work === 'flush') {
      await this.#send(tail, emptyPage(tail), tail.progress.depart(tail.progress.read))
      tail.isHeld = false // It was asked once: asking again would not change the answer.
      return
    }
    const { source } = tail
    const { read: from } = tail.progress
    const result = await this.#read(tail, buffer, work)
    // While it was read, the file was truncated or the pages before it failed: what was read is not to be used.
    const isStale = tail.source !== source || tail.progress.read !== from || this.#options.signal.aborted
    if (result === 'trouble' || isStale) return
    if (result !== undefined) return this.#pass(tail, result)
    tail.isSuspect = true
    this.#options.onSuspect(tail)
  }

  async #read(tail: Tail, buffer: PageBuffer, work: Work): Promise<ReadPage | undefined | 'trouble'> {
    try {
      return await readPage(tail, buffer, this.#options.limits, work === 'rest')
    } catch (error) {
      tail.notBefore = Date.now() + TROUBLE_MS
      this.#options.onTrouble(tail, error)
      return 'trouble'
    }
  }

  async #pass(tail: Tail, result: ReadPage): Promise<void> {
    const { isDraining, fingerprintBytes, onRead, onAcked, onDamage } = this.#options
    if (tail.source?.damage !== undefined) onDamage(tail)
    const hasMoved = result.bytes > 0
    if (hasMoved || result.restBytes !== tail.restBytes) tail.lastDataAt = Date.now()
    tail.restBytes = result.restBytes
    // What is appended while everything is read to its end is not waited for, or the end might never come.
    if (!isDraining || tail.source?.isCompressed) tail.size = tail.source?.size() ?? tail.size
    if (!hasMoved) {
      if (tail.hasUnread) tail.notBefore = Date.now() + FIRST_BACKOFF_MS // It says it is longer than can be read.
      return
    }
    onRead(tail, result.bytes, result.dropped)
    if (result.page !== undefined) await this.#send(tail, result.page, tail.progress.depart(result.end), result)
    else if (tail.progress.skip(result.end)) onAcked(tail)
    await tail.growPrint(fingerprintBytes).catch(() => {}) // Unreadable now: the next page will say so.
  }

  async #send(tail: Tail, page: Page, flight: Flight, read?: ReadPage): Promise<void> {
    const { take, signal } = this.#options
    let taken: Taken
    try {
      taken = await take(page, signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    if (tail.progress.isCurrent(flight)) {
      tail.isHeld = taken.safe !== undefined && taken.safe < page.end
      if (tail.isHeld) flight.to = read?.position(taken.safe as number)
    }
    void taken.outcome.then((outcome) => this.#land(tail, flight, outcome))
  }

  #land(tail: Tail, flight: Flight, outcome: Outcome): void {
    const result = tail.progress.settle(flight, outcome)
    if (result === 'acked') {
      tail.failures = 0
      this.#options.onAcked(tail)
    }
    if (result === 'failed' && outcome.kind === 'failed') this.#retry(tail, outcome)
    this.#options.onIdle()
  }

  #retry(tail: Tail, outcome: Outcome & { kind: 'failed' }): void {
    tail.rewind()
    const waitMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** tail.failures)
    tail.failures += 1
    tail.notBefore = Date.now() + waitMs
    this.#options.onFailed(tail, outcome, waitMs)
    if (this.#options.signal.aborted) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.wake(tail)
    }, waitMs + 1)
    this.#timers.add(timer)
  }
}

/** Says to the receiver: nothing has come for a while, hand on what you hold of this file. */
function emptyPage(tail: Tail): Page {
  const { offset } = tail.progress.read
  return { file: tail.ref, lines: [], start: offset, end: offset, offsets: () => [] }
}
