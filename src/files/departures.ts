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
  const report = ({ path, lostBytes: bytes, isTruncated }: Tail): void => {
    const reason = isTruncated ? 'truncated' : 'deleted'
    context.count('weir_file_lost_bytes', bytes, { reason })
    context.log.warn(`${path} was ${reason} before its last ${bytes} bytes were delivered; they are lost.`, {
      path,
      bytes,
    })
  }
  return {
    async exchanged(tail) {
      tail.isTruncated = true
      tail.restBytes = 0
      await lose(tail)
    },
    vanished: lose,
    async letGo(tail) {
      if (isBusy(tail)) return
      const grace = tail.source?.stat().nlink === 0n ? DELETED_GRACE_MS : MOVED_GRACE_MS
      if (Date.now() - Math.max(tail.lastDataAt, tail.seenAt) < grace) return
      if (tail.restBytes > 0 || tail.isHeld) {
        tail.isEnding = true // Its last line gets no newline any more.
        return
      }
      tail.isLossCounted = true
      await lose(tail)
    },
    countLoss(tail, isFinal = false) {
      if (tail.isLossCounted || tail.goneAt === undefined) return
      const mayTurnUp = tail.progress.hasFlights || Date.now() - tail.goneAt < COPY_GRACE_MS + 2 * pollMs
      if (mayTurnUp && !isFinal) return
      tail.isLossCounted = true
      checkpoints.changed(tail)
      if (tail.lostBytes > 0) report(tail)
    },
  }
}

function isBusy(tail: Tail): boolean {
  return tail.isRunning || tail.hasUnread || tail.progress.hasFlights || tail.notBefore > Date.now()
}
