/** `weir ebpf`: what this host lets the sensor see, and a live view of it. */
import { command, UsageError } from './arguments.ts'
import { check } from './ebpf-check.ts'

export const ebpf = command(async ([what, ...args], io) => {
  if (what === 'check') return check(args, io)
  if (what === 'trace') return (await import('./ebpf-trace.ts')).trace(args, io)
  throw new UsageError(
    `weir ebpf: ${what === undefined ? 'a command is missing' : `there is no command "${what}"`}; there are check and trace`,
  )
})
