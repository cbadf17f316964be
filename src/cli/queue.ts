/** `weir queue`: what waits on disk, and how to get rid of what nobody will ever send. */
import { openStore } from '../storage/embedded.ts'
import type { StoreOwner } from '../storage/store.ts'
import { command, UsageError } from './arguments.ts'
import { askRunning, type ControlCommand } from './control.ts'
import { OFFLINE_FLAGS, parseCommand, stateDirOf } from './offline.ts'

const FLAGS = { ...OFFLINE_FLAGS, exporter: { type: 'string' } } as const

/** `queue list`, and `queue drop --exporter ID`, which is refused while a running Weir uses the queue. */
export const queue = command(async (args, io) => {
  const { action, values } = parseCommand('queue', args, ['list', 'drop'], FLAGS)
  const { exporter } = values
  if (action === 'drop' && exporter === undefined) throw new UsageError('weir queue drop: name it with --exporter ID')
  const stateDir = stateDirOf(values['state-dir'], io)
  const running = await askRunning(stateDir, `queue ${action}`, { exporter }, io.stdout)
  if (running !== undefined) return running
  const stores = await openStore(stateDir, { warn: (message) => io.stderr(`${message}\n`) }).catch((error: Error) => {
    throw new UsageError(`weir queue: ${error.message}`)
  })
  try {
    return action === 'list' ? await list([stores], io.stdout) : await drop([stores], exporter as string, io.stdout)
  } finally {
    await stores.close()
  }
})

/** The same, in a Weir that runs. */
export function queueCommands(
  stores: () => readonly StoreOwner[],
  isInUse: (exporter: string) => boolean,
): Readonly<Record<string, ControlCommand>> {
  return {
    'queue list': (_, out) => list(stores(), out),
    'queue drop': async ({ exporter }, out) => {
      if (!isInUse(String(exporter))) return drop(stores(), String(exporter), out)
      out(
        `weir queue drop: the exporter "${exporter}" is running and sends its queue; remove it from the configuration\n`,
      )
      return 1
    },
  }
}

async function list(stores: readonly StoreOwner[], out: (text: string) => void): Promise<number> {
  const all = (await Promise.all(stores.map((one) => one.queues()))).flat()
  for (const { queue: name, batches, records, bytes, oldestAt } of all) {
    const since = new Date(oldestAt).toISOString()
    out(`${name}: ${records} records in ${batches} batches, ${bytes} bytes, the oldest since ${since}\n`)
  }
  if (all.length === 0) out('nothing waits on disk\n')
  return 0
}

async function drop(stores: readonly StoreOwner[], exporter: string, out: (text: string) => void): Promise<number> {
  for (const store of stores) {
    const { batches, records } = await store.queue(exporter).drop(0, Number.MAX_SAFE_INTEGER)
    if (batches === 0) continue
    out(`${records} records of ${exporter} were removed\n`)
    return 0
  }
  out(`nothing waits on disk for "${exporter}"\n`)
  return 1
}
