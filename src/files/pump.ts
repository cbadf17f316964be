/** Reads the files that have something to read, a page of each in turn, and sees what becomes of the pages. */
import type { Outcome } from '../flow/ack.ts'
import type { LineLimits } from './lines.ts'
import type { Page, Taken, TakePage } from './page.ts'
import type { Flight } from './progress.ts'
import { type PageBuffer, type ReadPage, readPage } from './read-page.ts'
import type { Tail } from './tail.ts'

const READERS = 2
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 10_000

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
  readonly onRead: (bytes: number, dropped: number) => void
  /** A file has nothing more to read for now, or a page has landed. */
  readonly onIdle: () => void
  /** The receiver broke its promise: the follower ends. */
  readonly onBroken: (error: unknown) => void
}

export interface Pump {
  /** Looks whether there is work for this file. */
  wake(tail: Tail): void
  readonly isRunning: boolean
  /** Resolves when no reader is at work any more. After an abort that is soon. */
  stopped(): Promise<void>
}

export function createPump(options: PumpOptions): Pump {
  const { limits, forceFlushMs, signal, take } = options
  const queue: Tail[] = []
  const buffers: PageBuffer[] = []
  const timers = new Set<NodeJS.Timeout>()
  const running = new Set<Promise<void>>()

  const wake = (tail: Tail): void => {
    if (tail.isQueued || tail.isRunning || signal.aborted) return
    if (tail.work(Date.now(), forceFlushMs, limits.encoding.unit) === undefined) return
    tail.isQueued = true
    queue.push(tail)
    start()
  }
  const start = (): void => {
    while (running.size < READERS && !signal.aborted) {
      const tail = queue.shift()
      if (tail === undefined) return
      tail.isQueued = false
      tail.isRunning = true
      const run = turn(tail).finally(() => {
        tail.isRunning = false
        running.delete(run)
        wake(tail)
        options.onIdle()
        start()
      })
      running.add(run)
    }
  }
  const turn = async (tail: Tail): Promise<void> => {
    const buffer = buffers.pop() ?? { bytes: Buffer.alloc(0) }
    try {
      // A half-read compressed file holds a window of memory: it is finished before another is begun.
      do await step(tail, buffer)
      while (tail.source?.isCompressed && tail.hasUnread && !tail.isSuspect && !signal.aborted)
    } catch (error) {
      options.onBroken(error)
    } finally {
      buffers.push(buffer)
    }
  }
  const step = async (tail: Tail, buffer: PageBuffer): Promise<void> => {
    const work = tail.work(Date.now(), forceFlushMs, limits.encoding.unit)
    if (work === undefined) return
    if (work === 'flush') return send(tail, emptyPage(tail), tail.progress.depart(tail.progress.read))
    const { source } = tail
    const { read: from } = tail.progress
    let result: ReadPage | undefined
    try {
      result = await readPage(tail, buffer, limits, work === 'rest')
    } catch (error) {
      tail.notBefore = Date.now() + FIRST_BACKOFF_MS * 10
      options.onTrouble(tail, error)
      return
    }
    // While it was read, the file was truncated or the pages before it failed: what was read is not to be used.
    if (tail.source !== source || tail.progress.read !== from || signal.aborted) return
    if (result === undefined) {
      tail.isSuspect = true
      options.onSuspect(tail)
      return
    }
    await pass(tail, result)
  }
  const pass = async (tail: Tail, result: ReadPage): Promise<void> => {
    const hasMoved = result.bytes > 0
    if (hasMoved || result.restBytes !== tail.restBytes) tail.lastDataAt = Date.now()
    tail.restBytes = result.restBytes
    // What is appended while everything is read to its end is not waited for, or the end might never come.
    const isFixed = options.isDraining && !tail.source?.isCompressed
    if (tail.source !== undefined && !isFixed) tail.size = tail.source.size()
    if (!hasMoved) {
      if (tail.hasUnread) tail.notBefore = Date.now() + FIRST_BACKOFF_MS // It says it is longer than can be read.
      return
    }
    options.onRead(result.bytes, result.dropped)
    if (result.page !== undefined) await send(tail, result.page, tail.progress.depart(result.end), result)
    else if (tail.progress.skip(result.end)) options.onAcked(tail)
    await tail.growPrint(options.fingerprintBytes).catch(() => {}) // Unreadable now: the next page will say so.
  }
  const send = async (tail: Tail, page: Page, flight: Flight, read?: ReadPage): Promise<void> => {
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
    if (read === undefined) tail.isHeld = false // It was asked once: asking again would not change the answer.
    void taken.outcome.then((outcome) => land(tail, flight, outcome))
  }
  const land = (tail: Tail, flight: Flight, outcome: Outcome): void => {
    const result = tail.progress.settle(flight, outcome)
    if (result === 'acked') {
      tail.failures = 0
      options.onAcked(tail)
    }
    if (result === 'failed' && outcome.kind === 'failed') retry(tail, outcome)
    options.onIdle()
  }
  const retry = (tail: Tail, outcome: Outcome & { kind: 'failed' }): void => {
    tail.rewind()
    const waitMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** tail.failures)
    tail.failures += 1
    tail.notBefore = Date.now() + waitMs
    options.onFailed(tail, outcome, waitMs)
    if (signal.aborted) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      wake(tail)
    }, waitMs + 1)
    timers.add(timer)
  }
  signal.addEventListener('abort', () => {
    for (const timer of timers) clearTimeout(timer)
    timers.clear()
    queue.length = 0
  })
  return {
    wake,
    get isRunning() {
      return running.size > 0 || queue.length > 0
    },
    async stopped() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

/** Says to the receiver: nothing has come for a while, hand on what you hold of this file. */
function emptyPage(tail: Tail): Page {
  const { offset } = tail.progress.read
  return { file: tail.ref, lines: [], start: offset, end: offset, offsets: () => [] }
}
