/**
 * One island at work: starts from the end of the flow, stops from its beginning, so that whoever drains
 * finds a living consumer behind it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chain } from '../exporting/chain.ts'
import { type BuiltIsland, buildIsland, type RunningReceiver } from './build.ts'
import type { Island } from './plan.ts'
import { type Runtime, reportHealth } from './runtime.ts'

export interface RunningIsland {
  readonly plan: Island
  /** Resolves when every receiver that can end has ended, and all that it read has reached its destinations. */
  readonly ended: Promise<void>
  /**
   * Stops taking in, waits until everything admitted has settled and stops the components.
   * After `timeoutMs` what is still on its way settles `failed`, and a component that does not stop even then is
   * left behind. Returns the number of batches cut off so.
   */
  stop(timeoutMs: number): Promise<number>
  /** What leads to an exporter of this island: for records that come by another way than a pipeline. */
  chain(exporter: string): Chain | undefined
}

/** For whoever heeds a signal, but not at once. */
const GRACE_MS = 1000

/** Builds and starts an island. When a part fails to start, those already started are stopped and it rejects. */
export async function startIsland(plan: Island, runtime: Runtime, shareBytes: number): Promise<RunningIsland> {
  const taking = new AbortController()
  const now = new AbortController()
  const built = buildIsland(plan, { runtime, taking: taking.signal, now: now.signal, shareBytes })
  try {
    for (const { kind, id, part } of built.parts) await startPart(`${kind}s::${id}`, () => part.start?.(now.signal))
  } catch (error) {
    now.abort(new Error('the start was given up'))
    await stopParts(built, runtime, now.signal)
    built.forget()
    throw error
  }
  const runs = built.receivers.map((one) => keepRunning(one, runtime, taking.signal))
  const ended = allEnded(built, runs)

  const stop = async (timeoutMs: number): Promise<number> => {
    const open = (): number => built.receivers.reduce((total, { intake }) => total + intake.open, 0)
    let cut = 0
    taking.abort(new Error('shutting down'))
    const limit = setTimeout(() => {
      cut = open()
      now.abort(new Error('the time for the shutdown is over'))
    }, timeoutMs)
    if (!(await inTime(flowOut(built, runs), now.signal))) {
      cut = Math.max(cut, open())
      runtime.log.error('Some batches were never settled; they are left behind.', { batches: open() })
    }
    for (const [id, { stats }] of built.chains) if (stats.records > 0) runtime.leftOnDisk.set(id, stats.records)
    await stopParts(built, runtime, now.signal)
    clearTimeout(limit)
    built.forget()
    return cut
  }
  return { plan, ended, stop, chain: (exporter) => built.chains.get(exporter) }
}

async function allEnded({ receivers, chains }: BuiltIsland, runs: readonly Promise<void>[]): Promise<void> {
  await Promise.all(runs.filter((_, i) => receivers[i]?.ends))
  await Promise.all([...chains.values()].map((chain) => chain.emptied()))
}

/** From the beginning of the flow to its end: each waits until nothing comes any more, and lets go what it holds. */
async function flowOut({ receivers, pipelines, chains }: BuiltIsland, runs: readonly Promise<void>[]): Promise<void> {
  await Promise.all(runs)
  for (const pipeline of pipelines) await pipeline.close()
  for (const chain of chains.values()) await chain.close()
  for (const { intake } of receivers) {
    await intake.drained()
    intake.close()
  }
}

/** False when `work` is not done a moment after `now` aborted. */
async function inTime(work: Promise<unknown>, now: AbortSignal): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  let grace: NodeJS.Timeout | undefined
  const begin = (): void => {
    grace = setTimeout(resolve, GRACE_MS, false)
  }
  if (now.aborted) begin()
  else now.addEventListener('abort', begin, { once: true })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(grace)
    now.removeEventListener('abort', begin)
  }
}

async function startPart(path: string, start: () => Promise<void> | undefined): Promise<void> {
  try {
    await start()
  } catch (error) {
    throw new Error(`failed to start ${path}: ${(error as Error).message}`, { cause: error })
  }
}

async function stopParts(built: BuiltIsland, runtime: Runtime, now: AbortSignal): Promise<void> {
  for (const { kind, id, part } of [...built.parts].reverse()) {
    const facts = { 'otelcol.component.id': id, 'otelcol.component.kind': kind }
    try {
      if (await inTime(Promise.resolve(part.stop?.(now)), now)) continue
      runtime.log.error('A component did not stop in time; it is left behind.', facts)
    } catch (error) {
      runtime.log.error('A component failed to stop.', { ...facts, error })
    }
  }
}

/** A receiver that fails is started again, later and later; one that returns has ended. */
async function keepRunning(
  { id, receiver, intake }: RunningReceiver,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  for (let waitMs = 500; !signal.aborted; waitMs = Math.min(waitMs * 2, 30_000)) {
    const startedAt = Date.now()
    try {
      await receiver.run(intake, signal)
      return
    } catch (error) {
      if (signal.aborted) return
      runtime.metrics.add('weir_receiver_restarts', 1, { receiver: id })
      reportHealth(runtime, 'receiver', id, 'recoverable', (error as Error).message)
      const facts = { 'otelcol.component.id': id, error, wait_ms: waitMs }
      runtime.log.error('A receiver failed and will be started again.', facts)
    }
    if (Date.now() - startedAt > 60_000) waitMs = 500
    await sleep(waitMs, undefined, { signal }).catch(() => {})
    reportHealth(runtime, 'receiver', id, 'ok')
  }
}
