/** Follows files: hands on what is appended to them, page by page, and remembers what was acknowledged. */
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Context } from '../component.ts'
import { Census } from './census.ts'
import { Checkpoints } from './checkpoints.ts'
import { createCutWarnings } from './cut-warnings.ts'
import { encodingOf } from './encoding.ts'
import { createFinder } from './glob.ts'
import type { FollowOptions } from './options.ts'
import type { TakePage } from './page.ts'
import { Pump } from './pump.ts'
import { reportDamage } from './spoilage.ts'
import type { Tail } from './tail.ts'
import { createTrouble, type Trouble } from './trouble.ts'
import { watchDirectories } from './watch.ts'

export type FollowContext = Pick<Context, 'log' | 'store' | 'drain' | 'health' | 'count' | 'gauge'>

/**
 * Reads every file that matches, from where the last acknowledged page ended, and goes on until `signal` aborts
 * (with `context.drain`: until everything that is there has been read and acknowledged, and that is saved).
 *
 * Pages of one file come in order and one at a time; there may be many on their way. A page whose journey failed is
 * read again after a while, with all that came after it in its file: a page that starts before the end of the last
 * one of its file means that, and a receiver forgets what it held of the file. A page without lines means that
 * nothing came for `forceFlushMs`, or that nothing will: a receiver that holds an unfinished record hands it on.
 */
export async function follow(
  options: FollowOptions,
  context: FollowContext,
  take: TakePage,
  signal: AbortSignal,
): Promise<void> {
  const broken = new AbortController()
  const stop = AbortSignal.any([signal, broken.signal])
  const waker = createWaker(stop)
  const trouble = createTrouble(context)
  const cut = createCutWarnings(context)
  const finder = createFinder(options.include, options.exclude)
  const checkpoints = new Checkpoints({
    store: context.store,
    onError: (error) => context.log.warn('The positions in files could not be saved; trying again.', { error }),
  })
  const census = new Census(options, context, finder, checkpoints, trouble)
  const pump = new Pump({
    limits: { ...options, encoding: encodingOf(options.encoding) ?? never(options.encoding) },
    ...options,
    isDraining: context.drain,
    take,
    signal: stop,
    onAcked: checkpoints.changed,
    onFailed: (tail, { error }, waitMs) =>
      context.log.warn(`A part of ${tail.path} was not delivered; it is read again in ${waitMs} ms.`, { error }),
    onSuspect: waker.wake,
    onTrouble: (tail, error) => trouble.report(tail.path, error),
    onDamage: (tail) => reportDamage(tail, context.drain, trouble, checkpoints),
    onRead(tail, bytes, dropped) {
      context.count('weir_file_bytes_read', bytes)
      if (dropped > 0) cut(tail.path, dropped)
    },
    onIdle: context.drain ? waker.wake : () => {},
    onBroken: (error) => broken.abort(error),
  })
  const run = { options, context, census, checkpoints, pump, waker, stop, finder, trouble }
  try {
    const { tails, isFirstStart } = await checkpoints.load()
    census.restore(tails, isFirstStart)
    await (context.drain ? drain(run) : poll(run))
  } finally {
    await pump.stopped()
    await setImmediate() // What has been answered by now counts.
    for (const tail of census.catalog.tails) if (tail.hasUnread) checkpoints.changed(tail) // So that a loss can be seen.
    checkpoints.detach()
    await checkpoints
      .save()
      .catch((error) => context.log.error('The positions in files could not be saved.', { error }))
    await census.catalog.closeAll()
  }
  if (!signal.aborted) broken.signal.throwIfAborted()
}

interface Run {
  readonly options: FollowOptions
  readonly context: FollowContext
  readonly census: Census
  readonly checkpoints: Checkpoints
  readonly pump: Pump
  readonly waker: Waker
  readonly stop: AbortSignal
  readonly finder: ReturnType<typeof createFinder>
  readonly trouble: Trouble
}

async function poll(run: Run): Promise<void> {
  const { census, pump, waker, stop, options } = run
  let byPath = new Map<string, Tail>()
  const watch = watchDirectories({
    renamed: waker.wake,
    changed(paths) {
      for (const path of paths) poke(byPath.get(path), pump, waker)
    },
  })
  try {
    for (let isFirst = true; !stop.aborted; isFirst = false) {
      await look(run)
      if (isFirst) warnOfMissing(run)
      for (const tail of census.catalog.tails) pump.wake(tail)
      byPath = new Map([...census.catalog.tails].filter(({ source }) => source).map((tail) => [tail.path, tail]))
      watch.set(new Set([...run.finder.directories, ...[...byPath.keys()].map((path) => dirname(path))]))
      await waker.wait(options.pollMs)
    }
  } finally {
    watch.close()
  }
}

function poke(tail: Tail | undefined, pump: Pump, waker: Waker): void {
  const size = tail?.source?.size()
  if (tail === undefined || size === undefined || size < tail.progress.read.offset) {
    waker.wake()
    return
  }
  tail.size = size
  pump.wake(tail)
}

async function drain(run: Run): Promise<void> {
  const { census, pump, waker, stop, checkpoints } = run
  await look(run)
  warnOfMissing(run)
  let mustLook = false
  for (let isOpen = true; isOpen && !stop.aborted; ) {
    if (mustLook) await look(run)
    const tails = [...census.catalog.tails]
    for (const tail of tails) {
      tail.isEnding = true
      pump.wake(tail)
    }
    mustLook = census.isUnfinished || tails.some((tail) => tail.isSuspect)
    isOpen = mustLook || pump.isRunning || tails.some(isUnfinished)
    if (isOpen) await waker.wait(run.options.pollMs)
  }
  if (stop.aborted) return
  census.countLosses()
  await checkpoints.save()
}

function isUnfinished(tail: Tail): boolean {
  if (tail.isRunning || tail.progress.hasFlights) return true
  return tail.source !== undefined && (tail.hasUnread || tail.isHeld || tail.work(Date.now(), 0, 2) !== undefined)
}

async function look(run: Run): Promise<void> {
  const { census, checkpoints, context, trouble } = run
  const hasNew = await census.look()
  for (const tail of census.catalog.tails) reportDamage(tail, context.drain, trouble, checkpoints)
  // What a file is called in records must be known after a crash, so it is saved before the first of them leaves.
  if (hasNew) {
    await checkpoints.save().catch((error) => context.log.warn('The positions in files could not be saved.', { error }))
  }
  let reading = 0
  for (const tail of census.catalog.tails) if (tail.source !== undefined && tail.hasUnread) reading += 1
  context.gauge('otelcol_fileconsumer_open_files', census.catalog.openFiles)
  context.gauge('otelcol_fileconsumer_reading_files', reading)
}

function warnOfMissing({ finder, context }: Run): void {
  for (const pattern of finder.unmatched) {
    const what = context.drain
      ? `No file matches ${pattern}: nothing was read for it.`
      : `No file matches ${pattern} so far; one that does later will be read from its beginning.`
    context.log.warn(what, { pattern })
  }
}

function never(encoding: string): never {
  throw new Error(`Unknown encoding "${encoding}".`)
}

interface Waker {
  wake(): void
  /** Resolves after `ms`, or at once when woken (before or meanwhile) or stopped. */
  wait(ms: number): Promise<void>
}

const MIN_PAUSE_MS = 5

function createWaker(stop: AbortSignal): Waker {
  let isWoken = false
  let resolve: (() => void) | undefined
  const wake = (): void => {
    isWoken = true
    resolve?.()
  }
  stop.addEventListener('abort', wake, { once: true })
  return {
    wake,
    async wait(ms) {
      const waited = Promise.withResolvers<void>()
      resolve = waited.resolve
      const timer = setTimeout(waited.resolve, isWoken ? Math.min(MIN_PAUSE_MS, ms) : ms)
      await waited.promise
      clearTimeout(timer)
      resolve = undefined
      isWoken = false
    },
  }
}
