/** Names that rotators give: which files may hold what another one held before. */
import { basename } from 'node:path'

/** `.1`, `-20240131`, `.20241010-132438`, `-2024-10-10T13-24-38.123`, `.old`: always after a separator. */
const SUFFIX = String.raw`[.\-_@](?:\d[\dTZ:.\-_+]*|old|bak|prev|orig|backup)`
const AT_END = new RegExp(`^(.+?)${SUFFIX}$`, 'i')
const BEFORE_EXTENSION = new RegExp(String.raw`^(.+?)${SUFFIX}(\.[a-z]+)$`, 'i')

/**
 * What a file was called before it was rotated: `app.log.2.gz` (logrotate), `0.log.20241010-132438` (kubelet) and
 * `app-2024-10-10T13-24-38.123.log` (lumberjack, kube-apiserver) all come from `app.log` and `0.log`.
 */
export function nameBeforeRotation(name: string): string {
  const plain = name.endsWith('.gz') ? name.slice(0, -3) : name
  const atEnd = AT_END.exec(plain)
  if (atEnd) return atEnd[1] as string
  const inside = BEFORE_EXTENSION.exec(plain)
  return inside ? `${inside[1]}${inside[2]}` : plain
}

/** True when one path can be another generation of the other. Equal names in different directories are strangers. */
export function areGenerations(a: string, b: string): boolean {
  const [first, second] = [basename(a), basename(b)]
  return first !== second && nameBeforeRotation(first) === nameBeforeRotation(second)
}

/** True when `copy` can be a copy that a rotator made of `original`: a file with the first name is never one. */
export function mayBeCopy(copy: string, original: string): boolean {
  const name = basename(copy)
  return nameBeforeRotation(name) !== name && areGenerations(copy, original)
}
