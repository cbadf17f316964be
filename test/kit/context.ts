import type { Context, DeadLetter, Health, Host } from '../../src/component.ts'
import { memoryStore } from '../../src/storage/store.ts'
import { SILENT } from '../../src/telemetry/logger.ts'

export interface TestContext extends Context {
  readonly filteredBy: Record<string, number>
  readonly lostBy: Record<string, number>
  readonly letters: DeadLetter[]
  readonly healthLog: { status: Health; reason: string | undefined }[]
  readonly counts: Record<string, number>
  readonly host: Host
}

/** A host that only remembers what it is told. */
export function testContext(overrides: Partial<Context> = {}): TestContext {
  const filteredBy: Record<string, number> = {}
  const lostBy: Record<string, number> = {}
  const counts: Record<string, number> = {}
  const letters: DeadLetter[] = []
  const healthLog: TestContext['healthLog'] = []
  return {
    id: 'test',
    log: SILENT,
    store: memoryStore().namespace('test'),
    drain: false,
    stateDir: '/nonexistent',
    filteredBy,
    lostBy,
    counts,
    letters,
    healthLog,
    host: { health: () => new Map(), losses: () => [], isReady: true, startedAt: Date.now(), stores: memoryStore() },
    filtered: (count, reason) => void (filteredBy[reason] = (filteredBy[reason] ?? 0) + count),
    lost: (count, reason) => void (lostBy[reason] = (lostBy[reason] ?? 0) + count),
    reject: async (more) => void letters.push(...more),
    health: (status, reason) => void healthLog.push({ status, reason }),
    count: (metric, value) => void (counts[metric] = (counts[metric] ?? 0) + value),
    gauge: (metric, value) => void (counts[metric] = value),
    ...overrides,
  }
}
