/**
 * Long-running requests (`watch`, `exec`, `portforward`, following logs) are told twice: when they start and when they
 * end. With `drop_duplicate_stages` the first telling is kept, since it comes while there is still something to see,
 * and the second only if it says something else (another code, or a panic).
 *
 * The memory is bounded: past the cap the oldest request is forgotten, whose end is then told as well. The same stage
 * told twice is not a duplicate here: a source that replays must be able to.
 */

const MAX_OPEN = 16_384

/** Says whether this stage of this request adds nothing to one that was told before. */
export type IsRepeated = (id: string, stage: string, code: number) => boolean

/** Creates the memory for one source. */
export function createStageMemory(most = MAX_OPEN): IsRepeated {
  const started = new Map<string, number>()
  return (id, stage, code) => {
    if (stage === 'ResponseStarted') {
      if (started.size >= most) started.delete(started.keys().next().value as string)
      started.set(id, code)
      return false
    }
    return stage === 'ResponseComplete' && started.get(id) === code
  }
}
