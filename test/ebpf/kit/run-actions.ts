/**
 * Starts Weir with the eBPF receiver, does every action and its harmless neighbour, and holds the records against what
 * was expected. Runs on this machine and within a virtual one:
 *
 *   node test/ebpf/kit/run-actions.ts [--only 3,12a] [--report FILE]
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ACTIONS } from '../actions/table.ts'
import type { Action, Command, Facts, Place, Said, Seen } from '../actions/types.ts'
import { type Container, startContainer } from './container.ts'
import { twinProblems } from './flags.ts'
import { judge, line, type Outcome, recordsOf, rootOf } from './match.ts'
import { programs } from './programs.ts'
import { type HookRow, hooksOf, printHooks, printOutcomes } from './report.ts'
import { type Sensor, startSensor } from './sensor.ts'

export interface Report {
  readonly kernel: string
  readonly hooks: readonly HookRow[]
  readonly outcomes: readonly Outcome[]
  /** Problems that belong to no action. */
  readonly general: readonly string[]
}

interface Done {
  readonly action: Action
  readonly isTwin: boolean
  readonly pid: number
  readonly since: string
  readonly said: readonly Said[]
  readonly output: string
  readonly status: number | null
}

export interface Options {
  readonly only?: readonly string[]
  readonly receiver?: string
  /** Keeps all records in this file. */
  readonly keep?: string
}

export async function runActions({ only, receiver, keep }: Options = {}): Promise<Report> {
  const tools = programs()
  const work = mkdtempSync(join(tmpdir(), 'weir-actions-'))
  const actions = ACTIONS.filter(({ id }) => only === undefined || only.includes(id))
  let sensor: Sensor | undefined
  let container: Container | undefined
  try {
    sensor = await startSensor({ ...(receiver === undefined ? {} : { receiver }), limitMs: 60_000 })
    const began = now()
    container = startContainer(tools)
    // Its files are looked up once a second; until then those that are watched are known by name alone.
    await sleep(3000)
    const done: Done[] = []
    for (const action of actions) {
      for (const isTwin of [false, true]) {
        const dir = join(work, `${action.id}${isTwin ? '-twin' : ''}`)
        mkdirSync(dir)
        const place: Place = { ...tools, bin: tools.dir, dir }
        const prefix = action.inContainer === true ? container.prefix : []
        done.push({ action, isTwin, ...(await run(isTwin ? action.twin.run : action.run, place, prefix)) })
      }
    }
    await settled(sensor, tools.deed, work)
    const records = sensor.records()
    if (keep !== undefined) cpSync(join(sensor.dir, 'records.jsonl'), keep)
    const hooks = hooksOf(records)
    const general = generalProblems(sensor, records, container, began, only !== undefined)
    return { kernel: release(), hooks, outcomes: outcomesOf(done, records, hooks, container.id), general }
  } finally {
    container?.remove()
    await sensor?.remove()
    rmSync(work, { recursive: true, force: true })
  }
}

const now = (): string => new Date(Date.now() - 20).toISOString()

function run(command: Command, place: Place, prefix: readonly string[]): Promise<Omit<Done, 'action' | 'isTwin'>> {
  const [program = '', ...args] = [...prefix, ...command(place)]
  const since = now()
  const child = spawn(program, args, {
    cwd: place.dir,
    env: { PATH: `/usr/sbin:/usr/bin:/sbin:/bin`, HOME: place.dir },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  child.stdout.resume()
  child.stderr.setEncoding('utf8').on('data', (chunk) => (output += chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ pid: child.pid ?? 0, since, said: saidIn(output), output, status }))
  })
}

/** The lines of JSON among what an action wrote on standard error. */
function saidIn(output: string): Said[] {
  return output.split('\n').flatMap((text) => (text.startsWith('{"role"') ? [JSON.parse(text) as Said] : []))
}

/** Everything that was done before has arrived once the last program has: by both rings, folded repeats included. */
async function settled(sensor: Sensor, deed: string, dir: string): Promise<void> {
  const { pid, since } = await run(() => [deed, 'no_race'], { deed, bin: dir, dir }, [])
  const isLast = ({ attributes, time }: Seen): boolean => attributes['process.pid'] === pid && time >= since
  await sensor.until((one) => one.eventName === 'process.exit' && isLast(one), 'the end of the last program')
  await sensor.until((one) => one.eventName === 'file.delete' && isLast(one), 'the last file')
  await sleep(3000)
}

function outcomesOf(done: readonly Done[], records: readonly Seen[], hooks: readonly HookRow[], container: string) {
  const seesEveryOpen = hooks.some(({ feature, hook }) => feature === 'file.open' && /fentry|kprobe|lsm/.test(hook))
  const outcomes: Outcome[] = []
  const judged = new Map<Action, Outcome>()
  for (const { action, isTwin, pid, since, said, output, status } of done) {
    const facts: Facts = { of: (role) => said.find((one) => one.role === role) ?? {}, seesEveryOpen, hooks }
    const root = rootOf(records, pid, since)
    let own = root === undefined ? [] : recordsOf(records, String(root.attributes['process.exec_id']))
    // What the runtime of containers does on the way in is not of the action.
    if (action.inContainer === true) own = own.filter((one) => isWithin(one, container))
    const problems: string[] = []
    if (root === undefined) problems.push('its start left no record')
    if (status !== 0 || said.length === 0) problems.push(`it did not work (status ${status}): ${output.slice(-500)}`)
    if (!isTwin) {
      const outcome = judge(action, own, said, facts)
      judged.set(action, { ...outcome, problems: [...problems, ...outcome.problems] })
      continue
    }
    problems.push(...twinProblems(action, own, facts))
    const outcome = judged.get(action) as Outcome
    outcomes.push({ ...outcome, problems: [...outcome.problems, ...problems.map((text) => `twin: ${text}`)] })
  }
  return outcomes
}

function isWithin({ resource, attributes }: Seen, container: string): boolean {
  // The runtime, which enters the container to become its program, is not of the container.
  return resource['container.id'] === container && !/^\S*runc\b/.test(String(attributes['process.command_line']))
}

function generalProblems(
  sensor: Sensor,
  records: readonly Seen[],
  { id, podUid }: Container,
  began: string,
  isPart: boolean,
) {
  const problems: string[] = []
  const within = records.filter((one) => isWithin(one, id))
  const first = within.find(({ eventName }) => eventName === 'process.exec')
  if (first === undefined) problems.push('no program of the container was seen')
  else if (first.attributes['weir.process.in_init_tree'] !== true || first.attributes['process.vpid'] !== 1) {
    problems.push(`the first program of the container is not its init: ${line(first)}`)
  }
  const strange = within.find(({ resource }) => resource['k8s.pod.uid'] !== podUid)
  if (strange !== undefined) problems.push(`a record of the container has no pod: ${line(strange)}`)
  const entered = within.find(({ attributes }) => attributes['weir.process.comm'] === 'httpd')
  if (!isPart && entered?.attributes['weir.process.in_init_tree'] === true) {
    problems.push('a program that was started from outside counts as started by the image')
  }
  const own = records.find(({ attributes }) => attributes['process.pid'] === sensor.child.pid)
  if (own !== undefined) problems.push(`Weir saw itself: ${line(own)}`)
  const lost = records.filter(({ eventName, time }) => eventName === 'sensor.loss' && time >= began)
  for (const one of lost) problems.push(`records were lost: ${line(one)}`)
  return problems
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      report: { type: 'string' },
      receiver: { type: 'string' },
      keep: { type: 'string' },
    },
  })
  const report = await runActions({
    ...(values.only === undefined ? {} : { only: values.only.split(',') }),
    ...(values.receiver === undefined ? {} : { receiver: values.receiver }),
    ...(values.keep === undefined ? {} : { keep: values.keep }),
  })
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report))
  console.log(printHooks([report]))
  console.log(printOutcomes(report))
  process.exitCode = report.general.length > 0 || report.outcomes.some(({ problems }) => problems.length > 0) ? 1 : 0
}
