/** `weir dead-letter`: what could not be delivered, and how to send it again. */
import type { DeadLetterFile } from '../exporting/dead-letter.ts'
import { type ReplayResult, replay } from '../exporting/replay.ts'
import type { Program } from '../graph/program.ts'
import { CONFIG_FLAGS, command, UsageError } from './arguments.ts'
import { askRunning, type ControlCommand } from './control.ts'
import { OFFLINE_FLAGS, parseCommand, stateDirOf, withProgram } from './offline.ts'

const FLAGS = { ...CONFIG_FLAGS, ...OFFLINE_FLAGS, to: { type: 'string' } } as const

/**
 * `dead-letter replay [--to EXPORTER]` sends dead letters again, by the Weir that runs with the state directory, or, when
 * none does, by starting the exporters of `--config`. Exit codes: 0 all were delivered, 2 some are still there, 1 it
 * could not be tried.
 */
export const deadLetter = command(async (args, io) => {
  const { action, values } = parseCommand('dead-letter', args, ['replay'], FLAGS)
  const stateDir = stateDirOf(values['state-dir'], io)
  const running = await askRunning(stateDir, `dead-letter ${action}`, { to: values.to }, io.stdout)
  if (running !== undefined) return running
  if ((values.config ?? []).length === 0) {
    throw new UsageError(
      `weir dead-letter: no Weir is running with ${stateDir}; give it with --state-dir, or a configuration whose exporters are started with --config FILE`,
    )
  }
  return withProgram('dead-letter', values, stateDir, io, (program, runtime) =>
    replayLetters(program, runtime.deadLetters, values.to, io.stdout),
  )
})

/** The same, in a Weir that runs. */
export function replayCommand(program: Program, deadLetters: DeadLetterFile): ControlCommand {
  let isBusy = false
  return async ({ to }, out) => {
    if (isBusy) {
      out('weir dead-letter: another replay is on its way\n')
      return 1
    }
    isBusy = true
    try {
      return await replayLetters(program, deadLetters, typeof to === 'string' ? to : undefined, out)
    } finally {
      isBusy = false
    }
  }
}

async function replayLetters(
  program: Program,
  letters: DeadLetterFile,
  to: string | undefined,
  out: (text: string) => void,
): Promise<number> {
  if (to !== undefined && program.chain(to) === undefined) {
    out(`weir dead-letter: there is no exporter "${to}" in any pipeline\n`)
    return 1
  }
  const result = await replay({ letters, chainOf: (id) => program.chain(id), to })
  out(textOf(result))
  return result.rejected > 0 || result.kept.size > 0 ? 2 : 0
}

function textOf({ delivered, rejected, kept }: ReplayResult): string {
  const lines = [...delivered].map(([exporter, count]) => `${count} delivered to ${exporter}`)
  if (rejected > 0) lines.push(`${rejected} or some of them refused again: see the dead-letter file`)
  for (const [why, count] of kept) lines.push(`${count} kept: ${why}`)
  return `${lines.length === 0 ? 'there are no dead letters' : lines.join('\n')}\n`
}
