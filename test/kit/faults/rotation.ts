/** Files that rotate at speed while Weir is killed and its destination now and then does not answer. */
import { runKills } from '../kills.ts'
import type { Fault } from './fault.ts'

function rotation(how: 'rename' | 'copytruncate'): Fault {
  const what = how === 'rename' ? 'renamed' : 'copied and truncated'
  const name = `files are ${what} at speed, SIGKILL, a destination that fails now and then, queue on disk`
  return {
    name,
    async run({ records, kills: many }) {
      const kills = Math.max(3, Math.round(many / 2))
      const linesPerSecond = Math.max(1000, Math.round(records / kills))
      const load = { linesPerSecond, lifeMs: [400, 2500] as const, kills, matchRotated: false, queue: 'disk' as const }
      const result = await runKills({ ...load, rotation: how, rotateEveryMs: how === 'rename' ? 700 : 1500 })
      const { written, missing, unexplained, duplicates, rotations, missingBytes, reportedBytes } = result
      const destroyed = missing.length - unexplained.length
      const code = result.code === 0 ? 0 : how === 'rename' ? 1 : 0
      return {
        fault: name,
        records: written,
        missing: unexplained.length + (how === 'rename' ? destroyed : 0) + code,
        duplicates,
        reported: how === 'rename' ? 0 : destroyed,
        note:
          how === 'rename'
            ? `${rotations} rotations, ${kills} kills`
            : `${rotations} truncations, ${kills} kills; ${missingBytes} bytes were destroyed before anybody could read them, most of them while Weir was dead: it could see and report ${reportedBytes}`,
      }
    },
  }
}

export const rotationFaults: readonly Fault[] = [rotation('rename'), rotation('copytruncate')]
