/** `weir print-config`: the configuration as it was understood, with its defaults. */
import { stringify } from 'yaml'
import { loadConfig } from '../config/load.ts'
import { resolvedConfig } from '../config/resolved.ts'
import { CONFIG_FLAGS, command, oneOf, parseFlags, problemText, sourcesOf } from './arguments.ts'

const FLAGS = {
  ...CONFIG_FLAGS,
  mode: { type: 'string', default: 'redacted' },
  format: { type: 'string', default: 'yaml' },
} as const

/** Exit codes: 0 printed, 1 the configuration is not valid. */
export const printConfig = command(async (args, io) => {
  const values = parseFlags('print-config', args, FLAGS)
  const mode = oneOf('print-config', 'mode', values.mode, ['redacted', 'unredacted'])
  const format = oneOf('print-config', 'format', values.format, ['yaml', 'json'])
  const result = loadConfig(sourcesOf('print-config', values, io.cwd), io.registry, io.env)
  io.stderr(problemText(result))
  if (result.config === undefined) return 1
  const resolved = resolvedConfig(result.config, { redact: mode === 'redacted' })
  io.stdout(format === 'json' ? `${JSON.stringify(resolved, undefined, 2)}\n` : yaml(resolved))
  return 0
})

function yaml(value: unknown): string {
  // Aliases and folded lines would be correct, and hard to read. Quotes keep YAML 1.1 readers from seeing booleans.
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, compat: 'yaml-1.1' })
}
