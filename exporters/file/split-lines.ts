/** Cuts a batch of lines into what fits a file. */

const NEWLINE = 10

/**
 * The same bytes in parts of whole lines: the first of at most `room` bytes, the others of at most `max`, except for a
 * line that is longer, which is a part of its own. `room` 0 means that the first part begins a file too.
 */
export function splitLines(lines: Buffer, room: number, max: number): Buffer[] {
  const parts: Buffer[] = []
  let limit = room > 0 ? room : max
  for (let start = 0; start < lines.length; ) {
    const end = start + fitting(lines.subarray(start), limit, limit === max)
    if (end > start) parts.push(lines.subarray(start, end))
    start = end
    limit = max
  }
  return parts
}

/** How many bytes of whole lines are within the limit; with `force`, at least one line is taken. */
function fitting(lines: Buffer, limit: number, force: boolean): number {
  if (lines.length <= limit) return lines.length
  const last = limit > 0 ? lines.lastIndexOf(NEWLINE, limit - 1) : -1
  if (last >= 0) return last + 1
  if (!force) return 0
  const first = lines.indexOf(NEWLINE)
  return first < 0 ? lines.length : first + 1
}
