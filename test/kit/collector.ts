/** A real OpenTelemetry Collector, where `WEIR_TEST_COLLECTOR` names its program; docs/interop.md says how to build one. */
import { writeFileSync } from 'node:fs'
import { type Program, program } from './program.ts'

const PATH = process.env['WEIR_TEST_COLLECTOR']

/** Why its tests are skipped; false where they run. */
export const NO_COLLECTOR =
  PATH === undefined ? 'WEIR_TEST_COLLECTOR names no Collector (see docs/interop.md)' : (false as const)

/** Starts it with the sections of a configuration, written to `path`; its own metrics are switched off. */
export async function collector(path: string, config: string): Promise<Program> {
  writeFileSync(path, config.replace(/^service:$/m, 'service:\n  telemetry: {metrics: {level: none}}'))
  const one = program(PATH as string, ['--config', path])
  try {
    await one.says(/Everything is ready/)
  } catch (error) {
    await one.end('SIGKILL')
    throw error
  }
  return one
}
