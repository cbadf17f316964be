/** What happens to content whose file was renamed out of sight, deleted, truncated or replaced. */
import type { Catalog } from './catalog.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { FollowContext } from './follow.ts'
import type { Tail } from './tail.ts'

/** A writer may go on writing to a file that was renamed until it is told to open the new one. */
const MOVED_GRACE_MS = 30_000
const DELETED_GRACE_MS = 2000
/** A copy of destroyed content may still turn up. */
const COPY_GRACE_MS = 1000

export interface Departures {
  /** The file's content was exchanged: the tail waits for a copy of what it was. */
  exchanged(tail: Tail): Promise<void>
  /** The content cannot be found in any file. */
  vanished(tail: Tail): Promise<void>
  /** Closes a file that no pattern names any more, once it was read to its end and is quiet. */
  letGo(tail: Tail): Promise<void>
  /** Counts what was destroyed before it was read and acknowledged, when no copy turned up. */
  countLoss(tail: Tail, isFinal?: boolean): void
}

export function createDepartures(
  catalog: Catalog,
  checkpoints: Checkpoints,
  context: Pick<FollowContext, 'count' | 'log'>,
  pollMs: number,
): Departures {
  const lose = async (tail: Tail): Promise<void> => {
    const { size } = tail
    await catalog.detach(tail)
    tail.size = size
    checkpoints.changed(tail)
  }
  return {
    async exchanged(tail) {
      tail.isTruncated = true
      tail.restBytes = 0
      await lose(tail)
    },
    vanished: lose,
    async letGo(tail) {
      const { source, progress } = tail
      if (source === undefined || tail.isRunning || tail.hasUnread || progress.hasFlights) return
      const now = Date.now()
      if (tail.notBefore > now) return
      const grace = source.stat().nlink === 0n ? DELETED_GRACE_MS : MOVED_GRACE_MS
      if (now - Math.max(tail.lastDataAt, tail.seenAt) < grace) return
      if (tail.restBytes > 0 || tail.isHeld) {
        tail.isEnding = true // Its last line gets no newline any more.
        return
      }
      tail.isLossCounted = true
      await lose(tail)
    },
    countLoss(tail, isFinal = false) {
      if (tail.isLossCounted || tail.goneAt === undefined || (!isFinal && tail.progress.hasFlights)) return
      if (!isFinal && Date.now() - tail.goneAt < COPY_GRACE_MS + 2 * pollMs) return
      tail.isLossCounted = true
      checkpoints.changed(tail)
      const bytes = Number.isFinite(tail.size) ? tail.size - tail.progress.acked.offset : 0
      if (bytes <= 0) return
      const reason = tail.isTruncated ? 'truncated' : 'deleted'
      context.count('weir_file_lost_bytes', bytes, { reason })
      context.log.warn(`${tail.path} was ${reason} before its last ${bytes} bytes were delivered; they are lost.`, {
        path: tail.path,
        bytes,
      })
    },
  }
}
