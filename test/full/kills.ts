/** Twenty kills at random moments under each way of rotating files. */
import { type KillOptions, runKills } from '../kit/kills.ts'
import type { FullSuite } from './suite.ts'

const KILLS = Number(process.env['WEIR_FULL_KILLS'] ?? 20)
const LINES_PER_SECOND = 5000

const scenarios: readonly {
  readonly name: string
  readonly options: Pick<KillOptions, 'rotation' | 'rotateEveryMs' | 'matchRotated'>
}[] = [
  { name: 'rename, pattern `*.log`', options: { rotation: 'rename', rotateEveryMs: 1000, matchRotated: false } },
  { name: 'rename, pattern `*.log*`', options: { rotation: 'rename', rotateEveryMs: 1000, matchRotated: true } },
  { name: 'copy and truncate', options: { rotation: 'copytruncate', rotateEveryMs: 2500, matchRotated: false } },
]

export async function fullKills(): Promise<FullSuite> {
  const rows: (string | number)[][] = []
  const failures: string[] = []
  for (const { name, options } of scenarios) {
    const result = await runKills({ ...options, kills: KILLS, linesPerSecond: LINES_PER_SECOND, lifeMs: [200, 4000] })
    const { written, kills, rotations, missing, unexplained, duplicates, ambiguous, truncated } = result
    const bytes = `${result.missingBytes} / ${result.reportedBytes}`
    rows.push([name, kills, rotations, written, missing.length, bytes, truncated, unexplained.length, duplicates])
    if (options.rotation === 'rename' && missing.length > 0)
      failures.push(`${name}: ${missing.length} lines are missing.`)
    if (unexplained.length > 0) failures.push(`${name}: ${unexplained.length} lines are missing that could be read.`)
    if (ambiguous.length > 0) failures.push(`${name}: ${ambiguous.length} lines came under more than one uid.`)
  }
  return {
    title: 'Kills',
    what:
      `Two audit logs and two text logs grow by ${LINES_PER_SECOND} lines a second together, each rotated every second ` +
      '(truncated every 2.5 s), while Weir is killed with SIGKILL at random moments of its life (0.2 to 4 s) and started ' +
      'again; the destination now and then answers nothing, or 503. "Destroyed" counts the lines that stood in a file ' +
      'when it was truncated, read or not; what was both written and destroyed while Weir was dead it cannot report; "could be read" those missing that stood there for 1.5 s while Weir was up.',
    columns: [
      'rotation',
      'kills',
      'rotations',
      'lines',
      'missing',
      'bytes missing / reported lost',
      'destroyed',
      'of the missing could be read',
      'duplicates',
    ],
    rows,
    failures,
  }
}
