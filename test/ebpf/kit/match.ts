/** Finds the records of an action among all records, and holds them against what was expected. */
import type { Action, Expected, Facts, Match, Said, Seen, Where } from '../actions/types.ts'

export interface Outcome {
  readonly action: string
  readonly title: string
  /** Records that the action left, and the most there may be. */
  readonly records: number
  readonly atMost: number
  /** For each expected record the one that was found, in a line. */
  readonly found: readonly string[]
  /** What is wrong; empty when all is well. */
  readonly problems: readonly string[]
}

/** The processes of an action: everything that descends from the first one, by ids of images alone. */
export function recordsOf(all: readonly Seen[], rootExecId: string): Seen[] {
  const ids = new Set([rootExecId])
  // Records of one process may come by two rings, hence in any order.
  for (let size = 0; size !== ids.size; ) {
    size = ids.size
    for (const { attributes } of all) {
      if (ids.has(String(attributes['process.parent.exec_id']))) ids.add(String(attributes['process.exec_id']))
    }
  }
  return all.filter(({ attributes }) => ids.has(String(attributes['process.exec_id'])))
}

/** The record of the first program of an action: by its pid, and after the action began. */
export function rootOf(all: readonly Seen[], pid: number, since: string): Seen | undefined {
  return all.find(
    ({ eventName, attributes, time }) =>
      eventName === 'process.exec' && attributes['process.pid'] === pid && time >= since,
  )
}

export function judge(action: Action, records: readonly Seen[], said: readonly Said[], facts: Facts): Outcome {
  const problems: string[] = []
  const found: string[] = []
  const execIds = new Map<string, string>()
  const roles = new Map(said.map(({ role, pid }) => [role, pid]))
  const pidOf = ({ attributes }: Seen): unknown =>
    attributes[action.inContainer === true ? 'process.vpid' : 'process.pid']
  for (const record of records) {
    for (const [role, pid] of roles) {
      if (pidOf(record) === pid) execIds.set(role, String(record.attributes['process.exec_id']))
    }
  }
  // A parent is the image that made the child: of a role that later ran another program, the first one.
  const first = records.find(({ eventName }) => eventName === 'process.exec')
  if (first !== undefined && action.inContainer !== true)
    execIds.set('main', String(first.attributes['process.exec_id']))
  for (const expected of action.expected) {
    if (expected.unless?.(facts) === true) continue
    const fits = records.filter((record) => {
      if (record.eventName !== expected.event) return false
      if (expected.by !== undefined && pidOf(record) !== roles.get(expected.by)) return false
      return fitsWhere(record.attributes, expected.where, facts) && fitsWhere(record.resource, expected.resource, facts)
    })
    const parent = expected.parent === undefined ? undefined : execIds.get(expected.parent)
    const ours = parent === undefined ? fits : fits.filter((one) => one.attributes['process.parent.exec_id'] === parent)
    const times = ours.reduce((sum, { attributes }) => sum + 1 + Number(attributes['weir.count'] ?? 0), 0)
    const [one] = ours
    if (one === undefined || times < (expected.times ?? 1)) {
      problems.push(
        `${describe(expected)}: ${times} of ${expected.times ?? 1}${nearest(records, expected, fits, pidOf)}`,
      )
    } else {
      found.push(line(one))
      if (expected.as !== undefined) execIds.set(expected.as, String(one.attributes['process.exec_id']))
    }
  }
  if (records.length > action.atMost) problems.push(`${records.length} records, and at most ${action.atMost} may be`)
  const wrong = action.check?.(records, facts)
  if (wrong !== undefined) problems.push(wrong)
  problems.push(...identityProblems(records))
  return { action: action.id, title: action.title, records: records.length, atMost: action.atMost, found, problems }
}

export function fitsWhere(attributes: Readonly<Record<string, unknown>>, where: Where | undefined, facts: Facts) {
  return Object.entries(where ?? {}).every(([name, match]) => fits(attributes[name], match, facts))
}

function fits(value: unknown, match: Match, facts: Facts): boolean {
  if (typeof match === 'function') return match(value, facts)
  if (match instanceof RegExp) return typeof value === 'string' && match.test(value)
  return value === match
}

/** Every record says who did it: a process that is told apart from every other, its image and its parent. */
export function identityProblems(records: readonly Seen[]): string[] {
  const pids = new Map<string, unknown>()
  const problems = new Set<string>()
  for (const { eventName, attributes } of records) {
    const entity = attributes['process.entity_id']
    const pid = attributes['process.pid']
    for (const name of ['process.pid', 'process.entity_id', 'process.exec_id', 'process.parent.exec_id']) {
      if (attributes[name] === undefined || attributes[name] === '') problems.add(`${eventName} without ${name}`)
    }
    const [, , execPid] = Buffer.from(String(attributes['process.exec_id']), 'base64').toString().split(':')
    if (execPid === undefined || !/^\d+$/.test(execPid))
      problems.add(`${eventName}: process.exec_id is not node:time:pid`)
    else if (attributes['weir.process.forked'] !== true && Number(execPid) !== pid && eventName !== 'process.exec') {
      problems.add(`${eventName}: process.exec_id names pid ${execPid}, the record ${pid}`)
    }
    if (pids.has(String(entity)) && pids.get(String(entity)) !== pid)
      problems.add(`${entity} is the id of two processes`)
    pids.set(String(entity), pid)
  }
  return [...problems]
}

function describe({ event, by, parent, where = {} }: Expected): string {
  const parts = Object.entries(where).map(([name, match]) => `${name}=${typeof match === 'function' ? '…' : match}`)
  return `${event}${by === undefined ? '' : ` by ${by}`}${parent === undefined ? '' : ` under ${parent}`} {${parts.join(', ')}}`
}

/** What came instead: the record of the same event that is most alike, and what differs. */
function nearest(records: readonly Seen[], expected: Expected, fits: readonly Seen[], pidOf: (one: Seen) => unknown) {
  const [other] = fits
  if (other !== undefined) return `; one has another parent: ${other.attributes['process.parent.exec_id']}`
  const same = records.filter(({ eventName }) => eventName === expected.event)
  if (same.length === 0) return '; no such event'
  const shown = same.slice(0, 4).map((one) => {
    const names = Object.keys(expected.where ?? {})
    const values = names.map((name) => `${name}=${JSON.stringify(one.attributes[name])}`)
    return `pid ${pidOf(one)} ${values.join(' ')}`
  })
  return `; there were ${same.length}: ${shown.join(' | ')}`
}

/** A record in a line, for the table that is printed. */
export function line({ eventName, attributes, resource }: Seen): string {
  const shown = Object.entries(attributes)
    .filter(([name]) => !BORING.test(name))
    .map(([name, value]) => `${name}=${short(value)}`)
  const container =
    resource['container.id'] === undefined ? '' : ` container=${String(resource['container.id']).slice(0, 12)}`
  return `${eventName} pid=${attributes['process.pid']}${container} ${shown.join(' ')}`
}

const BORING =
  /^(process\.(pid|vpid|parent|entity|exec_id|user|real_user|group|creation|linux|executable|working|interactive|saved|args_count)|weir\.process\.|log\.record|weir\.namespace\.(mnt|pid|net|uts|ipc|cgroup|user)$|file\.(inode|owner|group|directory|extension|name)|weir\.file\.(device|filesystem))/

function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
