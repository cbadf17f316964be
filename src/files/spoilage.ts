/** When damage to a compressed file is a loss. */
import { fileVersion } from './catalog.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Damage } from './damage.ts'
import type { Source } from './source.ts'
import type { Tail } from './tail.ts'
import type { Trouble } from './trouble.ts'

/** A compressed file without an end that was not written to for this long gets none any more. */
const INCOMPLETE_MS = 60_000

/** True for a file that only lacks its end while somebody may still be writing it; nobody does in a drained run. */
export function mayGoOn({ kind }: Damage, source: Source, isDraining: boolean): boolean {
  return kind === 'truncated' && !isDraining && Date.now() - Number(source.stat().mtimeMs) < INCOMPLETE_MS
}

/** Reports the damage of the file that the tail is in, once for each state of the file and also across restarts. */
export function reportDamage(
  tail: Tail,
  isDraining: boolean,
  trouble: Pick<Trouble, 'spoilt'>,
  checkpoints: Pick<Checkpoints, 'changed'>,
): void {
  const { source } = tail
  const damage = source?.damage
  if (source === undefined || damage === undefined) return
  const version = fileVersion(source.stat())
  if (tail.damagedAs === version || mayGoOn(damage, source, isDraining)) return
  tail.damagedAs = version
  checkpoints.changed(tail)
  trouble.spoilt(tail.path, damage)
}
