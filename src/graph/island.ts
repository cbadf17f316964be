/**
 * One island at work: starts from the end of the flow, stops from its beginning, so that whoever drains
 * finds a living consumer behind it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type BuiltIsland, buildIsland, type RunningReceiver } from './build.ts'
import type { Island } from './plan.ts'
import { componentKey, type Runtime } from './runtime.ts'

export interface RunningIsland {
  readonly plan: Island
  /** Resolves when every receiver that can end has ended, everything it read being acknowledged. */
  readonly ended: Promise<void>
  /**
   * Stops taking in, waits until everything admitted has settled and stops the components.
   * After `timeoutMs` what is still on its way settles `failed`. Returns the number of batches cut off so.
   */
  stop(timeoutMs: number): Promise<number>
}

/** Builds and starts an island. When a part fails to start, those already started are stopped and it rejects. */
export async function startIsland(plan: Island, runtime: Runtime, shareBytes: number): Promise<RunningIsland> {
  const taking = new AbortController()
  const now = new AbortController()
  const built = buildIsland(plan, { runtime, taking: taking.signal, now: now.signal, shareBytes })
  try {
    for (const { id, part } of built.parts) await startPart(id, () => part.start?.(now.signal))
  } catch (error) {
    now.abort(new Error('the start was given up'))
    await stopParts(built, runtime, now.signal)
    throw error
  }
  const runs = built.receivers.map((one) => keepRunning(one, runtime, taking.signal))
  const ended = Promise.all(runs.filter((_, i) => built.receivers[i]?.ends)).then(() => {})

  const stop = async (timeoutMs: number): Promise<number> => {
    taking.abort(new Error('shutting down'))
    let cut = 0
    const limit = setTimeout(() => {
      cut = built.receivers.reduce((total, { intake }) => total + intake.open, 0)
      now.abort(new Error('the time for the shutdown is over'))
    }, timeoutMs)
    await Promise.all([...runs, ...built.receivers.map(({ intake }) => intake.drained())])
    for (const { intake } of built.receivers) intake.close()
    for (const pipeline of built.pipelines) await pipeline.close()
    for (const chain of built.chains) await chain.close()
    await stopParts(built, runtime, now.signal)
    clearTimeout(limit)
    built.forget()
    return cut
  }
  return { plan, ended, stop }
}

async function startPart(id: string, start: () => Promise<void> | undefined): Promise<void> {
  try {
    await start()
  } catch (error) {
    throw new Error(`failed to start "${id}": ${(error as Error).message}`, { cause: error })
  }
}

async function stopParts(built: BuiltIsland, runtime: Runtime, signal: AbortSignal): Promise<void> {
  for (const { id, part } of [...built.parts].reverse()) {
    try {
      await part.stop?.(signal)
    } catch (error) {
      runtime.log.error('A component failed to stop.', { 'otelcol.component.id': id, error })
    }
  }
}

/** A receiver that fails is started again, later and later; one that returns has ended. */
async function keepRunning(
  { id, receiver, intake }: RunningReceiver,
  { log, metrics, health }: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const key = componentKey('receiver', id)
  for (let waitMs = 500; !signal.aborted; waitMs = Math.min(waitMs * 2, 30_000)) {
    const startedAt = Date.now()
    try {
      await receiver.run(intake, signal)
      return
    } catch (error) {
      if (signal.aborted) return
      metrics.add('weir_receiver_restarts', 1, { receiver: id })
      health.report(key, 'recoverable', (error as Error).message)
      log.error('A receiver failed and will be started again.', { 'otelcol.component.id': id, error, wait_ms: waitMs })
    }
    if (Date.now() - startedAt > 60_000) waitMs = 500
    await sleep(waitMs, undefined, { signal }).catch(() => {})
    health.report(key, 'ok')
  }
}
