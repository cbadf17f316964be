/**
 * Keeps the process from being killed for its memory: while it is short, the receivers of the pipeline take nothing in.
 *
 * The Collector's processor of this name refuses what has been read and parsed already. This one shuts the doors of all
 * receivers that feed its pipeline, before anything is read: files wait on disk, servers answer 429 or 503 at once, and
 * sources that cannot wait shed, and count it.
 */
import { tap } from 'rxjs'
import { z } from 'zod'
import { defineProcessor } from '../../src/component.ts'
import { duration } from '../../src/config/values.ts'
import { Door, type Gate } from '../../src/flow/gate.ts'
import { memoryLimit } from '../../src/telemetry/memory-limit.ts'
import { type MemoryLimits, MemoryWatch } from './watch.ts'

/** The limits as they are written: 0 where one is not. */
interface Written {
  readonly limit_mib: number
  readonly limit_percentage: number
  readonly spike_limit_mib: number
  readonly spike_limit_percentage: number
}

const mib = () => z.int().min(0).default(0)
const percentage = () => z.number().min(0).max(100).default(0)
const MIB = 2 ** 20
const LOOK_AGAIN_MS = 5

const config = z
  .strictObject({
    check_interval: duration()
      .refine((ms) => ms > 0, { message: 'expected more than 0, such as 1s' })
      .prefault('1s')
      .describe('How often memory is looked at.'),
    limit_mib: mib().describe('Most memory that the process may use, in MiB; wins over `limit_percentage`.'),
    limit_percentage: percentage().describe('The same as a share of what the cgroup (or the machine) allows.'),
    spike_limit_mib: mib().describe(
      'Below the limit by this much the doors are shut; a fifth of the limit unless given. Wins over `spike_limit_percentage`.',
    ),
    spike_limit_percentage: percentage().describe('The same as a share of what the cgroup (or the machine) allows.'),
    min_gc_interval_when_soft_limited: duration()
      .prefault('10s')
      .describe('Least time between two forced collections of garbage above the soft limit.'),
    min_gc_interval_when_hard_limited: duration().prefault('0').describe('The same above the limit itself.'),
    max_gc_interval_when_soft_limited: duration()
      .prefault('30s')
      .describe('Longest time between two, to which it grows while they free little.'),
  })
  .refine((one) => one.limit_mib > 0 || one.limit_percentage > 0, {
    message: 'limit_mib or limit_percentage must be set, for example limit_percentage: 80',
  })
  .refine((one) => spikeOf(one, memoryLimit()) < limitOf(one, memoryLimit()), {
    message: 'the spike limit must be smaller than the limit',
  })

export const memoryLimiter = defineProcessor({
  type: 'memory_limiter',
  stability: 'beta',
  summary: 'Shuts the doors of the receivers while memory is short.',
  config,
  unsupported: {
    max_gc_interval_when_hard_limited: 'max_gc_interval_when_soft_limited counts for both',
  },
  examples: [
    { limit_percentage: 80, spike_limit_percentage: 25 },
    { check_interval: '500ms', limit_mib: 400 },
  ],
  create(settings, context) {
    const limits = limitsOf(settings)
    const watch = new MemoryWatch(limits)
    const door = new Door()
    let timer: NodeJS.Timeout | undefined

    const look = (): void => {
      const wasShort = watch.isShort
      const isShort = watch.check()
      context.gauge('weir_memory_limited', isShort ? 1 : 0)
      if (isShort === wasShort) return
      if (!isShort) {
        door.open()
        context.health('ok')
        context.log.info('Memory is no longer short; receivers take in again.', { resident: watch.resident })
        return
      }
      door.shut()
      context.count('weir_memory_limiter_closings', 1)
      const used = `${Math.round(watch.resident / MIB)} of ${Math.round(limits.hardBytes / MIB)} MiB`
      context.health('recoverable', `memory is short (${used}); receivers take nothing in until it is not`)
    }
    return {
      gate: watchful(door, look),
      async start() {
        timer = setInterval(look, settings.check_interval).unref()
      },
      async stop() {
        clearInterval(timer)
        // Nobody would open it any more.
        door.open()
      },
      operator: () =>
        tap(({ records }) => context.count('otelcol_processor_memory_limiter_accepted_log_records', records.length)),
    }
  },
})

/** Between two looks a burst may fill the memory: whoever asks at the door makes it look again. */
function watchful(door: Door, look: () => void): Gate {
  let lookedAt = 0
  return {
    get isOpen() {
      const now = performance.now()
      if (door.isOpen && now - lookedAt > LOOK_AGAIN_MS) {
        lookedAt = now
        look()
      }
      return door.isOpen
    },
    whenOpen: (signal) => door.whenOpen(signal),
  }
}

function limitOf({ limit_mib, limit_percentage }: Written, host: number): number {
  return limit_mib > 0 ? limit_mib * MIB : (host * limit_percentage) / 100
}

function spikeOf(settings: Written, host: number): number {
  const { spike_limit_mib, spike_limit_percentage } = settings
  if (spike_limit_mib > 0) return spike_limit_mib * MIB
  return spike_limit_percentage > 0 ? (host * spike_limit_percentage) / 100 : limitOf(settings, host) / 5
}

function limitsOf(settings: z.output<typeof config>): MemoryLimits {
  const host = memoryLimit()
  const hardBytes = limitOf(settings, host)
  return {
    hardBytes,
    softBytes: hardBytes - spikeOf(settings, host),
    softGcMs: settings.min_gc_interval_when_soft_limited,
    hardGcMs: settings.min_gc_interval_when_hard_limited,
    maxGcMs: settings.max_gc_interval_when_soft_limited,
  }
}
